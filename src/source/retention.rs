//! How long the service remembers changes (reference §6.5).
//!
//! A change token that is older leads to a refusal. It is watched here, so that a stream is
//! read in full for a reason that can be told, rather than after a guess at what a refusal
//! means.

use crate::dataverse::Client;
use crate::dataverse::query::Query;
use crate::host::Host;

const DAY: u64 = 86_400;
/// What environments keep unless they are told otherwise.
const USUAL_DAYS: u64 = 7;
/// Younger tokens are good without asking: no environment is known to keep less for long.
const SURELY_GOOD: u64 = 6 * DAY;

/// Why a token that was fresh at a time, in seconds since 1970, is not to be used any more.
pub(super) async fn too_old<H: Host>(client: &Client<H>, at: u64) -> Option<String> {
    let age = client.host().unix_time().as_secs().saturating_sub(at);
    let days = match client.settings().limits.change_retention_days {
        Some(days) => u64::from(days),
        None if age < SURELY_GOOD => return None,
        None => ask(client).await.unwrap_or(USUAL_DAYS),
    };
    let limit = days.saturating_mul(DAY);
    // What is left must suffice to read the changes.
    let is_old = age >= limit.saturating_sub(limit / 24);
    is_old.then(|| {
        format!(
            "The last sync was {} days ago, and the service remembers changes for {days} days.",
            age / DAY
        )
    })
}

/// What the environment says of itself; every account may read that.
async fn ask<H: Host>(client: &Client<H>) -> Option<u64> {
    const DAYS: &str = "expirechangetrackingindays";
    let query = Query::new("organizations").select(&[DAYS]);
    let link = client.resource(query.as_str()).ok()?;
    let days = client.read(&link, |answer| answer.list("value")?.next()?.whole(DAYS));
    days.await.ok().filter(|days| *days > 0)
}
