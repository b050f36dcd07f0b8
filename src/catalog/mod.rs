//! The catalogue: which streams can be read, their columns, and the schema of their rows.
//!
//! ```text
//! stream, column, change_detection, table   what is known about a stream
//! row_schema    JSON Schema of its rows
//! list          every stream, without columns
//! read          one table by its name
//! describe      several streams with their columns
//! derived       streams that are made of several tables
//! query, views  streams that are queries
//! suggest       hints for wrong names
//! new_column    creating a column
//! ```

mod change_detection;
mod column;
mod derived;
mod describe;
mod list;
mod new_column;
mod query;
mod read;
mod row_schema;
mod stream;
mod suggest;
mod table;
mod views;

pub use crate::dataverse::metadata::{Bounds, Cardinality, Relationship};
pub use change_detection::ChangeDetection;
pub use column::{Choice, Column, DataType, Requirement};
pub(crate) use derived::{ENTRY_CHANGES, history_table, is_of_entry, members_table};
pub use describe::describe;
pub use list::{Summary, list};
pub use new_column::{NewChoice, NewColumn, NewType, create as create_column};
pub(crate) use query::{ROW_NUMBER, shape as query_shape};
pub(crate) use read::read;
pub(crate) use row_schema::row_schema;
pub use stream::StreamKind;
pub(crate) use stream::StreamName;
pub(crate) use suggest::column_hint;
pub use table::{AlternateKey, Table};
pub(crate) use views::open as open_view;
pub use views::{View, list as list_views};

#[cfg(test)]
mod tests;
