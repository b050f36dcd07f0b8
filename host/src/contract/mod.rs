//! The types of the contract `integration:connector@0.2.0`.
//!
//! Most are generated from `wit/`, whose comments say what each field means. Options and long
//! descriptions are resources in the contract, so that it can grow; here they are plain structs:
//! [`Selection`], [`NewColumn`] and [`StreamDescription`]. They are `#[non_exhaustive]`: build
//! them with their constructors, and a new option breaks nothing.

mod description;
mod error;
mod new_column;
mod selection;

use crate::bindings::exports::integration::connector::{
    authorization, catalog, connection, source,
};
use crate::bindings::integration::connector::types;

pub use authorization::Consent;
pub use catalog::{
    AlternateKey, Cardinality, ChangeDetection, Choice, Column, DataType, NewChoice, NewType,
    Relationship, Requirement, StreamKind, Summary as StreamSummary, TextType, View,
};
pub use connection::{
    Call, Description as ConnectorDescription, Finding, Permission, Report, Role, RoleChange,
    Verdict,
};
pub use description::StreamDescription;
pub use error::{ConnectorError, kind_name};
pub use new_column::NewColumn;
pub use selection::Selection;
pub use source::{
    Change, ColumnChange, Event, Failure, FileForm, Operation, Page, Reset, Schema, Warning,
};
pub use types::{Commit, Error as EventError, ErrorKind, ServiceFault};
