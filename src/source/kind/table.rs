//! Rows of one table.

use super::{Expansion, Kind, Listed, MAX_PAGE_SIZE, Opening, Options, Rows, Shape};
use crate::catalog;
use crate::dataverse::Client;
use crate::host::Host;
use crate::source::event::Selection;

/// The table of this logical name.
pub(super) struct Table(String);

impl Table {
    pub(super) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl<H: Host> Kind<H> for Table {
    fn options(&self) -> Options {
        Options {
            columns: true,
            conditions: true,
            query: false,
        }
    }

    fn table(&self) -> Option<&str> {
        Some(&self.0)
    }

    fn open<'a>(&'a self, client: &'a Client<H>, _: &'a Selection) -> Opening<'a> {
        Box::pin(async move {
            Ok(Shape {
                table: catalog::read(client, &self.0).await?,
                rows: Rows::Listed(Listed {
                    max_page_rows: MAX_PAGE_SIZE,
                    condition: None,
                    watermark: None,
                    columns: None,
                    expansion: Expansion::FileContent,
                }),
                warnings: Vec::new(),
            })
        })
    }
}
