//! Saved queries that the account can see: system views, and personal views that it owns or that
//! are shared with it (reference §4.14).

use super::table::Table;
use super::{query, stream};
use crate::dataverse::fetch::Fetch;
use crate::dataverse::query::{Query, string_literal};
use crate::dataverse::rows::rows;
use crate::dataverse::xml::Tags;
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::json::Object;
use crate::ordered;

/// The tables of saved queries, with their keys, and whether the views are personal.
const KINDS: [(&str, &str, bool); 2] = [
    ("savedqueries", "savedqueryid", false),
    ("userqueries", "userqueryid", true),
];

/// The condition for active views that people can select.
const SHOWN: &str = "querytype eq 0 and statecode eq 0";

/// A saved query that the account can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The name that selects it as a stream.
    pub name: String,
    /// For people.
    pub title: String,
    /// The table that it shows rows of.
    pub stream: String,
    /// Whether it is a personal view.
    pub personal: bool,
}

/// The saved queries over one table, or over all, by table and title.
///
/// # Errors
/// The error of the service.
pub async fn list<H: Host>(client: &Client<H>, table: Option<&str>) -> Result<Vec<View>, Error> {
    let condition = match table {
        Some(table) => format!("{SHOWN} and returnedtypecode eq {}", string_literal(table)),
        None => SHOWN.to_owned(),
    };
    let mut views = Vec::new();
    for (set, key, personal) in KINDS {
        let query = Query::new(set)
            .select(&[key, "name", "returnedtypecode"])
            .option("$filter", &condition);
        let found = rows(client, &query, |row| {
            Some(View {
                name: format!("{}{}", stream::VIEW, row.key(key)?),
                title: row.text("name").unwrap_or_default(),
                stream: row.text("returnedtypecode").unwrap_or_default(),
                personal,
            })
        });
        match found.await {
            Err(error) if personal && is_unavailable(&error) => {}
            found => views.extend(found?),
        }
    }
    ordered::sort_by(&mut views, |a, b| {
        (&a.stream, &a.title, &a.name).cmp(&(&b.stream, &b.title, &b.name))
    });
    Ok(views)
}

/// A view as a stream, and its query. `name` is its ID, its title, or its table's name, a slash
/// and its title.
///
/// # Errors
/// `NotFound` if there is none, `InvalidData` if there are several, or the error of the service.
pub(crate) async fn open<H: Host>(
    client: &Client<H>,
    stream: &str,
    name: &str,
) -> Result<(Table, Fetch), Error> {
    let mut found = Vec::new();
    for (set, key, personal) in KINDS {
        let condition = match Guid::parse(name) {
            Some(id) => format!("{key} eq {id}"),
            None => format!("{SHOWN} and {}", has_title(name)),
        };
        let query = Query::new(set)
            .select(&[key, "name", "returnedtypecode", "fetchxml", "layoutxml"])
            .option("$filter", &condition);
        match rows(client, &query, |row| Found::read(row, key)).await {
            Err(error) if personal && is_unavailable(&error) && !found.is_empty() => {}
            Err(error) if personal && error.is_not_offered() => {}
            views => found.extend(views?),
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.as_slice()) {
        (Some(view), []) => view.open(client, stream).await,
        (None, _) => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "cannot find the view {name:?}: there is none, or this account cannot see it; list \
                 the views to see which exist"
            ),
        )),
        (Some(first), others) => {
            let ids: Vec<String> = std::iter::once(&first)
                .chain(others)
                .map(|view| format!("{}{} ({})", stream::VIEW, view.id, view.table))
                .collect();
            Err(Error::new(
                ErrorKind::InvalidData,
                format!(
                    "ambiguous view {name:?}: there are {} of that name, {}; select one of them by \
                     its ID",
                    ids.len(),
                    ids.join(", ")
                ),
            ))
        }
    }
}

/// Whether the service has no such views, or this account may not see them.
fn is_unavailable(error: &Error) -> bool {
    error.kind == ErrorKind::Forbidden || error.is_not_offered()
}

/// The condition for a title, which may follow its table's name.
fn has_title(name: &str) -> String {
    let title = format!("name eq {}", string_literal(name));
    match name.split_once('/') {
        Some((table, rest)) => format!(
            "({title} or (returnedtypecode eq {} and name eq {}))",
            string_literal(table),
            string_literal(rest)
        ),
        None => title,
    }
}

/// A saved query as it is stored.
struct Found {
    id: Guid,
    title: String,
    table: String,
    query: String,
    layout: String,
}

impl Found {
    fn read(row: &Object<'_>, key: &str) -> Option<Self> {
        let text = |name: &str| row.text(name).unwrap_or_default();
        Some(Self {
            id: row.key(key)?,
            title: text("name"),
            table: text("returnedtypecode"),
            query: text("fetchxml"),
            layout: text("layoutxml"),
        })
    }

    async fn open<H: Host>(
        self,
        client: &Client<H>,
        stream: &str,
    ) -> Result<(Table, Fetch), Error> {
        let fetch = Fetch::parse(&self.query).map_err(|fault| {
            let message = format!(
                "cannot read the query of the view {:?}: {fault}",
                self.title
            );
            Error::new(ErrorKind::Unsupported, message)
        })?;
        let shown: Vec<String> = Tags::of(&self.layout)
            .filter(|tag| tag.name == "cell")
            .filter_map(|tag| tag.get("name"))
            .collect();
        let table = query::shape(client, stream, Some(self.title), &fetch, &shown).await?;
        Ok((table, fetch))
    }
}
