//! Sign-in in the browser: opened pages and submitted forms.

pub(in crate::entra) mod admin_consent;
pub(in crate::entra) mod authorize;
mod next_step;
pub(in crate::entra) mod pages;
mod reply;
pub(in crate::entra) mod session;
mod signed_in;

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use uuid::Uuid;

use crate::entra::{
    Arrival, Entra, Person,
    error::{EntraError, Identifiers},
    issued::{device::DeviceState, opaque},
    place::Place,
    request::Parameters,
    response::{page, with_cookie},
    sign_in::{
        authorize::Prompt,
        next_step::Next,
        session::{Interaction, Purpose, Stage},
        signed_in::SignedIn,
    },
};

/// The cookie by which a browser is known.
const COOKIE: &str = "ESTSAUTH";

/// The outcome of a form.
enum Heard {
    Understood,
    /// The same question, with an error.
    Wrong(EntraError),
    Cancelled,
}

impl Entra {
    /// Starts an interaction for a browser that has opened one of the pages.
    pub(in crate::entra) fn begin(
        &self,
        arrival: &Arrival<'_>,
        place: &Place<'_>,
        purpose: Purpose,
    ) -> Response<Body> {
        let session = arrival.cookie(COOKIE).map_or_else(opaque, str::to_owned);
        let interaction = Interaction::new(&session, place, purpose, self.clock.now());
        let response = self.go_on(arrival.base, interaction, None, "");
        with_cookie(response, COOKIE, &session)
    }

    /// Continues an interaction with its submitted form.
    pub(in crate::entra) fn form(&self, arrival: &Arrival<'_>) -> Response<Body> {
        let form = arrival.form();
        let interaction = form.get("flowToken").and_then(|name| {
            let (session, canary) = (arrival.cookie(COOKIE), form.get("canary"));
            self.sessions(|sessions| sessions.take(name, session, canary))
        });
        let Some(mut interaction) = interaction else {
            return self.error_page(&EntraError::stale_page());
        };
        match self.hear(&mut interaction, &form) {
            Heard::Understood => self.go_on(arrival.base, interaction, None, ""),
            Heard::Wrong(error) => {
                let typed = form.get("loginfmt").or_else(|| form.get("UserName"));
                let typed = typed.unwrap_or_default();
                self.go_on(arrival.base, interaction, Some(&error), typed)
            }
            Heard::Cancelled => self.cancel(arrival.base, &interaction),
        }
    }

    pub(in crate::entra) fn error_page(&self, error: &EntraError) -> Response<Body> {
        let ids = Identifiers::new(self.clock.now());
        page(error.status(), pages::error(error, &ids))
    }

    /// Handles the fields of a form.
    fn hear(&self, interaction: &mut Interaction, form: &Parameters) -> Heard {
        let action = form.get("action").unwrap_or_default();
        match (action, &interaction.stage) {
            ("cancel", _) => return Heard::Cancelled,
            ("another", _) => interaction.stage = Stage::Naming,
            ("name", _) => {
                let Some(person) = self.person_called(form.get("loginfmt")) else {
                    interaction.stage = Stage::Naming;
                    return Heard::Wrong(self.unknown_person(interaction));
                };
                interaction.stage = Stage::Password(person.id);
            }
            ("adfs", _) => match self.person_called(form.get("UserName")) {
                Some(person) if form.get("Password") == Some(&person.password) => {
                    self.password_was_right(interaction, &person);
                }
                _ => return Heard::Wrong(EntraError::wrong_password()),
            },
            ("password", Stage::Password(id)) => match self.person(*id) {
                Some(person) if form.get("passwd") == Some(&person.password) => {
                    self.password_was_right(interaction, &person);
                }
                _ => return Heard::Wrong(EntraError::wrong_password()),
            },
            ("second-factor", Stage::SecondFactor(id)) => match self.person(*id) {
                Some(person) if form.get("otc") == person.verification_code.as_deref() => {
                    self.sign_in(interaction, &person, true);
                }
                _ => return Heard::Wrong(EntraError::wrong_verification_code()),
            },
            ("accept", Stage::SignedIn(_)) => interaction.agreed = true,
            ("continue", Stage::SignedIn(_)) => interaction.confirmed = true,
            ("device", _) => return self.device_typed(interaction, form),
            (action, _) => {
                let picked = action.strip_prefix("pick:").map(Uuid::try_parse);
                if let Some(Ok(id)) = picked {
                    interaction.stage = self.known_at(interaction, id);
                }
            }
        }
        Heard::Understood
    }

    pub(in crate::entra) fn person(&self, id: Uuid) -> Option<Person> {
        self.read(|directory| directory.person(id).cloned())
    }

    pub(in crate::entra) fn person_called(&self, name: Option<&str>) -> Option<Person> {
        self.read(|directory| directory.person_called(name?).cloned())
    }

    fn unknown_person(&self, interaction: &Interaction) -> EntraError {
        self.read(|directory| {
            let tenant = interaction.tenant.unwrap_or(directory.home);
            EntraError::unknown_person(&directory.tenant_name(tenant))
        })
    }

    fn password_was_right(&self, interaction: &mut Interaction, person: &Person) {
        if person.verification_code.is_some() {
            interaction.stage = Stage::SecondFactor(person.id);
        } else {
            self.sign_in(interaction, person, false);
        }
    }

    fn sign_in(&self, interaction: &mut Interaction, person: &Person, second_factor: bool) {
        let signed_in = SignedIn {
            person: person.id,
            generation: person.generation,
            at: self.clock.now(),
            second_factor,
        };
        if !person.disabled {
            self.sessions(|sessions| sessions.sign_in(&interaction.session, signed_in.clone()));
        }
        interaction.stage = Stage::SignedIn(signed_in);
    }

    /// Handles a typed device code.
    fn device_typed(&self, interaction: &mut Interaction, form: &Parameters) -> Heard {
        let now = self.clock.now();
        let typed = form.get("otc").unwrap_or_default();
        let waiting = self.issued(|issued| {
            let device = issued.waiting_device(typed, now)?;
            Some((device.user_code.clone(), device.tenant))
        });
        match waiting {
            Some((code, tenant)) => {
                interaction.purpose = Purpose::Device(Some(code));
                interaction.tenant = tenant;
                Heard::Understood
            }
            None => Heard::Wrong(EntraError::bad_verification_code()),
        }
    }

    /// The stage of a sign-in after this person was picked.
    pub(in crate::entra) fn known_at(&self, interaction: &Interaction, id: Uuid) -> Stage {
        let known = self.sessions(|sessions| sessions.signed_in(&interaction.session));
        let person = self.person(id);
        let signed_in = known.into_iter().find(|known| {
            person
                .as_ref()
                .is_some_and(|person| known.holds_for(person))
        });
        signed_in.map_or(Stage::Password(id), Stage::SignedIn)
    }

    /// Shows the next question, or ends the interaction.
    fn go_on(
        &self,
        base: &str,
        mut interaction: Interaction,
        previous_error: Option<&EntraError>,
        typed: &str,
    ) -> Response<Body> {
        let (question, silent) = match self.next(&mut interaction) {
            Ok(Next::Ask(question, silent)) => (question, silent),
            Ok(Next::Reply(response)) => return response,
            Err(error) => {
                return match &interaction.purpose {
                    Purpose::Authorize(wanted) if wanted.prompt == Prompt::None => self.send_error(
                        &interaction.place(base),
                        &wanted.reply,
                        &error.named("interaction_required"),
                    ),
                    _ => self.error_page(&error),
                };
            }
        };
        if let Purpose::Authorize(wanted) = &interaction.purpose
            && wanted.prompt == Prompt::None
        {
            return self.send_error(&interaction.place(base), &wanted.reply, &silent);
        }
        page(
            StatusCode::OK,
            self.ask(&question, interaction, previous_error, typed),
        )
    }

    /// Ends an interaction that the person cancelled.
    fn cancel(&self, base: &str, interaction: &Interaction) -> Response<Body> {
        match &interaction.purpose {
            Purpose::Authorize(wanted) => self.send_error(
                &interaction.place(base),
                &wanted.reply,
                &EntraError::declined(),
            ),
            Purpose::AdminConsent(wanted) => self.send_refused_consent(wanted),
            Purpose::Device(code) => {
                let now = self.clock.now();
                let code = code.as_deref().unwrap_or_default();
                self.issued(|issued| {
                    if let Some(device) = issued.waiting_device(code, now) {
                        device.state = DeviceState::Declined;
                    }
                });
                page(
                    StatusCode::OK,
                    pages::message(
                        "You have cancelled the sign-in.",
                        "You may close this window.",
                    ),
                )
            }
        }
    }
}
