//! Texts of warnings about the way in which changes are found.

use crate::source::position::Method;

/// What it means to read a stream without change tracking.
pub(in crate::source) fn without_tracking(method: Method) -> String {
    match method {
        Method::Watermark { column, .. } => format!(
            "New and changed rows are found by {}; deletions are not observable.",
            column.name()
        ),
        Method::Tracked { .. } | Method::Full => "Every sync reads all rows again.".to_owned(),
    }
}

/// Changes of a table are not tracked, although its metadata says so.
pub(in crate::source) fn tracking_unavailable(stream: &str, why: &str, method: Method) -> String {
    format!(
        "Changes of {stream} are not tracked: {why}. {} After that is fixed, start the stream \
         without its checkpoint.",
        without_tracking(method)
    )
}

/// Deletions cannot be seen, because changes are found by a watermark.
pub(in crate::source) fn deletions_not_observable(
    stream: &str,
    method: Method,
    has_condition: bool,
) -> String {
    let (why, also) = if has_condition {
        (
            "are read without change tracking, which takes no filter",
            " Rows that no longer match the filter are not reported either.",
        )
    } else {
        ("are not tracked by the service", "")
    };
    format!(
        "Changes of {stream} {why}. {}{also}",
        without_tracking(method)
    )
}
