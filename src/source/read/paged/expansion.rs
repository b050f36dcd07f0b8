//! What is put into the rows of a page before they are handed out.

use std::rc::Rc;

use dataverse_rows::Piece;

use super::super::start::{PagedResume, Start};
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::Host;
use crate::source::files;
use crate::source::kind::{AuditDetails, Expansion, Listing, Plan};
use crate::source::output::Output;
use crate::source::position::Mark;

/// Puts into rows what they only refer to.
pub(super) enum Expander {
    /// Rows are handed out as they are.
    Nothing,
    /// The content of files.
    Files {
        plan: Rc<Plan>,
        /// Whether the host has been warned that some files are missing.
        is_warned: bool,
    },
    /// What the entries of the audit log changed.
    AuditDetails {
        plan: Rc<Plan>,
        details: AuditDetails,
    },
}

impl Expander {
    /// The expander for a read of a listing from a start.
    pub(super) fn new(listing: &Listing, start: &Start<PagedResume>) -> Self {
        let plan = Rc::clone(&listing.plan);
        match listing.expansion {
            Expansion::FileContent if plan.file_columns().is_empty() => Self::Nothing,
            Expansion::FileContent => Self::Files {
                plan,
                is_warned: false,
            },
            Expansion::AuditDetails => {
                let seen = match start {
                    Start::Resume(PagedResume::Watermark(watermark)) => watermark.seen.clone(),
                    Start::Resume(PagedResume::Page(_) | PagedResume::Delta(_))
                    | Start::Full(_) => None,
                };
                Self::AuditDetails {
                    plan,
                    details: AuditDetails::new(seen),
                }
            }
        }
    }

    /// The rows of a page as they are handed out.
    ///
    /// # Errors
    /// When what they refer to cannot be read, or makes the page too large.
    pub(super) async fn expand<H: Host>(
        &mut self,
        client: &Client<H>,
        pieces: Vec<Piece>,
        output: &Output,
    ) -> Result<Vec<Piece>, Error> {
        match self {
            Self::Nothing => Ok(pieces),
            Self::Files { plan, is_warned } => {
                let (pieces, missing) = files::fill(client, plan, pieces).await?;
                if let Some(why) = missing.filter(|_| !*is_warned) {
                    *is_warned = true;
                    let stream = plan.stream();
                    let message = format!("Some files of {stream} are returned as null: {why}.");
                    output.warn("files-left-out", message);
                }
                Ok(pieces)
            }
            Self::AuditDetails { plan, details } => {
                let pieces = details.expand(client, plan, pieces).await?;
                if let Some(denial) = details.take_denial() {
                    let message = format!(
                        "The history is read without the details of changes ({denial}). To read \
                         them, the account needs the privilege prvReadRecordAuditHistory."
                    );
                    output.warn("details-unreadable", message);
                }
                Ok(pieces)
            }
        }
    }

    /// What the next sync needs so that it hands out no entry twice.
    pub(super) fn seen(&self, newest: Option<Mark>) -> Option<String> {
        match self {
            Self::Nothing | Self::Files { .. } => None,
            Self::AuditDetails { details, .. } => details.seen(newest),
        }
    }
}
