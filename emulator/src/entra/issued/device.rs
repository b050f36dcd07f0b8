//! Device codes (reference §2.6).

use uuid::Uuid;

use super::{Grant, Issued, Redemption, opaque};
use crate::entra::{error::EntraError, scope::Requested};

/// How long a device code can be used, in seconds (reference §2.6).
pub(in crate::entra) const DEVICE_CODE_LIFETIME: i64 = 900;

/// Seconds added to the interval of a device that polls too often (RFC 8628 §3.5).
const SLOWER: i64 = 5;

/// What a device is waiting for.
#[derive(Debug)]
pub(in crate::entra) enum DeviceState {
    Pending,
    Declined,
    Approved(Grant),
}

#[derive(Debug)]
pub(in crate::entra) struct DeviceCode {
    pub(in crate::entra) client_id: Uuid,
    /// The tenant in the device's request; `None` for any.
    pub(in crate::entra) tenant: Option<Uuid>,
    pub(in crate::entra) requested: Requested,
    pub(in crate::entra) user_code: String,
    expires: i64,
    interval: i64,
    last_poll: Option<i64>,
    pub(in crate::entra) state: DeviceState,
}

impl Issued {
    /// Begins a sign-in on another device; returns the device code and the user code.
    pub(in crate::entra) fn device_code(
        &mut self,
        client_id: Uuid,
        tenant: Option<Uuid>,
        requested: Requested,
        interval: i64,
        now: i64,
    ) -> (String, String) {
        let value = opaque();
        let user_code = user_code();
        let code = DeviceCode {
            client_id,
            tenant,
            requested,
            user_code: user_code.clone(),
            expires: now + DEVICE_CODE_LIFETIME,
            interval,
            last_poll: None,
            state: DeviceState::Pending,
        };
        self.device_codes.insert(value.clone(), code);
        (value, user_code)
    }

    /// The device that waits for this user code.
    pub(in crate::entra) fn waiting_device(
        &mut self,
        user_code: &str,
        now: i64,
    ) -> Option<&mut DeviceCode> {
        let user_code = user_code.trim();
        self.device_codes.values_mut().find(|code| {
            code.user_code.eq_ignore_ascii_case(user_code)
                && now < code.expires
                && matches!(code.state, DeviceState::Pending)
        })
    }

    /// Handles a device's poll (reference §2.6, RFC 8628 §3.5).
    pub(in crate::entra) fn poll_device(
        &mut self,
        redemption: &Redemption<'_>,
    ) -> Result<Grant, EntraError> {
        let now = redemption.now;
        let code = self
            .device_codes
            .get_mut(redemption.value)
            .filter(|code| code.client_id == redemption.client_id)
            .ok_or_else(EntraError::bad_verification_code)?;
        if code.expires <= now {
            return Err(EntraError::expired_device_code());
        }
        match &code.state {
            DeviceState::Pending => {
                let early = code
                    .last_poll
                    .is_some_and(|last| now - last < code.interval);
                code.last_poll = Some(now);
                if early {
                    code.interval += SLOWER;
                    return Err(EntraError::slow_down());
                }
                Err(EntraError::authorization_pending())
            }
            DeviceState::Declined => Err(EntraError::authorization_declined()),
            DeviceState::Approved(grant) => {
                let grant = grant.clone();
                self.device_codes.remove(redemption.value);
                Ok(grant)
            }
        }
    }
}

/// Nine characters that are not easily mistaken for one another.
fn user_code() -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    Uuid::new_v4()
        .into_bytes()
        .into_iter()
        // The version and variant bits of these bytes are not random.
        .enumerate()
        .filter(|(index, _)| ![6, 8].contains(index))
        .filter_map(|(_, byte)| ALPHABET.get(usize::from(byte) % ALPHABET.len()))
        .take(9)
        .map(|&byte| char::from(byte))
        .collect()
}
