//! Imports CSV files as rows.
//!
//! A map file says which file becomes which table; the module `map` explains it. Everything is
//! read and checked before anything is stored, so that a fault in the last line of the last file
//! leaves the organization as it was. Text keys become the same GUIDs in every import, see
//! [`key_id`].

mod cell;
mod files;
mod map;
mod plan;
mod template;
mod value;

use std::{
    collections::{HashMap, HashSet},
    fmt, fs, io,
    path::Path,
};

use thiserror::Error;
use uuid::Uuid;

use crate::store::{Store, StoreError};
use files::Files;
use value::Reference;

/// An import cannot be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The map file or a CSV file cannot be opened.
    #[error("cannot open {file}: {source}")]
    Open {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The map file is not written as it should be.
    #[error("invalid map {map}: {source}")]
    MapSyntax {
        /// The map file.
        map: String,
        /// What is wrong, and where.
        source: Box<toml::de::Error>,
    },
    /// An entry of the map does not fit the schema or the CSV file.
    #[error("{map}, table {entry}: {problem}")]
    Map {
        /// The map file.
        map: String,
        /// The table and file of the entry.
        entry: String,
        /// What does not fit.
        problem: String,
    },
    /// A CSV file is broken.
    #[error("cannot read {file} as CSV: {source}")]
    Csv {
        /// The file.
        file: String,
        /// What is wrong, and where.
        source: csv::Error,
    },
    /// A value does not fit its column.
    #[error("{file}, line {line}, for column {column}: {problem}")]
    Cell {
        /// The CSV file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column of the table.
        column: String,
        /// What is wrong and how to correct it.
        problem: String,
    },
    /// The rows cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import or a generator added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Tables by logical name and how many rows each got, in the order they were filled.
    pub rows: Vec<(String, u64)>,
}

impl Report {
    /// How many rows were added in all.
    pub fn total(&self) -> u64 {
        self.rows.iter().map(|(_, count)| count).sum()
    }

    pub(crate) fn add(&mut self, table: &str, count: u64) {
        match self.rows.iter_mut().find(|(known, _)| known == table) {
            Some((_, total)) => *total += count,
            None => self.rows.push((table.to_owned(), count)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (table, count)) in self.rows.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {table}")?;
        }
        Ok(())
    }
}

/// The GUID of the row with this text key: the same in every import, so that other rows and
/// other programs can compute it.
pub fn key_id(table: &str, key: &str) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x2d4f_90c1_7a38_4b6d_8e05_c3f1_164a_97be);
    Uuid::new_v5(&NAMESPACE, format!("{table}/{key}").as_bytes())
}

/// Imports the CSV files of a directory as a map file says.
///
/// # Errors
///
/// When a file is missing, does not match the map, or has a value that does not fit its column.
pub fn directory(store: &Store, directory: &Path, map: &Path) -> Result<Report, ImportError> {
    let name = map.display().to_string();
    let text = fs::read_to_string(map).map_err(|source| ImportError::Open {
        file: name.clone(),
        source,
    })?;
    run(store, &Files::Directory(directory.to_owned()), &name, &text)
}

/// Imports the CRM that comes with the emulator: 1,500 accounts, 4,200 contacts, 5,000 leads, 4,437
/// opportunities, 59,313 activities of ten salespeople and who took part in them, all related.
///
/// # Errors
///
/// When the database fails.
pub fn demo(store: &Store) -> Result<Report, ImportError> {
    const FILES: &[(&str, &[u8])] = &[
        (
            "accounts.csv",
            include_bytes!("../../../data/crm/accounts.csv.gz"),
        ),
        (
            "contacts.csv",
            include_bytes!("../../../data/crm/contacts.csv.gz"),
        ),
        (
            "leads.csv",
            include_bytes!("../../../data/crm/leads.csv.gz"),
        ),
        (
            "opportunities.csv",
            include_bytes!("../../../data/crm/opportunities.csv.gz"),
        ),
        (
            "sales_activities.csv",
            include_bytes!("../../../data/crm/sales_activities.csv.gz"),
        ),
    ];
    let map = include_str!("../../../data/crm/map.toml");
    run(store, &Files::Embedded(FILES), "map.toml", map)
}

fn run(
    store: &Store,
    files: &Files,
    map_name: &str,
    map_text: &str,
) -> Result<Report, ImportError> {
    let map: map::Map = toml::from_str(map_text).map_err(|source| ImportError::MapSyntax {
        map: map_name.to_owned(),
        source: Box::new(source),
    })?;
    let schema = store.schema();
    let plans = plan::prepare(schema, files, &map, map_name)?;

    let mut known = HashSet::new();
    // A row may refer to one that a later file brings.
    let mut wanted: HashMap<Uuid, (usize, u64, Reference)> = HashMap::new();
    for (at, plan) in plans.iter().enumerate() {
        for row in plan.rows(files)? {
            let row = row?;
            if !known.insert(row.id) {
                return Err(plan.repeated(row.line));
            }
            for reference in row.references {
                wanted
                    .entry(reference.id)
                    .or_insert((at, row.line, reference));
            }
        }
    }
    let dangling = wanted
        .values()
        .filter(|(.., reference)| !known.contains(&reference.id));
    if let Some((at, line, reference)) = dangling.min_by_key(|(at, line, _)| (*at, *line))
        && let Some(plan) = plans.get(*at)
    {
        return Err(plan.dangling(*line, reference));
    }

    let mut report = Report::default();
    for plan in &plans {
        let mut failure = None;
        let rows = plan.rows(files)?.map_while(|row| {
            row.map(|row| row.values)
                .map_err(|error| failure = Some(error))
                .ok()
        });
        let count = store.load(plan.table, &plan.columns, rows)?;
        if let Some(error) = failure {
            return Err(error);
        }
        report.add(&plan.table.logical_name, count);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{clock::Clock, schema::Schema};

    fn store() -> Store {
        Store::temporary(Arc::new(Schema::standard().unwrap()), Clock::default()).unwrap()
    }

    fn import(files: &[(&str, &str)], map: &str) -> Result<(Store, Report), ImportError> {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(place.path().join(name), text).unwrap();
        }
        let map_file = place.path().join("map.toml");
        fs::write(&map_file, map).unwrap();
        let store = store();
        let report = directory(&store, place.path(), &map_file)?;
        Ok((store, report))
    }

    const FIRMS: &str = "id,name,kind,boss,founded\nf1,Åkers & Söner,a,p1,1999-12-31\nf2,Two,b,,\n";
    const PEOPLE: &str = "id,surname,firm\np1,Ek,f1\np2,Li,f2\n";
    const MAP: &str = r#"
        [[table]]
        file = "firms.csv"
        table = "account"
        key = "id"
        key_column = "sample_externalid"
        [table.columns]
        name = "{name}"
        primarycontactid = { lookup = "contact", key = "{boss}" }
        customertypecode = { of = "{kind}", values = { a = 3, b = 8 } }
        sample_foundedon = "{founded}"

        [[table]]
        file = "people.csv"
        table = "contact"
        key = "id"
        join.firm = { file = "firms.csv", key = "id", by = "firm" }
        [table.columns]
        lastname = "{surname}"
        parentcustomerid = { lookup = "account", key = "{firm}" }
        description = "Works for {firm.name}"
    "#;

    #[test]
    fn rows_refer_to_each_other_whatever_the_order() {
        let (store, report) = import(&[("firms.csv", FIRMS), ("people.csv", PEOPLE)], MAP).unwrap();
        assert_eq!(report.to_string(), "2 account, 2 contact");
        let ids = store.ids("account", 10).unwrap();
        assert!(ids.contains(&key_id("account", "f1")));
    }

    #[test]
    fn faults_name_file_line_and_column_and_store_nothing() {
        let broken = |from: &str, to: &str| {
            let (firms, people) = (FIRMS.replace(from, to), PEOPLE.replace(from, to));
            let map = MAP.replace(from, to);
            import(&[("firms.csv", &firms), ("people.csv", &people)], &map)
                .err()
                .unwrap_or_else(|| panic!("{from} -> {to} was accepted"))
                .to_string()
        };
        for (from, to, says) in [
            (
                "Two,b,,",
                "Two,c,,",
                "firms.csv, line 3, for column customertypecode: the map has no",
            ),
            (
                "Two,b,,",
                "Two,b,p9,",
                "there is no contact with the key `p9`",
            ),
            (
                "1999-12-31",
                "31.12.1999",
                "line 2, for column sample_foundedon: `31.12.1999`",
            ),
            (
                "p2,Li,f2",
                "p1,Li,f2",
                "people.csv, line 3, for column contactid: an earlier row",
            ),
            ("p2,Li,f2", "p2,Li,f7", "`f7` has no row in firms.csv"),
            ("p2,Li,f2", ",Li,f2", "key is empty"),
            ("p2,Li,f2", "p2,Li", "as CSV"),
            (
                "lookup = \"account\"",
                "lookup = \"lead\"",
                "parentcustomerid cannot refer to lead",
            ),
            (
                "{surname}",
                "{nickname}",
                "people.csv has no column nickname",
            ),
            (
                "lastname =",
                "familyname =",
                "contact has no column familyname",
            ),
            (
                "file = \"people.csv\"\n",
                "file = \"persons.csv\"\n",
                "cannot open persons.csv",
            ),
            ("a = 3", "a = 300", "choices"),
            (
                "key = \"id\"\n        key_column",
                "keys = 1\n        key_column",
                "invalid map",
            ),
        ] {
            let message = broken(from, to);
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn the_demo_is_imported_completely() {
        let store = store();
        crate::org::seed(&store, "Contoso").unwrap();
        let report = demo(&store).unwrap();
        assert_eq!(
            report.to_string(),
            "10 systemuser, 10 systemuserroles, 1500 account, 4200 contact, 5000 lead, \
             4437 opportunity, 2156 opportunityclose, 14181 phonecall, 14488 email, \
             14301 appointment, 14187 task, 57578 activityparty"
        );
        assert_eq!(store.count("activitypointer").unwrap(), 59_313);
        let count = |sql: &str| -> i64 {
            let read = |connection: &rusqlite::Connection| {
                Ok::<_, StoreError>(connection.query_row(sql, [], |row| row.get(0))?)
            };
            store.read(read).unwrap()
        };
        // Each reference leads to a row, and money to a currency.
        for (table, column, target) in [
            ("contact", "parentcustomerid", "account"),
            ("lead", "parentcontactid", "contact"),
            ("opportunity", "originatingleadid", "lead"),
            ("opportunity", "customerid", "account"),
            ("opportunity", "ownerid", "systemuser"),
            (
                "opportunity",
                "transactioncurrencyid",
                "transactioncurrency",
            ),
            ("task", "regardingobjectid", "lead"),
        ] {
            let dangling = format!(
                "SELECT count(*) FROM {table} WHERE {column} IS NULL \
                 OR {column} NOT IN (SELECT {target}id FROM {target})"
            );
            assert_eq!(count(&dangling), 0, "{table}.{column}");
        }
        assert_eq!(
            count("SELECT count(*) FROM opportunity WHERE statecode = 1"),
            1_106
        );
        assert_eq!(
            count("SELECT count(*) FROM lead WHERE statecode = 1"),
            4_437
        );
        assert_eq!(
            count("SELECT count(*) FROM opportunity WHERE estimatedvalue_base IS NULL"),
            0
        );
    }
}
