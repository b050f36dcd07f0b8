//! A day's work: rows created, changed and deleted.
//!
//! The plan is data, so that the caller decides how to carry it out; it follows from a seed and the
//! keys of the rows there are. A day changes each row at most once.

use std::collections::{BTreeMap, HashSet};

use uuid::{Builder, Uuid};

use super::{names, random::Random};
use crate::store::{Decimal, Value};

/// The tables a day's work needs to know the rows of.
pub const TABLES: [&str; 8] = [
    "account",
    "contact",
    "lead",
    "opportunity",
    "task",
    "phonecall",
    "email",
    "appointment",
];

/// The tables rows are deleted from, in the order of the deletions.
const DELETED: [&str; 6] = [
    "task",
    "phonecall",
    "email",
    "appointment",
    "opportunity",
    "contact",
];

/// Keys of existing rows, by table.
pub type Existing = BTreeMap<&'static str, Vec<Uuid>>;

/// One write of the day.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new row.
    Create {
        /// Logical name of the table.
        table: &'static str,
        /// Key of the row.
        id: Uuid,
        /// Its columns and their values.
        values: Vec<(&'static str, Value)>,
    },
    /// New values for some columns of a row.
    Update {
        /// Logical name of the table.
        table: &'static str,
        /// Key of the row.
        id: Uuid,
        /// The columns and their new values.
        values: Vec<(&'static str, Value)>,
    },
    /// The end of a row.
    Delete {
        /// Logical name of the table.
        table: &'static str,
        /// Key of the row.
        id: Uuid,
    },
}

impl Change {
    /// Logical name of the table.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Create { table, .. }
            | Self::Update { table, .. }
            | Self::Delete { table, .. } => table,
        }
    }
}

/// Plans this many changes: about half updates, a third creations, the rest deletions.
///
/// `today` is the day as seconds since 1970. Kinds of changes for which no rows are left become
/// creations, so that the plan always has the length that was requested. Deletions come last,
/// activities before the rows they may belong to: deleting a contact deletes its activities.
pub fn plan(seed: u64, existing: &Existing, today: i64, changes: usize) -> Vec<Change> {
    let mut day = Day {
        random: Random::for_row(seed, u64::from(u16::MAX), today.unsigned_abs()),
        existing,
        today,
        touched: HashSet::new(),
    };
    let mut plan: Vec<Change> = (0..changes).map(|_| day.change()).collect();
    plan.sort_by_key(|change| match change {
        Change::Create { .. } | Change::Update { .. } => 0,
        Change::Delete { table, .. } => {
            1 + DELETED
                .iter()
                .position(|deleted| deleted == table)
                .unwrap_or(0)
        }
    });
    plan
}

struct Day<'a> {
    random: Random,
    existing: &'a Existing,
    today: i64,
    touched: HashSet<Uuid>,
}

impl Day<'_> {
    fn change(&mut self) -> Change {
        let change = match self.random.below(100) {
            0..=49 => self.update(),
            50..=81 => None,
            _ => self.delete(),
        };
        change.unwrap_or_else(|| self.create())
    }

    fn create(&mut self) -> Change {
        let (first, last) = (
            names::first_name(&mut self.random),
            names::last_name(&mut self.random),
        );
        let tag = self.random.below(1_000_000);
        let mail = format!(
            "{}.{}{tag}",
            names::address_part(first),
            names::address_part(last)
        );
        let company = names::company(&mut self.random);
        let account = self.any("account").map(|id| Value::lookup("account", id));
        let (table, values) = match (self.random.below(5), account) {
            (0, Some(account)) => (
                "contact",
                vec![
                    ("firstname", first.into()),
                    ("lastname", last.into()),
                    ("emailaddress1", Value::Text(format!("{mail}@mail.example"))),
                    ("parentcustomerid", account),
                ],
            ),
            (1, Some(account)) => (
                "opportunity",
                vec![
                    ("name", Value::Text(format!("{company}: first order"))),
                    ("customerid", account.clone()),
                    ("parentaccountid", account),
                    ("estimatedvalue", self.amount()),
                    ("estimatedclosedate", Value::DateTime(self.midnight(60))),
                ],
            ),
            (2, Some(account)) => (
                "task",
                vec![
                    ("subject", Value::Text(format!("Write to {first} {last}"))),
                    ("regardingobjectid", account),
                    (
                        "scheduledend",
                        Value::DateTime(self.midnight(7) + 12 * 3_600),
                    ),
                ],
            ),
            (3, _) => (
                "lead",
                vec![
                    (
                        "subject",
                        Value::Text(format!("{company} asked for prices")),
                    ),
                    ("firstname", first.into()),
                    ("lastname", last.into()),
                    ("companyname", Value::Text(company)),
                    ("emailaddress1", Value::Text(format!("{mail}@mail.example"))),
                ],
            ),
            _ => (
                "account",
                vec![
                    ("name", Value::Text(company)),
                    (
                        "telephone1",
                        Value::Text(names::phone("44", &mut self.random)),
                    ),
                    ("revenue", self.amount()),
                ],
            ),
        };
        Change::Create {
            table,
            id: self.new_id(),
            values,
        }
    }

    fn update(&mut self) -> Option<Change> {
        let table = self
            .random
            .pick(&["account", "contact", "lead", "opportunity", "task"]);
        let id = self.untouched(table)?;
        let values = match table {
            "account" => vec![
                ("revenue", self.amount()),
                (
                    "telephone1",
                    Value::Text(names::phone("1", &mut self.random)),
                ),
                ("creditonhold", Value::Bool(self.random.percent(10))),
            ],
            "contact" => vec![
                (
                    "jobtitle",
                    self.random
                        .pick(&["Buyer", "Directrice générale", "IT Lead"])
                        .into(),
                ),
                (
                    "mobilephone",
                    Value::Text(names::phone("44", &mut self.random)),
                ),
            ],
            "lead" => vec![
                ("leadqualitycode", Value::Int(self.random.between(1, 3))),
                ("decisionmaker", Value::Bool(self.random.percent(50))),
            ],
            "opportunity" => vec![
                ("estimatedvalue", self.amount()),
                ("closeprobability", Value::Int(self.random.between(0, 100))),
                ("estimatedclosedate", Value::DateTime(self.midnight(90))),
            ],
            _ => vec![
                ("statecode", Value::Int(1)),
                ("statuscode", Value::Int(5)),
                ("percentcomplete", Value::Int(100)),
                ("actualend", Value::DateTime(self.today)),
            ],
        };
        Some(Change::Update { table, id, values })
    }

    fn delete(&mut self) -> Option<Change> {
        let table = self.random.pick(&DELETED);
        let id = self.untouched(table)?;
        Some(Change::Delete { table, id })
    }

    /// The key of any row that the day has not touched.
    fn untouched(&mut self, table: &str) -> Option<Uuid> {
        // A few draws find one, unless nearly all rows are used up.
        (0..20).find_map(|_| {
            let id = self.any(table)?;
            self.touched.insert(id).then_some(id)
        })
    }

    fn any(&mut self, table: &str) -> Option<Uuid> {
        let ids = self.existing.get(table)?;
        let position = usize::try_from(self.random.below(ids.len() as u64)).ok()?;
        ids.get(position).copied()
    }

    fn new_id(&mut self) -> Uuid {
        let bits = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
        Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    fn amount(&mut self) -> Value {
        Value::Decimal(Decimal::new(self.random.between(100_000, 90_000_000), 2))
    }

    /// The start of a day at most this many days from today.
    fn midnight(&mut self, days: i64) -> i64 {
        self.today - self.today.rem_euclid(86_400) + self.random.between(1, days) * 86_400
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn existing(rows: u64) -> Existing {
        let mut random = Random::for_text("rows");
        let mut ids = || -> Vec<Uuid> {
            (0..rows)
                .map(|_| Uuid::from_u64_pair(random.next(), random.next()))
                .collect()
        };
        TABLES.into_iter().map(|table| (table, ids())).collect()
    }

    #[test]
    fn a_day_is_deterministic_and_changes_each_row_once() {
        let existing = existing(500);
        let plan_of = |seed| plan(seed, &existing, 1_700_000_000, 300);
        assert_eq!(plan_of(1), plan_of(1));
        assert_ne!(plan_of(1), plan_of(2));
        let is_delete = |change: &Change| matches!(change, Change::Delete { .. });
        assert!(
            plan_of(1).is_sorted_by_key(is_delete),
            "deletions come last"
        );
        let (mut kinds, mut touched) = ([0; 3], HashSet::new());
        for change in plan_of(1) {
            let (kind, id) = match &change {
                Change::Create { id, .. } => (0, id),
                Change::Update { id, .. } => (1, id),
                Change::Delete { id, .. } => (2, id),
            };
            kinds[kind] += 1;
            assert!(touched.insert(*id));
            assert_eq!(kind != 0, existing[change.table()].contains(id));
        }
        assert!(
            kinds[0] > 60 && kinds[1] > 110 && kinds[2] > 30,
            "{kinds:?}"
        );
    }

    #[test]
    fn an_empty_organization_gets_new_rows_only() {
        let changes = plan(1, &Existing::new(), 0, 50);
        assert_eq!(changes.len(), 50);
        assert!(
            changes
                .iter()
                .all(|change| matches!(change, Change::Create { .. }))
        );
    }

    #[test]
    fn every_column_exists_and_takes_the_write() {
        let schema = crate::schema::Schema::standard().unwrap();
        for change in plan(3, &existing(2_000), 1_700_000_000, 1_000) {
            let table = schema.table(change.table()).unwrap();
            let (values, created) = match &change {
                Change::Create { values, .. } => (values, true),
                Change::Update { values, .. } => (values, false),
                Change::Delete { .. } => continue,
            };
            for (name, value) in values {
                let column = table.column(name).unwrap_or_else(|| panic!("{name}"));
                assert!(
                    if created {
                        column.creatable
                    } else {
                        column.updatable
                    },
                    "{name}"
                );
                if let Value::Lookup { table, .. } = value {
                    assert!(column.targets().contains(&table.as_str()));
                }
            }
        }
    }
}
