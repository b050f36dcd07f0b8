//! How long the service keeps changes (reference §6.5).
//!
//! The service rejects older change tokens. The age is checked first, so that the reason for a full
//! read is known, and not guessed from a rejection.

use crate::dataverse::Client;
use crate::dataverse::query::Query;
use crate::host::Host;

const DAY: u64 = 86_400;
/// What environments keep by default.
const DEFAULT_DAYS: u64 = 7;
/// Younger tokens are valid without a request: no environment is known to keep less.
const CERTAINLY_VALID: u64 = 6 * DAY;

/// Why a token that was fresh at a time, in seconds since 1970, can no longer be used; none if it
/// can.
pub(super) async fn too_old<H: Host>(client: &Client<H>, at: u64) -> Option<String> {
    let age = client.host().unix_time().as_secs().saturating_sub(at);
    let days = match client.settings().limits.change_retention_days {
        Some(days) => u64::from(days),
        None if age < CERTAINLY_VALID => return None,
        None => days_kept(client).await.unwrap_or(DEFAULT_DAYS),
    };
    let limit = days.saturating_mul(DAY);
    // The remaining time must be long enough to read the changes.
    let is_old = age >= limit.saturating_sub(limit / 24);
    is_old.then(|| {
        format!(
            "The last sync was {} days ago, and the service keeps changes for {days} days.",
            age / DAY
        )
    })
}

/// For how many days the environment keeps changes; every account may read that.
async fn days_kept<H: Host>(client: &Client<H>) -> Option<u64> {
    const DAYS: &str = "expirechangetrackingindays";
    let query = Query::new("organizations").select(&[DAYS]);
    let link = client.resource(query.as_str()).ok()?;
    let days = client.read(&link, |response| {
        response.list("value")?.next()?.integer(DAYS)
    });
    days.await.ok().filter(|days| *days > 0)
}
