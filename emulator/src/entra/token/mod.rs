//! The token endpoint (reference §2.2 to §2.6).

mod access;
mod assertion;
mod client;
pub(in crate::entra) mod jwt;

use serde_json::{Map, Value, json};

use crate::entra::{
    Application, Entra, Person, Platform,
    error::EntraError,
    issued::{Grant, Redemption, device::DEVICE_CODE_LIFETIME},
    place::{Dialect, Place},
    request::Parameters,
    scope::{Requested, application_resource},
};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Entra {
    /// Handles a request to the token endpoint.
    pub(in crate::entra) fn token(
        &self,
        place: &Place<'_>,
        form: &Parameters,
    ) -> Result<Value, EntraError> {
        match form.require("grant_type")? {
            "client_credentials" => self.client_credentials(place, form),
            "authorization_code" => self.authorization_code(place, form),
            "refresh_token" => self.refresh(place, form),
            "password" => self.password(place, form),
            // The v1 endpoint has a shorter name for it.
            DEVICE_CODE | "device_code" => self.device_poll(place, form),
            other => Err(EntraError::unsupported_grant(other)),
        }
    }

    /// A token for the application itself.
    fn client_credentials(
        &self,
        place: &Place<'_>,
        form: &Parameters,
    ) -> Result<Value, EntraError> {
        let tenant = place.tenant.ok_or_else(EntraError::no_tenant)?;
        let client_id = form.require("client_id")?;
        let application =
            self.read(|directory| directory.application(client_id, tenant).cloned())?;
        self.authenticate(place, tenant, &application, form)?;
        let audience = match place.dialect {
            Dialect::V2 => application_resource(form.require("scope")?)?,
            Dialect::V1 | Dialect::AdFs => form.require("resource")?,
        };
        self.read(|directory| directory.require_resource(audience, tenant))?;
        let token = self.issue_to_application(place, tenant, &application, audience);
        Ok(Value::Object(self.token_response(place, audience, &token)))
    }

    /// A person's first tokens, for the code that the browser brought back.
    fn authorization_code(
        &self,
        place: &Place<'_>,
        form: &Parameters,
    ) -> Result<Value, EntraError> {
        let application = self.application_of(place, form)?;
        let value = form.require("code")?;
        let redirect_uri = form.require("redirect_uri")?;
        let platform = self.issued(|issued| issued.code_platform(value));
        self.authenticate_platform(place, &application, platform, form)?;
        let redemption = Redemption {
            value,
            client_id: application.client_id,
            now: self.clock.now(),
        };
        let grant = self.issued(|issued| {
            issued.redeem_code(&redemption, redirect_uri, form.get("code_verifier"))
        })?;
        let signed_in = grant.signed_in;
        self.tokens_for_person(place, form, &application, grant, signed_in)
    }

    /// New tokens for a refresh token (reference §2.4).
    fn refresh(&self, place: &Place<'_>, form: &Parameters) -> Result<Value, EntraError> {
        let application = self.application_of(place, form)?;
        let value = form.require("refresh_token")?;
        let platform = self.issued(|issued| issued.refresh_platform(value));
        self.authenticate_platform(place, &application, platform, form)?;
        let now = self.clock.now();
        let redemption = Redemption {
            value,
            client_id: application.client_id,
            now,
        };
        let grace = self.settings().refresh_grace;
        let (mut grant, issued_at) =
            self.issued(|issued| issued.use_refresh_token(&redemption, grace))?;
        // A refresh request always returns a refresh token.
        grant.requested.refresh_token = true;
        let response = self.tokens_for_person(place, form, &application, grant, issued_at)?;
        self.issued(|issued| issued.supersede(value, now));
        Ok(response)
    }

    /// A person's tokens for name and password, as programs without a browser request them.
    fn password(&self, place: &Place<'_>, form: &Parameters) -> Result<Value, EntraError> {
        if place.dialect == Dialect::V2 && place.name == "common" {
            return Err(EntraError::no_passwords_at_common());
        }
        let application = self.application_of(place, form)?;
        let platform = if application.public_client {
            Self::no_credential(form)?;
            Platform::Native
        } else {
            self.authenticate(place, application.tenant, &application, form)?;
            Platform::Web
        };
        let name = form.require("username")?;
        let person = self.person_called(Some(name)).filter(|person| {
            let tenant = place.tenant;
            tenant.is_none_or(|tenant| tenant == person.tenant)
        });
        let person = person.ok_or_else(|| {
            self.read(|directory| {
                let tenant = place.tenant.unwrap_or(directory.home);
                EntraError::unknown_person(&directory.tenant_name(tenant))
            })
        })?;
        if form.require("password")? != person.password {
            return Err(EntraError::wrong_password());
        }
        let requested = match place.dialect {
            Dialect::V2 => Requested::parse(form.require("scope")?)?,
            Dialect::V1 | Dialect::AdFs => Requested::resource(form.require("resource")?),
        };
        let now = self.clock.now();
        let grant = Grant {
            client_id: application.client_id,
            person: person.id,
            generation: person.generation,
            signed_in: now,
            second_factor: false,
            platform,
            requested,
            nonce: None,
        };
        self.tokens_for_person(place, form, &application, grant, now)
    }

    fn device_poll(&self, place: &Place<'_>, form: &Parameters) -> Result<Value, EntraError> {
        let application = self.application_of(place, form)?;
        // In v1 the parameter is called `code`.
        let value = match form.get("code") {
            Some(value) => value,
            None => form.require("device_code")?,
        };
        if application.public_client {
            Self::no_credential(form)?;
        } else {
            self.authenticate(place, application.tenant, &application, form)?;
        }
        let redemption = Redemption {
            value,
            client_id: application.client_id,
            now: self.clock.now(),
        };
        let grant = self.issued(|issued| issued.poll_device(&redemption))?;
        let signed_in = grant.signed_in;
        self.tokens_for_person(place, form, &application, grant, signed_in)
    }

    fn application_of(
        &self,
        place: &Place<'_>,
        form: &Parameters,
    ) -> Result<Application, EntraError> {
        let client_id = form.require("client_id")?;
        self.read(|directory| {
            directory
                .application_for_people(client_id, place.tenant)
                .cloned()
        })
    }

    /// What the client has to present follows from the redirect URI of the grant. An unknown
    /// grant is rejected after the client is authenticated.
    fn authenticate_platform(
        &self,
        place: &Place<'_>,
        application: &Application,
        platform: Option<Platform>,
        form: &Parameters,
    ) -> Result<(), EntraError> {
        match platform {
            Some(Platform::Native) => Self::no_credential(form),
            None if application.public_client => Ok(()),
            Some(Platform::Web) | None => {
                self.authenticate(place, application.tenant, application, form)
            }
        }
    }

    /// Tokens for a person's grant that was given at `issued_at`.
    fn tokens_for_person(
        &self,
        place: &Place<'_>,
        form: &Parameters,
        application: &Application,
        mut grant: Grant,
        issued_at: i64,
    ) -> Result<Value, EntraError> {
        let asked = match place.dialect {
            Dialect::V2 => form.get("scope").map(Requested::parse).transpose()?,
            Dialect::V1 | Dialect::AdFs => form.get("resource").map(Requested::resource),
        };
        if let Some(mut asked) = asked {
            asked.refresh_token |= grant.requested.refresh_token;
            asked.id_token |= grant.requested.id_token;
            if asked.audience == super::scope::GRAPH {
                // A scope without a resource requests the resource already granted.
                grant.requested.audience.clone_into(&mut asked.audience);
            }
            grant.requested = asked;
        }
        let person = self.still_granted(place, application, &grant, issued_at)?;
        let audience = grant.requested.audience.clone();
        let token = self.issue_to_person(place, application, &person, &grant);
        let mut response = self.token_response(place, &audience, &token);
        let scope = match place.dialect {
            Dialect::V2 => grant.requested.granted(),
            Dialect::V1 | Dialect::AdFs => super::scope::USER_IMPERSONATION.to_owned(),
        };
        response.insert("scope".to_owned(), scope.into());
        if grant.requested.id_token {
            let id_token = self.id_token(place, application, &person, &grant);
            response.insert("id_token".to_owned(), id_token.into());
        }
        if grant.requested.refresh_token {
            let now = self.clock.now();
            let refresh_token = self.issued(|issued| issued.refresh_token(grant, now));
            response.insert("refresh_token".to_owned(), refresh_token.into());
        }
        if form.get("client_info") == Some("1") {
            response.insert("client_info".to_owned(), client_info(&person).into());
        }
        Ok(Value::Object(response))
    }

    /// The person of a grant, if it still holds.
    fn still_granted(
        &self,
        place: &Place<'_>,
        application: &Application,
        grant: &Grant,
        issued_at: i64,
    ) -> Result<Person, EntraError> {
        self.read(|directory| {
            let person = directory
                .person(grant.person)
                .ok_or_else(EntraError::deleted_person)?;
            if place.tenant.is_some_and(|tenant| tenant != person.tenant) {
                return Err(EntraError::grant_of_another_tenant());
            }
            if person.disabled {
                return Err(EntraError::disabled_person());
            }
            if person.generation > grant.generation {
                return Err(EntraError::revoked_grant(issued_at, person.valid_from));
            }
            if person.blocked {
                return Err(EntraError::blocked());
            }
            let audience = &grant.requested.audience;
            if person.verification_code.is_some() && !grant.second_factor {
                return Err(EntraError::second_factor_needed(audience));
            }
            directory.require_resource(audience, person.tenant)?;
            let consent = place.dialect == Dialect::AdFs
                || directory.has_consent(application.client_id, person);
            if !consent {
                return Err(EntraError::no_consent(
                    application.client_id,
                    &application.name,
                ));
            }
            Ok(person.clone())
        })
    }

    fn token_response(&self, place: &Place<'_>, audience: &str, token: &str) -> Map<String, Value> {
        let seconds = self.settings().token_lifetime;
        let now = self.clock.now();
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("access_token", token.into());
        match place.dialect {
            Dialect::V2 => {
                add("token_type", "Bearer".into());
                add("expires_in", seconds.into());
                add("ext_expires_in", seconds.into());
            }
            Dialect::V1 => {
                add("token_type", "Bearer".into());
                add("expires_in", seconds.to_string().into());
                add("ext_expires_in", seconds.to_string().into());
                add("expires_on", (now + seconds).to_string().into());
                add("not_before", now.to_string().into());
                add("resource", audience.into());
            }
            Dialect::AdFs => {
                add("token_type", "bearer".into());
                add("expires_in", seconds.into());
                add("resource", audience.into());
            }
        }
        members
    }
}

/// Which account it is, as MSAL wants to know.
fn client_info(person: &Person) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let info = json!({"uid": person.id, "utid": person.tenant});
    URL_SAFE_NO_PAD.encode(info.to_string())
}

impl Entra {
    /// Handles a request for a device code (reference §2.6).
    pub(in crate::entra) fn device_code(
        &self,
        place: &Place<'_>,
        form: &Parameters,
    ) -> Result<Value, EntraError> {
        let application = self.application_of(place, form)?;
        let requested = match place.dialect {
            Dialect::V2 => Requested::parse(form.require("scope")?)?,
            Dialect::V1 | Dialect::AdFs => Requested::resource(form.require("resource")?),
        };
        let tenant = place
            .tenant
            .unwrap_or_else(|| self.read(|directory| directory.home));
        self.read(|directory| directory.require_resource(&requested.audience, tenant))?;
        let interval = self.settings().device_interval;
        let now = self.clock.now();
        let (device_code, user_code) = self.issued(|issued| {
            issued.device_code(
                application.client_id,
                place.tenant,
                requested,
                interval,
                now,
            )
        });
        let page = format!("{}/devicelogin", place.base);
        Ok(json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": page,
            "expires_in": DEVICE_CODE_LIFETIME,
            "interval": interval,
            "message": format!(
                "To sign in, use a web browser to open the page {page} and enter the code \
                 {user_code} to authenticate."
            ),
        }))
    }
}
