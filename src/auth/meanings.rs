//! The kind of each error of Microsoft Entra, and advice (reference 2.7).

use crate::error::ErrorKind::{
    self, Forbidden, Internal, InvalidSettings, Throttled, Unauthenticated, Unavailable,
};

/// A kind of error, and what to do as the end of a sentence. `{app}`, `{tenant}` and
/// `{environment}` are placeholders.
type Meaning = (ErrorKind, &'static str);

/// A policy requires what only a person can give (a challenge with `claims`).
pub(super) const CLAIMS_REQUIRED: Meaning = (
    Unauthenticated,
    "a Conditional Access policy of tenant {tenant} requires a person to sign in; sign in again \
     interactively",
);

/// What an `AADSTS` code means.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn of_code(code: u32) -> Option<Meaning> {
    Some(match code {
        7_000_215 => (
            Unauthenticated,
            "the client secret of application {app} is wrong (perhaps the secret's ID was \
             stored instead of its value, which the portal shows only once); create a new secret \
             and store its value",
        ),
        7_000_222 => (
            Unauthenticated,
            "the client secret of application {app} has expired; create a new one and store its \
             value",
        ),
        7_000_218 => (
            Unauthenticated,
            "application {app} is a confidential client and sent no client secret; name \
             the secret in \"auth\", or allow public client flows in the app registration",
        ),
        700_025 | 90_023 => (
            InvalidSettings,
            "application {app} is a public client and must not send a client secret; remove \
             \"secret\" from \"auth\", or register the redirect address as one of a web \
             application",
        ),
        700_027 => (
            Unauthenticated,
            "the certificate does not belong to application {app}; upload it to the app registration \
             under Certificates & secrets, or store the one that is listed there",
        ),
        700_024 => (
            Unauthenticated,
            "the signed assertion is expired or not yet valid; correct the clock of this machine, or \
             have the other identity provider issue a new assertion",
        ),
        700_021 | 700_211 | 700_212 | 700_213 => (
            Unauthenticated,
            "application {app} does not trust the issuer, subject or audience of the assertion; \
             compare it with the federated credential of the app registration",
        ),
        700_016 => (
            InvalidSettings,
            "there is no application {app} in tenant {tenant}; check \"clientId\" and \"tenant\"",
        ),
        7_000_112..=7_000_114 => (
            Forbidden,
            "application {app} is disabled in tenant {tenant}; an administrator must enable it \
             under Enterprise applications",
        ),
        700_038 => (
            InvalidSettings,
            "{app} is not an application; check \"clientId\"",
        ),
        90_002 | 50_128 | 50_059 => (
            InvalidSettings,
            "there is no tenant {tenant}; check \"tenant\", and \"authority\" if the directory \
             is in a national cloud",
        ),
        500_011 | 500_014 => (
            InvalidSettings,
            "there is no environment {environment} in tenant {tenant}; check \"environment\" and \
             \"tenant\"",
        ),
        70_011 => (
            InvalidSettings,
            "the scope is not valid for {environment}; remove \"auth.scope\"",
        ),
        50_194 => (
            InvalidSettings,
            "application {app} belongs to a single tenant; set \"tenant\" to that one",
        ),
        50_011 | 900_971 => (
            InvalidSettings,
            "the redirect address is not registered with application {app}; add it to the app \
             registration under Authentication, exactly as used",
        ),
        700_054 | 700_051 => (
            InvalidSettings,
            "application {app} is not set up for this type of sign-in; add the platform and \
             its redirect address to the app registration under Authentication",
        ),
        65_005 | 650_052 | 650_054 | 650_056 | 650_057 => (
            Forbidden,
            "application {app} is not set up for Dataverse; an administrator must add the \
             Dataverse permission to the app registration and grant consent",
        ),
        65_001 => (
            Forbidden,
            "no consent has been given to application {app}; sign in again and accept, or have an \
             administrator of tenant {tenant} grant consent",
        ),
        65_004 => (
            Forbidden,
            "consent to application {app} was declined; sign in again and accept, or ask an \
             administrator to grant it",
        ),
        90_094 | 90_095 => (
            Forbidden,
            "only an administrator of tenant {tenant} may consent to application {app}; ask one \
             to grant consent",
        ),
        50_105 => (
            Forbidden,
            "the account is not assigned to application {app}; an administrator must assign it \
             under Enterprise applications",
        ),
        53_000 | 53_001 => (
            Forbidden,
            "a Conditional Access policy of tenant {tenant} requires a managed device; sign \
             in from such a device, or have an administrator exempt application {app}",
        ),
        53_003 | 50_131 | 530_034 | 530_035 | 53_011 => (
            Forbidden,
            "a Conditional Access policy of tenant {tenant} blocks this sign-in; an \
             administrator must allow it from this network or device",
        ),
        50_034 | 50_020 | 51_004 => (
            Unauthenticated,
            "the account does not exist in tenant {tenant}; use one that does, or invite it",
        ),
        50_053 => (
            Unauthenticated,
            "the account is locked; wait some minutes, or have an administrator unlock it",
        ),
        50_057 => (
            Unauthenticated,
            "the account is disabled; an administrator must enable it",
        ),
        50_055 => (
            Unauthenticated,
            "the password of the account has expired; set a new one and sign in again",
        ),
        50_126 => (
            Unauthenticated,
            "the user name or the password is wrong; sign in again",
        ),
        50_072 | 50_074 | 50_076 | 50_078 | 50_079 | 50_158 => (
            Unauthenticated,
            "the account must confirm the sign-in by a second factor; sign in interactively",
        ),
        50_058 | 16_000 | 160_021 => (
            Unauthenticated,
            "a person must choose the account; sign in interactively",
        ),
        50_132 | 50_133 | 50_173 => (
            Unauthenticated,
            "the session was revoked, as after a change of password; sign in again",
        ),
        70_000 => (
            Unauthenticated,
            "the refresh token or the code is not valid for application {app}, or was revoked; \
             sign in again",
        ),
        70_008 | 700_082 | 700_084 => (
            Unauthenticated,
            "the authorization has expired through age or inactivity; sign in again",
        ),
        54_005 => (
            Unauthenticated,
            "the code was used already; sign in again, and use each code only once",
        ),
        501_481 | 50_147 | 501_491 => (
            Unauthenticated,
            "the sign-in was completed with other values than it was started with; start it again",
        ),
        70_019 => (
            Unauthenticated,
            "the code for the other device has expired; start the sign-in again",
        ),
        70_018 => (
            Unauthenticated,
            "the code for the other device is unknown; start the sign-in again",
        ),
        50_196 => (
            Throttled,
            "the same sign-in was repeated too often; wait some minutes, and look for another program \
             that signs in as application {app} in a loop",
        ),
        50_087 | 90_033 => (
            Unavailable,
            "the directory failed temporarily; try again later",
        ),
        90_014 | 900_144 => (
            Internal,
            "the request was malformed; this is a defect of the connector",
        ),
        _ => return None,
    })
}

/// What the error code of OAuth 2.0, or else the status, means if no `AADSTS` code is known.
/// Without advice here, the authority's own description is used.
pub(super) fn of_oauth_error(
    oauth_error: &str,
    status: Option<u16>,
) -> (ErrorKind, Option<&'static str>) {
    match (oauth_error, status) {
        ("temporarily_unavailable" | "server_error", _) | (_, Some(500..)) => {
            (Unavailable, Some("try again later"))
        }
        (_, Some(429)) => (Throttled, Some("try again later")),
        ("interaction_required" | "login_required", _) => {
            (Unauthenticated, Some("sign in again interactively"))
        }
        ("invalid_grant", _) => (
            Unauthenticated,
            Some("if a refresh token or a code is rejected, sign in again"),
        ),
        ("expired_token" | "code_expired" | "bad_verification_code", _) => (
            Unauthenticated,
            Some("the code is no longer valid; start the sign-in again"),
        ),
        ("authorization_declined", _) => (
            Forbidden,
            Some("the sign-in was declined; start it again, and accept"),
        ),
        ("access_denied" | "permission_denied", _) => (
            Forbidden,
            Some("start it again and accept, or ask an administrator to consent"),
        ),
        ("consent_required", _) => (
            Forbidden,
            Some("sign in again and accept, or have an administrator grant consent"),
        ),
        ("invalid_resource", _) => (
            InvalidSettings,
            Some("check \"environment\", and \"resource\" if it is set"),
        ),
        ("invalid_scope", _) => (
            InvalidSettings,
            Some("remove \"auth.scope\" unless it is known to be right"),
        ),
        ("invalid_request" | "unsupported_response_type" | "unsupported_grant_type", _) => {
            (InvalidSettings, None)
        }
        ("", Some(300..=404)) => (InvalidSettings, Some("check \"authority\" and \"tenant\"")),
        _ => (Unauthenticated, None),
    }
}
