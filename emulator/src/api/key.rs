//! The keys by which rows are addressed (reference §4.11).

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use uuid::Uuid;

use crate::{
    odata::{
        Literal, Model,
        constant::constant,
        filter::{Comparison, Operand, parse_arguments},
        model::is_principal,
        sql::collate,
    },
    schema::Table,
    store::layout::parse_guid,
    wire::ODataError,
};

/// A row's key as the address gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowKey {
    Primary(Uuid),
    /// Property names and values of an alternate key, as they were written.
    Alternate {
        columns: Vec<(String, Literal)>,
        text: String,
    },
}

impl RowKey {
    /// Parses the text in parentheses after an entity set.
    pub(crate) fn parse(table: &Table, text: &str) -> Result<Self, ODataError> {
        if let Some(id) = parse_id(text) {
            return Ok(Self::Primary(id));
        }
        let undefined = || {
            ODataError::bad_request(
                "0x80060890",
                format!(
                    "The key in the request URI is not valid for resource \
                     'Microsoft.Dynamics.CRM.{}'. Ensure that the names and number of key \
                     properties match the declared key properties for the resource \
                     'Microsoft.Dynamics.CRM.{0}'.",
                    table.logical_name
                ),
            )
        };
        let arguments = parse_arguments(text)
            .map_err(|_| ODataError::bad_request("0x8006088a", "Error in query syntax."))?;
        let columns = arguments
            .into_iter()
            .map(|(name, operand)| match operand {
                Operand::Literal(literal) => Ok((name, literal)),
                _ => Err(undefined()),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if let [(name, Literal::Guid(id))] = columns.as_slice()
            && (*name == table.primary_id && !is_principal(table)
                || name == "ownerid" && is_principal(table))
        {
            return Ok(Self::Primary(*id));
        }
        let names: Vec<&str> = columns.iter().map(|(name, _)| column_name(name)).collect();
        if names.is_empty() || table.key_over(&names).is_none() {
            return Err(undefined());
        }
        // The front end of the service takes these for parts of the path, encoded or not.
        let unusable = |literal: &Literal| {
            matches!(literal, Literal::Text(text) if text.contains(['/', '<', '>', '*', '%', '&',
                ':', '\\', '?', '+', '#']))
        };
        if columns.iter().any(|(_, literal)| unusable(literal)) {
            return Err(ODataError::bad_request(
                "0x8006088a",
                "Error in query syntax.",
            ));
        }
        Ok(Self::Alternate {
            columns,
            text: text.to_owned(),
        })
    }

    /// The key of the addressed row, if the row exists. A primary key is not looked up.
    pub(crate) fn find(
        &self,
        connection: &Connection,
        model: &Model,
        table: &Table,
    ) -> Result<Option<Uuid>, ODataError> {
        let columns = match self {
            Self::Primary(id) => return Ok(Some(*id)),
            Self::Alternate { columns, .. } => columns,
        };
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        for (name, literal) in columns {
            let property = model.property(table, name)?;
            let value = constant(&property, literal, Comparison::Equal)?;
            conditions.push(format!("\"{}\" = ?{}", property.sql, collate(&property)));
            values.push(value);
        }
        let sql = format!(
            "SELECT \"{}\" FROM \"{}\" WHERE {}",
            table.primary_id,
            table.logical_name,
            conditions.join(" AND ")
        );
        let id: Option<String> = connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(values), |row| row.get(0))
            .optional()?;
        Ok(id.as_deref().map(parse_guid))
    }

    /// 404 for a row that does not exist.
    pub(crate) fn not_found(&self, table: &Table) -> ODataError {
        match self {
            Self::Primary(id) => ODataError::no_row(&table.logical_name, *id),
            Self::Alternate { .. } => ODataError::new(
                StatusCode::NOT_FOUND,
                "0x80060891",
                format!(
                    "A record with the specified key values does not exist in {} entity",
                    table.logical_name
                ),
            ),
        }
    }
}

/// A GUID in the only form the service takes: hyphens, no braces, no quotes.
pub(crate) fn parse_id(text: &str) -> Option<Uuid> {
    let hyphenated = text.len() == 36 && text.matches('-').count() == 4;
    if hyphenated {
        Uuid::try_parse(text).ok()
    } else {
        None
    }
}

/// The column of a property name in a key.
pub(crate) fn column_name(property: &str) -> &str {
    property
        .strip_prefix('_')
        .and_then(|rest| rest.strip_suffix("_value"))
        .unwrap_or(property)
}
