//! What is read of one table: decided once, when its metadata is known.

use dataverse_rows::Members;

use super::binding::Binding;
use super::checkpoint::Method;
use super::event::Selection;
use super::queries::Asked;
use super::{condition, drift, tracked, watermark};
use crate::catalog::{
    ChangeDetection, Column, DataType, ENTRY_CHANGES, ROW_NUMBER, StreamName, Table, column_hint,
    is_of_entry,
};
use crate::dataverse::query::{Query, string_literal};
use crate::dataverse::{Annotations, Prefer};
use crate::error::{Error, ErrorKind};

/// The most rows that the service puts on a page (reference §4.6).
pub(super) const MAX_PAGE_SIZE: u32 = 5_000;
/// How large a page should be, in bytes.
const PAGE_BYTES: usize = 8 << 20;
/// The longest `$select`, in characters: the address may have 65,536 (reference §4.12), and
/// the link of a later page is longer than that of the first.
const MAX_SELECT: usize = 56_000;

/// How many entries of a history are read at once: each one is asked about by itself.
const MAX_ENTRIES: u32 = 200;

/// How many rows are read at once if their files come too.
const MAX_FILED: u32 = 50;

/// What is read of one table.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) table: Table,
    pub(super) binding: Binding,
    /// The columns that are read, as a checkpoint keeps them.
    pub(super) types: String,
    /// The queries that its rows come from, if they are not a table's.
    pub(super) queries: Vec<Asked>,
    /// What the rows must meet.
    condition: Option<String>,
    /// Rows per page at most, as the selection or the settings say.
    most_rows: u32,
    /// The same, and no more than make a page of about [`PAGE_BYTES`].
    page_size: u32,
}

impl Plan {
    /// The plan for a selection. `page_size` is used if the selection has none; `before` are
    /// the columns that the last sync knew.
    ///
    /// # Errors
    /// `NotFound` for a column that the table does not have and never had.
    pub(super) fn new(
        table: Table,
        binding: Binding,
        selection: &Selection,
        page_size: u32,
        before: Option<&str>,
    ) -> Result<Self, Error> {
        for name in binding.columns.iter().flatten() {
            // One that is gone is told as such, and the others are read.
            let is_gone = || before.is_some_and(|types| drift::knows(types, name));
            if table.column(name).is_none() && !is_gone() {
                let hint = column_hint(name, &table);
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!(
                        "the table {} has no readable column {name:?}; {hint}",
                        table.name
                    ),
                ));
            }
        }
        let kind = StreamName::of(&table.name);
        let most_rows = match kind {
            StreamName::History(_) => MAX_ENTRIES,
            _ => MAX_PAGE_SIZE,
        };
        let mut plan = Self {
            queries: Vec::new(),
            types: drift::types(&table, binding.columns.as_deref()),
            condition: conditions(&table, &binding)?,
            table,
            binding,
            most_rows: selection.page_size.unwrap_or(page_size).clamp(1, most_rows),
            page_size: 0,
        };
        if plan.binding.files {
            plan.most_rows = plan.most_rows.min(MAX_FILED);
        }
        let fitting = u32::try_from(PAGE_BYTES / plan.likely_row_bytes()).unwrap_or(u32::MAX);
        plan.page_size = plan.most_rows.min(fitting).max(1);
        Ok(plan)
    }

    /// Rows per page at most.
    pub(super) fn page_size(&self) -> u32 {
        self.page_size
    }

    /// Rows per page at most, however large they are.
    pub(super) fn most_rows(&self) -> u32 {
        self.most_rows
    }

    /// The best way in which the table's changes can be found.
    pub(super) fn method(&self) -> Method {
        match self.table.change_detection {
            // With change tracking the service takes no condition (reference §6.4).
            _ if self.condition.is_some() => self.untracked(false),
            ChangeDetection::Tracked => Method::Tracked { plain: false },
            ChangeDetection::Watermark | ChangeDetection::None => self.untracked(false),
        }
    }

    /// The best way without change tracking.
    pub(super) fn untracked(&self, fallback: bool) -> Method {
        watermark::Column::of(&self.table).map_or(Method::Full, |column| Method::Watermark {
            column,
            fallback,
        })
    }

    /// The request for every row.
    pub(super) fn snapshot(&self, method: Method) -> Query {
        match method {
            Method::Tracked { .. } => tracked::snapshot(self),
            Method::Watermark { column, .. } => watermark::snapshot(self, column),
            // In the default order, which is that of the primary key (reference §4.5).
            Method::Full => self.query(None, None),
        }
    }

    /// What every request of a sequence of pages prefers.
    pub(super) fn prefer(&self, method: Method, page_size: u32) -> Prefer {
        let plain = matches!(method, Method::Tracked { plain: true });
        Prefer {
            max_page_size: Some(page_size),
            track_changes: matches!(method, Method::Tracked { .. }),
            annotations: if self.binding.labels && !plain {
                Annotations::Labels
            } else {
                Annotations::None
            },
            paging_cookie: false,
        }
    }

    /// How the members of the rows are named.
    pub(super) fn members(&self, method: Method) -> Members {
        let watched = match method {
            Method::Watermark { column, .. } => Some(column.name()),
            Method::Tracked { .. } | Method::Full => None,
        };
        self.members_watching(watched)
    }

    /// The same, with an eye on a column.
    pub(super) fn members_watching(&self, watched: Option<&str>) -> Members {
        let labels = self.binding.labels;
        if self.is_history() {
            return self.members_of(Some(&self.of_entries()), labels, watched);
        }
        self.members_of(self.binding.columns.as_deref(), labels, watched)
    }

    /// The same for rows of which only the key is wanted.
    pub(super) fn members_of_keys(&self) -> Members {
        self.members_of(Some(&[]), false, None)
    }

    /// The same for a query, of which so many rows have been read.
    pub(super) fn members_of_query(&self, before: u64) -> Members {
        let selected = self.binding.columns.as_deref();
        let members = self
            .members_of(selected, self.binding.labels, None)
            .with_nulls(&self.named());
        if self.table.primary_key == ROW_NUMBER {
            members.numbered_after(before)
        } else {
            members
        }
    }

    /// The same for members of static lists, with the tables they belong to.
    pub(super) fn members_of_lists(&self) -> Members {
        let selected = ["listid", "entityid"].map(str::to_owned);
        let columns = self.named();
        Members::new("entityid", &columns, Some(&selected), true, None)
    }

    fn members_of(
        &self,
        selected: Option<&[String]>,
        labels: bool,
        watched: Option<&str>,
    ) -> Members {
        let columns = self.named();
        Members::new(&self.table.primary_key, &columns, selected, labels, watched)
    }

    /// The columns as the walker of rows wants them.
    fn named(&self) -> Vec<dataverse_rows::Column<'_>> {
        self.table
            .columns
            .iter()
            .map(|column| dataverse_rows::Column {
                name: &column.name,
                labels: column.label_names(),
            })
            .collect()
    }

    /// The columns that hold files whose content is wanted.
    pub(super) fn files(&self) -> Vec<&str> {
        let is_wanted = |column: &&Column| {
            self.binding.files
                && column.data_type == DataType::File
                && self.is_selected(&column.name)
        };
        let columns = self.table.columns.iter().filter(is_wanted);
        columns.map(|column| column.name.as_str()).collect()
    }

    /// Whether the stream is a history.
    pub(super) fn is_history(&self) -> bool {
        matches!(StreamName::of(&self.table.name), StreamName::History(_))
    }

    /// Whether the column comes.
    pub(super) fn is_selected(&self, column: &str) -> bool {
        let selected = self.binding.columns.as_ref();
        self.table.is_key(column)
            || selected.is_none_or(|names| names.iter().any(|name| name == column))
    }

    /// The columns of entries of a history that are read: those that come, and what the log
    /// keeps of the changes.
    fn of_entries(&self) -> Vec<String> {
        let names = self.table.columns.iter().map(|column| &column.name);
        let mut names: Vec<String> = names
            .filter(|name| is_of_entry(name) && self.is_selected(name))
            .cloned()
            .collect();
        names.push(ENTRY_CHANGES.to_owned());
        names
    }

    /// Whether only some rows are wanted.
    pub(super) fn has_condition(&self) -> bool {
        self.condition.is_some()
    }

    /// The query for the key of every row.
    pub(super) fn keys(&self) -> Query {
        let query = Query::new(&self.table.entity_set).select(&[&self.table.primary_key]);
        self.under(query, None)
    }

    /// The query for the selected columns and one more, if it is not among them, of the rows
    /// that meet the selection's conditions and one more.
    ///
    /// When everything is selected, no column is named: so columns that are added to the
    /// table later come too. Neither are so many named that the address gets too long; then
    /// the service sends all columns, and those that were not selected are left out here.
    pub(super) fn query(&self, also: Option<&str>, condition: Option<&str>) -> Query {
        self.under(self.columns(also), condition)
    }

    /// A query of the rows that meet the selection's conditions and one more.
    pub(super) fn under(&self, query: Query, condition: Option<&str>) -> Query {
        match condition::both(self.condition.as_deref(), condition) {
            Some(condition) => query.option("$filter", &condition),
            None => query,
        }
    }

    fn columns(&self, also: Option<&str>) -> Query {
        let query = Query::new(&self.table.entity_set);
        if self.is_history() {
            // Everything else in the log is small.
            return query;
        }
        let Some(names) = &self.binding.columns else {
            return query;
        };
        let mut columns: Vec<String> = names
            .iter()
            .filter_map(|name| self.table.column(name))
            .map(Column::wire_name)
            .collect();
        columns.extend(
            also.filter(|also| !names.iter().any(|name| name == also))
                .map(Into::into),
        );
        let length: usize = columns.iter().map(|name| name.len() + 1).sum();
        if length > MAX_SELECT {
            query
        } else {
            query.select(&columns)
        }
    }

    /// How many bytes an ordinary row takes, judged by the columns' names and types. The
    /// metadata tells nothing better before the first page.
    pub(super) fn likely_row_bytes(&self) -> usize {
        let row: usize = self
            .table
            .columns
            .iter()
            .filter(|column| {
                self.binding
                    .columns
                    .as_ref()
                    .is_none_or(|names| names.contains(&column.name))
            })
            .map(|column| likely_bytes(column, self.binding.labels))
            .sum();
        row.max(1)
    }
}

/// What the selection asks of rows.
///
/// # Errors
/// `Unsupported` for a time to begin with where rows carry none.
fn conditions(table: &Table, binding: &Binding) -> Result<Option<String>, Error> {
    let filter = binding.filter.as_ref().map(|filter| format!("({filter})"));
    let filter = match StreamName::of(&table.name) {
        StreamName::History(Some(audited)) => {
            let of_table = format!("objecttypecode eq {}", string_literal(audited));
            condition::both(Some(&of_table), filter.as_deref())
        }
        _ => filter,
    };
    let since = match &binding.since {
        None => None,
        Some(since) => {
            let column = ["modifiedon", "createdon"]
                .into_iter()
                .find(|name| table.column(name).is_some())
                .ok_or_else(|| {
                    let message = format!(
                        "rows of {} do not tell when they were changed; leave the time to begin \
                         with out",
                        table.name
                    );
                    Error::new(ErrorKind::Unsupported, message)
                })?;
            Some(format!("{column} ge {since}"))
        }
    };
    Ok(condition::both(filter.as_deref(), since.as_deref()))
}

/// How many bytes a column takes in an ordinary row.
fn likely_bytes(column: &Column, labels: bool) -> usize {
    /// What the longest memo has. Longer text is a document, such as the body of an e-mail.
    const LONGEST_TEXT: u32 = 1_048_576;
    /// What a document ordinarily takes. Pages that turn out too large are asked for again,
    /// smaller; pages that turn out too small only cost time, so this errs on the low side.
    const DOCUMENT: usize = 16 << 10;
    /// The annotations of a label, without the column's name.
    const LABEL: usize = 80;

    let value = match column.data_type {
        DataType::Text => match column.max_length {
            Some(length) if length > LONGEST_TEXT => DOCUMENT,
            Some(length) => (length as usize / 8).clamp(8, 400),
            None => 32,
        },
        DataType::Identifier | DataType::Reference => 38,
        // A thumbnail in base64, in those rows that have a picture.
        DataType::File => 1_024,
        _ => 20,
    };
    let name = column.wire_name().len();
    let labels = if labels {
        column.label_names().len() * (name + LABEL)
    } else {
        0
    };
    name + 4 + value + labels
}

#[cfg(test)]
mod tests;
