//! What a stream is read for: the part of a selection that its checkpoints belong to.

use super::condition;
use super::event::{FileForm, Selection};
use super::time;
use crate::catalog::{StreamKind, StreamName};
use crate::error::{Error, ErrorKind};
use crate::ordered::Set;

/// What a checkpoint belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Binding {
    /// The environment and the version of its API.
    pub(super) environment: String,
    /// The stream's name: of a table, its logical name.
    pub(super) table: String,
    /// The selected columns, sorted; none for all.
    pub(super) columns: Option<Vec<String>>,
    /// Whether labels come too.
    pub(super) labels: bool,
    /// The condition of the selection.
    pub(super) filter: Option<String>,
    /// Rows that changed at this time or later, in UTC.
    pub(super) since: Option<String>,
    /// CRC-32 of the caller's own query, in hexadecimal.
    pub(super) query: Option<String>,
    /// Whether files come as their content.
    pub(super) files: bool,
}

impl Binding {
    /// What the selection is for.
    ///
    /// # Errors
    /// `InvalidData` for a selection that cannot be meant.
    pub(super) fn new(environment: &str, selection: &Selection) -> Result<Self, Error> {
        let stream = &selection.stream;
        let invalid = |what: &str| {
            let message = format!("the selection of {stream} cannot be meant: {what}");
            Err(Error::new(ErrorKind::InvalidData, message))
        };
        let kind = StreamName::of(stream).kind();
        if kind == StreamKind::Query && selection.query.is_none() {
            return invalid("it names a query and has no text of it; add the FetchXML");
        }
        if kind != StreamKind::Query && selection.query.is_some() {
            return invalid(
                "it has a query and names something else; name the stream query:… or leave the \
                 query out",
            );
        }
        let takes_conditions = matches!(kind, StreamKind::Table | StreamKind::History);
        if !takes_conditions && (selection.filter.is_some() || selection.since.is_some()) {
            return invalid(
                "only tables and histories take a filter or a time to begin with; leave it out",
            );
        }
        if kind == StreamKind::Members && !selection.columns.is_empty() {
            return invalid("it has few columns, and they come together; name none of them");
        }
        if let Some(filter) = &selection.filter
            && let Err(fault) = condition::check(filter)
        {
            return invalid(&format!("its filter {fault}; correct it"));
        }
        let since = match selection.since.as_deref().map(time::parse) {
            Some(None) => {
                return invalid(
                    "the time to begin with is not one of RFC 3339; write it like \
                     2024-02-29T12:00:00Z",
                );
            }
            Some(Some(seconds)) => Some(time::literal(seconds)),
            None => None,
        };
        let columns: Set<String> = selection.columns.iter().cloned().collect();
        Ok(Self {
            environment: environment.to_owned(),
            table: stream.clone(),
            columns: (!columns.is_empty()).then(|| columns.into_iter().collect()),
            labels: selection.labels,
            filter: selection.filter.clone(),
            since,
            query: selection.query.as_deref().map(fingerprint),
            files: selection.files == FileForm::Content,
        })
    }

    /// How this one, which a checkpoint was made for, differs from what is wanted; none if it
    /// does not.
    pub(super) fn difference(&self, wanted: &Self) -> Option<String> {
        if self == wanted {
            return None;
        }
        if self.environment != wanted.environment {
            return Some(format!(
                "it is of the environment {}, not {}",
                self.environment, wanted.environment
            ));
        }
        if self.table != wanted.table {
            return Some(format!(
                "it is of the table {}, not {}",
                self.table, wanted.table
            ));
        }
        if self.columns != wanted.columns {
            return Some(columns_differ(
                self.columns.as_deref(),
                wanted.columns.as_deref(),
            ));
        }
        if self.labels != wanted.labels {
            let (was, is) = if self.labels {
                ("with", "without")
            } else {
                ("without", "with")
            };
            return Some(format!(
                "it was made {was} labels and the selection is {is} them"
            ));
        }
        let what = if self.filter != wanted.filter {
            "another filter"
        } else if self.since != wanted.since {
            "another time to begin with"
        } else if self.query != wanted.query {
            "another query"
        } else {
            "another form of files"
        };
        Some(format!("it was made for {what}"))
    }
}

/// Tells one text from another in few characters.
pub(super) fn fingerprint(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

fn columns_differ(was: Option<&[String]>, is: Option<&[String]>) -> String {
    let (Some(was), Some(is)) = (was, is) else {
        return if was.is_none() {
            "it was made for all columns and the selection names some".to_owned()
        } else {
            "it was made for some columns and the selection takes all".to_owned()
        };
    };
    let added = is.iter().find(|name| !was.contains(name));
    let removed = was.iter().find(|name| !is.contains(name));
    match (added, removed) {
        (Some(name), _) => format!("it was made for a selection without the column {name}"),
        (None, Some(name)) => {
            format!("it was made for a selection that also has the column {name}")
        }
        (None, None) => "it was made for another selection of columns".to_owned(),
    }
}
