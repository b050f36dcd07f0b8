//! What to read of one stream, and how it is passed to the connector.

use wasmtime::component::ResourceAny;
use wasmtime::{AsContextMut, StoreContextMut};

use crate::bindings::Connector;
use crate::bindings::exports::integration::connector::source::FileForm;

/// What to read of one stream: every readable column of every row, unless an option says
/// otherwise.
///
/// ```
/// use dataverse_host::contract::Selection;
///
/// let open = Selection::of("opportunity")
///     .with_columns(["name", "estimatedvalue"])
///     .with_filter("statecode eq 0");
/// assert_eq!(open.columns, ["name", "estimatedvalue"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// The stream's name.
    pub stream: String,
    /// Columns by name; empty for every readable one.
    pub columns: Vec<String>,
    /// Whether a column with a label for people is added beside each choice and reference.
    pub labels: bool,
    /// Only rows that meet this condition, in the service's own filter language.
    pub filter: Option<String>,
    /// Only rows changed at this time or later, RFC 3339.
    pub since: Option<String>,
    /// The text of the query, for a stream that is a query of the caller's own.
    pub query: Option<String>,
    /// What columns that hold files and images contain.
    pub files: FileForm,
    /// Whether every key is read at the end, to find deletions that the service does not report.
    pub sweep: bool,
    /// Rows per request to the service; the service may return fewer.
    pub page_size: Option<u32>,
    /// Where an earlier sync of the same selection stopped.
    pub checkpoint: Option<String>,
}

impl Selection {
    /// Every readable column of a stream, from its beginning.
    pub fn of(stream: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            columns: Vec::new(),
            labels: false,
            filter: None,
            since: None,
            query: None,
            files: FileForm::Reference,
            sweep: false,
            page_size: None,
            checkpoint: None,
        }
    }

    /// Reads only these columns, and the primary key.
    #[must_use]
    pub fn with_columns(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a column with a label for people beside each choice and reference.
    #[must_use]
    pub fn with_labels(mut self) -> Self {
        self.labels = true;
        self
    }

    /// Reads only rows that meet this condition, in the service's own filter language.
    #[must_use]
    pub fn with_filter(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Reads only rows changed at this time or later, RFC 3339.
    #[must_use]
    pub fn with_since(mut self, since: impl Into<String>) -> Self {
        self.since = Some(since.into());
        self
    }

    /// The text of the query, for a stream that is a query of the caller's own.
    #[must_use]
    pub fn with_query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Returns files and images in this form.
    #[must_use]
    pub fn with_files(mut self, files: FileForm) -> Self {
        self.files = files;
        self
    }

    /// Reads every key at the end, to find deletions that the service does not report.
    #[must_use]
    pub fn with_sweep(mut self) -> Self {
        self.sweep = true;
        self
    }

    /// Requests this many rows at a time from the service.
    #[must_use]
    pub fn with_page_size(mut self, rows: u32) -> Self {
        self.page_size = Some(rows);
        self
    }

    /// Resumes where an earlier sync of the same selection stopped.
    #[must_use]
    pub fn with_checkpoint(mut self, checkpoint: impl Into<String>) -> Self {
        self.checkpoint = Some(checkpoint.into());
        self
    }

    /// The same as a resource in an instance. Only options that differ from their default are
    /// set, so that the connector receives only what the caller chose.
    pub(crate) async fn to_resource<T: Send>(
        &self,
        connector: &Connector,
        store: &mut StoreContextMut<'_, T>,
    ) -> wasmtime::Result<ResourceAny> {
        let mut store = store.as_context_mut();
        let guest = connector.integration_connector_source().selection();
        let resource = guest.call_constructor(&mut store, &self.stream).await?;
        if !self.columns.is_empty() {
            let columns = &self.columns;
            guest
                .call_set_columns(&mut store, resource, columns)
                .await?;
        }
        if self.labels {
            guest.call_set_labels(&mut store, resource, true).await?;
        }
        if let Some(filter) = &self.filter {
            guest.call_set_filter(&mut store, resource, filter).await?;
        }
        if let Some(since) = &self.since {
            guest.call_set_since(&mut store, resource, since).await?;
        }
        if let Some(query) = &self.query {
            guest.call_set_query(&mut store, resource, query).await?;
        }
        if self.files != FileForm::Reference {
            guest
                .call_set_files(&mut store, resource, self.files)
                .await?;
        }
        if self.sweep {
            guest.call_set_sweep(&mut store, resource, true).await?;
        }
        if let Some(rows) = self.page_size {
            guest.call_set_page_size(&mut store, resource, rows).await?;
        }
        if let Some(checkpoint) = &self.checkpoint {
            guest
                .call_set_checkpoint(&mut store, resource, checkpoint)
                .await?;
        }
        Ok(resource)
    }
}
