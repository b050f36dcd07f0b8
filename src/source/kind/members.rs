//! The members of marketing lists, static and dynamic ones (reference §12.3).
//!
//! A static list has rows that name its members. A dynamic one has a query that finds them: each
//! is a query of the stream.

use super::{
    FetchQuery, Kind, Membership, Opening, Options, Queries, Rows, Shape, list_unreadable,
};
use crate::catalog;
use crate::dataverse::fetch::Fetch;
use crate::dataverse::query::Query;
use crate::dataverse::rows::rows;
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::source::event::Selection;

/// The members of all static lists.
const STATIC_MEMBERS: &str = "<fetch><entity name=\"listmember\"><attribute name=\"listid\"/>\
     <attribute name=\"entityid\"/><order attribute=\"listmemberid\"/></entity></fetch>";

/// The members of all lists.
pub(super) struct Members;

impl<H: Host> Kind<H> for Members {
    fn options(&self) -> Options {
        Options {
            columns: false,
            conditions: false,
            query: false,
        }
    }

    fn open<'a>(&'a self, client: &'a Client<H>, _: &'a Selection) -> Opening<'a> {
        Box::pin(open(client))
    }
}

async fn open<H: Host>(client: &Client<H>) -> Result<Shape, Error> {
    let static_members = FetchQuery {
        name: String::new(),
        entity_set: entity(client, "listmember").await?.entity_set,
        fetch: parse_list(STATIC_MEMBERS, "static")?,
        membership: Some(Membership::Static),
    };
    let lists = Query::new("lists")
        .select(&["listid", "query"])
        .option("$filter", "type eq true")
        .option("$orderby", "listid");
    let lists: Vec<(Guid, String)> = rows(client, &lists, |row| {
        Some((row.key("listid")?, row.text("query").unwrap_or_default()))
    })
    .await?;
    let mut known: Vec<MemberTable> = Vec::new();
    let mut dynamic_members = Vec::new();
    let mut warnings = Vec::new();
    for (list, query) in lists {
        if query.is_empty() {
            // A list that was created and has no query yet.
            continue;
        }
        let name = list.to_string();
        let fetch = match parse_list(&query, &name) {
            Ok(fetch) => fetch,
            Err(error) => {
                warnings.push(list_unreadable(&name, &error));
                continue;
            }
        };
        let root = fetch.tables.first();
        let root = root.map_or_else(String::new, |table| table.name.clone());
        let entity = if let Some(entity) = known.iter().find(|entity| entity.name == root) {
            entity.clone()
        } else {
            let entity = match entity(client, &root).await {
                // The service says so when the members are requested.
                Err(error) if error.kind == ErrorKind::NotFound => MemberTable {
                    name: root.clone(),
                    entity_set: root.clone(),
                    key: root,
                },
                entity => entity?,
            };
            known.push(entity.clone());
            entity
        };
        dynamic_members.push(FetchQuery {
            name,
            entity_set: entity.entity_set,
            fetch,
            membership: Some(Membership::Dynamic {
                list,
                table: entity.name,
                key: entity.key,
            }),
        });
    }
    Ok(Shape {
        table: catalog::members_table(),
        rows: Rows::Queried(Queries::new(static_members, dynamic_members)),
        warnings,
    })
}

fn parse_list(query: &str, list: &str) -> Result<Fetch, Error> {
    Fetch::parse(query).map_err(|fault| {
        let message = format!("the FetchXML of the dynamic list {list} cannot be used: {fault}");
        Error::new(ErrorKind::Unsupported, message)
    })
}

/// What must be known of the table of a list's members.
#[derive(Clone)]
struct MemberTable {
    name: String,
    /// Its name in addresses.
    entity_set: String,
    key: String,
}

async fn entity<H: Host>(client: &Client<H>, name: &str) -> Result<MemberTable, Error> {
    let resource = format!("EntityDefinitions(LogicalName='{name}')");
    let query = Query::new(&resource).select(&["EntitySetName", "PrimaryIdAttribute"]);
    let link = client.resource(query.as_str())?;
    client
        .read(&link, |entity| {
            Some(MemberTable {
                name: name.to_owned(),
                entity_set: entity.text("EntitySetName")?,
                key: entity.text("PrimaryIdAttribute")?,
            })
        })
        .await
}
