//! What a refusal means for the way a stream is read.

use crate::error::{Error, Recovery};

/// `Entity … isn't enabled for change tracking.`, and the same for an intersect table of
/// which one side is not enabled (reference §6.1).
const NOT_TRACKED: [&str; 2] = ["0x80072491", "0x80072492"];

/// Why the service does not track changes here, if that is what the refusal of a first tracked
/// read means.
pub(super) fn tracking_unavailable(error: &Error) -> Option<&'static str> {
    let fault = error.fault.as_ref()?;
    if NOT_TRACKED.contains(&fault.code.as_str()) {
        return Some("the service says that change tracking is not enabled for it");
    }
    // Plain reads need less; if they are refused too, that refusal counts.
    match error.status()? {
        403 => Some(
            "change tracking needs the privilege to read the table at the depth of the whole \
             organization, which this account does not have",
        ),
        // The codes with which elastic and virtual tables refuse it are not documented.
        400 | 405 | 501 => Some("the service does not read this table with change tracking"),
        _ => None,
    }
}

/// Whether the service will never accept this link again.
///
/// Which status it gives to an expired token is not documented, and after a restore or a copy
/// of the environment other refusals occur (reference §6.5). So every refusal counts, except
/// those that concern the account or the moment.
pub(super) fn is_permanent(error: &Error) -> bool {
    error.recovery == Some(Recovery::Resync)
        || error.status().is_some_and(|status| {
            (400..500).contains(&status) && !matches!(status, 401 | 403 | 408 | 429)
        })
}

/// Whether the request made the service fail. Reading page after page asks less of it.
pub(super) fn is_server_error(error: &Error) -> bool {
    error.status() == Some(500)
}

/// Whether the service does not put this table in order by version. That it does is not
/// documented, and without an index for it the request times out.
pub(super) fn is_version_order_unsupported(error: &Error) -> bool {
    error.recovery == Some(Recovery::SmallerPages) || error.is_not_offered()
}

/// Whether smaller pages could help.
pub(super) fn asks_for_smaller_pages(error: &Error) -> bool {
    error.recovery == Some(Recovery::SmallerPages)
}
