//! The columns of a `FetchXML` query (reference §4.13).

use super::column::{Column, DataType};
use super::read::read;
use super::table::Table;
use crate::dataverse::Client;
use crate::dataverse::fetch::{Fetch, FetchColumn, FetchTable};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The primary key of rows that have none: their number.
pub(crate) const ROW_NUMBER: &str = "rownumber";

/// The stream with the rows of a query. Columns that are named in `order` come first, in that
/// order.
///
/// # Errors
/// `NotFound` if it names a table that cannot be read, `InvalidData` if it names a column like the
/// connector's row number, or the error of the service.
pub(crate) async fn shape<H: Host>(
    client: &Client<H>,
    stream: &str,
    title: Option<String>,
    fetch: &Fetch,
    order: &[String],
) -> Result<Table, Error> {
    let mut tables: Vec<Table> = Vec::new();
    for source in &fetch.tables {
        if !tables.iter().any(|table| table.name == source.name) {
            tables.push(read(client, &source.name).await?);
        }
    }
    let table = |name: &str| tables.iter().find(|table| table.name == name);
    let mut columns: Vec<Column> = Vec::new();
    for source in &fetch.tables {
        for column in
            table(&source.name).map_or_else(Vec::new, |table| selected(fetch, source, table))
        {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
    }
    if columns.iter().any(|column| column.name == ROW_NUMBER) {
        let message = format!(
            "invalid query: it names a column {ROW_NUMBER}, which is the connector's column for \
             the number of a row; use another alias"
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
    let is_single = |source: &FetchTable| {
        source.is_single
            || table(&source.name).map(|table| &table.primary_key) == source.from.as_ref()
            // Equal rows come once, and no column of this table can make them differ.
            || (fetch.is_distinct && source.columns.is_empty() && !source.selects_all)
    };
    let has_key = !fetch.is_aggregate && fetch.tables.iter().all(is_single);
    let key = match ordered.iter_mut().find(|column| column.name == root_key) {
        Some(key) if has_key => {
            key.nullable = false;
            root_key
        }
        // The service does not add the key to a query for distinct rows.
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

/// The columns that a query selects of one of its tables, with their names in its rows.
fn selected(fetch: &Fetch, source: &FetchTable, table: &Table) -> Vec<Column> {
    let is_root = source.alias.is_none();
    let selects_all = source.selects_all
        // A first table without named columns returns all of them.
        || (is_root && source.columns.is_empty() && !fetch.is_aggregate);
    let all = selects_all.then_some(&table.columns).into_iter().flatten();
    let mut columns: Vec<Column> = all
        .map(|column| Column {
            name: qualified(source, &column.name),
            nullable: true,
            ..column.clone()
        })
        .collect();
    columns.extend(
        source
            .columns
            .iter()
            .map(|column| named(source, column, table)),
    );
    columns
}

fn qualified(table: &FetchTable, column: &str) -> String {
    match &table.alias {
        Some(alias) => format!("{alias}.{column}"),
        None => column.to_owned(),
    }
}

fn named(source: &FetchTable, named: &FetchColumn, table: &Table) -> Column {
    let name = named
        .alias
        .clone()
        .unwrap_or_else(|| qualified(source, &named.name));
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
            // Such as the URL of an image, which is not among the columns of the metadata.
            None => Column::new(name, title, DataType::Other),
        },
    }
}
