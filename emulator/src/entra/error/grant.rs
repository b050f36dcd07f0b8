//! Errors about codes and refresh tokens.

use super::EntraError;
use crate::time;

impl EntraError {
    pub(crate) fn malformed_grant() -> Self {
        Self::new(
            400,
            "invalid_grant",
            9_002_313,
            "Invalid request. Request is malformed or invalid.",
        )
    }

    pub(crate) fn grant_of_another() -> Self {
        let text = "Provided grant is invalid or malformed. It was not issued to this client.";
        Self::new(400, "invalid_grant", 70_000, text)
    }

    pub(crate) fn grant_of_another_tenant() -> Self {
        let text = "Provided Authorization Code is intended to use against other tenant, thus \
                    rejected.";
        Self::new(400, "invalid_grant", 700_005, text)
    }

    pub(crate) fn redeemed_code() -> Self {
        let text = "OAuth2 Authorization code was already redeemed, please retry with a new valid \
                    code or use an existing refresh token.";
        Self::new(400, "invalid_grant", 54_005, text)
    }

    pub(crate) fn expired_code() -> Self {
        let text = "The provided authorization code or refresh token has expired due to \
                    inactivity. Send a new interactive authorization request for this user and \
                    resource.";
        Self::new(400, "invalid_grant", 70_008, text)
    }

    pub(crate) fn another_redirect_uri(given: &str, expected: &str) -> Self {
        let text = format!(
            "The reply address '{given}' does not match the reply address '{expected}' provided \
             when requesting Authorization code."
        );
        Self::new(400, "invalid_grant", 50_011, text)
    }

    pub(crate) fn verifier() -> Self {
        let text = "The Code_Verifier does not match the code_challenge supplied in the \
                    authorization request.";
        Self::new(400, "invalid_grant", 501_481, text)
    }

    pub(crate) fn verifier_size() -> Self {
        let text = "Invalid size of Code_Verifier parameter: it has 43 to 128 characters.";
        Self::new(400, "invalid_request", 50_147, text)
    }

    pub(crate) fn challenge_size() -> Self {
        let text = "Invalid size of Code_Challenge parameter.";
        Self::new(400, "invalid_request", 501_491, text)
    }

    pub(crate) fn expired_refresh_token(issued: i64, inactive: i64) -> Self {
        let (days, rest) = (inactive / 86_400, inactive % 86_400);
        let text = format!(
            "The refresh token has expired due to inactivity. The token was issued on {} and was \
             inactive for {days}.{:02}:{:02}:{:02}.",
            time::date_time(issued),
            rest / 3_600,
            rest / 60 % 60,
            rest % 60
        );
        Self::new(400, "invalid_grant", 700_082, text).because("token_expired")
    }

    pub(crate) fn superseded_refresh_token() -> Self {
        let text = "Provided grant is invalid or malformed. The refresh token has been used \
                    before.";
        Self::new(400, "invalid_grant", 70_000, text).because("bad_token")
    }

    pub(crate) fn revoked_grant(issued: i64, valid_from: i64) -> Self {
        let text = format!(
            "The provided grant has expired due to it being revoked, a fresh auth token is \
             needed. The user might have changed or reset their password. The grant was issued \
             on '{}' and the TokensValidFrom date (before which tokens are not valid) for this \
             user is '{}'.",
            time::date_time(issued),
            time::date_time(valid_from)
        );
        Self::new(400, "invalid_grant", 50_173, text).because("bad_token")
    }

    pub(crate) fn authorization_pending() -> Self {
        let text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
        Self::new(400, "authorization_pending", 70_016, text)
    }

    pub(crate) fn slow_down() -> Self {
        let text = "OAuth 2.0 device flow error. Polling too often: wait five seconds longer \
                    between two polls.";
        Self::new(400, "slow_down", 70_016, text)
    }

    pub(crate) fn authorization_declined() -> Self {
        let text = "OAuth 2.0 device flow error. The end user denied the authorization request.";
        Self::new(400, "authorization_declined", 70_020, text)
    }

    pub(crate) fn bad_verification_code() -> Self {
        let text = "Invalid verification code. The device_code was not recognized, or has been \
                    used already.";
        Self::new(400, "bad_verification_code", 70_018, text)
    }

    pub(crate) fn expired_device_code() -> Self {
        let text = "Verification code expired. Have the user retry the sign-in.";
        Self::new(400, "expired_token", 70_019, text)
    }

    pub(crate) fn no_passwords_at_common() -> Self {
        let text = "The grant type is not supported over the /common or /consumers endpoints. \
                    Please use the /organizations or tenant-specific endpoint.";
        Self::new(400, "invalid_request", 9_001_023, text)
    }
}
