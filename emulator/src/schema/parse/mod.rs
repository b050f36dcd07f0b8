//! The text format of `emulator/schema/*.table`, one file per table.
//!
//! ```text
//! # A line that starts with `#` is a comment.
//! table Account
//! rows accounts
//! labels "Account" "Accounts"
//! code 1
//! owned-by user
//! id accountid
//! name name
//! change-tracking enabled
//! flags audited notes activities
//! key sample_ExternalId "External Id" sample_externalid
//!
//! columns
//! AccountId         id           "Account"  system
//! Name              text(160)    "Account Name"  required
//! CustomerTypeCode  choice       "Relationship Type"
//!     1  Competitor
//!     2  Consultant
//! PrimaryContactId  lookup       "Primary Contact"
//!     -> contact  primarycontactid  account_primary_contact
//! StatusCode        status       "Status Reason"
//!     1 in 0  Active
//!     2 in 1  Inactive
//! ```
//!
//! Above `columns` are the table's names and `ObjectTypeCode`; who owns its rows (`user`,
//! `organization`, `business` or `nobody`); its key and naming columns; whether changes are tracked
//! (`enabled`, `available` or `unavailable`); `flags`, any of `activities` (can be regarded by
//! them), `activity`, `activity-party`, `audited`, `custom`, `elastic`, `intersect`,
//! `no-concurrency` (ignores `If-Match`), `notes`, `on-demand` (room for rows is made when they are
//! first requested) and `read-only` (written by the platform alone); alternate keys; and
//! `privileges NAME` where they end in another name than the table's, followed by `assign` if rows
//! without an owner can be assigned and by `organization` if the privileges hold for all rows or
//! none; or `privileges none`, with `read-with PRIVILEGE …` if reading needs others.
//!
//! A column line holds the schema name, the type, the label, and flags: `required`, `recommended`,
//! `system` (required by the platform), `read-only`, `create-only`, `update-only`, `unreadable`,
//! `calculated`, `rollup`, `custom`, `secured`, `default-yes`, `of COLUMN` (describes that column),
//! `global NAME` (the choices are shared under that name).
//!
//! Indented lines belong to the column above. `-> TABLE NAVIGATION RELATIONSHIP` names a table the
//! column refers to, with the navigation property and the relationship; the relationship's name is
//! also that of the collection on the other side unless `reverse NAME` or `no-reverse` follows, and
//! a last word `cascade` or `restrict` says what deleting the referenced row does. A lookup whose
//! relationship is not public names its tables itself: `lookup(account)`.
//!
//! Other indented lines are choices: number and label, for a status with `in STATE`, for yes-no
//! with `yes` or `no` in place of the number.
//!
//! An intersect table says what it associates in its header, with table, column and navigation of
//! both sides: `associates RELATIONSHIP  role roleid NAVIGATION  team teamid NAVIGATION`.
//!
//! Labels of lookups and choices (`owneridname`, `statuscodename`) are not written down: they
//! follow from their columns, see [`super::derived`].

mod column;
mod header;
mod kind;
mod words;

use super::{ColumnKind, Relationship, SchemaError, Table, derived};
use column::{read_column, read_detail};
use header::Header;

/// A relationship, with the line that declares it.
pub(super) type Declared = (usize, Relationship);

/// Reads one table and the relationships its file declares.
pub(super) fn table(file: &str, text: &str) -> Result<(Table, Vec<Declared>), SchemaError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, text)| Line {
            number: index + 1,
            text,
        })
        .filter(|line| !line.text.trim().is_empty() && !line.text.starts_with('#'));
    let mut header = Header::default();
    let located = |line: usize| {
        move |problem: String| SchemaError {
            file: file.to_owned(),
            line,
            problem,
        }
    };

    for line in lines.by_ref() {
        if line.text.trim_end() == "columns" {
            break;
        }
        header.read(line.text).map_err(located(line.number))?;
    }
    let mut table = header.finish().map_err(located(1))?;

    let mut relationships: Vec<Declared> = header
        .associations
        .into_iter()
        .map(|relationship| (1, relationship))
        .collect();
    let mut last_line = 1;
    for line in lines {
        last_line = line.number;
        if line.text.starts_with(' ') {
            let Some(column) = table.columns.last_mut() else {
                return Err(located(line.number)(
                    "an indented line needs a column above it".into(),
                ));
            };
            read_detail(&table.logical_name, column, line.text).map(|relationship| {
                relationships.extend(relationship.map(|it| (line.number, it)));
            })
        } else {
            read_column(&table.logical_name, line.text).map(|mut column| {
                column.column_number = i32::try_from(table.columns.len() + 1).unwrap_or(i32::MAX);
                table.columns.push(column);
            })
        }
        .map_err(located(line.number))?;
    }
    derived::add_label_columns(&mut table);
    table
        .columns
        .sort_by(|a, b| a.logical_name.cmp(&b.logical_name));
    check(&table).map_err(located(last_line))?;
    Ok((table, relationships))
}

struct Line<'a> {
    number: usize,
    text: &'a str,
}

/// What must hold within one table.
fn check(table: &Table) -> Result<(), String> {
    if let Some(twice) = table
        .columns
        .iter()
        .zip(table.columns.iter().skip(1))
        .find(|(a, b)| a.logical_name == b.logical_name)
    {
        return Err(format!(
            "column {} is defined more than once",
            twice.0.schema_name
        ));
    }
    let named = [Some(&table.primary_id), table.primary_name.as_ref()];
    let in_keys = table.keys.iter().flat_map(|key| &key.columns);
    let described = table
        .columns
        .iter()
        .filter_map(|column| column.attribute_of.as_ref());
    for name in named.into_iter().flatten().chain(in_keys).chain(described) {
        if table.column(name).is_none() {
            return Err(format!("there is no column {name}"));
        }
    }
    let states: Vec<i32> = table
        .columns
        .iter()
        .filter_map(|column| match &column.kind {
            ColumnKind::State { options } => Some(options),
            _ => None,
        })
        .flatten()
        .map(|choice| choice.value)
        .collect();
    for column in &table.columns {
        for choice in column.choices() {
            if choice.state.is_some_and(|state| !states.contains(&state)) {
                return Err(format!(
                    "{} {} does not name a state",
                    column.schema_name, choice.value
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Cascade, ChangeTracking};

    const SMALL: &str = r#"# A table for tests.
table Visit
rows visits
labels "Visit" "Visits"
code 10001
owned-by user
id visitid
name name
change-tracking enabled
flags audited custom
key visit_Number "Number" number

columns
VisitId     id          "Visit"  system create-only
Name        text(100)   "Name"   required
Number      text(20)
Billed      yes-no
    yes  Billed
    no   Open
AccountId   lookup      "Account"
    -> account  AccountId  account_visits  cascade
StateCode   state
    0  Open
    1  Closed
StatusCode  status
    1 in 0  New
    2 in 1  Done
"#;

    #[test]
    fn a_table_is_read_with_its_relationship() {
        let (table, relationships) = table("visit.table", SMALL).unwrap();
        assert_eq!(table.logical_name, "visit");
        assert_eq!(table.change_tracking, ChangeTracking::Enabled);
        assert_eq!(
            table.key_over(&["number"]).unwrap().schema_name,
            "visit_Number"
        );
        let billed = table.column("billed").unwrap();
        assert_eq!(
            billed.kind,
            ColumnKind::Boolean {
                true_label: "Billed".into(),
                false_label: "Open".into(),
                default: false
            }
        );
        assert_eq!(table.column("accountid").unwrap().targets(), ["account"]);
        assert_eq!(
            table.column("statuscode").unwrap().choices()[1].state,
            Some(1)
        );
        assert!(!table.column("visitid").unwrap().updatable);
        let [
            (
                21,
                Relationship::OneToMany {
                    referenced_navigation,
                    cascade_delete,
                    ..
                },
            ),
        ] = relationships.as_slice()
        else {
            panic!("one relationship expected: {relationships:?}");
        };
        assert_eq!(referenced_navigation.as_deref(), Some("account_visits"));
        assert_eq!(*cascade_delete, Cascade::Cascade);
    }

    #[test]
    fn faults_are_reported_with_their_line() {
        for (from, to, line, says) in [
            ("text(20)", "text", 16, "needs a number"),
            ("text(20)", "string(20)", 16, "not a column type"),
            ("2 in 1  Done", "2  Done", 27, "names its state"),
            ("2 in 1  Done", "2 in 7  Done", 27, "does not name a state"),
            ("id visitid", "id visitno", 27, "no column visitno"),
            ("flags audited", "flags audit", 10, "not a flag"),
            ("rows visits\n", "", 1, "rows"),
            ("\ncolumns\n", "\n", 13, "is `columns` missing?"),
        ] {
            let text = SMALL.replacen(from, to, 1);
            assert_ne!(text, SMALL);
            let error = table("visit.table", &text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
