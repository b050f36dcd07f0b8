//! A table as a stream.

use super::column::Column;
use super::stream::{StreamKind, StreamName};
use crate::dataverse::metadata::{Attribute, Relationship, TableDefinition, TableSummary};

/// How later syncs of a stream find what has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeDetection {
    /// The service keeps track (reference §6).
    Tracked,
    /// By `modifiedon` or `versionnumber`; deletions are not observable (reference §6.5).
    Watermark,
    /// Not at all.
    None,
}

/// A set of columns whose values are unique among the rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlternateKey {
    /// Its name.
    pub name: String,
    /// Names of its columns, as in rows.
    pub columns: Vec<String>,
    /// Whether the service can already find rows by it.
    pub usable: bool,
}

/// A readable table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The logical name, such as `account`.
    pub name: String,
    /// The name in addresses, such as `accounts`.
    pub entity_set: String,
    /// For people.
    pub title: String,
    /// How its changes are found.
    pub change_detection: ChangeDetection,
    /// The column that holds the key of a row.
    pub primary_key: String,
    /// Another column of the key, where it takes two.
    pub also_key: Option<String>,
    /// The column that names a row for people.
    pub name_column: Option<String>,
    /// The columns of its rows, in the service's order.
    pub columns: Vec<Column>,
    /// Other sets of columns that name a row.
    pub alternate_keys: Vec<AlternateKey>,
    /// How its rows relate to others; empty if that was not asked.
    pub relationships: Vec<Relationship>,
    /// Whether the service could keep track of its changes, if it does not.
    pub can_be_tracked: bool,
}

impl Table {
    /// The table that the metadata defines, if it is readable.
    pub fn from_definition(definition: TableDefinition) -> Option<Self> {
        if !is_readable(&definition.summary) {
            return None;
        }
        let change_detection = change_detection(&definition.summary);
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
            also_key: None,
            name_column,
            columns,
            alternate_keys,
            relationships: definition.relationships,
            can_be_tracked: summary.change_tracking.can_be_on,
        })
    }

    /// A stream that is no table, read in full every time.
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
            also_key: None,
            name_column: None,
            columns,
            alternate_keys: Vec::new(),
            relationships: Vec::new(),
            can_be_tracked: false,
        }
    }

    /// Whether the column is of those that name a row.
    pub fn is_key(&self, column: &str) -> bool {
        column == self.primary_key || self.also_key.as_deref() == Some(column)
    }

    /// The columns that together name a row.
    pub fn key(&self) -> Vec<String> {
        let mut key = vec![self.primary_key.clone()];
        key.extend(self.also_key.clone());
        key
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// By what later syncs find changes, and what they cannot find; for people.
pub(super) fn change_detection_reason(table: &Table) -> String {
    match StreamName::of(&table.name).kind() {
        StreamKind::Table => {}
        StreamKind::History => {
            return "Found by createdon: entries are only added. Every sync reads the new ones."
                .to_owned();
        }
        _ => {
            return "Every sync reads it from its beginning; rows that do not come again are no \
                    longer in it."
                .to_owned();
        }
    }
    let untracked = if table.can_be_tracked {
        "change tracking is off, and an administrator can turn it on"
    } else {
        "the service cannot track its changes"
    };
    match table.change_detection {
        ChangeDetection::Tracked => "The service tracks its changes: new, changed and deleted \
             rows are found by a change token. After a break longer than the environment keeps \
             changes (expirechangetrackingindays), the table is read again from its beginning."
            .to_owned(),
        ChangeDetection::Watermark => {
            // The one that `source` reads by.
            let by = match table.column("modifiedon") {
                Some(_) => "modifiedon",
                None => "versionnumber",
            };
            format!(
                "Found by {by}, which grows with every change, because {untracked}. Deleted rows \
                 are not observable, except by a sweep of the keys."
            )
        }
        ChangeDetection::None => format!(
            "It has neither modifiedon nor versionnumber, and {untracked}. Every sync reads it \
             from its beginning; rows that do not come again are deleted ones."
        ),
    }
}

/// Whether the Web API can list the table's rows.
pub(super) fn is_readable(table: &TableSummary) -> bool {
    // Without an entity set there is no address to read from.
    table.entity_set_name.is_some()
        // Without a key no row could be changed or deleted at the other end.
        && table.primary_id.is_some()
        // The platform keeps private tables to itself; a query for one is refused.
        && !table.is_private
}

/// How changes of the table are found.
pub(super) fn change_detection(table: &TableSummary) -> ChangeDetection {
    if table.change_tracking.is_on {
        ChangeDetection::Tracked
    } else if table.shows_changes {
        ChangeDetection::Watermark
    } else {
        ChangeDetection::None
    }
}
