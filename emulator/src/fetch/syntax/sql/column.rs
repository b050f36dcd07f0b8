//! Names of columns.

use sqlparser::ast::{Expr, Ident};

use super::refused;
use crate::wire::ODataError;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) qualifier: Option<String>,
    pub(super) name: String,
}

/// A column, with or without the name of its table.
pub(super) fn column(expression: Expr) -> Result<Column, ODataError> {
    let (qualifier, column) = match expression {
        Expr::Identifier(column) => (None, column),
        Expr::CompoundIdentifier(parts) => match <[Ident; 2]>::try_from(parts) {
            Ok([qualifier, column]) => (Some(name(qualifier)?), column),
            Err(_) => return Err(refused("A column name with several dots")),
        },
        other => return Err(refused(&format!("'{other}' in the place of a column"))),
    };
    Ok(Column {
        qualifier,
        name: name(column)?.to_ascii_lowercase(),
    })
}

/// A name without quotes or brackets, as it was written.
pub(super) fn name(name: Ident) -> Result<String, ODataError> {
    match name.quote_style {
        None => Ok(name.value),
        Some(_) => Err(refused("A name in quotes or brackets")),
    }
}
