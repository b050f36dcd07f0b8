//! The value of one cell, worked out from a CSV row and the rows joined to it.

use std::collections::HashMap;

use csv::StringRecord;
use uuid::Uuid;

use super::{cell, key_id, template::Generator};
use crate::{schema::Column, seed::random::Random, store::Value};

/// The source of a text: the row itself or a joined one.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Own(usize),
    Joined(usize, usize),
}

/// A piece of a template with its names looked up.
pub(super) enum Piece<'a> {
    Text(&'a str),
    Column(Slot),
    Made(Generator, Slot),
}

/// A template with its names looked up.
pub(super) type Text<'a> = Vec<Piece<'a>>;

/// What a column's value is made of.
pub(super) enum Cell<'a> {
    Text(Text<'a>),
    Choice {
        of: Text<'a>,
        values: HashMap<&'a str, Pick<'a>>,
        otherwise: Option<Pick<'a>>,
    },
    Lookup {
        table: &'a str,
        key: Text<'a>,
    },
    Fixed(Value),
    Later {
        date: Text<'a>,
        days: (i64, i64),
    },
}

/// What a choice leads to.
pub(super) enum Pick<'a> {
    Text(Text<'a>),
    Between(i64, i64),
}

/// A reference by text key.
pub(super) struct Reference {
    pub(super) id: Uuid,
    pub(super) column: String,
    pub(super) table: String,
    pub(super) key: String,
}

/// One CSV row with the rows joined to it.
pub(super) struct Context<'r> {
    pub(super) record: &'r StringRecord,
    pub(super) joined: Vec<Option<&'r StringRecord>>,
    pub(super) key: &'r str,
}

impl Context<'_> {
    pub(super) fn value(
        &self,
        column: &Column,
        cell: &Cell<'_>,
        references: &mut Vec<Reference>,
    ) -> Result<Value, String> {
        match cell {
            Cell::Text(text) => cell::read(column, &self.text(text)),
            Cell::Fixed(value) => Ok(value.clone()),
            Cell::Choice {
                of,
                values,
                otherwise,
            } => {
                let text = self.text(of);
                match values.get(text.as_str()).or(otherwise.as_ref()) {
                    Some(Pick::Text(text)) => cell::read(column, &self.text(text)),
                    Some(Pick::Between(low, high)) => {
                        let number = self.random(column).between(*low, *high);
                        cell::read(column, &number.to_string())
                    }
                    None => Err(format!(
                        "the map has no value for `{text}`; add it to `values` or give `otherwise`"
                    )),
                }
            }
            Cell::Lookup { table, key } => {
                let key = self.text(key);
                if key.is_empty() {
                    return Ok(Value::Null);
                }
                let id = key_id(table, &key);
                references.push(Reference {
                    id,
                    column: column.logical_name.clone(),
                    table: (*table).to_owned(),
                    key,
                });
                Ok(Value::lookup(table, id))
            }
            Cell::Later { date, days } => {
                let (low, high) = *days;
                Ok(match cell::read(column, &self.text(date))? {
                    Value::DateTime(time) => {
                        let days = self.random(column).between(low, high);
                        Value::DateTime(time + days * 86_400)
                    }
                    other => other,
                })
            }
        }
    }

    /// The randomness of one column of this row.
    fn random(&self, column: &Column) -> Random {
        Random::for_text(&format!("{}/{}", column.logical_name, self.key))
    }

    fn text(&self, pieces: &Text<'_>) -> String {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Column(slot) => text.push_str(self.get(*slot)),
                Piece::Made(generator, slot) => text.push_str(&generator.make(self.get(*slot))),
            }
        }
        text
    }

    pub(super) fn get(&self, slot: Slot) -> &str {
        let (record, at) = match slot {
            Slot::Own(at) => (Some(self.record), at),
            Slot::Joined(join, at) => (self.joined.get(join).copied().flatten(), at),
        };
        record.and_then(|record| record.get(at)).unwrap_or_default()
    }
}
