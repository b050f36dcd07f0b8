//! What is read of one stream: decided once, when its metadata is known.

pub(in crate::source) mod columns;
mod condition;
mod listing;
mod membership;
mod queries;
mod requests;
pub(in crate::source) mod selection;
mod shape;

use std::rc::Rc;

use dataverse_rows::Members;

pub(in crate::source) use listing::Listing;
pub(in crate::source) use membership::Membership;
pub(in crate::source) use queries::{FetchQuery, Queries, list_unreadable};
pub(in crate::source) use shape::{Expansion, Listed, Options, Rows, Shape};

use super::super::checkpoint::Binding;
use super::super::event::Selection;
use crate::catalog::{Column, DataType, Table};
use crate::error::Error;

/// The most rows that the service puts on a page (reference §4.6).
pub(in crate::source) const MAX_PAGE_SIZE: u32 = 5_000;
/// The size that a page should have, in bytes.
const PAGE_BYTES: usize = 8 << 20;
/// How many rows are read at once if the content of their files is read too.
const MAX_FILE_ROWS: u32 = 50;

/// What is read of one stream: columns, labels and page sizes.
#[derive(Debug)]
pub(in crate::source) struct Plan {
    pub(in crate::source) table: Table,
    pub(in crate::source) binding: Binding,
    /// The columns that are read, as a checkpoint keeps them.
    pub(in crate::source) types: String,
    /// Rows per page at most, as the selection or the settings say.
    max_page_rows: u32,
    /// Rows per page: `max_page_rows`, or fewer so that a page has about [`PAGE_BYTES`].
    page_size: u32,
}

/// Where the rows of a plan come from.
#[derive(Clone, Debug)]
pub(in crate::source) enum Source {
    /// From one entity set, on pages that link to each other.
    Listing(Rc<Listing>),
    /// From queries in `FetchXML`.
    Queries(Queries),
}

impl Plan {
    /// The plan for a selection, and where its rows come from. `page_size` is used if the
    /// selection has none; `before` are the columns that the last sync read.
    ///
    /// # Errors
    /// `NotFound` for a column that the table does not have and never had, `Unsupported` for a
    /// start time if rows have no time.
    pub(in crate::source) fn new(
        table: Table,
        rows: Rows,
        binding: Binding,
        selection: &Selection,
        page_size: u32,
        before: Option<&str>,
    ) -> Result<(Rc<Self>, Source), Error> {
        columns::check(&table, binding.columns.as_deref(), before)?;
        let service_limit = match &rows {
            Rows::Listed(listed) => listed.max_page_rows,
            Rows::Queried(_) => MAX_PAGE_SIZE,
        };
        let mut plan = Self {
            types: columns::types(&table, binding.columns.as_deref()),
            table,
            binding,
            max_page_rows: selection
                .page_size
                .unwrap_or(page_size)
                .clamp(1, service_limit),
            page_size: 0,
        };
        if plan.binding.files {
            plan.max_page_rows = plan.max_page_rows.min(MAX_FILE_ROWS);
        }
        let fitting = u32::try_from(PAGE_BYTES / plan.likely_row_bytes()).unwrap_or(u32::MAX);
        plan.page_size = plan.max_page_rows.min(fitting).max(1);
        let plan = Rc::new(plan);
        let source = match rows {
            Rows::Listed(listed) => {
                Source::Listing(Rc::new(Listing::new(Rc::clone(&plan), listed)?))
            }
            Rows::Queried(queries) => Source::Queries(queries),
        };
        Ok((plan, source))
    }

    /// The stream's name.
    pub(in crate::source) fn stream(&self) -> &str {
        &self.table.name
    }

    /// Rows per page at most.
    pub(in crate::source) fn page_size(&self) -> u32 {
        self.page_size
    }

    /// Rows per page at most, however large they are.
    pub(in crate::source) fn max_page_rows(&self) -> u32 {
        self.max_page_rows
    }

    /// The members of rows that are read: of the selected columns, or of all.
    pub(in crate::source) fn members(
        &self,
        selected: Option<&[String]>,
        labels: bool,
        watched: Option<&str>,
    ) -> Members {
        Members::new(
            &self.table.primary_key,
            &self.columns(),
            selected,
            labels,
            watched,
        )
    }

    /// The members of rows of which only the key is read.
    pub(in crate::source) fn members_of_keys(&self) -> Members {
        self.members(Some(&[]), false, None)
    }

    /// The columns in the form that the page walker takes.
    fn columns(&self) -> Vec<dataverse_rows::Column<'_>> {
        self.table
            .columns
            .iter()
            .map(|column| dataverse_rows::Column {
                name: &column.name,
                labels: column.label_names(),
            })
            .collect()
    }

    /// The columns whose files are to be returned as their content.
    pub(in crate::source) fn file_columns(&self) -> Vec<&str> {
        let is_wanted = |column: &&Column| {
            self.binding.files
                && column.data_type == DataType::File
                && self.is_selected(&column.name)
        };
        let columns = self.table.columns.iter().filter(is_wanted);
        columns.map(|column| column.name.as_str()).collect()
    }

    /// Whether the column is read.
    pub(in crate::source) fn is_selected(&self, column: &str) -> bool {
        let selected = self.binding.columns.as_ref();
        self.table.is_key(column)
            || selected.is_none_or(|names| names.iter().any(|name| name == column))
    }

    /// How many bytes an ordinary row takes, estimated by the columns' names and types. Before the
    /// first page there is no better estimate.
    pub(in crate::source) fn likely_row_bytes(&self) -> usize {
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

/// How many bytes a column takes in an ordinary row.
fn likely_bytes(column: &Column, labels: bool) -> usize {
    /// The limit of the longest memo. Longer text is a document, such as the body of an e-mail.
    const MAX_MEMO: u32 = 1_048_576;
    /// What a document usually takes. Pages that turn out too large are requested again,
    /// smaller; pages that turn out too small only cost time, so this is a low estimate.
    const DOCUMENT: usize = 16 << 10;
    /// The annotations of a label, without the column's name.
    const LABEL: usize = 80;

    let value = match column.data_type {
        DataType::Text => match column.max_length {
            Some(length) if length > MAX_MEMO => DOCUMENT,
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
