//! Rows that a saved query selects (reference §4.14).

use super::{FetchQuery, Kind, Opening, Options, Queries, Rows, Shape};
use crate::catalog;
use crate::dataverse::Client;
use crate::host::Host;
use crate::source::event::Selection;

/// The view of this key or title.
pub(super) struct View(String);

impl View {
    pub(super) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl<H: Host> Kind<H> for View {
    fn options(&self) -> Options {
        Options {
            columns: true,
            conditions: false,
            query: false,
        }
    }

    fn open<'a>(&'a self, client: &'a Client<H>, selection: &'a Selection) -> Opening<'a> {
        Box::pin(async move {
            let (table, fetch) = catalog::open_view(client, &selection.stream, &self.0).await?;
            let query = FetchQuery::only(&table, fetch);
            Ok(Shape {
                table,
                rows: Rows::Queried(Queries::new(query, Vec::new())),
                warnings: Vec::new(),
            })
        })
    }
}
