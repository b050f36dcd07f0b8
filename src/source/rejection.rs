//! What a rejection means for reading a stream.

use crate::error::{Error, Recovery};

/// `Entity … isn't enabled for change tracking.`, and the same for an intersect table of
/// which one side is not enabled (reference §6.1).
const NOT_TRACKED: [&str; 2] = ["0x80072491", "0x80072492"];

/// Why the service does not track changes of the table, if the rejection of a first tracked read
/// means that.
pub(super) fn tracking_unavailable(error: &Error) -> Option<&'static str> {
    let fault = error.fault.as_ref()?;
    if NOT_TRACKED.contains(&fault.code.as_str()) {
        return Some("the service says that change tracking is not enabled for it");
    }
    // Reads without change tracking need fewer privileges; if they are rejected too, that error is
    // returned.
    match error.status()? {
        403 => Some(
            "change tracking needs the privilege to read the table at the depth of the whole \
             organization, which this account does not have",
        ),
        // The error codes of elastic and virtual tables are not documented.
        400 | 405 | 501 => Some("the service does not read this table with change tracking"),
        _ => None,
    }
}

/// Whether the service will never accept this link again.
///
/// The status for an expired token is not documented, and after a restore or a copy of the
/// environment other errors occur (reference §6.5). So every rejection counts as permanent, except
/// those that concern the account or are temporary.
pub(super) fn is_permanent(error: &Error) -> bool {
    error.recovery == Some(Recovery::Resync)
        || error.status().is_some_and(|status| {
            (400..500).contains(&status) && !matches!(status, 401 | 403 | 408 | 429)
        })
}

/// Whether the request made the service fail. Reading page after page is less demanding.
pub(super) fn is_server_error(error: &Error) -> bool {
    error.status() == Some(500)
}

/// Whether the service does not put this table in order by version. This order is not documented,
/// and without an index the request times out.
pub(super) fn is_version_order_unsupported(error: &Error) -> bool {
    error.recovery == Some(Recovery::SmallerPages) || error.is_not_offered()
}

/// Whether smaller pages could help.
pub(super) fn needs_smaller_pages(error: &Error) -> bool {
    error.recovery == Some(Recovery::SmallerPages)
}
