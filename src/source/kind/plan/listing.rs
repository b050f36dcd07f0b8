//! The rows of one entity set: which of them are read, and how their changes are found.

use std::rc::Rc;

use dataverse_rows::Members;

use super::shape::{Expansion, Listed};
use super::{Plan, condition};
use crate::catalog::ChangeDetection;
use crate::dataverse::{Annotations, Prefer};
use crate::error::{Error, ErrorKind};
use crate::source::position::{MarkColumn, Method};

/// The rows of one entity set.
#[derive(Debug)]
pub(in crate::source) struct Listing {
    pub(in crate::source) plan: Rc<Plan>,
    pub(in crate::source) expansion: Expansion,
    /// The columns of the entity set that are read, if they are not those of the selection.
    pub(super) columns: Option<Vec<String>>,
    /// What the rows must match.
    pub(super) condition: Option<String>,
    /// The column by which changes are found without change tracking.
    watermark: Option<MarkColumn>,
    is_append_only: bool,
}

impl Listing {
    /// The rows that a plan selects.
    ///
    /// # Errors
    /// `Unsupported` for a start time if rows have no time.
    pub(super) fn new(plan: Rc<Plan>, listed: Listed) -> Result<Self, Error> {
        let of_table = || {
            [MarkColumn::ModifiedOn, MarkColumn::VersionNumber]
                .into_iter()
                .find(|column| plan.table.column(column.name()).is_some())
        };
        Ok(Self {
            expansion: listed.expansion,
            columns: listed.columns,
            condition: conditions(&plan, listed.condition.as_deref())?,
            is_append_only: listed.watermark.is_some(),
            watermark: listed.watermark.or_else(of_table),
            plan,
        })
    }

    /// The stream's name.
    pub(in crate::source) fn stream(&self) -> &str {
        self.plan.stream()
    }

    /// Whether rows are never changed or deleted.
    pub(in crate::source) fn is_append_only(&self) -> bool {
        self.is_append_only
    }

    /// Whether only some rows are read.
    pub(in crate::source) fn has_condition(&self) -> bool {
        self.condition.is_some()
    }

    /// Whether a full read can be divided by versions. The content of files makes rows so large
    /// that there is nothing to gain.
    pub(in crate::source) fn is_divisible(&self) -> bool {
        let version = MarkColumn::VersionNumber.name();
        !self.plan.binding.files && self.plan.table.column(version).is_some()
    }

    /// The best method to find changes.
    pub(in crate::source) fn method(&self) -> Method {
        match self.plan.table.change_detection {
            // With change tracking the service allows no filter (reference §6.4).
            ChangeDetection::Tracked if self.condition.is_none() => {
                Method::Tracked { plain: false }
            }
            ChangeDetection::Tracked | ChangeDetection::Watermark | ChangeDetection::None => {
                self.untracked(false)
            }
        }
    }

    /// The best method without change tracking.
    pub(in crate::source) fn untracked(&self, fallback: bool) -> Method {
        self.watermark
            .map_or(Method::Full, |column| Method::Watermark {
                column,
                fallback,
            })
    }

    /// The preferences of every request of a sequence of pages.
    pub(in crate::source) fn prefer(&self, method: Method, page_size: u32) -> Prefer {
        let plain = matches!(method, Method::Tracked { plain: true });
        Prefer {
            max_page_size: Some(page_size),
            track_changes: matches!(method, Method::Tracked { .. }),
            annotations: if self.plan.binding.labels && !plain {
                Annotations::Labels
            } else {
                Annotations::None
            },
            paging_cookie: false,
        }
    }

    /// The members of rows that are read; the walker reports the last value of the column by
    /// which changes are found.
    pub(in crate::source) fn members(&self, method: Method) -> Members {
        self.members_watching(match method {
            Method::Watermark { column, .. } => Some(column),
            Method::Tracked { .. } | Method::Full => None,
        })
    }

    /// Like [`members`](Self::members), with another watched column.
    pub(in crate::source) fn members_watching(&self, watched: Option<MarkColumn>) -> Members {
        let binding = &self.plan.binding;
        let selected = self.columns.as_deref().or(binding.columns.as_deref());
        self.plan
            .members(selected, binding.labels, watched.map(MarkColumn::name))
    }

    /// An error of the service with advice about the caller's filter, if there is a filter.
    pub(in crate::source) fn with_filter_advice(&self, error: Error) -> Error {
        let Some(filter) = &self.plan.binding.filter else {
            return error;
        };
        let (failure, _) = error.parts();
        let advice = condition::advice(filter, &self.plan.table);
        Error {
            kind: ErrorKind::InvalidData,
            message: format!("{failure}; {advice}"),
            ..error
        }
    }
}

/// What rows must match: the stream's own condition, the caller's filter, and the start time.
///
/// # Errors
/// `Unsupported` for a start time if rows have no time.
fn conditions(plan: &Plan, of_stream: Option<&str>) -> Result<Option<String>, Error> {
    let binding = &plan.binding;
    let filter = binding.filter.as_ref().map(|filter| format!("({filter})"));
    let filter = condition::both(of_stream, filter.as_deref());
    let since = match &binding.since {
        None => None,
        Some(since) => {
            let column = ["modifiedon", "createdon"]
                .into_iter()
                .find(|name| plan.table.column(name).is_some())
                .ok_or_else(|| {
                    let message = format!(
                        "rows of {} have no time of their last change; remove the start time",
                        plan.table.name
                    );
                    Error::new(ErrorKind::Unsupported, message)
                })?;
            Some(format!("{column} ge {since}"))
        }
    };
    Ok(condition::both(filter.as_deref(), since.as_deref()))
}
