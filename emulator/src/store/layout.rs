//! How a Dataverse table is kept in SQLite.
//!
//! Every stored column becomes a column of the same name. A lookup with several possible targets
//! has a companion `{name}$type` with the logical name of the row's table. `$version` holds the
//! row version, which is also what `versionnumber` reads.

use std::{collections::HashMap, fmt::Write as _};

use rusqlite::{Row, types::ValueRef};
use uuid::Uuid;

use super::{Decimal, StoreError, Stored, Value};
use crate::schema::{AlternateKey, Schema, Table};

/// Tables that nearly every row refers to; looking for their referrers needs no index.
const COMMON_TARGETS: [&str; 5] = [
    "systemuser",
    "team",
    "businessunit",
    "transactioncurrency",
    "organization",
];

/// One stored column.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) stored: Stored,
    /// The table a [`Stored::Reference`] refers to.
    target: String,
}

impl Slot {
    /// The columns of the database that hold it, with their types.
    pub(super) fn sql_columns(&self) -> impl Iterator<Item = (String, String)> {
        let companion = (self.stored == Stored::TypedReference)
            .then(|| (format!("{}$type", self.name), "TEXT".to_owned()));
        std::iter::once((self.name.clone(), self.stored.sql_type())).chain(companion)
    }
}

/// The stored columns of one table.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) table: String,
    pub(crate) primary_id: String,
    pub(crate) slots: Vec<Slot>,
    positions: HashMap<String, usize>,
}

impl Layout {
    pub(crate) fn of(table: &Table) -> Self {
        let slots: Vec<Slot> = table
            .columns
            .iter()
            .filter(|column| column.logical_name != "versionnumber")
            .filter_map(|column| {
                Some(Slot {
                    name: column.logical_name.clone(),
                    stored: Stored::of(column)?,
                    target: column
                        .targets()
                        .first()
                        .copied()
                        .unwrap_or_default()
                        .to_owned(),
                })
            })
            .collect();
        Self {
            table: table.logical_name.clone(),
            primary_id: table.primary_id.clone(),
            positions: slots
                .iter()
                .enumerate()
                .map(|(at, s)| (s.name.clone(), at))
                .collect(),
            slots,
        }
    }

    /// The position of a column among the slots.
    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.positions.get(column).copied()
    }

    /// A row with no values.
    pub(crate) fn empty_row(&self) -> Vec<Value> {
        vec![Value::Null; self.slots.len()]
    }

    /// The value of a column in a row of this layout.
    pub(crate) fn get<'r>(&self, row: &'r [Value], column: &str) -> &'r Value {
        self.position(column)
            .and_then(|at| row.get(at))
            .unwrap_or(&Value::Null)
    }

    /// Sets a column of a row, if the table has that column.
    pub(crate) fn set(&self, row: &mut [Value], column: &str, value: Value) {
        if let Some(cell) = self.position(column).and_then(|at| row.get_mut(at)) {
            *cell = value;
        }
    }

    /// Sets a column of a row that has no value there.
    pub(crate) fn default(&self, row: &mut [Value], column: &str, value: Value) {
        if *self.get(row, column) == Value::Null {
            self.set(row, column, value);
        }
    }

    /// Whether a column of two rows of this layout holds different values.
    pub(crate) fn differs(&self, before: &[Value], after: &[Value], column: &str) -> bool {
        self.get(before, column) != self.get(after, column)
    }

    /// The statements that create the table and its indexes.
    pub(crate) fn ddl(&self, table: &Table, schema: &Schema) -> String {
        let name = &self.table;
        let mut sql = format!("CREATE TABLE \"{name}\" (\n  \"$version\" INTEGER NOT NULL");
        for slot in &self.slots {
            let key = if slot.name == self.primary_id {
                " NOT NULL PRIMARY KEY"
            } else {
                ""
            };
            for (column, kind) in slot.sql_columns() {
                let _ = write!(sql, ",\n  \"{column}\" {kind}");
                if column == slot.name {
                    sql.push_str(key);
                }
            }
        }
        sql.push_str("\n);\n");
        // Versions are unique, so that SQLite needs no other order of rows.
        let _ = writeln!(
            sql,
            "CREATE UNIQUE INDEX \"{name}$version\" ON \"{name}\"(\"$version\");"
        );
        for key in table.active_keys() {
            let _ = writeln!(sql, "{}", self.key_index_sql(key));
        }
        for slot in self
            .slots
            .iter()
            .filter(|slot| self.is_searched(slot, table, schema))
        {
            let _ = writeln!(sql, "{}", self.index_sql(slot));
        }
        sql
    }

    /// The index that makes an alternate key unique.
    pub(super) fn key_index_sql(&self, key: &AlternateKey) -> String {
        let quoted: Vec<String> = key.columns.iter().map(|c| format!("\"{c}\"")).collect();
        format!(
            "CREATE UNIQUE INDEX \"{name}.{}\" ON \"{name}\"({}) WHERE {};",
            key.logical_name,
            quoted.join(", "),
            key_is_whole(key),
            name = self.table,
        )
    }

    /// The index by which rows are looked for by a lookup.
    pub(super) fn index_sql(&self, slot: &Slot) -> String {
        let (table, column) = (&self.table, &slot.name);
        format!(
            "CREATE INDEX \"{table}${column}\" ON \"{table}\"(\"{column}\") \
             WHERE \"{column}\" IS NOT NULL;"
        )
    }

    /// Whether rows are looked for by this lookup: from the other side of a relationship.
    pub(super) fn is_searched(&self, slot: &Slot, table: &Table, schema: &Schema) -> bool {
        if !matches!(slot.stored, Stored::Reference | Stored::TypedReference) {
            return table.is_intersect
                && slot.stored == Stored::Guid
                && slot.name != self.primary_id;
        }
        table.column(&slot.name).is_some_and(|column| {
            let targets = column.targets();
            table.is_intersect
                || targets.iter().any(|target| {
                    !COMMON_TARGETS.contains(target) && schema.table(target).is_some()
                })
        })
    }

    /// `"a", "b", "b$type", …` for the slots at these positions.
    pub(crate) fn column_list(&self, positions: &[usize]) -> Vec<String> {
        let mut names = Vec::with_capacity(positions.len());
        for slot in positions.iter().filter_map(|&at| self.slots.get(at)) {
            names.push(format!("\"{}\"", slot.name));
            if slot.stored == Stored::TypedReference {
                names.push(format!("\"{}$type\"", slot.name));
            }
        }
        names
    }

    /// The statement that adds a row: the version, then the slots at these positions.
    pub(crate) fn insert_sql(&self, positions: &[usize]) -> String {
        let names = self.column_list(positions);
        let marks = vec!["?"; names.len() + 1].join(", ");
        let (table, names) = (&self.table, names.join(", "));
        format!("INSERT INTO \"{table}\" (\"$version\", {names}) VALUES ({marks})")
    }

    /// Reads a row selected with [`Layout::column_list`] of all positions, from the SQL column
    /// `first` on.
    pub(crate) fn read_row(&self, row: &Row<'_>, first: usize) -> rusqlite::Result<Vec<Value>> {
        let mut values = Vec::with_capacity(self.slots.len());
        let mut at = first;
        for slot in &self.slots {
            let cell = row.get_ref(at)?;
            at += 1;
            let target = if slot.stored == Stored::TypedReference {
                at += 1;
                row.get_ref(at - 1)?.as_str_or_null()?.unwrap_or_default()
            } else {
                &slot.target
            };
            values.push(read_cell(cell, slot.stored, target)?);
        }
        Ok(values)
    }

    /// Binds a value for the slot from parameter `at` on; returns the next parameter.
    pub(crate) fn bind(
        &self,
        statement: &mut rusqlite::Statement<'_>,
        slot: &Slot,
        value: &Value,
        at: usize,
    ) -> Result<usize, StoreError> {
        let wrong = || StoreError::WrongValue {
            table: self.table.clone(),
            column: slot.name.clone(),
            value: match value {
                Value::Decimal(number) => number.to_string(),
                value => format!("{value:?}"),
            },
        };
        let mut buffer = Uuid::encode_buffer();
        match (slot.stored, value) {
            (_, Value::Null) => statement.raw_bind_parameter(at, rusqlite::types::Null)?,
            (
                Stored::Guid | Stored::Reference | Stored::TypedReference,
                Value::Guid(id) | Value::Lookup { id, .. },
            ) => {
                let text: &str = id.hyphenated().encode_lower(&mut buffer);
                statement.raw_bind_parameter(at, text)?;
            }
            (Stored::Text, Value::Text(text)) => statement.raw_bind_parameter(at, text)?,
            (Stored::Integer, Value::Int(number)) => statement.raw_bind_parameter(at, number)?,
            (Stored::Boolean, Value::Bool(flag)) => statement.raw_bind_parameter(at, flag)?,
            (Stored::Real, Value::Double(number)) => statement.raw_bind_parameter(at, number)?,
            (Stored::Real, Value::Int(number)) => {
                let number = i32::try_from(*number).map_err(|_| wrong())?;
                statement.raw_bind_parameter(at, f64::from(number))?;
            }
            (Stored::Scaled(scale), Value::Decimal(number)) => {
                let units = number.units_at(scale).ok_or_else(wrong)?;
                statement.raw_bind_parameter(at, units)?;
            }
            (Stored::Scaled(scale), Value::Int(number)) => {
                let units = Decimal::new(*number, 0).units_at(scale).ok_or_else(wrong)?;
                statement.raw_bind_parameter(at, units)?;
            }
            (Stored::Instant, Value::DateTime(seconds)) => {
                statement.raw_bind_parameter(at, seconds)?;
            }
            (Stored::Date, Value::DateTime(seconds)) => {
                statement.raw_bind_parameter(at, seconds - seconds.rem_euclid(86_400))?;
            }
            _ => return Err(wrong()),
        }
        if slot.stored != Stored::TypedReference {
            return Ok(at + 1);
        }
        match value {
            Value::Null => statement.raw_bind_parameter(at + 1, rusqlite::types::Null)?,
            Value::Lookup { table, .. } => statement.raw_bind_parameter(at + 1, table)?,
            _ => return Err(wrong()),
        }
        Ok(at + 2)
    }
}

/// The condition that a row has a value in every column of an alternate key.
pub(super) fn key_is_whole(key: &AlternateKey) -> String {
    let columns = key.columns.iter();
    let there: Vec<String> = columns.map(|c| format!("\"{c}\" IS NOT NULL")).collect();
    there.join(" AND ")
}

fn read_cell(cell: ValueRef<'_>, stored: Stored, target: &str) -> rusqlite::Result<Value> {
    if cell == ValueRef::Null {
        return Ok(Value::Null);
    }
    let guid = |cell: ValueRef<'_>| Ok::<_, rusqlite::Error>(parse_guid(cell.as_str()?));
    Ok(match stored {
        Stored::Guid => Value::Guid(guid(cell)?),
        Stored::Text => Value::Text(cell.as_str()?.to_owned()),
        Stored::Integer => Value::Int(cell.as_i64()?),
        Stored::Boolean => Value::Bool(cell.as_i64()? != 0),
        Stored::Scaled(scale) => Value::Decimal(Decimal::new(cell.as_i64()?, scale)),
        Stored::Real => Value::Double(cell.as_f64()?),
        Stored::Instant | Stored::Date => Value::DateTime(cell.as_i64()?),
        Stored::Reference | Stored::TypedReference => Value::Lookup {
            table: target.to_owned(),
            id: guid(cell)?,
        },
    })
}

/// Reads GUID text that this store wrote.
pub(crate) fn parse_guid(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_default()
}
