//! The description of one stream.

use wasmtime::component::ResourceAny;
use wasmtime::{AsContextMut, StoreContextMut};

use crate::bindings::Connector;
use crate::bindings::exports::integration::connector::catalog::{
    AlternateKey, Column, Relationship, Summary,
};

/// All that is known about one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamDescription {
    /// What a list of streams shows of it.
    pub summary: Summary,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// The column that names a row for people.
    pub name_column: Option<String>,
    /// Every readable column.
    pub columns: Vec<Column>,
    /// Sets of columns whose values are unique among the rows.
    pub alternate_keys: Vec<AlternateKey>,
    /// References to other streams, and from them.
    pub relationships: Vec<Relationship>,
    /// For people: how later syncs find changes, and what they cannot find.
    pub change_detection_reason: String,
    /// JSON Schema 2020-12 of the rows when every column is selected.
    pub row_schema: String,
}

impl StreamDescription {
    /// A stream of which only the summary is known. For tests: a session returns complete ones.
    pub fn of(summary: Summary) -> Self {
        Self {
            summary,
            primary_key: Vec::new(),
            name_column: None,
            columns: Vec::new(),
            alternate_keys: Vec::new(),
            relationships: Vec::new(),
            change_detection_reason: String::new(),
            row_schema: "{}".to_owned(),
        }
    }

    /// Reads a resource of an instance, and drops it there.
    pub(crate) async fn take<T: Send>(
        resource: ResourceAny,
        connector: &Connector,
        store: &mut StoreContextMut<'_, T>,
    ) -> wasmtime::Result<Self> {
        let mut store = store.as_context_mut();
        let guest = connector.integration_connector_catalog().description();
        let description = Self {
            summary: guest.call_summary(&mut store, resource).await?,
            primary_key: guest.call_primary_key(&mut store, resource).await?,
            name_column: guest.call_name_column(&mut store, resource).await?,
            columns: guest.call_columns(&mut store, resource).await?,
            alternate_keys: guest.call_alternate_keys(&mut store, resource).await?,
            relationships: guest.call_relationships(&mut store, resource).await?,
            change_detection_reason: guest
                .call_change_detection_reason(&mut store, resource)
                .await?,
            row_schema: guest.call_row_schema(&mut store, resource).await?,
        };
        resource.resource_drop_async(&mut store).await?;
        Ok(description)
    }
}
