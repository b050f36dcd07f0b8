//! Makes up an organization's rows, as many as wanted.
//!
//! Every row follows from a seed, its table and its number alone: the same seed gives the same
//! rows, and row 700,000 can be made without the 699,999 before it. Rows refer to one another: a
//! contact works for an account, an opportunity has a customer, a task regards one of them.

mod activities;
mod customers;
mod maker;
mod sales;
mod text;

use uuid::{Builder, Uuid};

use super::{import::Report, random::Random};
use crate::{
    org,
    store::{Store, StoreError, Value},
};

/// How many rows of a table are stored in one transaction.
const CHUNK: u64 = 50_000;

/// How many rows to make, table by table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Users who own the other rows; without any, the administrator owns them.
    pub users: u64,
    /// Accounts.
    pub accounts: u64,
    /// Contacts, spread over the accounts.
    pub contacts: u64,
    /// Leads.
    pub leads: u64,
    /// Opportunities.
    pub opportunities: u64,
    /// Tasks.
    pub tasks: u64,
    /// Phone calls.
    pub phonecalls: u64,
    /// Notes, some with a file.
    pub annotations: u64,
}

impl Sizes {
    /// The rows of an organization with this many accounts.
    pub fn of_accounts(accounts: u64) -> Self {
        Self {
            users: accounts.div_ceil(200).min(200),
            accounts,
            contacts: accounts * 2,
            leads: accounts / 2,
            opportunities: accounts / 2,
            tasks: accounts,
            phonecalls: accounts / 2,
            annotations: accounts / 4,
        }
    }

    /// How many rows that is in all.
    pub fn total(&self) -> u64 {
        Made::ALL.iter().map(|table| table.count(self)).sum()
    }
}

/// Fills the store with rows made from a seed.
///
/// Memory use does not depend on the number of rows. Rows of the same seed can be added only once.
///
/// # Errors
///
/// When the database fails, for example because rows of the same seed exist.
pub fn run(store: &Store, seed: u64, sizes: &Sizes) -> Result<Report, StoreError> {
    let mut report = Report::default();
    for made in Made::ALL {
        let count = made.count(sizes);
        if count == 0 {
            continue;
        }
        let table = store
            .schema()
            .table(made.logical_name())
            .ok_or_else(|| StoreError::UnknownTable(made.logical_name().to_owned()))?;
        let first = made.row(seed, 0, sizes);
        let columns: Vec<&str> = first.iter().map(|(column, _)| *column).collect();
        for start in (0..count).step_by(usize::try_from(CHUNK).unwrap_or(usize::MAX)) {
            let rows = (start..count.min(start + CHUNK)).map(|index| {
                let row = made.row(seed, index, sizes);
                row.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
            });
            report.add(made.logical_name(), store.load(table, &columns, rows)?);
        }
        if made == Made::SystemUser {
            // Owners of rows must be able to read them.
            let users = (0..count).map(|index| id(seed, made, index));
            org::admit_sellers(store, users)?;
        }
    }
    Ok(report)
}

/// The key of a row.
///
/// Keys of one table ascend with the row's number, as a real organization's do, which keeps the
/// database's index compact.
pub fn id(seed: u64, table: Made, index: u64) -> Uuid {
    // One start and one tail for the whole table, before it the number.
    let mut random = Random::for_row(seed, table as u64, u64::MAX);
    let start = random.next() >> 34;
    let tail = u128::from(random.next()) << 64 | u128::from(random.next());
    let ascending = u128::from((start + index) & 0xffff_ffff) << 96;
    Builder::from_random_bytes((ascending | tail >> 32).to_be_bytes()).into_uuid()
}

/// A row: its columns in an order that is the same for every row of the table.
pub type Cells = Vec<(&'static str, Value)>;

/// The tables that rows are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the table of its name")]
pub enum Made {
    SystemUser,
    Account,
    Contact,
    Lead,
    Opportunity,
    Task,
    PhoneCall,
    Annotation,
}

impl Made {
    /// Every table, referenced ones first.
    pub const ALL: [Self; 8] = [
        Self::SystemUser,
        Self::Account,
        Self::Contact,
        Self::Lead,
        Self::Opportunity,
        Self::Task,
        Self::PhoneCall,
        Self::Annotation,
    ];

    /// The table's logical name.
    pub fn logical_name(self) -> &'static str {
        match self {
            Self::SystemUser => "systemuser",
            Self::Account => "account",
            Self::Contact => "contact",
            Self::Lead => "lead",
            Self::Opportunity => "opportunity",
            Self::Task => "task",
            Self::PhoneCall => "phonecall",
            Self::Annotation => "annotation",
        }
    }

    fn count(self, sizes: &Sizes) -> u64 {
        match self {
            Self::SystemUser => sizes.users,
            Self::Account => sizes.accounts,
            Self::Contact => sizes.contacts,
            Self::Lead => sizes.leads,
            Self::Opportunity => sizes.opportunities,
            Self::Task => sizes.tasks,
            Self::PhoneCall => sizes.phonecalls,
            Self::Annotation => sizes.annotations,
        }
    }

    /// One row of the table; `sizes` says which rows there are to refer to.
    pub fn row(self, seed: u64, index: u64, sizes: &Sizes) -> Cells {
        let mut maker = maker::Maker {
            seed,
            sizes,
            index,
            random: Random::for_row(seed, self as u64, index),
        };
        match self {
            Self::SystemUser => maker.user(),
            Self::Account => maker.account(),
            Self::Contact => maker.contact(),
            Self::Lead => maker.lead(),
            Self::Opportunity => maker.opportunity(),
            Self::Task => maker.task(),
            Self::PhoneCall => maker.phone_call(),
            Self::Annotation => maker.annotation(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Arc};

    use super::*;
    use crate::{
        clock::Clock,
        schema::{Column, ColumnKind, Schema},
    };

    fn has_choice(column: &Column, number: i64) -> bool {
        column
            .choices()
            .iter()
            .any(|choice| i64::from(choice.value) == number)
    }

    fn fits(column: &Column, value: &Value) -> bool {
        match (&column.kind, value) {
            (
                ColumnKind::String { max_length, .. } | ColumnKind::Memo { max_length },
                Value::Text(text),
            ) => text.encode_utf16().count() <= *max_length as usize,
            (ColumnKind::Integer { min, max }, Value::Int(number)) => {
                (i64::from(*min)..=i64::from(*max)).contains(number)
            }
            (ColumnKind::MultiSelectPicklist { .. }, Value::Text(list)) => list
                .split(',')
                .all(|part| part.parse().is_ok_and(|part| has_choice(column, part))),
            (
                ColumnKind::Picklist { .. } | ColumnKind::State { .. } | ColumnKind::Status { .. },
                Value::Int(number),
            ) => has_choice(column, *number),
            (ColumnKind::DateTime { .. }, Value::DateTime(_))
            | (ColumnKind::Boolean { .. }, Value::Bool(_))
            | (ColumnKind::Double { .. }, Value::Double(_))
            | (ColumnKind::EntityName, Value::Text(_))
            | (ColumnKind::Uniqueidentifier, Value::Guid(_))
            | (ColumnKind::Decimal { .. } | ColumnKind::Money { .. }, Value::Decimal(_))
            | (_, Value::Null) => true,
            (_, Value::Lookup { table, .. }) => column.targets().contains(&table.as_str()),
            _ => false,
        }
    }

    #[test]
    fn every_value_fits_its_column() {
        let schema = Schema::standard().unwrap();
        let sizes = Sizes::of_accounts(400);
        for made in Made::ALL {
            let table = schema.table(made.logical_name()).unwrap();
            let names: Vec<&str> = made
                .row(3, 0, &sizes)
                .iter()
                .map(|(name, _)| *name)
                .collect();
            for index in 0..made.count(&sizes) {
                let row = made.row(3, index, &sizes);
                assert!(
                    row.iter().map(|(name, _)| name).eq(&names),
                    "{made:?} {index}"
                );
                for (name, value) in &row {
                    let column = table
                        .column(name)
                        .unwrap_or_else(|| panic!("{made:?}.{name}"));
                    assert!(fits(column, value), "{made:?}.{name} cannot hold {value:?}");
                }
                let get = |name| row.iter().find(|(known, _)| *known == name).map(|(_, v)| v);
                if let (Some(Value::Int(state)), Some(Value::Int(status))) =
                    (get("statecode"), get("statuscode"))
                {
                    let choice = table.column("statuscode").unwrap().choices().iter();
                    let mut of = choice.filter(|choice| i64::from(choice.value) == *status);
                    assert_eq!(of.next().unwrap().state.map(i64::from), Some(*state));
                }
            }
        }
    }

    #[test]
    fn rows_are_varied_and_deterministic() {
        let sizes = Sizes::of_accounts(1_000);
        let mut names = HashSet::new();
        let (mut beyond_ascii, mut nulls) = (0, 0);
        for index in 0..1_000 {
            let row = Made::Account.row(9, index, &sizes);
            assert_eq!(row, Made::Account.row(9, index, &sizes));
            let filled = row
                .iter()
                .filter(|(_, value)| *value != Value::Null)
                .count();
            assert!(filled >= 27, "row {index} has only {filled} values");
            nulls += row.len() - filled;
            let texts = row.iter().filter_map(|(_, value)| match value {
                Value::Text(text) => Some(text),
                _ => None,
            });
            beyond_ascii += texts.filter(|text| !text.is_ascii()).count();
            names.insert(format!("{:?}", row.get(1)));
        }
        assert!(names.len() > 500 && beyond_ascii > 500 && nulls > 1_000);
        assert_ne!(
            Made::Account.row(9, 0, &sizes),
            Made::Account.row(10, 0, &sizes)
        );
        let ids: HashSet<Uuid> = (0..5_000)
            .map(|index| id(9, Made::Account, index))
            .collect();
        assert_eq!(ids.len(), 5_000);
    }

    #[test]
    fn an_organization_of_any_size_is_stored() {
        let schema = Arc::new(Schema::standard().unwrap());
        let store = Store::temporary(schema, Clock::default()).unwrap();
        let sizes = Sizes::of_accounts(300);
        let report = run(&store, 1, &sizes).unwrap();
        assert_eq!(report.total(), sizes.total());
        assert_eq!(store.count("contact").unwrap(), 600);
        assert_eq!(
            run(
                &store,
                2,
                &Sizes {
                    accounts: 5,
                    ..Sizes::default()
                }
            )
            .unwrap()
            .total(),
            5
        );
        assert!(
            run(
                &store,
                2,
                &Sizes {
                    accounts: 5,
                    ..Sizes::default()
                }
            )
            .is_err()
        );
    }
}
