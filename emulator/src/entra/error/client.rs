//! Errors about an application and its credentials.

use uuid::Uuid;

use super::EntraError;
use crate::time;

impl EntraError {
    pub(crate) fn unknown_application(client_id: &str, tenant: &str) -> Self {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. \
             This can happen if the application has not been installed by the administrator of \
             the tenant or consented to by any user in the tenant. You may have sent your \
             authentication request to the wrong tenant."
        );
        Self::new(400, "unauthorized_client", 700_016, text)
    }

    pub(crate) fn disabled_application(client_id: Uuid, name: &str) -> Self {
        let text = format!("Application '{client_id}'({name}) is disabled.");
        Self::new(400, "unauthorized_client", 7_000_112, text)
    }

    pub(crate) fn single_tenant(client_id: Uuid, name: &str) -> Self {
        let text = format!(
            "Application '{client_id}'({name}) is not configured as a multi-tenant application. Usage of the \
             /common endpoint is not supported for such apps created after '10/15/2018'. Use a \
             tenant-specific endpoint or configure the application to be multi-tenant."
        );
        Self::new(400, "invalid_request", 50_194, text)
    }

    pub(crate) fn no_redirect_uri() -> Self {
        let text = "No reply address provided.";
        Self::new(400, "invalid_request", 900_971, text)
    }

    pub(crate) fn redirect_uri(redirect_uri: &str, client_id: Uuid) -> Self {
        let text = format!(
            "The redirect URI '{redirect_uri}' specified in the request does not match the \
             redirect URIs configured for the application '{client_id}'. Make sure the redirect URI sent \
             in the request matches one added to your application in the Azure portal. Navigate \
             to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot \
             this error."
        );
        Self::new(400, "invalid_request", 50_011, text)
    }

    pub(crate) fn no_credential() -> Self {
        let text = "The request body must contain the following parameter: 'client_assertion' or \
                    'client_secret'.";
        Self::new(401, "invalid_client", 7_000_218, text)
    }

    pub(crate) fn credential_of_public_client() -> Self {
        let text = "Client is public so neither 'client_assertion' nor 'client_secret' should be \
                    presented.";
        Self::new(401, "invalid_client", 700_025, text)
    }

    pub(crate) fn wrong_secret(client_id: Uuid) -> Self {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app \
             '{client_id}'."
        );
        Self::new(401, "invalid_client", 7_000_215, text)
    }

    pub(crate) fn expired_secret(client_id: Uuid) -> Self {
        let text = format!(
            "The provided client secret keys for app '{client_id}' are expired. Visit the Azure \
             portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider \
             using certificate credentials for added security: https://aka.ms/certCreds."
        );
        Self::new(401, "invalid_client", 7_000_222, text)
    }

    pub(crate) fn assertion_type(given: &str) -> Self {
        let text = format!(
            "The value of 'client_assertion_type' is not supported: '{given}'. Expected \
             'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'."
        );
        Self::new(400, "invalid_request", 90_023, text)
    }

    pub(crate) fn malformed_assertion(detail: &str) -> Self {
        let text = format!("JWT token is invalid or malformed. {detail}");
        Self::new(401, "invalid_client", 50_027, text)
    }

    pub(crate) fn assertion_of_another(issuer: &str, client_id: Uuid) -> Self {
        let text = format!(
            "Client assertion application identifier doesn't match 'client_id' parameter. Review \
             the documentation at https://learn.microsoft.com/entra/identity-platform/\
             certificate-credentials . (assertion: '{issuer}', request: '{client_id}')"
        );
        Self::new(401, "invalid_client", 700_021, text)
    }

    pub(crate) fn assertion_audience(audience: &str) -> Self {
        let text = format!(
            "Client assertion audience claim does not match Realm issuer. Review the \
             documentation at https://learn.microsoft.com/entra/identity-platform/\
             certificate-credentials . The audience is '{audience}'."
        );
        Self::new(401, "invalid_client", 700_023, text)
    }

    pub(crate) fn assertion_time(now: i64, from: i64, until: i64) -> Self {
        let at = time::date_time;
        let text = format!(
            "Client assertion is not within its valid time range. Current time: {}, assertion \
             valid from {}, expiry time of assertion {}. Review the documentation at \
             https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
            at(now),
            at(from),
            at(until)
        );
        Self::new(401, "invalid_client", 700_024, text)
    }

    pub(crate) fn unregistered_certificate(thumbprint: &str, client_id: Uuid) -> Self {
        let text = format!(
            "The certificate with identifier used to sign the client assertion is not registered \
             on application. [Reason - The key was not found., Thumbprint of key used by client: \
             '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly use MS \
             Graph to see configured keys for app Id '{client_id}'.]"
        );
        Self::new(401, "invalid_client", 700_027, text)
    }

    /// `validity` is when the certificate begins and ends to be valid, in seconds since 1970.
    pub(crate) fn expired_certificate(sha1: &str, validity: (i64, i64)) -> Self {
        let (start, end) = validity;
        let text = format!(
            "The certificate with identifier used to sign the client assertion is expired on \
             application. [Reason - The key used is expired., Thumbprint of key used by client: \
             '{sha1}', Found key 'Start={}, End={}'.]",
            time::date_time(start),
            time::date_time(end)
        );
        Self::new(401, "invalid_client", 700_027, text)
    }

    pub(crate) fn assertion_signature() -> Self {
        let text = "Client assertion contains an invalid signature. [Reason - The key was found, \
                    but use of the key to verify the signature failed.]";
        Self::new(401, "invalid_client", 700_027, text)
    }

    pub(crate) fn federated_issuer(issuer: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion issuer \
             '{issuer}'. Please check your federated identity credential Subject, Audience and \
             Issuer against the presented assertion. https://learn.microsoft.com/entra/\
             workload-id/workload-identity-federation"
        );
        Self::new(401, "invalid_client", 700_211, text)
    }

    pub(crate) fn federated_subject(subject: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion subject \
             '{subject}'. Please check your federated identity credential Subject, Audience and \
             Issuer against the presented assertion. https://learn.microsoft.com/entra/\
             workload-id/workload-identity-federation"
        );
        Self::new(401, "invalid_client", 700_213, text)
    }

    pub(crate) fn federated_audience(audience: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion audience \
             '{audience}'. Please check your federated identity credential Subject, Audience and \
             Issuer against the presented assertion. https://learn.microsoft.com/entra/\
             workload-id/workload-identity-federation"
        );
        Self::new(401, "invalid_client", 700_212, text)
    }
}
