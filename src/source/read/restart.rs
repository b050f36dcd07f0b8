//! How a read ends: complete, or to start again in another way.

use super::start::Start;
use crate::error::Error;
use crate::source::event::WarningText;
use crate::source::position::Method;

/// How a read ends.
#[derive(Debug)]
pub(in crate::source) enum End<R> {
    /// Everything that the service reports has been read, in this way.
    Complete(Method),
    /// The stream must be read again from another place, or in another way.
    Restart(Box<Restart<R>>),
}

/// A read that starts again.
#[derive(Debug)]
pub(in crate::source) struct Restart<R> {
    pub(in crate::source) start: Start<R>,
    /// Rows per page at most from now on; `None` to keep the limit.
    pub(in crate::source) max_page_rows: Option<u32>,
    /// Whether the table may still be read in ranges.
    pub(in crate::source) allows_ranges: bool,
    /// The error that made it necessary, which the stream fails with if there are too many
    /// restarts. None for a restart that happens once or ends by itself.
    pub(in crate::source) cause: Option<Error>,
    pub(in crate::source) warning: Option<WarningText>,
}

impl<R> Restart<R> {
    /// Starts again there, without other changes.
    pub(super) fn at(start: Start<R>) -> Self {
        Self {
            start,
            max_page_rows: None,
            allows_ranges: true,
            cause: None,
            warning: None,
        }
    }

    /// Reads pages with a quarter of that many rows, but at least one row.
    pub(super) fn with_smaller_pages(mut self, page_size: u32) -> Self {
        self.max_page_rows = Some((page_size / 4).max(1));
        self
    }

    /// Sets the error that made the restart necessary.
    pub(super) fn because_of(mut self, cause: Error) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Adds a warning.
    pub(super) fn with_warning(mut self, id: &'static str, message: String) -> Self {
        self.warning = Some((id, message));
        self
    }

    /// Reads page after page, without ranges.
    pub(super) fn without_ranges(mut self) -> Self {
        self.allows_ranges = false;
        self
    }
}

impl<R> From<Restart<R>> for End<R> {
    fn from(restart: Restart<R>) -> Self {
        Self::Restart(Box::new(restart))
    }
}

/// Why a stream is read again with smaller pages.
pub(super) const PAGES_TOO_LARGE: &str = "The pages were too large for the service or the host.";

/// Why a stream is read again after the rejection of a link or cookie.
pub(super) fn place_lost(error: &Error) -> String {
    format!(
        "The service no longer accepts the position of the stream ({}).",
        error.message
    )
}
