//! Client authentication at the token endpoint (reference §2.2, §2.3).

use uuid::Uuid;

use crate::entra::{Application, Entra, error::EntraError, place::Place, request::Parameters};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Entra {
    /// Checks the secret or the assertion of a confidential client.
    pub(in crate::entra) fn authenticate(
        &self,
        place: &Place<'_>,
        tenant: Uuid,
        application: &Application,
        form: &Parameters,
    ) -> Result<(), EntraError> {
        if let Some(assertion) = form.get("client_assertion") {
            let kind = form.require("client_assertion_type")?;
            if kind != JWT_BEARER {
                return Err(EntraError::assertion_type(kind));
            }
            return super::assertion::verify(
                application,
                assertion,
                self.clock.now(),
                |audience| self.is_audience(place, tenant, audience),
            );
        }
        let secret = form
            .get("client_secret")
            .ok_or_else(EntraError::no_credential)?;
        let now = self.clock.now();
        let mut secrets = application.secrets.iter();
        match secrets.find(|known| known.expose() == secret) {
            None => Err(EntraError::wrong_secret(application.client_id)),
            Some(known) if known.expires.is_some_and(|end| end <= now) => {
                Err(EntraError::expired_secret(application.client_id))
            }
            Some(_) => Ok(()),
        }
    }

    /// Checks that a public client presents no credential.
    pub(in crate::entra) fn no_credential(form: &Parameters) -> Result<(), EntraError> {
        if form.get("client_secret").is_some() || form.get("client_assertion").is_some() {
            return Err(EntraError::credential_of_public_client());
        }
        Ok(())
    }

    /// Whether an assertion's audience names this authority: its token endpoints and its issuer
    /// are all accepted.
    fn is_audience(&self, place: &Place<'_>, tenant: Uuid, audience: &str) -> bool {
        let (Ok(own), Ok(given)) = (url::Url::parse(place.base), url::Url::parse(audience)) else {
            return false;
        };
        if (own.host(), own.port_or_known_default())
            != (given.host(), given.port_or_known_default())
        {
            return false;
        }
        let path = given.path().trim_matches('/');
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        let known = name == place.name
            || self.read(|directory| directory.tenant(name).is_ok_and(|id| id == tenant));
        known
            && matches!(
                rest,
                "" | "v2.0" | "oauth2/token" | "oauth2/v2.0/token" | "services/trust"
            )
    }
}
