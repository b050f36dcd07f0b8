//! What the service says about its tables: `EntityDefinitions` (reference §5).
//!
//! A table is read in two waves: its definition with all columns in short, then, side by
//! side, one request for each kind of column that has more to tell. Kinds that a table does
//! not have cost nothing.

mod definition;
mod wire;

use serde::de::DeserializeOwned;

use super::query::{Query, string_literal};
use super::{Client, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::{Host, Started};

pub use definition::{
    Attribute, AttributeKind, DateTimeBehavior, OptionItem, TableDefinition, TableKey, TableSummary,
};

/// How many requests about one table are under way at a time.
const AT_ONCE: usize = 4;

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
    let columns = format!(
        "Attributes($select=LogicalName;$filter={})",
        named.join(" or ")
    );
    let query = Query::new("EntityDefinitions")
        .option("$select", TABLE_COLUMNS)
        .option("$expand", &columns);
    let answer: wire::List<wire::Table<wire::ShowsChanges>> = get(client, query.as_str()).await?;
    Ok(answer.value.into_iter().map(TableSummary::from).collect())
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
    let casts: Vec<Cast> = Cast::ALL
        .into_iter()
        .filter(|cast| cast.is_needed(&definition))
        .collect();
    for group in casts.chunks(AT_ONCE) {
        let mut running = Vec::with_capacity(group.len());
        for cast in group {
            let path = cast.path(name);
            let client = client.clone();
            running.push(
                Started::new(
                    async move { get::<_, wire::List<wire::Detail>>(&client, &path).await },
                )
                .await,
            );
        }
        for details in running {
            for detail in details.await?.value {
                definition.complete(detail);
            }
        }
    }
    Ok(Some(definition))
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
        || error.fault.as_ref().is_some_and(|fault| {
            fault.status == 404 || fault.code.eq_ignore_ascii_case("0x80041102")
        })
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
