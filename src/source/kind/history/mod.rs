//! The history of rows: who changed which column when, from what to what (reference §10).
//!
//! The audit log itself is read like a table that only grows, by the time of its entries. The
//! `expansion` turns each entry into rows.

mod detail;
mod expansion;

pub(in crate::source) use expansion::AuditDetails;

use super::{Expansion, Kind, Listed, Opening, Options, Rows, Shape};
use crate::catalog::{self, ENTRY_CHANGES, is_of_entry};
use crate::dataverse::Client;
use crate::dataverse::query::string_literal;
use crate::host::Host;
use crate::source::event::Selection;
use crate::source::position::MarkColumn;

/// How many entries are read at once: the details of each are a request of their own.
const MAX_ENTRIES: u32 = 200;

/// The history of all tables, or of one.
pub(super) struct History {
    table: Option<String>,
}

impl History {
    pub(super) fn new(table: Option<&str>) -> Self {
        Self {
            table: table.map(str::to_owned),
        }
    }
}

impl<H: Host> Kind<H> for History {
    fn options(&self) -> Options {
        Options {
            columns: true,
            conditions: true,
            query: false,
        }
    }

    fn open<'a>(&'a self, client: &'a Client<H>, selection: &'a Selection) -> Opening<'a> {
        Box::pin(async move {
            let table = catalog::history_table(client, self.table.as_deref()).await?;
            let is_selected = |name: &String| {
                selection.columns.is_empty()
                    || table.is_key(name)
                    || selection.columns.contains(name)
            };
            // The selected columns of entries, and what the log stores of their changes.
            let mut columns: Vec<String> = table
                .columns
                .iter()
                .map(|column| &column.name)
                .filter(|name| is_of_entry(name) && is_selected(name))
                .cloned()
                .collect();
            columns.push(ENTRY_CHANGES.to_owned());
            let condition = self
                .table
                .as_deref()
                .map(|table| format!("objecttypecode eq {}", string_literal(table)));
            Ok(Shape {
                table,
                rows: Rows::Listed(Listed {
                    max_page_rows: MAX_ENTRIES,
                    condition,
                    watermark: Some(MarkColumn::CreatedOn),
                    columns: Some(columns),
                    expansion: Expansion::AuditDetails,
                }),
                warnings: Vec::new(),
            })
        })
    }
}
