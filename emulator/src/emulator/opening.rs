//! Opening the database of an organization, and filling a new one.

use std::{path::PathBuf, sync::Arc};

use super::error::{SeedError, StartError};
use crate::{clock::Clock, org, schema::Schema, seed::extra, store::Store};

/// What fills a new organization.
pub(crate) type Seed = Box<dyn FnOnce(&mut Store) -> Result<(), SeedError> + Send>;

/// Generated custom tables.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ExtraTables {
    pub(crate) tables: usize,
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// Opens the organization in the file, or creates a new one.
pub(crate) fn open(
    schema: Option<Schema>,
    made_up: ExtraTables,
    file: Option<PathBuf>,
    clock: Clock,
    name: &str,
    seed: Option<Seed>,
) -> Result<Store, StartError> {
    let schema = Arc::new(match schema {
        Some(schema) => schema,
        None => Schema::with_extra_tables(made_up.tables, made_up.columns)?,
    });
    let mut store = match file {
        Some(path) => Store::open(&path, schema, clock)?,
        None => Store::temporary(schema, clock)?,
    };
    if store.is_empty("organization")? {
        org::seed(&store, name)?;
        if let Some(seed) = seed {
            seed(&mut store).map_err(StartError::Seed)?;
        }
        extra::rows(&store, made_up.rows)?;
    }
    Ok(store)
}
