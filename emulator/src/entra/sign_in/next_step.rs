//! The next step of an interaction: a question, or its end.

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use maud::Markup;

use super::{
    authorize::Prompt,
    pages::{self, ConsentQuestion},
    session::{Interaction, Purpose, Stage},
    signed_in::SignedIn,
};
use crate::entra::{
    Application, Entra, Person, Platform,
    error::EntraError,
    issued::{Grant, device::DeviceState},
    place::Dialect,
    response::page,
};

/// The next question to a person.
pub(in crate::entra) enum Question {
    DeviceCode,
    Name,
    NameAndPassword,
    Password(Person),
    SecondFactor(Person),
    Account(Vec<Person>),
    DeviceConfirmation(Person),
    Consent(Person),
    Administrator(Person),
}

/// What comes next in an interaction.
pub(in crate::entra) enum Next {
    /// A question. With `prompt=none` the application gets the error instead.
    Ask(Question, EntraError),
    /// The interaction is over.
    Reply(Response<Body>),
}

impl Entra {
    pub(in crate::entra) fn next(&self, interaction: &mut Interaction) -> Result<Next, EntraError> {
        if matches!(interaction.purpose, Purpose::Device(None)) {
            let silent = EntraError::bad_verification_code();
            return Ok(Next::Ask(Question::DeviceCode, silent));
        }
        if interaction.stage == Stage::Begun {
            interaction.stage = self.first_stage(interaction);
        }
        let person = |id| self.person(id).ok_or_else(EntraError::deleted_person);
        let silent = EntraError::not_signed_in();
        let signed_in = match &interaction.stage {
            Stage::Begun | Stage::Naming if interaction.dialect == Dialect::AdFs => {
                return Ok(Next::Ask(Question::NameAndPassword, silent));
            }
            Stage::Begun | Stage::Naming => return Ok(Next::Ask(Question::Name, silent)),
            Stage::Choosing => {
                let people = self.people_at(interaction);
                return Ok(Next::Ask(Question::Account(people), silent));
            }
            Stage::Password(id) => return Ok(Next::Ask(Question::Password(person(*id)?), silent)),
            Stage::SecondFactor(id) => {
                let error = EntraError::second_factor_needed("the resource");
                let error = error.named("interaction_required");
                return Ok(Next::Ask(Question::SecondFactor(person(*id)?), error));
            }
            Stage::SignedIn(signed_in) => signed_in.clone(),
        };
        self.admitted(interaction, &person(signed_in.person)?, &signed_in)
    }

    /// What is next for a person who has signed in.
    fn admitted(
        &self,
        interaction: &Interaction,
        person: &Person,
        signed_in: &SignedIn,
    ) -> Result<Next, EntraError> {
        let application = self.wanted_by(interaction)?;
        if interaction.tenant.is_some_and(|id| id != person.tenant) {
            let tenant = interaction.tenant.unwrap_or_default();
            let name = self.read(|directory| directory.tenant_name(tenant));
            let id = application.client_id;
            return Err(EntraError::person_of_another_tenant(&name, id));
        }
        if person.disabled {
            return Err(EntraError::disabled_person());
        }
        if person.blocked {
            return Err(EntraError::blocked());
        }
        let needed = EntraError::administrator_needed(&application.name);
        let no_consent = EntraError::no_consent(application.client_id, &application.name)
            .named("interaction_required");
        let consented = self.read(|directory| directory.has_consent(application.client_id, person));
        let asks_administrator =
            !person.administrator && self.read(|directory| directory.consent_takes_administrator);
        let consent = || {
            if asks_administrator {
                Next::Ask(Question::Administrator(person.clone()), needed.clone())
            } else {
                Next::Ask(Question::Consent(person.clone()), no_consent.clone())
            }
        };
        match &interaction.purpose {
            Purpose::Authorize(wanted) => {
                let audience = &wanted.requested.audience;
                self.read(|directory| directory.require_resource(audience, person.tenant))?;
                let consented = interaction.dialect == Dialect::AdFs
                    || consented && wanted.prompt != Prompt::Consent;
                if !consented && (!interaction.agreed || asks_administrator) {
                    return Ok(consent());
                }
                self.consent_if(interaction.agreed, &application, person);
                let session = &interaction.session;
                let response = self.send_code(wanted, person, signed_in, session);
                Ok(Next::Reply(response))
            }
            Purpose::AdminConsent(wanted) => {
                if !person.administrator {
                    return Ok(Next::Ask(Question::Administrator(person.clone()), needed));
                }
                if !interaction.agreed {
                    return Ok(Next::Ask(Question::Consent(person.clone()), no_consent));
                }
                if let Some((_, audience)) = &wanted.scope {
                    self.read(|directory| directory.require_resource(audience, person.tenant))?;
                }
                Ok(Next::Reply(self.send_consent(wanted, person.tenant)))
            }
            Purpose::Device(code) => {
                if !interaction.confirmed {
                    let question = Question::DeviceConfirmation(person.clone());
                    return Ok(Next::Ask(question, no_consent));
                }
                if !consented && (!interaction.agreed || asks_administrator) {
                    return Ok(consent());
                }
                self.consent_if(interaction.agreed, &application, person);
                let code = code.as_deref().unwrap_or_default();
                self.approve_device(code, person, signed_in)?;
                Ok(Next::Reply(page(
                    StatusCode::OK,
                    pages::message(
                        &format!(
                            "You have signed in to the {} application on your device.",
                            application.name
                        ),
                        "You may now close this window.",
                    ),
                )))
            }
        }
    }

    fn consent_if(&self, agreed: bool, application: &Application, person: &Person) {
        if agreed {
            self.consent(application.client_id, person.tenant, Some(person.id));
        }
    }

    fn approve_device(
        &self,
        user_code: &str,
        person: &Person,
        signed_in: &SignedIn,
    ) -> Result<(), EntraError> {
        let now = self.clock.now();
        self.issued(|issued| {
            let device = issued
                .waiting_device(user_code, now)
                .ok_or_else(EntraError::expired_device_code)?;
            device.state = DeviceState::Approved(Grant {
                client_id: device.client_id,
                person: person.id,
                generation: signed_in.generation,
                signed_in: signed_in.at,
                second_factor: signed_in.second_factor,
                platform: Platform::Native,
                requested: device.requested.clone(),
                nonce: None,
            });
            Ok(())
        })
    }

    /// The application the interaction is for.
    fn wanted_by(&self, interaction: &Interaction) -> Result<Application, EntraError> {
        let client_id = match &interaction.purpose {
            Purpose::Authorize(wanted) => wanted.client_id,
            Purpose::AdminConsent(wanted) => wanted.client_id,
            Purpose::Device(code) => {
                let now = self.clock.now();
                let code = code.as_deref().unwrap_or_default();
                self.issued(|issued| issued.waiting_device(code, now).map(|of| of.client_id))
                    .ok_or_else(EntraError::expired_device_code)?
            }
        };
        self.read(|directory| {
            directory
                .application_for_people(&client_id.to_string(), interaction.tenant)
                .cloned()
        })
    }

    /// Where a sign-in begins: with whoever is signed in already, if that may be.
    fn first_stage(&self, interaction: &Interaction) -> Stage {
        let (prompt, hint) = match &interaction.purpose {
            Purpose::Authorize(wanted) => (wanted.prompt, wanted.login_hint.as_deref()),
            Purpose::AdminConsent(_) | Purpose::Device(_) => (Prompt::Needed, None),
        };
        let hinted = self.person_called(hint).map(|person| person.id);
        match (prompt, hinted) {
            (Prompt::Login, Some(id)) if interaction.dialect != Dialect::AdFs => {
                return Stage::Password(id);
            }
            (Prompt::Login, _) => return Stage::Naming,
            _ => {}
        }
        let people = self.people_at(interaction);
        let stage = match (hinted, people.as_slice()) {
            (None, []) => Stage::Naming,
            _ if prompt == Prompt::SelectAccount => Stage::Choosing,
            (Some(id), _) => self.known_at(interaction, id),
            (None, [one]) => self.known_at(interaction, one.id),
            (None, _) => Stage::Choosing,
        };
        match stage {
            Stage::Password(_) if interaction.dialect == Dialect::AdFs => Stage::Naming,
            stage => stage,
        }
    }

    /// Who is signed in at the browser.
    fn people_at(&self, interaction: &Interaction) -> Vec<Person> {
        let known = self.sessions(|sessions| sessions.signed_in(&interaction.session));
        known
            .into_iter()
            .filter_map(|known| self.person(known.person))
            .collect()
    }

    /// The page that asks a question.
    pub(in crate::entra) fn ask(
        &self,
        question: &Question,
        interaction: Interaction,
        previous_error: Option<&EntraError>,
        typed: &str,
    ) -> Markup {
        let application = self.wanted_by(&interaction);
        let application = application.as_ref().map_or("", |app| app.name.as_str());
        let action = match interaction.dialect {
            Dialect::AdFs => "/adfs/ls/",
            Dialect::V1 | Dialect::V2 => "/common/login",
        };
        let canary = interaction.canary.clone();
        let hint = match &interaction.purpose {
            Purpose::Authorize(wanted) => wanted.login_hint.clone().unwrap_or_default(),
            _ => String::new(),
        };
        let typed = if typed.is_empty() { &hint } else { typed };
        let (for_everybody, keeps_access) = match &interaction.purpose {
            Purpose::Authorize(wanted) => (false, wanted.requested.refresh_token),
            Purpose::AdminConsent(_) => (true, true),
            Purpose::Device(_) => (false, true),
        };
        let now = self.clock.now();
        let flow_token = self.sessions(|sessions| sessions.keep(interaction, now));
        let form = pages::Form {
            action,
            flow_token: &flow_token,
            canary: &canary,
        };
        let home = || self.read(|directory| directory.tenant_name(directory.home));
        match question {
            Question::DeviceCode => pages::device(&form, previous_error),
            Question::Name => pages::name(&form, typed, previous_error),
            Question::NameAndPassword => pages::adfs(&form, &home(), typed, previous_error),
            Question::Password(person) => {
                pages::password(&form, &person.user_principal_name, previous_error)
            }
            Question::SecondFactor(person) => {
                pages::second_factor(&form, &person.user_principal_name, previous_error)
            }
            Question::Account(people) => {
                let accounts: Vec<_> = people
                    .iter()
                    .map(|person| (person.id.to_string(), person.user_principal_name.clone()))
                    .collect();
                pages::accounts(&form, &accounts)
            }
            Question::DeviceConfirmation(person) => {
                pages::device_confirmation(&form, application, &person.user_principal_name)
            }
            Question::Consent(person) => pages::consent(
                &form,
                &ConsentQuestion {
                    application,
                    publisher: &home(),
                    who: &person.user_principal_name,
                    for_everybody,
                    keeps_access,
                },
            ),
            Question::Administrator(person) => pages::administrator_needed(
                &form,
                application,
                &person.user_principal_name,
                &EntraError::administrator_needed(application),
            ),
        }
    }
}
