//! The part of a selection that its checkpoints belong to.

use crate::ordered::Set;
use crate::source::event::{FileForm, Selection};

/// What a checkpoint belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct Binding {
    /// The environment and the version of its API.
    pub(in crate::source) environment: String,
    /// The stream's name: of a table, its logical name.
    pub(in crate::source) table: String,
    /// The selected columns, sorted; none for all.
    pub(in crate::source) columns: Option<Vec<String>>,
    /// Whether labels are read too.
    pub(in crate::source) labels: bool,
    /// The filter of the selection.
    pub(in crate::source) filter: Option<String>,
    /// Only rows changed at this time or later, in UTC.
    pub(in crate::source) since: Option<String>,
    /// CRC-32 of the caller's own query, in hexadecimal.
    pub(in crate::source) query: Option<String>,
    /// Whether files come as their content.
    pub(in crate::source) files: bool,
}

impl Binding {
    /// The binding of a valid selection, whose `since` is in UTC.
    pub(in crate::source) fn new(
        environment: &str,
        selection: &Selection,
        since: Option<String>,
    ) -> Self {
        let columns: Set<String> = selection.columns.iter().cloned().collect();
        Self {
            environment: environment.to_owned(),
            table: selection.stream.clone(),
            columns: (!columns.is_empty()).then(|| columns.into_iter().collect()),
            labels: selection.labels,
            filter: selection.filter.clone(),
            since,
            query: selection.query.as_deref().map(fingerprint),
            files: selection.files == FileForm::Content,
        }
    }

    /// How this binding of a checkpoint differs from that of a selection; none if it does not.
    pub(super) fn difference(&self, selection: &Self) -> Option<String> {
        if self == selection {
            return None;
        }
        if self.environment != selection.environment {
            return Some(format!(
                "it belongs to the environment {}, not {}",
                self.environment, selection.environment
            ));
        }
        if self.table != selection.table {
            return Some(format!(
                "it belongs to the stream {}, not {}",
                self.table, selection.table
            ));
        }
        if self.columns != selection.columns {
            return Some(columns_differ(
                self.columns.as_deref(),
                selection.columns.as_deref(),
            ));
        }
        if self.labels != selection.labels {
            let (was, is) = if self.labels {
                ("with", "without")
            } else {
                ("without", "with")
            };
            return Some(format!(
                "it was made {was} labels, and the selection is {is} labels"
            ));
        }
        let what = if self.filter != selection.filter {
            "another filter"
        } else if self.since != selection.since {
            "another start time"
        } else if self.query != selection.query {
            "another query"
        } else {
            "another form of files"
        };
        Some(format!("it was made for {what}"))
    }
}

/// A short text by which texts are distinguished.
pub(in crate::source) fn fingerprint(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

fn columns_differ(was: Option<&[String]>, is: Option<&[String]>) -> String {
    let (Some(was), Some(is)) = (was, is) else {
        return if was.is_none() {
            "it was made for all columns, and the selection names some".to_owned()
        } else {
            "it was made for some columns, and the selection is of all".to_owned()
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
