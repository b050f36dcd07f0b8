//! What a sync is to read.

use crate::contract::Selection;

/// What to read of one stream. The sink knows where it resumes.
///
/// ```
/// use dataverse_host::StreamRequest;
/// use dataverse_host::contract::Selection;
///
/// let open = Selection::of("opportunity").with_filter("statecode eq 0").with_sweep();
/// let requests = [StreamRequest::all_of("account"), open.into()];
/// assert_eq!(requests[1].stream(), "opportunity");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamRequest {
    /// What to read. Its checkpoint is ignored: the sink's is used.
    pub selection: Selection,
    /// Whether to read everything again instead of resuming.
    pub full: bool,
}

impl StreamRequest {
    /// This selection, from where the sink stopped.
    pub fn of(selection: Selection) -> Self {
        Self {
            selection,
            full: false,
        }
    }

    /// Every column of a stream, from where the sink stopped.
    pub fn all_of(stream: impl Into<String>) -> Self {
        Self::of(Selection::of(stream))
    }

    /// Reads everything again instead of resuming.
    #[must_use]
    pub fn in_full(mut self) -> Self {
        self.full = true;
        self
    }

    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.selection.stream
    }

    /// The selection that resumes from this checkpoint.
    pub(super) fn resume(&self, checkpoint: Option<String>) -> Selection {
        let mut selection = self.selection.clone();
        selection.checkpoint = checkpoint;
        selection
    }
}

impl From<Selection> for StreamRequest {
    fn from(selection: Selection) -> Self {
        Self::of(selection)
    }
}
