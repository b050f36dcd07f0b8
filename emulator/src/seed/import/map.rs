//! The map file: which CSV becomes which table, and how.
//!
//! ```toml
//! [[table]]
//! file = "people.csv"                    # or people.csv.gz
//! table = "contact"
//! key = "person_id"                      # the text key: gives each row its GUID …
//! key_column = "sample_externalid"       # … and is kept in this column
//! where = { kind = ["customer", "partner"] }          # only these rows
//! join.firm = { file = "firms.csv", key = "firm_id", by = "firm_id" }
//!
//! [table.columns]
//! lastname = "{surname}"                              # a template
//! emailaddress1 = "{email-name:person_id}@{domain:firm_id}"
//! jobtitle = "{job}, {firm.city}"                     # a column of a joined file
//! statecode = 0                                       # a constant
//! gendercode = { of = "{sex}", values = { f = 2, m = 1 }, otherwise = "" }
//! numberofchildren = { of = "{family}", values = { small = [0, 1], large = [2, 9] } }
//! parentcustomerid = { lookup = "account", key = "{firm_id}" }
//! lastusedincampaign = { date = "{created}", plus_days = [5, 90] }
//! ```
//!
//! A template may name columns of the CSV, columns of a joined file as `{join.column}`, and
//! generators, which make up a value that belongs to a key: `{first-name:person_id}` (see
//! [`super::template`]). An empty text is null. `distinct = true` makes one row per key however
//! often the file has it. If several rows of one table come from one row of a file, `part = "to"`
//! distinguishes them: the row's key is then the text key, a slash and the part. A join is
//! `optional = true` if rows without a match get empty texts.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::template::Template;

/// A map file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    /// The tables, in the order they are loaded.
    pub(super) table: Vec<TableMap>,
}

/// How rows of one CSV file become rows of one table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableMap {
    pub(super) file: String,
    pub(super) table: String,
    pub(super) key: String,
    pub(super) part: Option<String>,
    pub(super) key_column: Option<String>,
    #[serde(default)]
    pub(super) distinct: bool,
    #[serde(default, rename = "where")]
    pub(super) only: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    pub(super) join: BTreeMap<String, Join>,
    pub(super) columns: BTreeMap<String, Source>,
}

/// The values of a condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn contains(&self, value: &str) -> bool {
        match self {
            Self::One(one) => one == value,
            Self::Many(many) => many.iter().any(|one| one == value),
        }
    }
}

/// Another file whose first matching row lends its columns.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Join {
    pub(super) file: String,
    /// The column of the other file that is matched.
    pub(super) key: String,
    /// The column it is matched with, of this file or (`join.column`) of an earlier join.
    pub(super) by: String,
    #[serde(default)]
    pub(super) optional: bool,
}

/// Where a column's value comes from.
#[derive(Debug, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) enum Source {
    /// A template, which is read as the column's type demands.
    Text(Template),
    /// One of several sources, chosen by a text.
    Choice {
        of: Template,
        values: BTreeMap<String, Picked>,
        otherwise: Option<Picked>,
    },
    /// The row that another text key gave its GUID.
    Lookup { table: String, key: Template },
    /// A row that every organization has.
    WellKnown(WellKnown),
    /// A date some days after another.
    Later { date: Template, days: (i64, i64) },
}

/// What a choice leads to.
#[derive(Debug)]
pub(super) enum Picked {
    Text(Template),
    /// A whole number between two others, both included.
    Between(i64, i64),
}

/// A row that every organization has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WellKnown {
    RootBusinessUnit,
    SalespersonRole,
    Administrator,
    BaseCurrency,
}

impl TryFrom<toml::Value> for Source {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        let mut table = match value {
            toml::Value::Table(table) => table,
            scalar => return template(scalar).map(Self::Text),
        };
        let mut take = |name: &str| table.remove(name);
        let source = if let Some(of) = take("of") {
            let Some(toml::Value::Table(values)) = take("values") else {
                return Err("a choice needs `values = { text = value, … }`".into());
            };
            Self::Choice {
                of: template(of)?,
                values: values
                    .into_iter()
                    .map(|(text, value)| Ok((text, picked(value)?)))
                    .collect::<Result<_, String>>()?,
                otherwise: take("otherwise").map(picked).transpose()?,
            }
        } else if let Some(target) = take("lookup") {
            let toml::Value::String(target) = target else {
                return Err("`lookup` names a table".into());
            };
            let key = take("key").ok_or("a lookup needs `key = \"{column}\"`")?;
            Self::Lookup {
                table: target,
                key: template(key)?,
            }
        } else if let Some(name) = take("well_known") {
            Self::WellKnown(match name.as_str() {
                Some("root-business-unit") => WellKnown::RootBusinessUnit,
                Some("administrator") => WellKnown::Administrator,
                Some("base-currency") => WellKnown::BaseCurrency,
                Some("salesperson-role") => WellKnown::SalespersonRole,
                _ => {
                    return Err(
                        "`well_known` is root-business-unit, administrator, base-currency or \
                         salesperson-role"
                            .into(),
                    );
                }
            })
        } else if let Some(date) = take("date") {
            let days = take("plus_days").ok_or("a date needs `plus_days = [from, to]`")?;
            Self::Later {
                date: template(date)?,
                days: range(&days)?,
            }
        } else {
            return Err(
                "a value is a template, a number, or a table with `of`, `lookup`, \
                        `well_known` or `date`"
                    .into(),
            );
        };
        match table.keys().next() {
            None => Ok(source),
            Some(extra) => Err(format!("unexpected `{extra}`")),
        }
    }
}

fn picked(value: toml::Value) -> Result<Picked, String> {
    match value {
        toml::Value::Array(_) => range(&value).map(|(low, high)| Picked::Between(low, high)),
        scalar => template(scalar).map(Picked::Text),
    }
}

fn template(value: toml::Value) -> Result<Template, String> {
    match value {
        toml::Value::String(text) => text.parse(),
        toml::Value::Integer(number) => Ok(Template::constant(number.to_string())),
        toml::Value::Boolean(flag) => Ok(Template::constant(flag.to_string())),
        other => Err(format!(
            "{other} is not a text, a whole number, true or false"
        )),
    }
}

fn range(value: &toml::Value) -> Result<(i64, i64), String> {
    match value.as_array().map(Vec::as_slice) {
        Some([toml::Value::Integer(low), toml::Value::Integer(high)]) if low <= high => {
            Ok((*low, *high))
        }
        _ => Err(format!("{value} is not a range; write one such as [1, 9]")),
    }
}
