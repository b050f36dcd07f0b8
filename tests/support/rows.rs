//! Rows as text: values are compared as they were written, without parsing them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Rows by primary key; each has its columns with their values as JSON text.
pub type Rows = BTreeMap<String, BTreeMap<String, String>>;

/// The members of one JSON object, each value as it was written.
pub(crate) fn members(line: &str) -> BTreeMap<String, String> {
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    members
        .into_iter()
        .map(|(name, value)| (name, value.get().to_owned()))
        .collect()
}

/// The text of a JSON string.
pub(crate) fn text(raw: &str) -> String {
    serde_json::from_str(raw).unwrap_or_else(|error| panic!("{error}: {raw}"))
}

/// Parses NDJSON. Fails if two rows have the same key.
pub fn parse_rows(ndjson: &str, key: &str) -> Rows {
    let mut rows = Rows::new();
    for line in ndjson.lines() {
        let row = members(line);
        let id = text(&row[key]);
        assert!(rows.insert(id, row).is_none(), "duplicate key: {line}");
    }
    rows
}

/// Compares rows value by value. The error names the first difference.
#[track_caller]
pub fn assert_same(what: &str, found: &Rows, expected: &Rows) {
    for (id, row) in expected {
        let Some(actual) = found.get(id) else {
            panic!(
                "{what}: the row {id} is missing ({} of {} rows)",
                found.len(),
                expected.len()
            );
        };
        for (column, value) in row {
            let actual_value = actual.get(column);
            assert_eq!(
                actual_value,
                Some(value),
                "{what}: {column} of the row {id}"
            );
        }
        let surplus: Vec<_> = actual
            .keys()
            .filter(|name| !row.contains_key(*name))
            .collect();
        assert!(
            surplus.is_empty(),
            "{what}: the row {id} has unexpected columns {surplus:?}"
        );
    }
    let unexpected: Vec<_> = found
        .keys()
        .filter(|id| !expected.contains_key(*id))
        .collect();
    assert!(
        unexpected.is_empty(),
        "{what}: unexpected rows: {unexpected:?}"
    );
}
