//! Columns that the platform composes of others: addresses, lookups that repeat a customer, and
//! what a note says about its file.

use super::{Value, layout::Layout};
use crate::schema::Table;

/// A lookup to an account or a contact, and the read-only lookups that repeat it, one for each.
#[derive(Debug)]
pub(super) struct Customer {
    either: usize,
    account: Option<usize>,
    contact: Option<usize>,
}

impl Customer {
    /// The customer lookups of a table that other columns repeat.
    pub(super) fn of(layout: &Layout, table: &Table) -> Vec<Self> {
        let repeats = |name: &str| {
            let column = table.column(name)?;
            (column.is_lookup() && !column.creatable)
                .then(|| layout.position(name))
                .flatten()
        };
        [
            ("customerid", "contactid"),
            ("parentcustomerid", "parentcontactid"),
        ]
        .into_iter()
        .filter_map(|(either, contact)| {
            Some(Self {
                either: layout.position(either)?,
                account: repeats("accountid"),
                contact: repeats(contact),
            })
        })
        .collect()
    }

    /// The positions it fills.
    pub(super) fn fills(&self) -> impl Iterator<Item = usize> + use<> {
        [self.account, self.contact].into_iter().flatten()
    }

    /// Fills the lookup of the customer's kind and empties the other.
    pub(super) fn repeat(&self, row: &mut [Value]) {
        let either = row.get(self.either).cloned().unwrap_or(Value::Null);
        for (at, target) in [(self.account, "account"), (self.contact, "contact")] {
            let mine = matches!(&either, Value::Lookup { table, .. } if table == target);
            if let Some(cell) = at.and_then(|at| row.get_mut(at)) {
                *cell = if mine { either.clone() } else { Value::Null };
            }
        }
    }
}

/// The columns of a note that describe its file and its row.
#[derive(Debug)]
pub(super) struct Note {
    body: usize,
    is_document: usize,
    size: usize,
    regarding: usize,
    regarding_type: usize,
}

impl Note {
    /// These columns of the table of notes.
    pub(super) fn of(layout: &Layout) -> Option<Self> {
        (layout.table == "annotation").then_some(())?;
        Some(Self {
            body: layout.position("documentbody")?,
            is_document: layout.position("isdocument")?,
            size: layout.position("filesize")?,
            regarding: layout.position("objectid")?,
            regarding_type: layout.position("objecttypecode")?,
        })
    }

    /// The positions it fills.
    pub(super) fn fills(&self) -> [usize; 3] {
        [self.is_document, self.size, self.regarding_type]
    }

    /// Fills them. The size of a file without its contents is what it was said to be.
    pub(super) fn describe(&self, row: &mut [Value]) {
        let size = match row.get(self.body) {
            Some(Value::Text(body)) => i64::try_from(decoded_length(body)).ok(),
            _ => None,
        };
        let table = match row.get(self.regarding) {
            Some(Value::Lookup { table, .. }) => Value::Text(table.clone()),
            _ => Value::Null,
        };
        let mut fill = |at: usize, value: Value| {
            if let Some(cell) = row.get_mut(at) {
                *cell = value;
            }
        };
        fill(self.regarding_type, table);
        if let Some(size) = size {
            fill(self.is_document, Value::Bool(true));
            fill(self.size, Value::Int(size));
        }
    }
}

/// The decoded length of a base64 text.
fn decoded_length(text: &str) -> usize {
    let digits = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=');
    digits.count() * 3 / 4
}

/// The columns of one postal address, found once for all rows.
#[derive(Debug)]
pub(super) struct Address {
    composite: usize,
    lines: Vec<usize>,
    city: Option<usize>,
    region: Vec<usize>,
    country: Option<usize>,
}

impl Address {
    /// The address of this number, if the table has one that is composed.
    pub(super) fn of(layout: &Layout, number: u8) -> Option<Self> {
        let part = |name: &str| layout.position(&format!("address{number}_{name}"));
        let parts = |names: &[&str]| names.iter().filter_map(|name| part(name)).collect();
        Some(Self {
            composite: part("composite")?,
            lines: parts(&["line1", "line2", "line3"]),
            city: part("city"),
            region: parts(&["stateorprovince", "postalcode"]),
            country: part("country"),
        })
    }

    /// The position it fills.
    pub(super) fn fills(&self) -> usize {
        self.composite
    }

    /// Lines, then `city, state postal code`, then the country.
    pub(super) fn compose(&self, row: &mut [Value]) {
        let text = |at: &usize| match row.get(*at) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        };
        let region: Vec<&str> = self.region.iter().filter_map(text).collect();
        let region = region.join(" ");
        let city = self.city.as_ref().and_then(text);
        let town: Vec<&str> = city
            .into_iter()
            .chain((!region.is_empty()).then_some(region.as_str()))
            .collect();
        let town = town.join(", ");
        let lines: Vec<&str> = self
            .lines
            .iter()
            .filter_map(text)
            .chain((!town.is_empty()).then_some(town.as_str()))
            .chain(self.country.as_ref().and_then(text))
            .collect();
        let value = if lines.is_empty() {
            Value::Null
        } else {
            Value::Text(lines.join("\r\n"))
        };
        if let Some(cell) = row.get_mut(self.composite) {
            *cell = value;
        }
    }
}
