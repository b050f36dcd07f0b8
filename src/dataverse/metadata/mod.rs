//! What the service says about its tables: `EntityDefinitions` (reference §5).
//!
//! A table is read in two waves: its definition with all columns in short, then, as far as
//! the service has room side by side, one request for each kind of column that has more to
//! tell. Kinds that a table does not have cost nothing.

mod definition;
mod guards;
mod wire;

use std::collections::VecDeque;

use serde::de::DeserializeOwned;

use super::query::{Query, string_literal};
use super::{Client, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

pub use definition::{
    Attribute, AttributeKind, DateTimeBehavior, OptionItem, TableDefinition, TableKey, TableSummary,
};
pub use guards::{Switch, TableGuards, TablePrivilege, guards, references};

/// What is asked about a table, alone or among all.
const TABLE_COLUMNS: &str = "LogicalName,EntitySetName,PrimaryIdAttribute,PrimaryNameAttribute,\
                             DisplayName,IsPrivate,ChangeTrackingEnabled";

/// What is asked about a column of any kind.
const ATTRIBUTE_COLUMNS: &str = "LogicalName,AttributeType,AttributeTypeName,AttributeOf,\
                                 DisplayName,ColumnNumber,IsValidForRead,IsValidForCreate,\
                                 IsValidForUpdate,IsValidODataAttribute";

/// Every table in few words, in one request.
///
/// Of the columns only those come along that grow with every change: they tell how changes of
/// a table can be found that the service does not track.
pub async fn list<H: Host>(client: &Client<H>) -> Result<Vec<TableSummary>, Error> {
    let named: Vec<String> = wire::GROWING
        .iter()
        .map(|name| format!("LogicalName eq {}", string_literal(name)))
        .collect();
    let telling = format!("LogicalName;$filter={}", named.join(" or "));
    let answer = match list_with(client, &telling).await {
        // A filter within an expansion is ordinary OData, but no version promises it here.
        Err(error)
            if error
                .fault
                .as_ref()
                .is_some_and(|fault| fault.status == 400) =>
        {
            list_with(client, "LogicalName").await?
        }
        answer => answer?,
    };
    Ok(answer.value.into_iter().map(TableSummary::from).collect())
}

async fn list_with<H: Host>(
    client: &Client<H>,
    columns: &str,
) -> Result<wire::List<wire::Table<wire::ShowsChanges>>, Error> {
    let query = Query::new("EntityDefinitions")
        .option("$select", TABLE_COLUMNS)
        .option("$expand", &format!("Attributes($select={columns})"));
    get(client, query.as_str()).await
}

/// One table with all its columns, or `None` if there is no such table.
pub async fn table<H: Host>(
    client: &Client<H>,
    name: &str,
) -> Result<Option<TableDefinition>, Error> {
    if !is_logical_name(name) {
        return Ok(None);
    }
    let path = format!(
        "EntityDefinitions(LogicalName='{name}')?$select={TABLE_COLUMNS}\
         &$expand=Attributes($select={ATTRIBUTE_COLUMNS}),\
         Keys($select=LogicalName,SchemaName,KeyAttributes,EntityKeyIndexStatus)"
    );
    let table: wire::Table<Vec<wire::Column>> = match get(client, &path).await {
        Ok(table) => table,
        Err(error) if is_unknown(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut definition = TableDefinition::from(table);
    let mut casts = Cast::ALL
        .into_iter()
        .filter(|cast| cast.is_needed(&definition))
        .collect::<Vec<_>>()
        .into_iter();
    let mut running = VecDeque::new();
    loop {
        // One always, more as long as the service has room.
        while running.is_empty() || client.room() > 0 {
            let Some(cast) = casts.next() else { break };
            running.push_back(details(client, cast.path(name)).await);
        }
        let Some(first) = running.pop_front() else {
            return Ok(Some(definition));
        };
        for detail in first.await?.value {
            definition.complete(detail);
        }
    }
}

async fn details<H: Host>(
    client: &Client<H>,
    path: String,
) -> Started<Result<wire::List<wire::Detail>, Error>> {
    let client = client.clone();
    Started::new(async move { get(&client, &path).await }).await
}

async fn get<H: Host, T: DeserializeOwned>(client: &Client<H>, path: &str) -> Result<T, Error> {
    client
        .get_json(&client.resource(path)?, &Prefer::default())
        .await
}

/// Whether the service says that there is no such table. The status tells; the code that goes
/// with it differs between versions.
fn is_unknown(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
        || error
            .fault
            .as_ref()
            .is_some_and(|fault| fault.status == 404 || fault.code == "0x80041102")
}

/// Logical names are lower-case words; nothing else can be the name of a table, and nothing
/// else gets into an address.
fn is_logical_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A derived type of column, asked for what only that type has (reference §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    Lookup,
    Picklist,
    State,
    Status,
    MultiSelect,
    Boolean,
    String,
    Memo,
    Decimal,
    Money,
    DateTime,
}

impl Cast {
    const ALL: [Self; 11] = [
        Self::Lookup,
        Self::Picklist,
        Self::State,
        Self::Status,
        Self::MultiSelect,
        Self::Boolean,
        Self::String,
        Self::Memo,
        Self::Decimal,
        Self::Money,
        Self::DateTime,
    ];

    fn is_needed(self, table: &TableDefinition) -> bool {
        table.attributes.iter().any(|attribute| {
            attribute.is_selectable()
                && matches!(
                    (self, &attribute.kind),
                    (Self::Lookup, AttributeKind::Lookup { .. })
                        | (Self::Picklist, AttributeKind::Picklist { .. })
                        | (Self::State, AttributeKind::State { .. })
                        | (Self::Status, AttributeKind::Status { .. })
                        | (Self::MultiSelect, AttributeKind::MultiSelect { .. })
                        | (Self::Boolean, AttributeKind::Boolean { .. })
                        | (Self::String, AttributeKind::String { .. })
                        | (Self::Memo, AttributeKind::Memo { .. })
                        | (Self::Decimal, AttributeKind::Decimal { .. })
                        | (Self::Money, AttributeKind::Money { .. })
                        | (Self::DateTime, AttributeKind::DateTime { .. })
                )
        })
    }

    fn path(self, table: &str) -> String {
        const OPTIONS: &str = "LogicalName&$expand=OptionSet($select=Options)";
        const SHARED_OPTIONS: &str =
            "LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet($select=Options)";
        let (name, select) = match self {
            Self::Lookup => ("Lookup", "LogicalName,Targets"),
            Self::Picklist => ("Picklist", SHARED_OPTIONS),
            Self::State => ("State", OPTIONS),
            Self::Status => ("Status", OPTIONS),
            Self::MultiSelect => ("MultiSelectPicklist", SHARED_OPTIONS),
            Self::Boolean => (
                "Boolean",
                "LogicalName&$expand=OptionSet($select=TrueOption,FalseOption)",
            ),
            Self::String => ("String", "LogicalName,MaxLength"),
            Self::Memo => ("Memo", "LogicalName,MaxLength"),
            Self::Decimal => ("Decimal", "LogicalName,Precision"),
            Self::Money => ("Money", "LogicalName,Precision"),
            Self::DateTime => ("DateTime", "LogicalName,DateTimeBehavior"),
        };
        format!(
            "EntityDefinitions(LogicalName='{table}')/Attributes/\
             Microsoft.Dynamics.CRM.{name}AttributeMetadata?$select={select}"
        )
    }
}
