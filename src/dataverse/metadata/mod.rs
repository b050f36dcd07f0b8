//! What the service says about its tables: `EntityDefinitions` (reference §5).
//!
//! Several tables are read in two waves, each one batch: their definitions with all columns in
//! short, then whatever each kind of column has more to tell. Kinds that a table does not have
//! cost nothing. Of a single table all of that is asked for in one. An answer is taken apart into
//! its parts, and each part at once into what is kept of it.

mod cast;
mod definition;
mod guards;
mod kind;
mod relationship;
mod wire;

use self::cast::Cast;
use super::client::unreadable;
use super::query::{Query, string_literal};
use super::rows::INCOMPLETE;
use super::{Client, Link, Prefer};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::Host;
use crate::json::Object;

pub use definition::{
    Attribute, AttributeKind, Bounds, DateTimeBehavior, OptionItem, OptionSet, RequiredLevel,
    TableDefinition, TableKey, TableSummary,
};
pub use guards::{Switch, TableGuards, TablePrivilege, guards, references};
pub use relationship::{Cardinality, Relationship};

/// What is asked about a table, alone or among all.
const TABLE_COLUMNS: &str = "LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,\
                             DisplayName,IsPrivate,ChangeTrackingEnabled";

/// What is asked about a column of any kind.
const ATTRIBUTE_COLUMNS: &str = "LogicalName,AttributeType,AttributeTypeName,AttributeOf,\
                                 DisplayName,ColumnNumber,IsValidForRead,IsValidForCreate,\
                                 IsValidForUpdate,IsValidODataAttribute,RequiredLevel,IsSecured";

/// How many tables are taken off pages at most, should these not end.
const MOST_TABLES: usize = 20_000;

/// How many tables are asked about in one request of a list that is too long for one.
const TABLES_AT_ONCE: usize = 25;
/// The largest batch that is accepted, in bytes. Larger ones are asked for in halves, so that
/// memory does not grow with what the tables have.
const BATCH_BYTES: usize = 4 << 20;

/// Which parts of a definition are wanted besides the columns and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// None: what it takes to read rows.
    Rows,
    /// Relationships too.
    Relationships,
}

/// Every table in few words, in one request.
///
/// Of the columns only those come along that grow with every change: they tell how changes of
/// a table can be found that the service does not track.
///
/// # Errors
/// What the service said.
pub async fn list<H: Host>(client: &Client<H>) -> Result<Vec<TableSummary>, Error> {
    let named: Vec<String> = wire::GROWING
        .iter()
        .map(|name| format!("LogicalName eq {}", string_literal(name)))
        .collect();
    let expand = format!(
        "Attributes($select=LogicalName;$filter={})",
        named.join(" or ")
    );
    let query = Query::new("EntityDefinitions").option("$select", TABLE_COLUMNS);
    match summaries(client, query.clone().option("$expand", &expand)).await {
        // A filter within an expansion is ordinary OData, but no version promises it here.
        Err(error) if is_refusal(&error) => {}
        answer => return answer,
    }
    let mut tables = summaries(client, query).await?;
    for some in tables.chunks_mut(TABLES_AT_ONCE) {
        let named: Vec<String> = some
            .iter()
            .map(|table| format!("LogicalName eq {}", string_literal(&table.logical_name)))
            .collect();
        let query = Query::new("EntityDefinitions")
            .option("$select", "LogicalName")
            .option("$filter", &named.join(" or "))
            .option("$expand", "Attributes($select=LogicalName)");
        let found = match summaries(client, query).await {
            // How changes are found is seen when a table is read.
            Err(error) if error.is_not_offered() => break,
            found => found?,
        };
        for found in found {
            for table in &mut *some {
                table.shows_changes |=
                    found.shows_changes && table.logical_name == found.logical_name;
            }
        }
    }
    Ok(tables)
}

async fn summaries<H: Host>(client: &Client<H>, query: Query) -> Result<Vec<TableSummary>, Error> {
    let mut link = client.resource(query.as_str())?;
    let mut tables = Vec::new();
    loop {
        let body = client.get_json(&link, &Prefer::default()).await?;
        let before = tables.len();
        tables.extend(elements(&link, &body)?.filter_map(|table| TableSummary::read(&table)));
        let may_go_on = (before + 1..MOST_TABLES).contains(&tables.len());
        // No Dataverse puts definitions on pages, but one that does would hide the others.
        match Object::parse(&body).and_then(|page| page.text("@odata.nextLink")) {
            Some(next) if may_go_on => link = client.link(&next)?,
            _ => return Ok(tables),
        }
    }
}

/// One table with all its columns, or `None` if there is no such table.
///
/// # Errors
/// What the service said.
pub async fn table<H: Host>(
    client: &Client<H>,
    name: &str,
    extent: Extent,
) -> Result<Option<TableDefinition>, Error> {
    let mut tables = tables(client, &[name.to_owned()], extent).await?;
    Ok(tables.pop().flatten())
}

/// These tables with all their columns, in two requests as a rule, and a single table in one;
/// `None` for one that is not there.
///
/// # Errors
/// What the service said.
pub async fn tables<H: Host>(
    client: &Client<H>,
    names: &[String],
    extent: Extent,
) -> Result<Vec<Option<TableDefinition>>, Error> {
    let mut tables: Vec<Option<TableDefinition>> = Vec::new();
    tables.resize_with(names.len(), || None);
    let mut questions = Vec::new();
    for (table, name) in names.iter().enumerate() {
        if is_logical_name(name) {
            questions.push(Question::about(table, client, &path(name, extent))?);
        }
    }
    if let [name] = names
        && !questions.is_empty()
    {
        // At a venture: most tables have most kinds of columns, and somebody waits.
        for cast in Cast::ALL {
            questions.push(Question::with(0, client, name, cast)?);
        }
        ask(client, questions, &mut tables).await?;
        return Ok(tables);
    }
    ask(client, questions, &mut tables).await?;
    let mut questions = Vec::new();
    for (table, definition) in tables.iter().enumerate() {
        let Some(definition) = definition else {
            continue;
        };
        for cast in Cast::ALL {
            if cast.is_needed(definition) {
                let name = &definition.summary.logical_name;
                questions.push(Question::with(table, client, name, cast)?);
            }
        }
    }
    ask(client, questions, &mut tables).await?;
    Ok(tables)
}

/// Something to be asked about one of several tables.
struct Question {
    table: usize,
    /// The kind of columns that it is about, if it is not about the table itself.
    cast: Option<Cast>,
    link: Link,
}

impl Question {
    fn about<H: Host>(table: usize, client: &Client<H>, path: &str) -> Result<Self, Error> {
        Ok(Self {
            table,
            cast: None,
            link: client.resource(path)?,
        })
    }

    fn with<H: Host>(
        table: usize,
        client: &Client<H>,
        name: &str,
        cast: Cast,
    ) -> Result<Self, Error> {
        Ok(Self {
            cast: Some(cast),
            ..Self::about(table, client, &cast.path(name, false))?
        })
    }
}

/// Asks all these questions at once, and notes each answer.
async fn ask<H: Host>(
    client: &Client<H>,
    questions: Vec<Question>,
    tables: &mut [Option<TableDefinition>],
) -> Result<(), Error> {
    let links: Vec<Link> = questions
        .iter()
        .map(|question| question.link.clone())
        .collect();
    let batching = client.clone().with_max_body(BATCH_BYTES);
    let answers = batching.batch(&links, &Prefer::default()).await?;
    for (Question { table, cast, link }, answer) in questions.into_iter().zip(answers) {
        let Some(slot) = tables.get_mut(table) else {
            continue;
        };
        let plainer = match (cast, &*slot) {
            (None, _) => link.resource_name().to_owned(),
            (Some(cast), Some(table)) if cast.is_needed(table) => {
                cast.path(&table.summary.logical_name, true)
            }
            // No such table, or none of its columns is of this kind.
            (Some(_), _) => continue,
        };
        let body = match parsed(client, &link, answer, &plainer).await {
            Err(error) if cast.is_none() && is_unknown(&error) => continue,
            // Rows can be read without knowing more of these columns.
            Err(error) if cast.is_some() && error.is_not_offered() => continue,
            body => body?,
        };
        if let (Some(_), Some(table)) = (cast, &mut *slot) {
            for detail in elements(&link, &body)? {
                table.complete(&detail);
            }
            continue;
        }
        let definition = Object::parse(&body).and_then(|it| TableDefinition::read(&it));
        let table = slot.insert(definition.ok_or_else(|| unreadable(&link, &INCOMPLETE))?);
        if table.attributes.is_empty() {
            // Some services do not put the columns into a definition.
            let columns = format!("{plainer}/Attributes?$select={ATTRIBUTE_COLUMNS}");
            let link = client.resource(&columns)?;
            match client.get_json(&link, &Prefer::default()).await {
                Err(error) if error.is_not_offered() => {}
                columns => table.note(elements(&link, &columns?)?),
            }
        }
    }
    Ok(())
}

fn path(name: &str, extent: Extent) -> String {
    let mut path = format!(
        "EntityDefinitions(LogicalName='{name}')?$select={TABLE_COLUMNS},\
         CanChangeTrackingBeEnabled&$expand=Attributes($select={ATTRIBUTE_COLUMNS}),\
         Keys($select=LogicalName,SchemaName,KeyAttributes,EntityKeyIndexStatus)"
    );
    if extent == Extent::Relationships {
        for (name, columns) in [
            ("ManyToOne", Relationship::ONE_TO_MANY),
            ("OneToMany", Relationship::ONE_TO_MANY),
            ("ManyToMany", Relationship::MANY_TO_MANY),
        ] {
            path = format!("{path},{name}Relationships($select={columns})");
        }
    }
    path
}

/// The elements of an answer that is a list.
fn elements<'b>(link: &Link, body: &'b [u8]) -> Result<impl Iterator<Item = Object<'b>>, Error> {
    Object::parse(body)
        .and_then(|answer| answer.list("value"))
        .ok_or_else(|| unreadable(link, &INCOMPLETE))
}

/// An answer of a batch. One that is too large for a batch, or damaged, is asked for by itself;
/// where the service refuses the question, a plainer one is asked.
async fn parsed<H: Host>(
    client: &Client<H>,
    link: &Link,
    answer: Result<Vec<u8>, Error>,
    plainer: &str,
) -> Result<Vec<u8>, Error> {
    let refused = match answer {
        Ok(body) if Object::parse(&body).is_some() => return Ok(body),
        Err(error) if error.recovery != Some(Recovery::SmallerPages) => Err(error),
        Ok(_) | Err(_) => client.get_json(link, &Prefer::default()).await,
    };
    match refused {
        Err(error) if is_bad(&error) => {
            let link = client.resource(plainer)?;
            client.get_json(&link, &Prefer::default()).await
        }
        answer => answer,
    }
}

/// Whether the service cannot answer such a question, at all or at once.
fn is_refusal(error: &Error) -> bool {
    is_bad(error) || error.recovery == Some(Recovery::SmallerPages)
}

/// Whether the service cannot answer such a question.
fn is_bad(error: &Error) -> bool {
    error.is_not_offered() && !is_unknown(error)
}

/// Whether the service says that there is no such table. The status tells; the code that goes
/// with it differs between versions.
fn is_unknown(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
        || error.status() == Some(404)
        || error
            .fault
            .as_ref()
            .is_some_and(|fault| fault.code == "0x80041102")
}

/// Logical names are lower-case words; nothing else can be the name of a table, and nothing
/// else gets into an address.
fn is_logical_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
