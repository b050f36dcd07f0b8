//! Rows that a `FetchXML` query of the caller selects (reference §4.13).

use super::{FetchQuery, Kind, Opening, Options, Queries, Rows, Shape};
use crate::catalog;
use crate::dataverse::Client;
use crate::dataverse::fetch::Fetch;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::source::event::Selection;

/// The query in the selection.
pub(super) struct Query;

impl<H: Host> Kind<H> for Query {
    fn options(&self) -> Options {
        Options {
            columns: true,
            conditions: false,
            query: true,
        }
    }

    fn open<'a>(&'a self, client: &'a Client<H>, selection: &'a Selection) -> Opening<'a> {
        Box::pin(async move {
            let stream = &selection.stream;
            let text = selection.query.as_deref().unwrap_or_default();
            let fetch = Fetch::parse(text).map_err(|fault| {
                let message = format!("the FetchXML of {stream} cannot be used: {fault}");
                Error::new(ErrorKind::InvalidData, message)
            })?;
            let table = catalog::query_shape(client, stream, None, &fetch, &[]).await?;
            let query = FetchQuery::only(&table, fetch);
            Ok(Shape {
                table,
                rows: Rows::Queried(Queries::new(query, Vec::new())),
                warnings: Vec::new(),
            })
        })
    }
}
