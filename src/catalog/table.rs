//! A stream with its columns.

use super::change_detection::ChangeDetection;
use super::column::{Choice, Column};
use super::stream::{StreamKind, StreamName};
use crate::dataverse::metadata::{Attribute, Relationship, TableDefinition, TableSummary};

/// The approximate size of a name in memory, in bytes, without its text.
const NAME_BYTES: usize = 48;

/// A set of columns whose values are unique among the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlternateKey {
    /// Its name.
    pub name: String,
    /// Its columns, as in rows.
    pub columns: Vec<String>,
    /// Whether the service can already find rows by it.
    pub usable: bool,
}

/// A readable table, or another stream in the form of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name of the stream: of a table the logical name, such as `account`.
    pub name: String,
    /// The name in addresses, such as `accounts`.
    pub entity_set: String,
    /// For people, in the signed-in account's language.
    pub title: String,
    /// How later syncs find changes.
    pub change_detection: ChangeDetection,
    /// The column with the primary key.
    pub primary_key: String,
    /// The second column of a primary key that has two.
    pub second_key: Option<String>,
    /// The column that names a row for people.
    pub name_column: Option<String>,
    /// The columns of its rows, in the service's order.
    pub columns: Vec<Column>,
    /// Other sets of columns that identify a row.
    pub alternate_keys: Vec<AlternateKey>,
    /// Its relationships to other tables; empty if they were not requested.
    pub relationships: Vec<Relationship>,
    /// Whether the service could track its changes, if it does not.
    pub can_be_tracked: bool,
}

impl Table {
    /// The table that the metadata defines, if it is readable.
    pub fn from_definition(definition: TableDefinition) -> Option<Self> {
        if !is_readable(&definition.summary) {
            return None;
        }
        let change_detection = ChangeDetection::of(&definition.summary);
        let summary = definition.summary;
        let primary_key = summary.primary_id?;
        let columns: Vec<Column> = definition
            .attributes
            .into_iter()
            .filter(Attribute::is_selectable)
            .map(|attribute| {
                let is_key = attribute.logical_name == primary_key;
                Column::from_attribute(attribute, is_key)
            })
            .collect();
        let alternate_keys = definition
            .keys
            .into_iter()
            .map(|key| AlternateKey {
                name: key.name,
                columns: key.attributes,
                usable: key.is_active,
            })
            .collect();
        let name_column = summary
            .primary_name
            .filter(|name| columns.iter().any(|column| column.name == *name));
        Some(Self {
            title: summary
                .title
                .unwrap_or_else(|| summary.logical_name.clone()),
            name: summary.logical_name,
            entity_set: summary.entity_set_name?,
            change_detection,
            primary_key,
            second_key: None,
            name_column,
            columns,
            alternate_keys,
            relationships: definition.relationships,
            can_be_tracked: summary.change_tracking.can_be_on,
        })
    }

    /// A stream that is not a table, read in full by every sync.
    pub(super) fn derived(
        name: &str,
        title: String,
        entity_set: &str,
        primary_key: &str,
        columns: Vec<Column>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            entity_set: entity_set.to_owned(),
            title,
            change_detection: ChangeDetection::None,
            primary_key: primary_key.to_owned(),
            second_key: None,
            name_column: None,
            columns,
            alternate_keys: Vec::new(),
            relationships: Vec::new(),
            can_be_tracked: false,
        }
    }

    /// Where its rows come from.
    pub fn kind(&self) -> StreamKind {
        StreamName::of(&self.name).kind()
    }

    /// Whether the column is in the primary key.
    pub fn is_key(&self, column: &str) -> bool {
        column == self.primary_key || self.second_key.as_deref() == Some(column)
    }

    /// The columns of the primary key.
    pub fn key(&self) -> Vec<String> {
        let mut key = vec![self.primary_key.clone()];
        key.extend(self.second_key.clone());
        key
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Explains to people how later syncs find changes, and which they cannot find.
    pub fn change_detection_reason(&self) -> String {
        // The one that `source` prefers.
        let watermark = match self.column("modifiedon") {
            Some(_) => "modifiedon",
            None => "versionnumber",
        };
        self.change_detection
            .reason(self.kind(), watermark, self.can_be_tracked)
    }

    /// The approximate size in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        let columns = self.columns.iter().map(|column| {
            let choices = column.choices.iter();
            let choices = choices.map(|choice| size_of::<Choice>() + choice.label.len());
            size_of::<Column>()
                + column.name.len()
                + column.title.len()
                + choices.sum::<usize>()
                + column.targets.len() * NAME_BYTES
        });
        columns.sum::<usize>()
            + self.relationships.len() * (size_of::<Relationship>() + 4 * NAME_BYTES)
    }
}

/// Whether the Web API can list the rows of the table.
pub(super) fn is_readable(table: &TableSummary) -> bool {
    // Without an entity set it has no address.
    table.entity_set_name.is_some()
        // Without a key a target could not update or delete its rows.
        && table.primary_id.is_some()
        // The service rejects queries for private tables.
        && !table.is_private
}
