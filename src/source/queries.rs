//! Streams whose rows come from queries in `FetchXML`: a view, a query of the caller's own, and
//! the members of marketing lists (reference §4.13, §12.3).

use dataverse_rows::Piece;

use super::binding::fingerprint;
use crate::catalog::{self, StreamName, Table};
use crate::dataverse::fetch::Fetch;
use crate::dataverse::query::Query;
use crate::dataverse::rows::rows;
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The static lists' members. A dynamic list has none; its query finds them.
const STATIC_MEMBERS: &str = "<fetch><entity name=\"listmember\"><attribute name=\"listid\"/>\
     <attribute name=\"entityid\"/><attribute name=\"entitytype\"/>\
     <order attribute=\"listmemberid\"/></entity></fetch>";

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

/// How the rows of a query become members of a list: only some columns count, and what lines
/// begin with is another text.
#[derive(Debug)]
pub(super) struct Membership {
    /// The column that becomes the member's key; it is alone but for the static lists, where
    /// it has its name already.
    pub(super) key: String,
    pub(super) is_static: bool,
    begins: String,
    becomes: String,
}

impl Membership {
    /// Writes the lines of a piece anew.
    pub(super) fn write(&self, piece: &Piece) -> Piece {
        let mut ndjson = String::with_capacity(
            piece.ndjson.len() + piece.count as usize * (self.becomes.len() + 8),
        );
        for line in piece.ndjson.lines() {
            ndjson.push_str(&self.becomes);
            ndjson.push_str(line.strip_prefix(&self.begins).unwrap_or(line));
            ndjson.push('\n');
        }
        Piece {
            ndjson,
            deleted: piece.deleted,
            count: piece.count,
        }
    }
}

/// The stream of a view or of the caller's own query, or of lists' members, and its queries.
///
/// # Errors
/// When there is no such view, or the query cannot be read.
pub(super) async fn open<H: Host>(
    client: &Client<H>,
    stream: &str,
    text: Option<&str>,
) -> Result<(Table, Vec<Asked>), Error> {
    let (table, fetch) = match StreamName::of(stream) {
        StreamName::Members => return members(client).await,
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
    Ok((table, vec![asked]))
}

async fn members<H: Host>(client: &Client<H>) -> Result<(Table, Vec<Asked>), Error> {
    let mut queries = vec![Asked {
        name: String::new(),
        entity_set: entity(client, "listmember").await?.0,
        fetch: parse_list(STATIC_MEMBERS, "static")?,
        membership: Some(Membership {
            key: "entityid".to_owned(),
            is_static: true,
            begins: "{".to_owned(),
            becomes: "{\"source\":\"list\",".to_owned(),
        }),
    }];
    let lists = Query::new("lists")
        .select(&["listid", "query"])
        .option("$filter", "type eq true")
        .option("$orderby", "listid");
    let lists: Vec<(Guid, String)> = rows(client, &lists, |row| {
        let query = row.text("query").unwrap_or_default();
        Some((row.key("listid")?, query.to_owned()))
    })
    .await?;
    // Names of tables, with their names in addresses and their keys.
    let mut known: Vec<(String, String, String)> = Vec::new();
    for (list, query) in lists {
        let fetch = parse_list(&query, &list.to_string())?;
        let root = fetch.tables.first();
        let root = root.map_or_else(String::new, |table| table.name.clone());
        if !known.iter().any(|(name, ..)| *name == root) {
            let (entity_set, key) = entity(client, &root).await?;
            known.push((root.clone(), entity_set, key));
        }
        let found = known.iter().find(|(name, ..)| *name == root).cloned();
        let (_, entity_set, key) = found.unwrap_or_default();
        queries.push(Asked {
            name: list.to_string(),
            entity_set,
            fetch,
            membership: Some(Membership {
                begins: format!("{{\"{key}\":"),
                becomes: format!(
                    "{{\"listid\":\"{list}\",\"source\":\"query\",\"entitytype\":\"{root}\",\
                     \"entityid\":"
                ),
                key,
                is_static: false,
            }),
        });
    }
    Ok((catalog::members_table(), queries))
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
            Some((
                set.to_owned(),
                entity.text("PrimaryIdAttribute")?.to_owned(),
            ))
        })
        .await
}
