//! Named tables, with their columns, keys and relationships.
//!
//! Several tables are read by two batches: first their definitions with the common properties of
//! all columns, then the properties that the types of their columns have. Types that a table does
//! not have are not requested. For a single table everything is requested in one batch. Each part
//! of a response is read in one pass, directly into definitions.

use dataverse_metadata::{Attribute, TableDefinition};

use super::cast::Cast;
use super::{TABLE_PROPERTIES, incomplete, is_logical_name, is_rejected, is_unknown};
use crate::dataverse::query::encode;
use crate::dataverse::{Client, Link, Prefer};
use crate::error::{Error, Recovery};
use crate::host::Host;
use crate::ordered;

/// The properties of a column of any type that are requested.
const COLUMN_PROPERTIES: &str = "LogicalName,AttributeType,AttributeTypeName,AttributeOf,\
                                 DisplayName,ColumnNumber,IsValidForRead,IsValidForCreate,\
                                 IsValidForUpdate,IsValidODataAttribute,RequiredLevel,IsSecured";
/// Leaves out the columns that no query can select: about every third.
const SELECTABLE_COLUMNS: &str = "IsValidODataAttribute eq true";
/// The properties of a relationship of one to many, in either direction.
const ONE_TO_MANY: &str =
    "SchemaName,ReferencedEntity,ReferencedAttribute,ReferencingEntity,ReferencingAttribute";
/// The properties of a relationship of many to many.
const MANY_TO_MANY: &str = "SchemaName,Entity1LogicalName,Entity2LogicalName,\
                            Entity1IntersectAttribute,Entity2IntersectAttribute,\
                            IntersectEntityName";

/// The largest response to a batch, in bytes. Where one is larger the batch is sent again in
/// halves, so that memory does not grow with the size of the tables.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// Which parts of a definition are requested besides columns and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// None: enough to read rows.
    Rows,
    /// Relationships.
    Relationships,
}

/// One table, or `None` if there is no such table.
///
/// # Errors
/// The error of the service.
pub async fn table<H: Host>(
    client: &Client<H>,
    name: &str,
    extent: Extent,
) -> Result<Option<TableDefinition>, Error> {
    let mut tables = tables(client, &[name.to_owned()], extent).await?;
    Ok(tables.pop().flatten())
}

/// These tables, in their order; `None` for one that does not exist.
///
/// # Errors
/// The error of the service.
pub async fn tables<H: Host>(
    client: &Client<H>,
    names: &[String],
    extent: Extent,
) -> Result<Vec<Option<TableDefinition>>, Error> {
    let mut tables: Vec<Option<TableDefinition>> = Vec::new();
    tables.resize_with(names.len(), || None);
    let mut parts: Vec<Part> = names
        .iter()
        .enumerate()
        .filter(|(_, name)| is_logical_name(name))
        .map(|(table, name)| Part::definition(table, name, extent))
        .collect();
    if names.len() == 1
        && let [definition] = parts.as_slice()
    {
        // Most tables have columns of most types, so this rarely requests too much, and it saves
        // a round trip.
        let casts = Cast::ALL.map(|cast| Part::cast(0, &definition.name, cast));
        parts.extend(casts);
        read(client, parts, &mut tables).await?;
        return Ok(tables);
    }
    read(client, parts, &mut tables).await?;
    let mut parts = Vec::new();
    for (table, definition) in tables.iter().enumerate() {
        let Some(definition) = definition else {
            continue;
        };
        let casts = Cast::ALL.iter().filter(|cast| cast.is_needed(definition));
        let name = &definition.summary.logical_name;
        parts.extend(casts.map(|cast| Part::cast(table, name, *cast)));
    }
    read(client, parts, &mut tables).await?;
    Ok(tables)
}

/// A part of what is requested about several tables.
struct Part {
    /// Which of the tables.
    table: usize,
    /// Its logical name.
    name: String,
    /// The type of columns whose properties are requested, unless it is the table itself.
    cast: Option<Cast>,
    /// The resource that has it.
    path: String,
    /// Plainer resources, each for versions of the service that reject the one before.
    fallbacks: Vec<String>,
}

impl Part {
    fn definition(table: usize, name: &str, extent: Extent) -> Self {
        let plain = format!("EntityDefinitions(LogicalName='{name}')");
        let filter = format!(";$filter={}", encode(SELECTABLE_COLUMNS));
        Self {
            table,
            name: name.to_owned(),
            cast: None,
            path: selected(&plain, &filter, extent),
            fallbacks: vec![selected(&plain, "", extent), plain],
        }
    }

    fn cast(table: usize, name: &str, cast: Cast) -> Self {
        Self {
            table,
            name: name.to_owned(),
            cast: Some(cast),
            path: cast.path(name),
            fallbacks: vec![cast.fallback_path(name)],
        }
    }

    /// Whether it is needed: the table exists and has columns of the type.
    fn is_needed(&self, tables: &[Option<TableDefinition>]) -> bool {
        let table = tables.get(self.table).and_then(Option::as_ref);
        self.cast
            .is_none_or(|cast| table.is_some_and(|table| cast.is_needed(table)))
    }

    /// Reads the body of a response into the table; `None` if it cannot be read.
    fn apply(&self, body: &[u8], tables: &mut [Option<TableDefinition>]) -> Option<()> {
        let table = tables.get_mut(self.table)?;
        if self.cast.is_some() {
            return table.as_mut()?.add_details(body);
        }
        let mut definition = dataverse_metadata::definition(body)?;
        sort_columns(&mut definition.attributes);
        ordered::sort_by(&mut definition.keys, |a, b| a.name.cmp(&b.name));
        *table = Some(definition);
        Some(())
    }
}

/// Sorts columns as the table has them: the service lists them in no particular order.
fn sort_columns(columns: &mut Vec<Attribute>) {
    ordered::sort_by(columns, |a, b| {
        (a.column_number, &a.logical_name).cmp(&(b.column_number, &b.logical_name))
    });
}

fn selected(table: &str, filter: &str, extent: Extent) -> String {
    let mut path = format!(
        "{table}?$select={TABLE_PROPERTIES},CanChangeTrackingBeEnabled\
         &$expand=Attributes($select={COLUMN_PROPERTIES}{filter}),\
         Keys($select=LogicalName,SchemaName,KeyAttributes,EntityKeyIndexStatus)"
    );
    if extent == Extent::Relationships {
        for (name, properties) in [
            ("ManyToOne", ONE_TO_MANY),
            ("OneToMany", ONE_TO_MANY),
            ("ManyToMany", MANY_TO_MANY),
        ] {
            path = format!("{path},{name}Relationships($select={properties})");
        }
    }
    path
}

/// Requests all parts in one batch, and reads each into its table.
async fn read<H: Host>(
    client: &Client<H>,
    parts: Vec<Part>,
    tables: &mut [Option<TableDefinition>],
) -> Result<(), Error> {
    let links = parts
        .iter()
        .map(|part| client.resource(&part.path))
        .collect::<Result<Vec<Link>, Error>>()?;
    let batching = client.clone().with_max_body(MAX_BATCH_BYTES);
    let responses = batching.batch(&links, &Prefer::default()).await?;
    for ((part, link), response) in parts.into_iter().zip(links).zip(responses) {
        if !part.is_needed(tables) {
            continue;
        }
        match response {
            Ok(body) if part.apply(&body, tables).is_some() => {}
            response => read_alone(client, &part, link, response.err(), tables).await?,
        }
        if part.cast.is_none()
            && let Some(Some(table)) = tables.get_mut(part.table)
            && table.attributes.is_empty()
        {
            read_columns(client, &part.name, table).await?;
        }
    }
    Ok(())
}

/// Reads a part by requests of its own, after its response in the batch was damaged, too large for
/// a batch, or an error.
async fn read_alone<H: Host>(
    client: &Client<H>,
    part: &Part,
    mut link: Link,
    error: Option<Error>,
    tables: &mut [Option<TableDefinition>],
) -> Result<(), Error> {
    let mut response = match error {
        Some(error) if error.recovery != Some(Recovery::SmallerPages) => Err(error),
        _ => client.get_json(&link, &Prefer::default()).await,
    };
    for fallback in &part.fallbacks {
        if !response.as_ref().is_err_and(is_rejected) {
            break;
        }
        link = client.resource(fallback)?;
        response = client.get_json(&link, &Prefer::default()).await;
    }
    match response {
        Err(error) if part.cast.is_none() && is_unknown(&error) => Ok(()),
        // Rows can be read without the properties of the type.
        Err(error) if part.cast.is_some() && error.is_not_offered() => Ok(()),
        response => part
            .apply(&response?, tables)
            .ok_or_else(|| incomplete(&link)),
    }
}

/// Reads the columns by themselves, where the service does not expand them in the definition.
async fn read_columns<H: Host>(
    client: &Client<H>,
    name: &str,
    table: &mut TableDefinition,
) -> Result<(), Error> {
    let path =
        format!("EntityDefinitions(LogicalName='{name}')/Attributes?$select={COLUMN_PROPERTIES}");
    let link = client.resource(&path)?;
    let body = match client.get_json(&link, &Prefer::default()).await {
        Err(error) if error.is_not_offered() => return Ok(()),
        response => response?,
    };
    let mut columns = dataverse_metadata::columns(&body).ok_or_else(|| incomplete(&link))?;
    sort_columns(&mut columns);
    table.set_columns(columns);
    Ok(())
}
