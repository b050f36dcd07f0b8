//! Reads what the sinks wrote, without their code.

use std::path::Path;

use dataverse_host::sink::stored_name;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, OpenFlags};

use crate::rows::{Rows, members, text};

/// The rows of a stream's file after all its lines were applied in order.
pub fn read_json_lines(directory: &Path, stream: &str, key: &str) -> Rows {
    let path = directory.join(format!("{}.jsonl", stored_name(stream)));
    let content =
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert!(
        content.is_empty() || content.ends_with('\n'),
        "{} ends in the middle of a line",
        path.display()
    );
    let mut rows = Rows::new();
    for line in content.lines() {
        let mut row = members(line);
        let id = text(&row[key]);
        match row.remove("_deleted") {
            Some(mark) => {
                assert_eq!(mark, "true");
                rows.remove(&id);
            }
            None => {
                rows.insert(id, row);
            }
        }
    }
    rows
}

/// Compares a table of the database with rows, value by value.
#[track_caller]
pub fn assert_database_holds(file: &Path, stream: &str, key: &str, expected: &Rows) {
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = database
        .prepare(&format!("SELECT * FROM \"{}\"", stored_name(stream)))
        .unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut compared = 0;
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let value = |name: &str| row.get::<_, Stored>(name).unwrap();
        let Stored::Text(id) = value(key) else {
            panic!("{stream}: a key is not text");
        };
        let Some(wanted) = expected.get(&id) else {
            panic!("{stream}: the service does not have the row {id}");
        };
        compared += 1;
        for column in &columns {
            let raw = wanted.get(column).map_or("null", String::as_str);
            let stored = value(column);
            assert!(
                holds(&stored, raw),
                "{stream}: {column} of {id} is {stored:?}, not {raw}"
            );
        }
        let missing: Vec<_> = wanted
            .keys()
            .filter(|name| !columns.contains(name))
            .collect();
        assert!(missing.is_empty(), "{stream}: missing columns {missing:?}");
    }
    assert_eq!(compared, expected.len(), "{stream}: missing rows");
}

/// Whether a stored value equals the JSON value.
fn holds(stored: &Stored, raw: &str) -> bool {
    match (stored, raw.as_bytes()) {
        (Stored::Null, b"null")
        | (Stored::Integer(1), b"true")
        | (Stored::Integer(0), b"false") => true,
        (Stored::Text(stored), [b'"', ..]) => *stored == text(raw),
        (Stored::Text(stored), [b'-' | b'0'..=b'9', ..]) => stored == raw,
        (Stored::Integer(stored), [b'-' | b'0'..=b'9', ..]) => stored.to_string() == raw,
        (Stored::Real(stored), [b'-' | b'0'..=b'9', ..]) => raw
            .parse::<f64>()
            .is_ok_and(|number| number.to_bits() == stored.to_bits()),
        _ => false,
    }
}
