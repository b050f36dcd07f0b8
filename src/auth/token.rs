//! A token, and how long it is valid.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroize as _;

use crate::host::Secret;
use crate::json::Object;
use crate::text::without_byte_order_mark;

/// How long a token is valid if the response does not say (RFC 6749 leaves that open).
const ASSUMED_LIFETIME: Duration = Duration::from_mins(5);
/// A token is renewed when less than this, or than a tenth of its lifetime, is left.
const RENEWAL_MARGIN: Duration = Duration::from_mins(5);

/// An access token.
pub(crate) struct Token {
    secret: Secret,
    /// On the clock's `elapsed` scale, like `expires_at`.
    renew_at: Duration,
    expires_at: Duration,
    /// How long it was valid when it was issued, if that is known.
    lifetime: Option<Duration>,
}

impl Token {
    /// A token that is valid for `lifetime` from `since` on; `None` if it cannot be sent in a
    /// header.
    pub(super) fn new(secret: Secret, since: Duration, lifetime: Option<Duration>) -> Option<Self> {
        let sendable = !secret.reveal().is_empty()
            && secret.reveal().bytes().all(|byte| byte.is_ascii_graphic());
        let assumed = lifetime.unwrap_or(ASSUMED_LIFETIME);
        let margin = RENEWAL_MARGIN.min(assumed / 10);
        sendable.then(|| Self {
            secret,
            renew_at: since + assumed.saturating_sub(margin),
            expires_at: since + assumed,
            lifetime,
        })
    }

    /// How long it was valid when it was issued, if that is known.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// Whether both have the same text.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.secret.reveal() == other.secret.reveal()
    }

    /// Whether it need not be renewed yet.
    pub(super) fn is_fresh(&self, now: Duration) -> bool {
        now < self.renew_at
    }

    /// Whether the environment still accepts it.
    pub(super) fn is_valid(&self, now: Duration) -> bool {
        now < self.expires_at
    }

    /// The value of the `Authorization` header.
    pub(crate) fn to_header(&self) -> String {
        format!("Bearer {}", self.secret.reveal())
    }

    /// The text with the token removed, in case a service repeats it.
    pub(crate) fn scrub(&self, text: &str) -> String {
        text.replace(self.secret.reveal(), "…")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("renew_at", &self.renew_at)
            .finish_non_exhaustive()
    }
}

/// What a token endpoint has issued.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) token: Token,
    pub(super) refresh_token: Option<Secret>,
}

impl Issued {
    /// Reads the response of a token endpoint and wipes it. `requested_at` is when it was
    /// requested: the response may be read some time after it arrived.
    pub(super) fn read(mut body: Vec<u8>, requested_at: Duration) -> Option<Self> {
        let read = Object::parse(without_byte_order_mark(&body)).and_then(|response| {
            Some((
                Secret::new(response.text("access_token")?),
                response.non_empty_text("refresh_token").map(Secret::new),
                response.text("token_type"),
                seconds(&response, "expires_in"),
            ))
        });
        body.zeroize();
        let (access_token, refresh_token, kind, lifetime) = read?;
        let bearer = kind.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        let token = Token::new(access_token, requested_at, lifetime).filter(|_| bearer)?;
        Some(Self {
            token,
            refresh_token,
        })
    }
}

/// A number of seconds, if there is one. Older endpoints write it as text; for an unreadable number
/// a default is used, so that the token can be used.
pub(super) fn seconds(response: &Object<'_>, name: &str) -> Option<Duration> {
    if !response.has(name) {
        return None;
    }
    let number = match response.text(name) {
        Some(text) => text.parse().ok(),
        None => response.integer::<u32>(name),
    };
    Some(number.map_or(ASSUMED_LIFETIME, |number| {
        Duration::from_secs(number.into())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Token> {
        Issued::read(body.as_bytes().to_vec(), Duration::from_secs(1000)).map(|issued| issued.token)
    }

    #[test]
    fn a_token_is_renewed_before_it_expires() {
        for (expires_in, renew_at) in [
            ("3599", 1000 + 3599 - 300),
            ("\"3599\"", 1000 + 3599 - 300),
            ("60", 1000 + 54),
            ("0", 1000),
            ("null", 1000 + 270),
            ("-1.5", 1000 + 270),
            ("[]", 1000 + 270),
        ] {
            let body = format!(
                "\u{feff}{{\"token_type\":\"bearer\",\"expires_in\":{expires_in},\
                 \"access_token\":\"t\"}}"
            );
            let token = read(&body).unwrap();
            assert_eq!(
                token.renew_at,
                Duration::from_secs(renew_at),
                "{expires_in}"
            );
            assert!(token.is_fresh(Duration::from_millis(renew_at * 1000 - 1)));
            assert!(!token.is_fresh(Duration::from_secs(renew_at)));
        }
    }

    #[test]
    fn unusable_tokens_are_rejected() {
        for body in [
            "",
            "<html>",
            r#"{"token_type":"Bearer"}"#,
            r#"{"token_type":"mac","access_token":"t"}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"a\r\nb"}"#,
            r#"{"access_token":7}"#,
        ] {
            assert!(read(body).is_none(), "{body}");
        }
    }

    #[test]
    fn tokens_are_not_printed() {
        let token = read(r#"{"access_token":"MARKER"}"#).unwrap();
        assert!(!format!("{token:?}").contains("MARKER"));
        assert_eq!(token.scrub("it was MARKER!"), "it was …!");
        assert_eq!(token.to_header(), "Bearer MARKER");
    }
}
