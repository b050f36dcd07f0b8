//! Adding a column to a table (reference §5.7).
//!
//! What is there is looked at first, and again after a request of which nobody knows what it
//! has done: so the same call twice makes one column.

mod body;
mod name;
mod publisher;
mod visible;

use self::body::Request;
use self::name::SchemaName;
use self::publisher::Publisher;
use super::{Column, DataType, Requirement, readable_table};
use crate::dataverse::metadata::{self, Attribute, AttributeKind, Extent, TableDefinition};
use crate::dataverse::query::Query;
use crate::dataverse::{Client, Request as WebRequest};
use crate::error::{Commit, Error, ErrorKind};
use crate::host::{Host, Method};

/// A column that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewColumn {
    /// With the publisher's prefix, or without.
    pub name: String,
    /// For people, in the organization's base language.
    pub title: String,
    /// For people who look closer.
    pub description: Option<String>,
    /// What it is to hold.
    pub new_type: NewType,
    /// Whether new rows must hold a value.
    pub requirement: Requirement,
    /// The unique name of the solution it belongs to; none for the default one.
    pub solution: Option<String>,
}

/// What a new column is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewType {
    /// Text.
    Text {
        /// In characters.
        max_length: u32,
        /// Whether it may have several lines.
        multiline: bool,
    },
    /// A whole number of 32 bits.
    Integer,
    /// An exact decimal with so many digits after the point.
    Decimal(u8),
    /// An amount of money with so many digits after the point.
    Money(u8),
    /// True or false.
    Boolean,
    /// One of these choices.
    Choice(Vec<NewChoice>),
    /// Several of these choices.
    ChoiceList(Vec<NewChoice>),
    /// A date without a time.
    Date,
    /// A point in time.
    Timestamp,
    /// A row of the named table.
    Reference(String),
}

/// A choice of a new column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChoice {
    /// Its value; none for the publisher's next one.
    pub value: Option<i32>,
    /// For people.
    pub label: String,
}

/// The language of labels where the organization does not tell its own.
const ENGLISH: i64 = 1033;

/// Adds a column to a table, publishes it, waits until rows have it, and describes it. A
/// column of that name and type that is there already is described.
///
/// # Errors
/// `NotFound` for a table or solution that is not there, `InvalidData` for a name with another
/// publisher's prefix or a size that the type cannot have, `Conflict` for a column of another
/// type, and what the service said; with what may have been done.
pub async fn create<H: Host>(
    client: &Client<H>,
    table: &str,
    new: &NewColumn,
) -> Result<Column, Error> {
    check(new)?;
    let strong = client.clone().strongly_consistent();
    let definition = metadata::table(&strong, table, Extent::Rows).await?;
    let publisher = Publisher::of(client, new.solution.as_deref()).await?;
    let name = SchemaName::of(&new.name, &publisher)?;
    let existing = definition.as_ref().and_then(|it| find(it, &name)).cloned();
    let entity_set = readable_table(client, table, definition).await?.entity_set;
    if let Some(existing) = existing {
        described(&existing, table, new)?;
        return visible::wait(client, table, &entity_set, &name, new).await;
    }
    let request = Request {
        table,
        name: &name,
        new,
        language: base_language(client).await?,
        first_value: publisher.first_value,
    };
    if let Err(error) = post(client, &request).await {
        // It may be there all the same, made by this request or by another one.
        let is_worth_a_look = error.commit == Commit::Unknown || error.kind == ErrorKind::Conflict;
        if !is_worth_a_look {
            return Err(error);
        }
        let Ok(Some(definition)) = metadata::table(&strong, table, Extent::Rows).await else {
            return Err(error);
        };
        let Some(existing) = find(&definition, &name) else {
            return Err(error);
        };
        described(existing, table, new)?;
    }
    publish(client, table)
        .await
        .map_err(|error| half_way(error, &name, table))?;
    visible::wait(client, table, &entity_set, &name, new)
        .await
        .map_err(|mut error| {
            error.commit = Commit::Done;
            error
        })
}

/// What can be told without asking anybody.
fn check(new: &NewColumn) -> Result<(), Error> {
    let within = |what: &str, number: u32, least: u32, most: u32| {
        if (least..=most).contains(&number) {
            return Ok(());
        }
        Err(invalid(format!(
            "a column cannot have {number} {what}; choose {least} to {most}"
        )))
    };
    if new.requirement == Requirement::SystemRequired {
        return Err(invalid(
            "only the service's own columns are required by the system; choose required",
        ));
    }
    match &new.new_type {
        NewType::Text {
            max_length,
            multiline: false,
        } => within("characters in one line", *max_length, 1, 4_000),
        NewType::Text { max_length, .. } => within("characters", *max_length, 1, 1_048_576),
        NewType::Decimal(digits) => within("digits after the point", (*digits).into(), 0, 10),
        NewType::Money(digits) => within("digits after the point", (*digits).into(), 0, 4),
        NewType::Choice(choices) | NewType::ChoiceList(choices) => {
            for (index, choice) in choices.iter().enumerate() {
                let others = choices.iter().skip(index + 1);
                let is_twin = |other: &NewChoice| other.value == choice.value;
                if let Some(value) = choice.value
                    && others.clone().any(is_twin)
                {
                    return Err(invalid(format!(
                        "two choices have the value {value}; give each its own"
                    )));
                }
                if choice.label.trim().is_empty() {
                    return Err(invalid("a choice has no label; give it one"));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}

fn find<'d>(definition: &'d TableDefinition, name: &SchemaName) -> Option<&'d Attribute> {
    let name = name.logical();
    definition
        .attributes
        .iter()
        .find(|attribute| attribute.logical_name == name)
}

/// A column that is there, if it is of the type that is wanted.
fn described(existing: &Attribute, table: &str, new: &NewColumn) -> Result<Column, Error> {
    let column = Column::from_attribute(existing.clone(), false);
    let is_same = match (&new.new_type, &existing.kind) {
        (NewType::Text { multiline, .. }, AttributeKind::String { .. }) => !multiline,
        (NewType::Text { multiline, .. }, AttributeKind::Memo { .. }) => *multiline,
        (NewType::Integer, AttributeKind::Integer { .. })
        | (NewType::Decimal(_), AttributeKind::Decimal { .. })
        | (NewType::Money(_), AttributeKind::Money { .. })
        | (NewType::Boolean, AttributeKind::Boolean { .. })
        | (NewType::Choice(_), AttributeKind::Picklist { .. })
        | (NewType::ChoiceList(_), AttributeKind::MultiSelect { .. }) => true,
        (NewType::Date, _) => column.data_type == DataType::Date,
        (NewType::Timestamp, _) => column.data_type == DataType::Timestamp,
        (NewType::Reference(target), _) => column.targets.contains(target),
        _ => false,
    };
    if is_same {
        return Ok(column);
    }
    let mut held = column.data_type.name().to_owned();
    if !column.targets.is_empty() {
        held = format!("{held} to {}", column.targets.join(" or "));
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!(
            "the table {table} has a column {} already, of another type ({held}); choose another \
             name",
            column.name
        ),
    ))
}

/// The language that every label must have (an LCID).
async fn base_language<H: Host>(client: &Client<H>) -> Result<i64, Error> {
    let query = Query::new("organizations").select(&["organizationid", "languagecode"]);
    let link = client.resource(query.as_str())?;
    let read = client.read(&link, |answer| {
        let organization = answer.list("value")?.next();
        let code = organization.and_then(|row| row.whole("languagecode"));
        Some(code.unwrap_or(ENGLISH))
    });
    match read.await {
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(ENGLISH),
        language => language,
    }
}

async fn post<H: Host>(client: &Client<H>, request: &Request<'_>) -> Result<(), Error> {
    let (path, body) = request.compose();
    let link = client.resource(&path)?;
    let doing = format!("create the column {} of {}", request.name, request.table);
    let mut call = WebRequest::new(Method::Post, &link)
        .with_purpose(doing)
        .with_json(body);
    if let Some(solution) = &request.new.solution {
        call = call.with_header("MSCRM.SolutionUniqueName", solution);
    }
    client.send(&call).await?;
    Ok(())
}

async fn publish<H: Host>(client: &Client<H>, table: &str) -> Result<(), Error> {
    // Names of tables are plain words, which XML and JSON hold as they are.
    let body = format!(
        "{{\"ParameterXml\":\"<importexportxml><entities><entity>{table}</entity></entities>\
         </importexportxml>\"}}"
    );
    let link = client.resource("PublishXml")?;
    let call = WebRequest::new(Method::Post, &link)
        .with_purpose(format!("publish the table {table}"))
        .with_json(body)
        .idempotent();
    client.send(&call).await?;
    Ok(())
}

/// The column is there, and people do not see it.
fn half_way(mut error: Error, name: &SchemaName, table: &str) -> Error {
    error.commit = Commit::Partial;
    error.message = format!(
        "the column {} of {table} was created and can be used, but it is not published: {}",
        name.logical(),
        error.message
    );
    error
}

#[cfg(test)]
mod tests;
