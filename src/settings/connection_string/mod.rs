//! Settings as a connection string, with the keys of the Xrm tooling and of `CData`'s drivers.
//!
//! It is converted to the JSON document that settings are otherwise, and then read like one. A
//! secret is referenced by its name only, as `secret:NAME`.

mod key;
mod pairs;

use serde_json::{Map, Value, json};

use super::cloud::{CHINA, US_GOVERNMENT};
use super::document::Faults;
use crate::text::one_line;
use key::Key;

/// Marks the name of a secret.
const SECRET: &str = "secret:";

/// Whether the text is a connection string, and not a JSON document.
pub(super) fn is_one(text: &str) -> bool {
    text.trim_start().starts_with(|c: char| c.is_alphabetic()) && text.contains('=')
}

/// The equivalent JSON document.
///
/// # Errors
/// Every fault that was found. No value is repeated.
pub(super) fn document(text: &str) -> Result<Map<String, Value>, String> {
    let mut faults = Faults::default();
    let mut parts = Parts::default();
    match pairs::pairs(text) {
        Ok(pairs) => parts.add(pairs, &mut faults),
        Err(reason) => faults.note(format!("the connection string cannot be read: {reason}")),
    }
    // A part that was not understood may be the one that others require.
    if let Some(faults) = faults.into_sentence() {
        return Err(faults);
    }
    let mut faults = Faults::default();
    let document = parts.into_document(&mut faults);
    match faults.into_sentence() {
        Some(faults) => Err(faults),
        None => Ok(document),
    }
}

/// The values by their keys.
#[derive(Default)]
struct Parts(Vec<(Key, String)>);

impl Parts {
    fn add(&mut self, pairs: Vec<(String, String)>, faults: &mut Faults) {
        let is_type = |(name, _): &&(String, String)| Key::named(name) == Some(Key::SignInType);
        let sign_in_type = pairs.iter().find(is_type);
        let by_password =
            sign_in_type.is_some_and(|(_, sign_in_type)| is_password_sign_in(sign_in_type));
        if by_password {
            faults.note(NO_PASSWORD_SIGN_IN);
        }
        // What follows a pasted secret may be the rest of it, and is not repeated.
        let mut pasted = false;
        for (name, value) in pairs {
            let Some(key) = Key::named(&name) else {
                if !pasted {
                    faults.note(unknown(&name));
                }
                continue;
            };
            if key == Key::Password {
                pasted = true;
                if !by_password {
                    faults.note(format!(
                        "\"{}\" is not supported: remove it; a certificate is stored as PEM \
                         without a password",
                        key.name()
                    ));
                }
                continue;
            }
            let value = match (key.is_secret(), secret_name(&value)) {
                (true, Some(secret)) => secret.to_owned(),
                (true, None) => {
                    pasted = true;
                    faults.note(format!(
                        "\"{0}\" must name a secret, as in {0}={SECRET}NAME, and never hold its \
                         value; remove the value and put it into the secret store",
                        key.name()
                    ));
                    continue;
                }
                (false, _) => value,
            };
            if key != Key::Ignored && self.0.iter().any(|(known, _)| *known == key) {
                faults.note(format!("\"{}\" is given twice", key.name()));
            }
            self.0.push((key, value));
        }
    }

    fn take(&mut self, key: Key) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| *known == key)?;
        Some(self.0.remove(place).1)
    }

    fn require(&mut self, key: Key, faults: &mut Faults) -> Option<String> {
        let value = self.take(key);
        if value.is_none() {
            let name = key.name();
            faults.note(if key.is_secret() {
                format!(
                    "\"{name}\" is missing (add {name}={SECRET}NAME, with the name of the secret \
                     that holds the value)"
                )
            } else {
                format!("\"{name}\" is missing")
            });
        }
        value
    }

    fn into_document(mut self, faults: &mut Faults) -> Map<String, Value> {
        let mut document = Map::new();
        let mut set = |key: &str, value: Option<String>| {
            document.extend(value.map(|value| (key.to_owned(), Value::String(value))));
        };
        set("environment", self.require(Key::Environment, faults));
        set("tenant", self.take(Key::Tenant));
        set("resource", self.take(Key::Resource));
        let cloud = self
            .take(Key::Cloud)
            .and_then(|cloud| authority(&cloud, faults));
        set("authority", self.take(Key::Authority).or(cloud));
        if let Some(version) = self.take(Key::CrmVersion)
            && !version.eq_ignore_ascii_case("CRMOnline")
        {
            faults.note(
                "\"CRMVersion\" must be CRMOnline; for a server on premises leave it out, and \
                 name the AD FS server, as in Authority=https://adfs.contoso.com/adfs",
            );
        }
        if let Some(auth) = self.auth(faults) {
            document.insert("auth".to_owned(), auth);
        }
        document
    }

    fn auth(&mut self, faults: &mut Faults) -> Option<Value> {
        let name = self.require(Key::SignInType, faults)?;
        let ready = |parts: &Self| {
            let has = |key| parts.0.iter().any(|(known, _)| *known == key);
            has(Key::AccessToken) && !has(Key::RefreshToken)
        };
        let sign_in_type = match SignInType::named(&name) {
            Ok(SignInType::Delegated) if ready(self) => SignInType::AccessToken,
            Ok(sign_in_type) => sign_in_type,
            Err(reason) => {
                faults.note(reason);
                return None;
            }
        };
        let (kind, needed, possible): (_, &[Member], &[Member]) = match sign_in_type {
            SignInType::ClientSecret => (
                "client-secret",
                &[("clientId", Key::ClientId), ("secret", Key::ClientSecret)],
                &[("scope", Key::Scope)],
            ),
            SignInType::Certificate => (
                "certificate",
                &[
                    ("clientId", Key::ClientId),
                    ("certificate", Key::Certificate),
                ],
                &[("scope", Key::Scope)],
            ),
            SignInType::WorkloadIdentity => (
                "workload-identity",
                &[("clientId", Key::ClientId), ("assertion", Key::Assertion)],
                &[("scope", Key::Scope)],
            ),
            SignInType::Delegated => (
                "delegated",
                &[
                    ("clientId", Key::ClientId),
                    ("refreshToken", Key::RefreshToken),
                ],
                &[("secret", Key::ClientSecret), ("scope", Key::Scope)],
            ),
            SignInType::AccessToken => ("access-token", &[("token", Key::AccessToken)], &[]),
        };
        let mut auth = Map::new();
        auth.insert("type".to_owned(), json!(kind));
        for (member, key) in needed {
            let value = self.require(*key, faults);
            auth.extend(value.map(|value| ((*member).to_owned(), Value::String(value))));
        }
        for (member, key) in possible {
            let value = self.take(*key);
            auth.extend(value.map(|value| ((*member).to_owned(), Value::String(value))));
        }
        for (key, _) in &self.0 {
            // An access token belongs to an application, which need not be known.
            let unused = matches!(
                (sign_in_type, key),
                (SignInType::AccessToken, Key::ClientId)
            );
            if !unused && !matches!(key, Key::Ignored | Key::Callback) {
                faults.note(format!(
                    "\"{}\" cannot be used with this type of sign-in ({kind})",
                    key.name()
                ));
            }
        }
        Some(Value::Object(auth))
    }
}

/// A member of `auth` in the document, and the key that gives it.
type Member = (&'static str, Key);

#[derive(Clone, Copy)]
enum SignInType {
    ClientSecret,
    Certificate,
    WorkloadIdentity,
    Delegated,
    AccessToken,
}

impl SignInType {
    fn named(name: &str) -> Result<Self, String> {
        Ok(match plain(name).as_str() {
            "clientsecret" | "azureserviceprincipal" | "oauthclient" => Self::ClientSecret,
            "certificate" | "azureserviceprincipalcert" => Self::Certificate,
            "workloadidentity" => Self::WorkloadIdentity,
            "oauth" | "azuread" | "delegated" => Self::Delegated,
            "accesstoken" => Self::AccessToken,
            "ad" | "ifd" | "claims" | "ntlm" | "negotiate" | "kerberos" => {
                return Err(
                    "\"AuthType\" selects a sign-in with a Windows account, which this connector \
                    does not support (use OAuth, and set \"Authority\" to the AD FS server)"
                        .to_owned(),
                );
            }
            _ if is_password_sign_in(name) => return Err(NO_PASSWORD_SIGN_IN.to_owned()),
            "azuremsi" => {
                return Err(
                    "\"AuthScheme\" selects a managed identity, which only the platform can use \
                    (have it store an access token, and use AuthType=AccessToken)"
                        .to_owned(),
                );
            }
            _ => {
                return Err("\"AuthType\" must be ClientSecret, Certificate, OAuth, \
                     WorkloadIdentity or AccessToken, or \"AuthScheme\" \
                     AzureServicePrincipal, AzureServicePrincipalCert, AzureAD or OAuthClient"
                    .to_owned());
            }
        })
    }
}

/// The fault of a sign-in with a password.
const NO_PASSWORD_SIGN_IN: &str = "\"AuthType\" selects a sign-in with user name and password, which Dataverse no longer supports \
    (use ClientSecret, Certificate or OAuth, and remove the password)";

/// Whether a type of sign-in sends a password.
fn is_password_sign_in(name: &str) -> bool {
    matches!(
        plain(name).as_str(),
        "office365" | "azurepassword" | "oauthpassword" | "basic"
    )
}

/// The name in lower case, with only letters and digits.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// `NAME` of `secret:NAME`.
fn secret_name(value: &str) -> Option<&str> {
    let (mark, name) = value.split_at_checked(SECRET.len())?;
    mark.eq_ignore_ascii_case(SECRET).then(|| name.trim())
}

/// The authority of a cloud (reference 1.3); none for the public cloud, which is the default.
fn authority(cloud: &str, faults: &mut Faults) -> Option<String> {
    match cloud.to_ascii_uppercase().as_str() {
        "GLOBAL" => None,
        "USGOVT" | "USGOVTDOD" | "USGOVERNMENT" => Some(US_GOVERNMENT.to_owned()),
        "CHINA" => Some(CHINA.to_owned()),
        _ => {
            faults.note("\"AzureEnvironment\" must be GLOBAL, USGOVT, USGOVTDOD or CHINA");
            None
        }
    }
}

fn unknown(name: &str) -> String {
    let advice = match Key::suggestion(name) {
        Some(known) => format!(" (did you mean \"{known}\"?)"),
        None => String::new(),
    };
    format!(
        "\"{}\" is not a known key of a connection string{advice}",
        one_line(name, 40)
    )
}

#[cfg(test)]
mod tests;
