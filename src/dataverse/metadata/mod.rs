//! Definitions of tables and their columns: `EntityDefinitions` (reference §5).
//!
//! ```text
//! list      every table without its columns
//! tables    named tables with their columns, keys and relationships
//! cast      the derived types of columns, and which properties are requested of each
//! security  which privileges protect tables, and which tables lookups refer to
//! ```
//!
//! What the responses say is read by the package `dataverse-metadata`.

mod cast;
mod list;
mod security;
mod tables;

use super::Link;
use super::client::unreadable;
use super::rows::INCOMPLETE;
use crate::error::{Error, ErrorKind};

pub use dataverse_metadata::{
    Attribute, AttributeKind, Bounds, Cardinality, DateTimeBehavior, OptionItem, OptionSet,
    Relationship, RequiredLevel, Switch, TableDefinition, TableKey, TableSummary,
};
pub use list::list;
pub use security::{TablePrivilege, TableSecurity, lookup_targets, security};
pub use tables::{Extent, table, tables};

/// The properties of a table that are requested, of one table and of all.
const TABLE_PROPERTIES: &str = "LogicalName,EntitySetName,PrimaryIdAttribute,\
                                PrimaryNameAttribute,DisplayName,IsPrivate,ChangeTrackingEnabled";

/// How many tables are named in one request that filters by name.
const TABLES_PER_FILTER: usize = 25;

/// Whether the text can be the logical name of a table. Logical names are lower-case words, so
/// nothing else is ever written into an address.
fn is_logical_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The error for a response without a required property.
fn incomplete(link: &Link) -> Error {
    unreadable(link, &INCOMPLETE)
}

/// Whether the service rejects the form of the request.
fn is_rejected(error: &Error) -> bool {
    error.is_not_offered() && !is_unknown(error)
}

/// Whether the service has no such table. The status decides, because the error code differs
/// between versions.
fn is_unknown(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
        || error.status() == Some(404)
        || error
            .fault
            .as_ref()
            .is_some_and(|fault| fault.code == "0x80041102")
}
