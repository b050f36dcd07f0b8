//! The `source` interface.

use std::cell::RefCell;

use super::{Connector, Session};
use crate::host::wasi::bindings::exports::integration::connector as contract;
use crate::host::wasi::bindings::integration::connector::types;
use crate::host::wasi::{Wasi, block_on};
use crate::source;

impl contract::source::Guest for Connector {
    type Selection = Selection;
    type Sync = Sync;
}

/// What to read of one stream. Of each option, the last value counts.
pub(crate) struct Selection(RefCell<source::Selection>);

impl Selection {
    /// Changes an option. A component instance serves one call at a time, so nothing else holds
    /// the selection.
    fn set(&self, change: impl FnOnce(&mut source::Selection)) {
        change(&mut self.0.borrow_mut());
    }
}

impl contract::source::GuestSelection for Selection {
    fn new(stream: String) -> Self {
        Self(RefCell::new(source::Selection {
            stream,
            ..source::Selection::default()
        }))
    }

    fn set_columns(&self, names: Vec<String>) {
        self.set(|selection| selection.columns = names);
    }

    fn set_labels(&self, labels: bool) {
        self.set(|selection| selection.labels = labels);
    }

    fn set_filter(&self, filter: String) {
        self.set(|selection| selection.filter = Some(filter));
    }

    fn set_since(&self, since: String) {
        self.set(|selection| selection.since = Some(since));
    }

    fn set_query(&self, query: String) {
        self.set(|selection| selection.query = Some(query));
    }

    fn set_files(&self, files: contract::source::FileForm) {
        self.set(|selection| selection.files = files.into());
    }

    fn set_sweep(&self, sweep: bool) {
        self.set(|selection| selection.sweep = sweep);
    }

    fn set_page_size(&self, rows: u32) {
        self.set(|selection| selection.page_size = Some(rows));
    }

    fn set_checkpoint(&self, checkpoint: types::Json) {
        self.set(|selection| selection.checkpoint = Some(checkpoint));
    }
}

/// A run over one or many streams.
pub(crate) struct Sync(RefCell<source::Sync<Wasi>>);

impl contract::source::GuestSync for Sync {
    fn start(
        session: contract::source::SessionBorrow<'_>,
        selections: Vec<contract::source::Selection>,
    ) -> Result<contract::source::Sync, types::Error> {
        let session: &Session = session.get();
        let selections = selections
            .into_iter()
            .map(|selection| selection.into_inner::<Selection>().0.into_inner())
            .collect();
        let sync = source::Sync::start(session.0.client(), selections)?;
        Ok(contract::source::Sync::new(Self(RefCell::new(sync))))
    }

    fn next(&self) -> Result<Option<contract::source::Event>, types::Error> {
        // A component instance serves one call at a time, so nothing else holds the sync.
        Ok(block_on(self.0.borrow_mut().next())?.map(Into::into))
    }
}

same_variants!(source::Operation => contract::source::Operation:
    Snapshot Upsert Delete Present);
same_variants!(source::Change => contract::source::Change: Added Removed Retyped);
same_variants!(contract::source::FileForm => source::FileForm: Reference Content);

impl From<source::Event> for contract::source::Event {
    fn from(event: source::Event) -> Self {
        match event {
            source::Event::Schema(schema) => Self::Schema(contract::source::Schema {
                stream: schema.stream,
                primary_key: schema.primary_key,
                row_schema: schema.row_schema,
                changes: schema
                    .changes
                    .into_iter()
                    .map(|change| contract::source::ColumnChange {
                        column: change.column,
                        change: change.change.into(),
                    })
                    .collect(),
            }),
            source::Event::Reset(reset) => Self::Reset(contract::source::Reset {
                stream: reset.stream,
                reason: reset.reason,
            }),
            source::Event::Page(page) => Self::Page(contract::source::Page {
                stream: page.stream,
                operation: page.operation.into(),
                count: page.count,
                ndjson: page.ndjson,
                checkpoint: page.checkpoint,
            }),
            source::Event::Sweep(stream) => Self::Sweep(stream),
            source::Event::Complete(stream) => Self::Complete(stream),
            source::Event::Failed(failure) => Self::Failed(contract::source::Failure {
                stream: failure.stream,
                error: failure.error.into(),
            }),
            source::Event::Warning(warning) => Self::Warning(contract::source::Warning {
                stream: warning.stream,
                id: warning.id,
                message: warning.message,
            }),
        }
    }
}
