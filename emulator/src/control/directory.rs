//! Commands about the directory: applications, consent, and what is issued.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    ControlError,
    parameters::{depth_of, parse, role},
};
use crate::{
    entra::{
        Application, Certificate, ClientSecret, FederatedCredential, KeySet, Platform, RedirectUri,
    },
    environment::Environment,
    ids,
    org::{self, Role},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ApplicationChange {
    /// Of a new application only, like the role.
    client_id: Option<Uuid>,
    role: Option<String>,
    /// Exactly what the new application's user may do, instead of a role by name.
    privileges: Option<Vec<GrantedPrivilege>>,
    name: Option<String>,
    /// Takes the place of all secrets.
    secret: Option<String>,
    redirect_uris: Option<Vec<NewRedirectUri>>,
    public_client: Option<bool>,
    multi_tenant: Option<bool>,
    disabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantedPrivilege {
    name: String,
    depth: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRedirectUri {
    uri: String,
    platform: NewPlatform,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum NewPlatform {
    Web,
    Native,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCertificate {
    certificate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFederatedCredential {
    issuer: String,
    subject: String,
    audience: Option<String>,
    /// A JSON Web Key Set.
    keys: Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewConsent {
    /// Sign-in name or identifier; absent for all people.
    person: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seconds {
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConsentPolicy {
    administrator_only: bool,
}

fn known_id(id: &str) -> Result<Uuid, ControlError> {
    Uuid::try_parse(id).map_err(|_| ControlError::unknown("application", id))
}

fn missing(field: &'static str) -> ControlError {
    ControlError::Body(serde::de::Error::missing_field(field))
}

impl ApplicationChange {
    fn apply(self, application: &mut Application) {
        if let Some(name) = self.name {
            application.name = name;
        }
        if let Some(secret) = self.secret {
            application.secrets = vec![ClientSecret::new(secret)];
        }
        if let Some(uris) = self.redirect_uris {
            let uris = uris.into_iter().map(|new| RedirectUri {
                uri: new.uri,
                platform: match new.platform {
                    NewPlatform::Web => Platform::Web,
                    NewPlatform::Native => Platform::Native,
                },
            });
            application.redirect_uris = uris.collect();
        }
        let flags = [
            (self.public_client, &mut application.public_client),
            (self.multi_tenant, &mut application.multi_tenant),
            (self.disabled, &mut application.disabled),
        ];
        for (change, flag) in flags {
            *flag = change.unwrap_or(*flag);
        }
    }
}

/// Carries out a command about the directory; `None` if it is not one.
pub(super) fn run(
    environment: &Arc<Environment>,
    method: &str,
    command: &str,
    body: &[u8],
) -> Option<Result<Json, ControlError>> {
    let mut segments = command.splitn(3, '/');
    let segments = (
        segments.next().unwrap_or_default(),
        segments.next(),
        segments.next(),
    );
    let done = |outcome: Result<(), ControlError>| outcome.map(|()| json!({"done": true}));
    let entra = &environment.entra;
    Some(match (method, segments) {
        ("POST", ("applications", None, None)) => environment.new_application(body),
        (method, ("applications", Some(id), what)) => {
            done(environment.application_command(method, id, what, body)?)
        }
        ("POST", ("people", None, None)) => environment.new_person(body),
        (method, ("people", Some(name), what)) => {
            done(environment.person_command(method, name, what, body)?)
        }
        ("GET", ("tokens", None, None)) => Ok(json!({
            "accessTokens": entra.tokens_issued(),
            "refreshTokens": entra.refresh_tokens_issued(),
        })),
        ("POST", ("refresh-tokens", Some("expire"), None)) => {
            entra.expire_refresh_tokens();
            done(Ok(()))
        }
        ("PUT", ("token-lifetime", None, None)) => done(parse(body).map(|Seconds { seconds }| {
            entra.change_settings(|settings| settings.token_lifetime = seconds);
        })),
        ("PUT", ("refresh-token-grace", None, None)) => {
            done(parse(body).map(|grace: Option<Seconds>| {
                let grace = grace.map(|grace| grace.seconds);
                entra.change_settings(|settings| settings.refresh_grace = grace);
            }))
        }
        ("PUT", ("device-code-interval", None, None)) => {
            done(parse(body).map(|Seconds { seconds }| {
                entra.change_settings(|settings| settings.device_interval = seconds);
            }))
        }
        ("PUT", ("consent-policy", None, None)) => {
            done(parse(body).map(|policy: ConsentPolicy| {
                entra.consent_takes_administrator(policy.administrator_only);
            }))
        }
        _ => return None,
    })
}

impl Environment {
    fn new_application(&self, body: &[u8]) -> Result<Json, ControlError> {
        let mut new: ApplicationChange = parse(body)?;
        let client_id = new.client_id.ok_or_else(|| missing("clientId"))?;
        let role = new.role.as_deref().map(role).transpose()?;
        let tenant = self.api.current().organization.tenant;
        let mut application = Application::new(client_id, tenant, "Registered application");
        let privileges = new.privileges.take();
        new.apply(&mut application);
        let Some(privileges) = privileges else {
            self.register(application, role)?;
            return Ok(json!({"done": true}));
        };
        let granted = privileges
            .iter()
            .map(|of| Ok((of.name.as_str(), depth_of(of.depth.as_deref())?)))
            .collect::<Result<Vec<_>, ControlError>>()?;
        let user = self.register_with(application, &granted)?;
        Ok(json!({"done": true, "user": user}))
    }

    /// Registers an application; with a role it becomes an application user.
    pub(crate) fn register(
        &self,
        application: Application,
        role: Option<Role>,
    ) -> Result<(), ControlError> {
        if let Some(role) = role {
            org::add_application_user(
                &self.api.current().store,
                application.client_id,
                application.object_id,
                &application.name,
                &[role.id(ids::ROOT_BUSINESS_UNIT)],
            )?;
        }
        self.entra.register(application);
        Ok(())
    }

    fn application_command(
        &self,
        method: &str,
        id: &str,
        what: Option<&str>,
        body: &[u8],
    ) -> Option<Result<(), ControlError>> {
        Some(match (method, what) {
            ("PATCH", None) => parse(body).and_then(|changes: ApplicationChange| {
                self.change_application(id, |application| changes.apply(application))
            }),
            ("POST", Some("certificates")) => parse(body).and_then(|new: NewCertificate| {
                let certificate = Certificate::parse(&new.certificate)?;
                self.change_application(id, |application| {
                    application.certificates.push(certificate);
                })
            }),
            ("DELETE", Some("certificates")) => {
                self.change_application(id, |application| application.certificates.clear())
            }
            ("POST", Some("federated-credentials")) => {
                parse(body).and_then(|new: NewFederatedCredential| {
                    let audience = new.audience.as_deref();
                    let credential = FederatedCredential {
                        issuer: new.issuer,
                        subject: new.subject,
                        audience: audience.unwrap_or(FederatedCredential::AUDIENCE).to_owned(),
                        keys: KeySet::parse(&new.keys.to_string())?,
                    };
                    self.change_application(id, |application| {
                        application.federated_credentials.push(credential);
                    })
                })
            }
            ("DELETE", Some("federated-credentials")) => {
                self.change_application(id, |application| {
                    application.federated_credentials.clear();
                })
            }
            ("POST", Some("consents")) => parse(body).and_then(|new: NewConsent| {
                self.give_consent(known_id(id)?, new.person.as_deref())
            }),
            ("DELETE", Some("consents")) => {
                known_id(id).map(|client_id| self.entra.withdraw_consent(client_id))
            }
            _ => return None,
        })
    }

    fn change_application(
        &self,
        id: &str,
        change: impl FnOnce(&mut Application),
    ) -> Result<(), ControlError> {
        if self.entra.change_application(known_id(id)?, change) {
            Ok(())
        } else {
            Err(ControlError::unknown("application", id))
        }
    }

    /// Consents to an application for one person, or without one for all people.
    pub(crate) fn give_consent(
        &self,
        client_id: Uuid,
        person: Option<&str>,
    ) -> Result<(), ControlError> {
        let mut who = None;
        let mut tenant = self.api.current().organization.tenant;
        if let Some(name) = person {
            let known = self.entra.change_person(name, |person| {
                who = Some(person.id);
                tenant = person.tenant;
            });
            if !known {
                return Err(ControlError::unknown("person", name));
            }
        }
        self.entra.consent(client_id, tenant, who);
        Ok(())
    }
}
