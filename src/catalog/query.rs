//! What the rows of a query in `FetchXML` look like (reference §4.13).

use super::column::{Column, DataType};
use super::table::Table;
use crate::dataverse::Client;
use crate::dataverse::fetch::{Fetch, FetchColumn, FetchTable};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The key of rows that have none of their own: their number.
pub(crate) const ROW_NUMBER: &str = "rownumber";

/// The stream of a query's rows. Columns that are named in `order` come first, in that order.
///
/// # Errors
/// `NotFound` if it names a table that cannot be read, and `InvalidData` if it calls a column
/// what the connector calls the rows' numbers.
pub(crate) async fn shape<H: Host>(
    client: &Client<H>,
    stream: &str,
    title: Option<String>,
    fetch: &Fetch,
    order: &[String],
) -> Result<Table, Error> {
    let mut tables: Vec<Table> = Vec::new();
    for wanted in &fetch.tables {
        if !tables.iter().any(|table| table.name == wanted.name) {
            tables.push(super::read(client, &wanted.name).await?);
        }
    }
    let table = |name: &str| tables.iter().find(|table| table.name == name);
    let mut columns: Vec<Column> = Vec::new();
    for wanted in &fetch.tables {
        for column in
            table(&wanted.name).map_or_else(Vec::new, |table| selected(fetch, wanted, table))
        {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
    }
    if columns.iter().any(|column| column.name == ROW_NUMBER) {
        let message = format!(
            "the query calls a column {ROW_NUMBER}, as the connector calls the number of a row; \
             give it another alias"
        );
        return Err(Error::new(ErrorKind::InvalidData, message));
    }
    let mut ordered: Vec<Column> = Vec::with_capacity(columns.len());
    for name in order {
        if let Some(index) = columns.iter().position(|column| column.name == *name) {
            ordered.push(columns.remove(index));
        }
    }
    ordered.append(&mut columns);
    let root = fetch.tables.first().and_then(|root| table(&root.name));
    let (root_set, root_key) =
        root.map_or(("", ""), |root| (&*root.entity_set, &*root.primary_key));
    let is_single = |wanted: &FetchTable| {
        wanted.is_single
            || table(&wanted.name).map(|table| &table.primary_key) == wanted.from.as_ref()
            // Equal rows come once, and this one has no columns by which they could differ.
            || (fetch.is_distinct && wanted.columns.is_empty() && !wanted.takes_all)
    };
    let has_key = !fetch.is_aggregate && fetch.tables.iter().all(is_single);
    let key = match ordered.iter_mut().find(|column| column.name == root_key) {
        Some(key) if has_key => {
            key.nullable = false;
            root_key
        }
        // Of equal rows that come once the service adds no key.
        None if has_key && !fetch.is_distinct => {
            let mut key = Column::new(root_key.into(), root_key.into(), DataType::Identifier);
            key.nullable = false;
            ordered.insert(0, key);
            root_key
        }
        _ => {
            let mut key = Column::new(ROW_NUMBER.into(), "Row".into(), DataType::BigInteger);
            key.nullable = false;
            ordered.insert(0, key);
            ROW_NUMBER
        }
    };
    let title = title.unwrap_or_else(|| root.map_or_else(String::new, |root| root.title.clone()));
    Ok(Table::derived(stream, title, root_set, key, ordered))
}

/// The columns that a query takes of one of its tables, as they are called in its rows.
fn selected(fetch: &Fetch, wanted: &FetchTable, table: &Table) -> Vec<Column> {
    let is_root = wanted.alias.is_none();
    let takes_all = wanted.takes_all
        // Without any column named, the first table gives all of them.
        || (is_root && wanted.columns.is_empty() && !fetch.is_aggregate);
    let all = takes_all.then_some(&table.columns).into_iter().flatten();
    let mut columns: Vec<Column> = all
        .map(|column| Column {
            name: qualified(wanted, &column.name),
            nullable: true,
            ..column.clone()
        })
        .collect();
    columns.extend(
        wanted
            .columns
            .iter()
            .map(|column| named(wanted, column, table)),
    );
    columns
}

fn qualified(table: &FetchTable, column: &str) -> String {
    match &table.alias {
        Some(alias) => format!("{alias}.{column}"),
        None => column.to_owned(),
    }
}

fn named(wanted: &FetchTable, named: &FetchColumn, table: &Table) -> Column {
    let name = named
        .alias
        .clone()
        .unwrap_or_else(|| qualified(wanted, &named.name));
    let known = table.column(&named.name);
    let title = known.map_or(&named.name, |column| &column.title).clone();
    match named.function.as_deref() {
        Some("count" | "countcolumn" | "date") => Column::new(name, title, DataType::Integer),
        Some("avg") => Column::new(name, title, DataType::Decimal),
        _ => match known {
            Some(column) => Column {
                name,
                nullable: true,
                ..column.clone()
            },
            // Such as the address of a picture: not in the metadata of ordinary columns.
            None => Column::new(name, title, DataType::Other),
        },
    }
}
