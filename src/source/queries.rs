//! Streams whose rows come from queries in `FetchXML`: a view, a query of the caller's own, and
//! the members of marketing lists (reference §4.13, §12.3).

use std::fmt::Write as _;

use dataverse_rows::{Piece, members};

use super::binding::fingerprint;
use super::opening::Told;
use crate::catalog::{self, StreamName, Table};
use crate::dataverse::fetch::Fetch;
use crate::dataverse::query::Query;
use crate::dataverse::rows::rows;
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The static lists' members. A dynamic list has none; its query finds them.
const STATIC_MEMBERS: &str = "<fetch><entity name=\"listmember\"><attribute name=\"listid\"/>\
     <attribute name=\"entityid\"/><order attribute=\"listmemberid\"/></entity></fetch>";

/// One of the queries of a stream.
#[derive(Debug)]
pub(super) struct Asked {
    /// What checkpoints call it: by its text, or by the list whose members it finds.
    pub(super) name: String,
    pub(super) entity_set: String,
    pub(super) fetch: Fetch,
    /// What rows of the stream are made of rows of the query, if they are not the same.
    pub(super) membership: Option<Membership>,
}

/// How the rows of a query become members of a list.
#[derive(Debug)]
pub(super) struct Membership {
    /// The list; none for the static lists, whose rows name theirs.
    list: Option<Guid>,
    /// The members' table, and the column that holds their key.
    table: String,
    pub(super) key: String,
}

impl Membership {
    /// Whether the members are of static lists.
    pub(super) fn is_static(&self) -> bool {
        self.list.is_none()
    }

    /// Writes the rows of a piece anew.
    pub(super) fn write(&self, piece: &Piece, labels: bool) -> Piece {
        let mut ndjson = String::with_capacity(piece.ndjson.len() * 2);
        for line in piece.ndjson.lines() {
            let row = members(line).unwrap_or_default();
            let get = |wanted: &str| {
                let found = row.iter().find(|(name, _)| name == wanted);
                found.map_or("null", |(_, value)| &**value)
            };
            let (list, table, source) = match &self.list {
                Some(list) => (
                    format!("\"{list}\""),
                    format!("\"{}\"", self.table),
                    "query",
                ),
                None => (
                    get("listid").to_owned(),
                    get("entityidtype").to_owned(),
                    "list",
                ),
            };
            let member = get(&self.key);
            // Writing to a string cannot fail.
            let _ = write!(
                ndjson,
                "{{\"listid\":{list},\"entityid\":{member},\"entitytype\":{table},\
                 \"source\":\"{source}\""
            );
            if labels {
                let _ = write!(
                    ndjson,
                    ",\"listidname\":{},\"listidtype\":\"list\",\"entityidname\":{},\
                     \"entityidtype\":{table}",
                    get("listidname"),
                    get("entityidname")
                );
            }
            ndjson.push_str("}\n");
        }
        Piece {
            ndjson,
            deleted: piece.deleted,
            count: piece.count,
        }
    }
}

/// The stream of a view or of the caller's own query, or of lists' members, its queries, and why
/// some of them are left out.
///
/// # Errors
/// When there is no such view, or the query cannot be read.
pub(super) async fn open<H: Host>(
    client: &Client<H>,
    stream: &str,
    text: Option<&str>,
) -> Result<(Table, Vec<Asked>, Vec<Told>), Error> {
    let (table, fetch) = match StreamName::of(stream) {
        StreamName::Members => return lists(client).await,
        StreamName::View(name) => catalog::open_view(client, stream, name).await?,
        _ => {
            let fetch = Fetch::parse(text.unwrap_or_default()).map_err(|fault| {
                let message = format!("the query of {stream} cannot be read: {fault}");
                Error::new(ErrorKind::InvalidData, message)
            })?;
            let table = catalog::query_shape(client, stream, None, &fetch, &[]).await?;
            (table, fetch)
        }
    };
    let asked = Asked {
        name: fingerprint(&fetch.page(1, 1, None)),
        entity_set: table.entity_set.clone(),
        fetch,
        membership: None,
    };
    Ok((table, vec![asked], Vec::new()))
}

async fn lists<H: Host>(client: &Client<H>) -> Result<(Table, Vec<Asked>, Vec<Told>), Error> {
    let mut queries = vec![Asked {
        name: String::new(),
        entity_set: entity(client, "listmember").await?.0,
        fetch: parse_list(STATIC_MEMBERS, "static")?,
        membership: Some(Membership {
            list: None,
            table: String::new(),
            key: "entityid".to_owned(),
        }),
    }];
    let lists = Query::new("lists")
        .select(&["listid", "query"])
        .option("$filter", "type eq true")
        .option("$orderby", "listid");
    let lists: Vec<(Guid, String)> = rows(client, &lists, |row| {
        Some((row.key("listid")?, row.text("query").unwrap_or_default()))
    })
    .await?;
    // Names of tables, with their names in addresses and their keys.
    let mut known: Vec<(String, String, String)> = Vec::new();
    let mut left_out = Vec::new();
    for (list, query) in lists {
        if query.is_empty() {
            // A list that has been made and not been told whom to find.
            continue;
        }
        let name = list.to_string();
        let fetch = match parse_list(&query, &name) {
            Ok(fetch) => fetch,
            Err(error) => {
                left_out.push(list_left_out(&name, &error));
                continue;
            }
        };
        let root = fetch.tables.first();
        let root = root.map_or_else(String::new, |table| table.name.clone());
        if !known.iter().any(|(name, ..)| *name == root) {
            let (entity_set, key) = match entity(client, &root).await {
                // The service says so when it is asked for the members.
                Err(error) if error.kind == ErrorKind::NotFound => (root.clone(), root.clone()),
                entity => entity?,
            };
            known.push((root.clone(), entity_set, key));
        }
        let found = known.iter().find(|(name, ..)| *name == root).cloned();
        let (_, entity_set, key) = found.unwrap_or_default();
        queries.push(Asked {
            name,
            entity_set,
            fetch,
            membership: Some(Membership {
                list: Some(list),
                table: root,
                key,
            }),
        });
    }
    Ok((catalog::members_table(), queries, left_out))
}

/// For people: the members of a list do not come.
pub(super) fn list_left_out(list: &str, error: &Error) -> Told {
    let message = format!("The members of the list {list} are left out: {error}.");
    ("list-unreadable", message)
}

fn parse_list(query: &str, list: &str) -> Result<Fetch, Error> {
    Fetch::parse(query).map_err(|fault| {
        let message = format!("the query of the dynamic list {list} cannot be read: {fault}");
        Error::new(ErrorKind::Unsupported, message)
    })
}

/// The name of a table in addresses, and its key.
async fn entity<H: Host>(client: &Client<H>, name: &str) -> Result<(String, String), Error> {
    let resource = format!("EntityDefinitions(LogicalName='{name}')");
    let query = Query::new(&resource).select(&["EntitySetName", "PrimaryIdAttribute"]);
    let link = client.resource(query.as_str())?;
    client
        .read(&link, |entity| {
            let set = entity.text("EntitySetName")?;
            Some((set, entity.text("PrimaryIdAttribute")?))
        })
        .await
}
