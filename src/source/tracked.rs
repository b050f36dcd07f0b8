//! Reading with the service's change tracking (reference §6).
//!
//! A first read whose last page ends with a delta link; later reads from that link bring what
//! is new, changed or gone. Which answers mean that the link is of no use any more, and which
//! that there is no change tracking for this table and account, is decided here.

use super::plan::Plan;
use crate::dataverse::query::Query;
use crate::error::{Error, Recovery};

/// `Entity … isn't enabled for change tracking.`, and the same for an intersect table of
/// which one side is not enabled (reference §6.1).
const NOT_TRACKED: [&str; 2] = ["0x80072491", "0x80072492"];

/// Every row. With change tracking the service takes no option but `$select`
/// (reference §6.4).
pub(super) fn snapshot(plan: &Plan) -> Query {
    plan.query(None, None)
}

/// Every row, of which only the key is wanted.
pub(super) fn keys(plan: &Plan) -> Query {
    Query::new(&plan.table.entity_set).select(&[&plan.table.primary_key])
}

/// The changes since a delta link of [`keys`], with the columns that are wanted, relative to
/// the API root; none if the link holds no token. The token says from when, and the options
/// beside it say what: it serves `$count` as well (reference §6.3).
pub(super) fn changes(plan: &Plan, delta_link: &str) -> Option<String> {
    let (_, options) = delta_link.split_once('?')?;
    let token = options.split('&').find_map(|option| {
        let (name, value) = option.split_once('=')?;
        matches!(name, "$deltatoken" | "%24deltatoken").then_some(value)
    })?;
    let query = snapshot(plan);
    let separator = if query.as_str().contains('?') {
        '&'
    } else {
        '?'
    };
    Some(format!("{}{separator}$deltatoken={token}", query.as_str()))
}

/// Why the service does not track changes here, if that is what the refusal of a first read
/// means.
pub(super) fn unavailable(error: &Error) -> Option<&'static str> {
    let fault = error.fault.as_ref()?;
    if NOT_TRACKED.contains(&fault.code.as_str()) {
        return Some("the service says that change tracking is not enabled for it");
    }
    // Plain reads need less; if they are refused too, that answer counts.
    match error.status()? {
        403 => Some(
            "change tracking needs the privilege to read the table at the depth of the whole \
             organization, which this account lacks",
        ),
        // With which codes elastic and virtual tables refuse it is not documented.
        400 | 405 | 501 => Some("the service does not read this table with change tracking"),
        _ => None,
    }
}

/// Whether the service will never answer this link again.
///
/// Which status it gives to an expired token is not documented, and after a restore or a copy
/// of the environment other refusals occur (reference §6.5). So every refusal counts, except
/// those that concern the account or the moment.
pub(super) fn is_refused(error: &Error) -> bool {
    error.recovery == Some(Recovery::Resync)
        || error.status().is_some_and(|status| {
            (400..500).contains(&status) && !matches!(status, 401 | 403 | 408 | 429)
        })
}
