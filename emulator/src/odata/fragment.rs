//! Pieces of SQL and the values of their parameters, which are bound in the order of the text.

use rusqlite::types::Value as SqlValue;

/// A piece of SQL with the values of its parameters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<SqlValue>,
}

impl Sql {
    /// Text without parameters.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            values: Vec::new(),
        }
    }

    /// Text with the values of its parameters.
    pub(crate) fn with(text: impl Into<String>, values: Vec<SqlValue>) -> Self {
        Self {
            text: text.into(),
            values,
        }
    }

    /// The parts with an operator between them, in parentheses.
    pub(crate) fn joined(parts: Vec<Self>, operator: &str) -> Self {
        let mut sql = Self::new("(");
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                sql.text.push_str(operator);
            }
            sql.push(part);
        }
        sql.text.push(')');
        sql
    }

    /// Adds text without parameters.
    pub(crate) fn append(&mut self, text: impl AsRef<str>) {
        self.text.push_str(text.as_ref());
    }

    /// Adds a piece with its parameters.
    pub(crate) fn push(&mut self, part: Self) {
        self.text.push_str(&part.text);
        self.values.extend(part.values);
    }
}

/// The opposite of a condition: true where it is false or null.
pub(crate) fn negated(sql: Sql) -> Sql {
    Sql::with(format!("(NOT IFNULL({}, 0))", sql.text), sql.values)
}
