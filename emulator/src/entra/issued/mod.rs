//! What the authority has issued: codes, refresh tokens, device codes.

pub(in crate::entra) mod challenge;
pub(in crate::entra) mod device;

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use self::{challenge::Challenge, device::DeviceCode};
use crate::entra::{Platform, error::EntraError, scope::Requested};

/// How long a code can be redeemed, in seconds.
const CODE_LIFETIME: i64 = 600;

/// How long a refresh token lives without being used, in seconds: 90 days.
const REFRESH_LIFETIME: i64 = 90 * 86_400;

/// A random secret.
pub(in crate::entra) fn opaque() -> String {
    let bytes: Vec<u8> = (0..4).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// That a person has let an application act for them.
#[derive(Debug, Clone)]
pub(in crate::entra) struct Grant {
    pub(in crate::entra) client_id: Uuid,
    pub(in crate::entra) person: Uuid,
    /// The person's generation when they signed in.
    pub(in crate::entra) generation: u64,
    /// When they signed in, in seconds since 1970.
    pub(in crate::entra) signed_in: i64,
    /// Whether they gave a verification code too.
    pub(in crate::entra) second_factor: bool,
    pub(in crate::entra) platform: Platform,
    pub(in crate::entra) requested: Requested,
    pub(in crate::entra) nonce: Option<String>,
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    challenge: Option<Challenge>,
    expires: i64,
    redeemed: bool,
}

#[derive(Debug)]
struct RefreshToken {
    grant: Grant,
    issued: i64,
    last_used: i64,
    /// When a newer one replaced it.
    superseded: Option<i64>,
    expired: bool,
}

/// A request to redeem a code or a refresh token.
pub(in crate::entra) struct Redemption<'a> {
    pub(in crate::entra) value: &'a str,
    pub(in crate::entra) client_id: Uuid,
    pub(in crate::entra) now: i64,
}

/// Everything issued.
#[derive(Debug, Default)]
pub(in crate::entra) struct Issued {
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, RefreshToken>,
    device_codes: HashMap<String, DeviceCode>,
}

impl Issued {
    pub(in crate::entra) fn code(
        &mut self,
        grant: Grant,
        redirect_uri: &str,
        challenge: Option<Challenge>,
        now: i64,
    ) -> String {
        let value = format!("1.{}", opaque());
        let code = Code {
            grant,
            redirect_uri: redirect_uri.to_owned(),
            challenge,
            expires: now + CODE_LIFETIME,
            redeemed: false,
        };
        self.codes.insert(value.clone(), code);
        value
    }

    /// The platform of a code that is not redeemed yet.
    pub(in crate::entra) fn code_platform(&self, value: &str) -> Option<Platform> {
        self.codes.get(value).map(|code| code.grant.platform)
    }

    /// Redeems a code. A failed verifier leaves the code valid, as in Entra.
    pub(in crate::entra) fn redeem_code(
        &mut self,
        redemption: &Redemption<'_>,
        redirect_uri: &str,
        verifier: Option<&str>,
    ) -> Result<Grant, EntraError> {
        let code = self
            .codes
            .get_mut(redemption.value)
            .ok_or_else(EntraError::malformed_grant)?;
        if code.grant.client_id != redemption.client_id {
            return Err(EntraError::grant_of_another());
        }
        if code.redeemed {
            return Err(EntraError::redeemed_code());
        }
        if code.expires <= redemption.now {
            return Err(EntraError::expired_code());
        }
        if code.redirect_uri != redirect_uri {
            return Err(EntraError::another_redirect_uri(
                redirect_uri,
                &code.redirect_uri,
            ));
        }
        match &code.challenge {
            Some(challenge) => challenge.check(verifier)?,
            None if verifier.is_some() => return Err(EntraError::verifier()),
            None => {}
        }
        code.redeemed = true;
        Ok(code.grant.clone())
    }

    pub(in crate::entra) fn refresh_token(&mut self, grant: Grant, now: i64) -> String {
        let value = format!("1.{}", opaque());
        let token = RefreshToken {
            grant,
            issued: now,
            last_used: now,
            superseded: None,
            expired: false,
        };
        self.refresh_tokens.insert(value.clone(), token);
        value
    }

    pub(in crate::entra) fn refresh_platform(&self, value: &str) -> Option<Platform> {
        self.refresh_tokens
            .get(value)
            .map(|token| token.grant.platform)
    }

    /// Uses a refresh token. With a `grace` (seconds), one that has a successor is rejected that
    /// long after the successor was issued; without one, it stays valid as in Entra.
    pub(in crate::entra) fn use_refresh_token(
        &mut self,
        redemption: &Redemption<'_>,
        grace: Option<i64>,
    ) -> Result<(Grant, i64), EntraError> {
        let now = redemption.now;
        let token = self
            .refresh_tokens
            .get_mut(redemption.value)
            .ok_or_else(EntraError::malformed_grant)?;
        if token.grant.client_id != redemption.client_id {
            return Err(EntraError::grant_of_another());
        }
        let inactive = now - token.last_used;
        if token.expired || inactive >= REFRESH_LIFETIME {
            let inactive = inactive.max(REFRESH_LIFETIME);
            return Err(EntraError::expired_refresh_token(token.issued, inactive));
        }
        if let (Some(grace), Some(since)) = (grace, token.superseded)
            && since + grace <= now
        {
            return Err(EntraError::superseded_refresh_token());
        }
        token.last_used = now;
        Ok((token.grant.clone(), token.issued))
    }

    /// Notes that a refresh token has a successor.
    pub(in crate::entra) fn supersede(&mut self, value: &str, now: i64) {
        if let Some(token) = self.refresh_tokens.get_mut(value) {
            token.superseded.get_or_insert(now);
        }
    }

    /// Makes every refresh token issued so far expire.
    pub(in crate::entra) fn expire_refresh_tokens(&mut self) {
        for token in self.refresh_tokens.values_mut() {
            token.expired = true;
        }
    }

    /// Every code and refresh token issued.
    pub(in crate::entra) fn values(&self) -> Vec<String> {
        self.codes
            .keys()
            .chain(self.refresh_tokens.keys())
            .chain(self.device_codes.keys())
            .cloned()
            .collect()
    }

    pub(in crate::entra) fn refresh_tokens_issued(&self) -> usize {
        self.refresh_tokens.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{device::DeviceState, *};

    fn grant() -> Grant {
        Grant {
            client_id: Uuid::from_u128(1),
            person: Uuid::from_u128(2),
            generation: 0,
            signed_in: 0,
            second_factor: false,
            platform: Platform::Native,
            requested: Requested::resource("https://org.example"),
            nonce: None,
        }
    }

    fn redemption(value: &str, now: i64) -> Redemption<'_> {
        Redemption {
            value,
            client_id: Uuid::from_u128(1),
            now,
        }
    }

    #[test]
    fn the_example_of_rfc_7636_is_verified() {
        let challenge =
            Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("S256")).unwrap();
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        challenge.check(Some(verifier)).unwrap();
        let wrong = verifier.replace('d', "e");
        assert_eq!(challenge.check(Some(&wrong)).unwrap_err().code(), 501_481);
        assert_eq!(challenge.check(None).unwrap_err().code(), 501_481);
        assert_eq!(challenge.check(Some("short")).unwrap_err().code(), 50_147);
    }

    #[test]
    fn a_code_is_redeemed_once_and_in_time() {
        let mut issued = Issued::default();
        let code = issued.code(grant(), "http://localhost", None, 0);
        let redeem = |issued: &mut Issued, uri: &str, now| {
            issued
                .redeem_code(&redemption(&code, now), uri, None)
                .map_err(|error| error.code())
        };
        assert_eq!(
            redeem(&mut issued, "http://localhost/", 1).unwrap_err(),
            50_011
        );
        assert_eq!(
            redeem(&mut issued, "http://localhost", 600).unwrap_err(),
            70_008
        );
        redeem(&mut issued, "http://localhost", 599).unwrap();
        assert_eq!(
            redeem(&mut issued, "http://localhost", 599).unwrap_err(),
            54_005
        );
    }

    #[test]
    fn a_refresh_token_outlives_its_successor_by_the_grace() {
        let mut issued = Issued::default();
        let token = issued.refresh_token(grant(), 0);
        issued.supersede(&token, 10);
        let mut used = |now, grace| {
            let used = issued.use_refresh_token(&redemption(&token, now), grace);
            used.map(|_| ()).map_err(|error| error.code())
        };
        assert_eq!(used(1_000, None), Ok(()));
        assert_eq!(used(39, Some(30)), Ok(()));
        assert_eq!(used(40, Some(30)), Err(70_000));
        assert_eq!(used(40 + REFRESH_LIFETIME, None), Err(700_082));
    }

    #[test]
    fn a_device_that_polls_too_often_is_slowed_down() {
        let mut issued = Issued::default();
        let requested = Requested::resource("https://org.example");
        let (device, user_code) = issued.device_code(Uuid::from_u128(1), None, requested, 5, 0);
        let poll = |issued: &mut Issued, now| {
            let polled = issued.poll_device(&redemption(&device, now));
            polled.map_or_else(|error| error.error(), |_| "done")
        };
        assert_eq!(poll(&mut issued, 0), "authorization_pending");
        assert_eq!(poll(&mut issued, 4), "slow_down");
        assert_eq!(poll(&mut issued, 9), "slow_down");
        assert_eq!(poll(&mut issued, 24), "authorization_pending");
        let waiting = issued
            .waiting_device(&user_code.to_lowercase(), 30)
            .unwrap();
        waiting.state = DeviceState::Approved(grant());
        assert_eq!(poll(&mut issued, 30), "done");
        assert_eq!(poll(&mut issued, 31), "bad_verification_code");
    }
}
