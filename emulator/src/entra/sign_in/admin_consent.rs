//! An administrator's consent for the tenant (reference §2.5).

use axum::{body::Body, http::Response};
use uuid::Uuid;

use super::reply::{Reply, ResponseMode};
use crate::entra::{
    Entra,
    error::{EntraError, Identifiers},
    place::{Dialect, Place},
    request::Parameters,
    scope::Requested,
};

/// A valid request for consent.
#[derive(Debug, Clone)]
pub(in crate::entra) struct AdminConsent {
    pub(in crate::entra) client_id: Uuid,
    pub(in crate::entra) reply: Reply,
    /// The scope as it was requested, and the resource it names; v1 names none.
    pub(in crate::entra) scope: Option<(String, String)>,
}

impl Entra {
    pub(in crate::entra) fn admin_consent(
        &self,
        place: &Place<'_>,
        query: &Parameters,
    ) -> Result<AdminConsent, EntraError> {
        let (application, redirect_uri, _) = self.reply_address(place, query)?;
        let scope = match place.dialect {
            Dialect::V2 => {
                let scope = query.require("scope")?;
                Some((scope.to_owned(), Requested::parse(scope)?.audience))
            }
            Dialect::V1 | Dialect::AdFs => None,
        };
        Ok(AdminConsent {
            client_id: application.client_id,
            reply: Reply {
                redirect_uri,
                mode: ResponseMode::Query,
                state: query.get("state").map(str::to_owned),
            },
            scope,
        })
    }

    /// Records the consent and sends the browser back.
    pub(in crate::entra) fn send_consent(
        &self,
        consent: &AdminConsent,
        tenant: Uuid,
    ) -> Response<Body> {
        self.consent(consent.client_id, tenant, None);
        let tenant = tenant.to_string();
        let mut parameters = vec![("admin_consent", "True"), ("tenant", tenant.as_str())];
        if let Some((scope, _)) = &consent.scope {
            parameters.push(("scope", scope));
        }
        consent.reply.send(&parameters)
    }

    /// Sends the browser back without consent. The v2 endpoint says `admin_consent=True` all the
    /// same.
    pub(in crate::entra) fn send_refused_consent(&self, consent: &AdminConsent) -> Response<Body> {
        if consent.scope.is_none() {
            return consent.reply.send(&[
                ("error", "permission_denied"),
                ("error_description", "The admin canceled the request"),
            ]);
        }
        let error = EntraError::declined().named("consent_required");
        let description = error.description(&Identifiers::new(self.clock.now()));
        consent.reply.send(&[
            ("admin_consent", "True"),
            ("error", error.error()),
            ("error_description", &description),
        ])
    }
}
