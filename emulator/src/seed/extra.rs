//! Rows of generated custom tables.

use uuid::Uuid;

use super::random::Random;
use crate::{
    schema::{Column, ColumnKind, Table, metadata_id},
    store::{Decimal, Store, StoreError, Value},
};

/// Texts that clients must carry unharmed.
const TEXTS: [&str; 6] = [
    "Müller & Söhne",
    "東京 – 大阪",
    "O'Brian \"Bob\"",
    "two\nlines",
    "Ærø 🙂",
    "plain",
];

/// Adds this many rows to each generated custom table.
///
/// # Errors
///
/// When the database fails.
pub fn rows(store: &Store, rows_per_table: usize) -> Result<(), StoreError> {
    if rows_per_table == 0 {
        return Ok(());
    }
    let accounts = store.ids("account", 100)?;
    let contacts = store.ids("contact", 100)?;
    for (number, table) in (0_u64..).zip(store.schema().tables().filter(|table| table.on_demand)) {
        store.make(&table.logical_name)?;
        let written: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| column.attribute_of.is_none() && column.is_custom && column.creatable)
            .filter(|column| {
                !matches!(
                    column.kind,
                    ColumnKind::File { .. } | ColumnKind::Image { .. }
                )
            })
            .collect();
        let mut columns = vec![table.primary_id.as_str()];
        columns.extend(written.iter().map(|column| column.logical_name.as_str()));
        let made = (0_u64..).take(rows_per_table).map(|index| {
            let mut random = Random::for_row(0, number, index);
            let mut row = vec![Value::Guid(key(table, index))];
            row.extend(written.iter().map(|column| {
                let targets = Targets {
                    account: &accounts,
                    contact: &contacts,
                };
                value(column, &targets, &mut random)
            }));
            row
        });
        store.load(table, &columns, made)?;
    }
    Ok(())
}

fn key(table: &Table, index: u64) -> Uuid {
    metadata_id(&["row", &table.logical_name, &index.to_string()])
}

/// The rows that lookups can refer to.
struct Targets<'k> {
    account: &'k [Uuid],
    contact: &'k [Uuid],
}

fn value(column: &Column, targets: &Targets<'_>, random: &mut Random) -> Value {
    // Some cells of every column stay empty, except names.
    if column.logical_name != "new_name" && random.below(8) == 0 {
        return Value::Null;
    }
    let text = |random: &mut Random| {
        let at = usize::try_from(random.below(TEXTS.len() as u64)).unwrap_or(0);
        let number = random.below(10_000);
        Value::Text(format!("{} {number}", TEXTS.get(at).unwrap_or(&"")))
    };
    let instant = |random: &mut Random| random.between(1_262_304_000, 1_767_225_599);
    let choice = |random: &mut Random| {
        let choices = column.choices();
        let at = usize::try_from(random.below(choices.len() as u64)).unwrap_or(0);
        choices.get(at).map(|choice| i64::from(choice.value))
    };
    match &column.kind {
        ColumnKind::String { .. } | ColumnKind::Memo { .. } => text(random),
        ColumnKind::Integer { .. } => Value::Int(random.between(0, 1_000_000)),
        ColumnKind::Decimal { .. } => {
            Value::Decimal(Decimal::new(random.between(-999_999, 999_999), 4))
        }
        ColumnKind::Money { .. } => Value::Decimal(Decimal::new(random.between(0, 99_999_999), 2)),
        ColumnKind::Double { .. } => Value::Double(
            f64::from(i32::try_from(random.between(-100_000, 100_000)).unwrap_or(0)) / 64.0,
        ),
        ColumnKind::Boolean { .. } => Value::Bool(random.below(2) == 1),
        ColumnKind::Picklist { .. } => choice(random).map_or(Value::Null, Value::Int),
        ColumnKind::MultiSelectPicklist { .. } => {
            choice(random).map_or(Value::Null, |choice| Value::Text(choice.to_string()))
        }
        ColumnKind::DateTime { .. } => Value::DateTime(instant(random)),
        ColumnKind::Lookup { targets: names } | ColumnKind::Customer { targets: names } => {
            let at = usize::try_from(random.below(names.len() as u64)).unwrap_or(0);
            let (name, ids) = match names.get(at).map(String::as_str) {
                Some("account") => ("account", targets.account),
                Some("contact") => ("contact", targets.contact),
                _ => return Value::Null,
            };
            let at = usize::try_from(random.below(ids.len() as u64)).unwrap_or(0);
            ids.get(at)
                .map_or(Value::Null, |id| Value::lookup(name, *id))
        }
        _ => Value::Null,
    }
}
