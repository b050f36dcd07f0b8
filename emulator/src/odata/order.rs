//! The order of rows, and the place in it where the next page begins (reference §4.6).

use rusqlite::{Row, types::Value as SqlValue};

use super::{fragment::Sql, skiptoken::SkipToken};
use crate::{store::Stored, wire::ODataError};

/// One column that orders the rows.
#[derive(Debug)]
pub(crate) struct OrderColumn {
    /// Its name in the paging cookie.
    pub(crate) name: String,
    pub(crate) sql: Sql,
    pub(crate) stored: Stored,
    pub(crate) collate: &'static str,
    pub(crate) descending: bool,
}

/// The ordering columns' values in one row, as a paging cookie has them.
pub(crate) type CookieRow = Vec<(String, Option<String>)>;

impl OrderColumn {
    /// Its part of `SELECT`.
    pub(crate) fn expression(&self) -> Sql {
        self.sql.clone()
    }

    /// Its part of `ORDER BY`.
    pub(crate) fn ordering(&self) -> Sql {
        let mut sql = self.sql.clone();
        sql.text.push_str(self.collate);
        if self.descending {
            sql.text.push_str(" DESC");
        }
        sql
    }
}

/// The values of the ordering columns in a row, for the paging cookie.
pub(crate) fn cookie_row(
    order: &[OrderColumn],
    row: &Row<'_>,
    first: usize,
) -> Result<CookieRow, ODataError> {
    let mut values = Vec::with_capacity(order.len() + 1);
    for (at, column) in order.iter().enumerate() {
        let value = match row.get::<_, SqlValue>(first + at)? {
            SqlValue::Integer(number) => Some(number.to_string()),
            SqlValue::Real(number) => Some(format!("{number:?}")),
            SqlValue::Text(text) => Some(match column.stored {
                Stored::Guid | Stored::Reference | Stored::TypedReference => {
                    format!("{{{}}}", text.to_uppercase())
                }
                _ => text,
            }),
            SqlValue::Null | SqlValue::Blob(_) => None,
        };
        values.push((column.name.clone(), value));
    }
    Ok(values)
}

/// The condition that a row comes after the cookie's row. Null comes before every value.
pub(crate) fn after(order: &[OrderColumn], token: &SkipToken) -> Result<Sql, ODataError> {
    let foreign = || {
        ODataError::bad_request(
            "0x80060888",
            "The paging cookie in $skiptoken does not fit the query: use the next link as it was \
             sent.",
        )
    };
    let mut beyond = Sql::new("(0");
    let mut equal = Sql::new("");
    for column in order {
        if !token.has(&column.name) {
            return Err(foreign());
        }
        let value = match token.value(&column.name) {
            None => None,
            Some(text) => Some(cookie_value(column, text).ok_or_else(foreign)?),
        };
        let expression = || column.sql.clone();
        let strictly = match (&value, column.descending) {
            (None, false) => {
                let mut sql = expression();
                sql.text.push_str(" IS NOT NULL");
                sql
            }
            (None, true) => Sql::new("0"),
            (Some(value), false) => {
                let mut sql = expression();
                sql.append(format!(" > ?{}", column.collate));
                sql.values.push(value.clone());
                sql
            }
            (Some(value), true) => {
                let mut sql = Sql::new("(");
                sql.push(expression());
                sql.append(format!(" < ?{} OR ", column.collate));
                sql.values.push(value.clone());
                sql.push(expression());
                sql.text.push_str(" IS NULL)");
                sql
            }
        };
        beyond.text.push_str(" OR (");
        beyond.push(equal.clone());
        beyond.push(strictly);
        beyond.text.push(')');
        equal.push(expression());
        equal.append(format!(" IS ?{} AND ", column.collate));
        equal.values.push(value.unwrap_or(SqlValue::Null));
    }
    beyond.text.push(')');
    // One ordering column: a plain comparison lets SQLite walk the key's index.
    if let [only] = order
        && !only.descending
        && let Some(text) = token.value(&only.name)
    {
        let mut sql = only.sql.clone();
        sql.append(format!(" > ?{}", only.collate));
        sql.values
            .push(cookie_value(only, text).ok_or_else(foreign)?);
        return Ok(sql);
    }
    Ok(beyond)
}

fn cookie_value(column: &OrderColumn, text: &str) -> Option<SqlValue> {
    Some(match column.stored {
        Stored::Guid | Stored::Reference | Stored::TypedReference => {
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            SqlValue::Text(uuid::Uuid::try_parse(inner).ok()?.to_string())
        }
        Stored::Text => SqlValue::Text(text.to_owned()),
        Stored::Real => SqlValue::Real(text.parse().ok()?),
        _ => SqlValue::Integer(text.parse().ok()?),
    })
}
