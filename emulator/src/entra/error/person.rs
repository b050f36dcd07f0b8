//! Errors about a person.

use uuid::Uuid;

use super::EntraError;

impl EntraError {
    pub(crate) fn unknown_person(tenant: &str) -> Self {
        let text = format!(
            "The user account {{EUII Hidden}} does not exist in the {tenant} directory. To sign \
             into this application, the account must be added to the directory."
        );
        Self::new(400, "invalid_grant", 50_034, text)
    }

    pub(crate) fn person_of_another_tenant(tenant: &str, client_id: Uuid) -> Self {
        let text = format!(
            "User account '{{EUII Hidden}}' from identity provider does not exist in tenant \
             '{tenant}' and cannot access the application '{client_id}' in that tenant. The \
             account needs to be added as an external user in the tenant first. Sign out and \
             sign in again with a different Azure Active Directory user account."
        );
        Self::new(400, "invalid_grant", 50_020, text)
    }

    pub(crate) fn deleted_person() -> Self {
        let text = "The user account {EUII Hidden} has been deleted from the directory. To sign \
                    into this application, the account must be added to the directory.";
        Self::new(400, "invalid_grant", 500_341, text)
    }

    pub(crate) fn wrong_password() -> Self {
        let text = "Error validating credentials due to invalid username or password.";
        Self::new(400, "invalid_grant", 50_126, text)
    }

    pub(crate) fn disabled_person() -> Self {
        Self::new(
            400,
            "invalid_grant",
            50_057,
            "The user account is disabled.",
        )
    }

    pub(crate) fn blocked() -> Self {
        let text = "Access has been blocked by Conditional Access policies. The access policy \
                    does not allow token issuance.";
        Self::new(400, "invalid_grant", 53_003, text).because("message_only")
    }

    pub(crate) fn second_factor_needed(resource: &str) -> Self {
        let text = format!(
            "Due to a configuration change made by your administrator, or because you moved to a \
             new location, you must use multi-factor authentication to access '{resource}'."
        );
        Self::new(400, "invalid_grant", 50_076, text).because("basic_action")
    }

    pub(crate) fn wrong_verification_code() -> Self {
        let text = "Authentication failed during strong authentication request.";
        Self::new(400, "invalid_grant", 500_121, text)
    }

    pub(crate) fn no_consent(client_id: Uuid, name: &str) -> Self {
        let text = format!(
            "The user or administrator has not consented to use the application with ID \
             '{client_id}' named '{name}'. Send an interactive authorization request for this \
             user and resource."
        );
        Self::new(400, "invalid_grant", 65_001, text).because("consent_required")
    }

    pub(crate) fn declined() -> Self {
        Self::new(
            400,
            "access_denied",
            65_004,
            "User declined to consent to access the app.",
        )
    }

    pub(crate) fn not_signed_in() -> Self {
        let text = "Session information is not sufficient for single-sign-on.";
        Self::new(400, "login_required", 50_058, text)
    }

    pub(crate) fn administrator_needed(name: &str) -> Self {
        let text = format!(
            "{name} needs permission to access resources in your organization that only an admin \
             can grant. Please ask an admin to grant permission to this app before you can use \
             it."
        );
        Self::new(403, "access_denied", 90_094, text)
    }

    pub(crate) fn stale_page() -> Self {
        let text = "Invalid Request: The request tokens do not match the user context. Do not \
                    copy the user context values (cookies; form fields; headers) between \
                    different requests or user sessions; always maintain the ALL of the supplied \
                    values across a complete single user flow.";
        Self::new(400, "invalid_request", 165_000, text)
    }
}
