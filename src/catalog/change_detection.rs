//! How later syncs of a stream find changes.

use super::stream::StreamKind;
use crate::dataverse::metadata::TableSummary;

/// How later syncs of a stream find changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeDetection {
    /// The service tracks them (reference §6).
    Tracked,
    /// By `modifiedon` or `versionnumber`; deletions are not observable (reference §6.5).
    Watermark,
    /// Not at all.
    None,
}

impl ChangeDetection {
    /// How changes of a table are found.
    pub(super) fn of(table: &TableSummary) -> Self {
        if table.change_tracking.is_on {
            Self::Tracked
        } else if table.has_watermark {
            Self::Watermark
        } else {
            Self::None
        }
    }

    /// Explains to people how changes are found and which are not. `watermark` is the column that a
    /// watermark is read from; `can_be_tracked` says whether the service could track changes.
    pub(super) fn reason(self, kind: StreamKind, watermark: &str, can_be_tracked: bool) -> String {
        let untracked = if can_be_tracked {
            "change tracking is off, and an administrator can turn it on"
        } else {
            "the service cannot track its changes"
        };
        match (kind, self) {
            (StreamKind::History, _) => "Found by createdon: entries are only ever added. Every \
                 sync reads the new ones."
                .to_owned(),
            (StreamKind::View | StreamKind::Query | StreamKind::Members, _) => {
                "Every sync reads it from the start; rows that are missing then are no longer in \
                 it."
                .to_owned()
            }
            (StreamKind::Table, Self::Tracked) => {
                "The service tracks its changes: new, changed and deleted rows are found by a \
                 change token. After a pause longer than the environment keeps changes \
                 (expirechangetrackingindays), the table is read again from the start."
                    .to_owned()
            }
            (StreamKind::Table, Self::Watermark) => format!(
                "Found by {watermark}, which grows with every change, because {untracked}. \
                 Deleted rows are not observable, except by a sweep of the keys."
            ),
            (StreamKind::Table, Self::None) => format!(
                "It has neither modifiedon nor versionnumber, and {untracked}. Every sync reads it \
                 from the start; rows that are missing then have been deleted."
            ),
        }
    }
}
