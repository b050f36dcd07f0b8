//! Marketing lists of an organization that has people to list: static ones with their members,
//! and a dynamic one, whose members are what its query finds.

use rusqlite::Connection;
use uuid::Uuid;

use super::import::Report;
use crate::{
    ids::ADMINISTRATOR,
    schema::metadata_id,
    store::{Author, Store, StoreError, Value, layout::parse_guid},
};

/// The list's table of members, its code in the list, and the list's name.
const STATIC: [(&str, i64, &str, i64); 3] = [
    ("account", 1, "Key customers", 100),
    ("contact", 2, "Newsletter", 250),
    ("lead", 4, "Trade fair", 50),
];

const DYNAMIC: &str = "Contacts with an e-mail address";

const QUERY: &str = "<fetch version=\"1.0\" output-format=\"xml-platform\" mapping=\"logical\" \
                     distinct=\"true\"><entity name=\"contact\"><attribute name=\"fullname\" />\
                     <attribute name=\"contactid\" /><order attribute=\"fullname\" \
                     descending=\"false\" /><filter type=\"and\"><condition \
                     attribute=\"emailaddress1\" operator=\"not-null\" /></filter></entity></fetch>";

/// Adds the lists, unless they exist or there are no members for them.
///
/// # Errors
///
/// When the database fails.
pub fn run(store: &Store) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let needed = ["list", "listmember", "account", "contact", "lead"];
    if needed.iter().any(|table| store.layout(table).is_err()) {
        return Ok(report);
    }
    let author = Author::in_person(ADMINISTRATOR, store.clock().now());
    for (table, code, name, most) in STATIC {
        let members = store.read(|connection| first(store, connection, table, most))?;
        if members.is_empty() {
            continue;
        }
        let id = list_id(name);
        let count = i64::try_from(members.len()).unwrap_or(i64::MAX);
        let added = store.write(|writer| -> Result<bool, StoreError> {
            if writer.row("list", id)?.is_some() {
                return Ok(false);
            }
            writer.create("list", author, &list(name, code, count, None))?;
            for &member in &members {
                let key =
                    metadata_id(&["link", "listmember", &id.to_string(), &member.to_string()]);
                let values = [
                    ("listmemberid", Value::Guid(key)),
                    ("listid", Value::lookup("list", id)),
                    ("entityid", Value::lookup(table, member)),
                    ("entitytype", Value::Int(code)),
                ];
                writer.create("listmember", author, &values)?;
            }
            Ok(true)
        })?;
        if added {
            report.add("list", 1);
            report.add("listmember", u64::try_from(members.len()).unwrap_or(0));
        }
    }
    let added = store.write(|writer| -> Result<bool, StoreError> {
        if store.is_empty("contact")? || writer.row("list", list_id(DYNAMIC))?.is_some() {
            return Ok(false);
        }
        writer.create("list", author, &list(DYNAMIC, 2, 0, Some(QUERY)))?;
        Ok(true)
    })?;
    if added {
        report.add("list", 1);
    }
    Ok(report)
}

fn list_id(name: &str) -> Uuid {
    metadata_id(&["list", name])
}

fn list(name: &str, code: i64, count: i64, query: Option<&str>) -> Vec<(&'static str, Value)> {
    vec![
        ("listid", Value::Guid(list_id(name))),
        ("listname", name.into()),
        ("type", Value::Bool(query.is_some())),
        ("query", query.map_or(Value::Null, Value::from)),
        ("createdfromcode", Value::Int(code)),
        ("membertype", Value::Int(code)),
        ("membercount", Value::Int(count)),
        ("purpose", "Demonstration".into()),
    ]
}

/// Keys of a table's first active rows.
fn first(
    store: &Store,
    connection: &Connection,
    table: &str,
    most: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let key = &store.table(table)?.primary_id;
    let sql = format!("SELECT {key} FROM \"{table}\" WHERE statecode = 0 ORDER BY 1 LIMIT ?1");
    let mut statement = connection.prepare(&sql)?;
    let found = statement.query_map([most], |row| Ok(parse_guid(row.get_ref(0)?.as_str()?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
