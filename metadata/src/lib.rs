//! Definitions of tables and columns, read from Dataverse's metadata in one pass.
//!
//! This is a package of its own because a large organization has hundreds of megabytes of
//! metadata: it is compiled for speed, while the rest of the connector is compiled for size. So
//! no function that is called from outside is generic.
//!
//! ```text
//! wire      the service's JSON
//! read      from JSON to tables and columns
//! details   from JSON to the properties of a column's type
//! definition, relationship   the definitions
//! ```

#![forbid(unsafe_code)]

mod definition;
mod details;
mod read;
mod relationship;
mod wire;

pub use definition::{
    Attribute, AttributeKind, Bounds, DateTimeBehavior, OptionItem, OptionSet, RequiredLevel,
    Switch, TableDefinition, TableKey, TableSummary,
};
pub use read::{Summaries, WATERMARKS, columns, definition, summaries};
pub use relationship::{Cardinality, Relationship};
