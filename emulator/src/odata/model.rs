//! The schema as the query language sees it: properties and navigation properties by name.

use std::{collections::HashMap, sync::Arc};

use crate::{
    schema::{Column, Relationship, Schema, Table},
    store::Stored,
    wire::ODataError,
};

/// A property of a row, found by its name on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Property<'m> {
    /// The name on the wire, such as `_ownerid_value`.
    pub(crate) name: String,
    /// The SQL column, without quotes.
    pub(crate) sql: String,
    pub(crate) stored: Stored,
    pub(crate) column: &'m Column,
}

/// Where a navigation property leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Navigation {
    /// To the row a lookup column refers to.
    ToOne { column: String, target: String },
    /// To the owner, whose table the row names.
    ToOwner,
    /// To the rows of a table whose lookup column refers to this one.
    ToMany { table: String, column: String },
    /// To the rows associated through a third table.
    Associated {
        table: String,
        intersect: String,
        near: String,
        far: String,
    },
}

impl Navigation {
    /// Whether it leads to any number of rows.
    pub(crate) fn is_collection(&self) -> bool {
        matches!(self, Self::ToMany { .. } | Self::Associated { .. })
    }
}

/// Names resolved against the schema.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) schema: Arc<Schema>,
    navigations: HashMap<String, HashMap<String, Navigation>>,
    /// (table, column, target) → the navigation property of a lookup.
    lookup_names: HashMap<(String, String), HashMap<String, String>>,
}

impl Model {
    pub(crate) fn new(schema: &Arc<Schema>) -> Self {
        let mut model = Self {
            schema: Arc::clone(schema),
            navigations: HashMap::new(),
            lookup_names: HashMap::new(),
        };
        for relationship in schema.relationships() {
            model.add_relationship(relationship);
        }
        for table in schema.tables().filter(|table| is_owned(table)) {
            let suffix = if table.is_activity && table.logical_name != "activitypointer" {
                format!("ownerid_{}", table.logical_name)
            } else {
                "ownerid".to_owned()
            };
            let known = model
                .navigations
                .entry(table.logical_name.clone())
                .or_default();
            known.insert(suffix.clone(), Navigation::ToOwner);
            let names = model
                .lookup_names
                .entry((table.logical_name.clone(), "ownerid".to_owned()))
                .or_default();
            names.insert("systemuser".to_owned(), suffix.clone());
            names.insert("team".to_owned(), suffix);
        }
        model
    }

    fn add(&mut self, table: &str, name: &str, navigation: Navigation) {
        let names = self.navigations.entry(table.to_owned()).or_default();
        names.insert(name.to_owned(), navigation);
    }

    fn add_relationship(&mut self, relationship: &Relationship) {
        match relationship {
            Relationship::OneToMany {
                referenced_table,
                referencing_table,
                referencing_column,
                referencing_navigation,
                referenced_navigation,
                ..
            } => {
                self.add(
                    referencing_table,
                    referencing_navigation,
                    Navigation::ToOne {
                        column: referencing_column.clone(),
                        target: referenced_table.clone(),
                    },
                );
                let key = (referencing_table.clone(), referencing_column.clone());
                self.lookup_names
                    .entry(key)
                    .or_default()
                    .insert(referenced_table.clone(), referencing_navigation.clone());
                if let Some(name) = referenced_navigation {
                    self.add(
                        referenced_table,
                        name,
                        Navigation::ToMany {
                            table: referencing_table.clone(),
                            column: referencing_column.clone(),
                        },
                    );
                }
            }
            Relationship::ManyToMany {
                intersect_table,
                table1,
                intersect_column1,
                navigation1,
                table2,
                intersect_column2,
                navigation2,
                ..
            } => {
                let associated =
                    |table: &String, near: &String, far: &String| Navigation::Associated {
                        table: table.clone(),
                        intersect: intersect_table.clone(),
                        near: near.clone(),
                        far: far.clone(),
                    };
                let there = associated(table2, intersect_column1, intersect_column2);
                let back = associated(table1, intersect_column2, intersect_column1);
                self.add(table1, navigation1, there);
                self.add(table2, navigation2, back);
            }
        }
    }

    /// The table of an entity set, or 404.
    pub(crate) fn table_by_set(&self, set: &str) -> Result<&Table, ODataError> {
        self.schema
            .table_by_set(set)
            .ok_or_else(|| ODataError::unknown_segment(set))
    }

    /// The table of a logical name that the schema itself mentions.
    pub(crate) fn table(&self, logical_name: &str) -> Result<&Table, ODataError> {
        self.schema.table(logical_name).ok_or_else(|| {
            ODataError::bad_request(
                "0x80041102",
                format!("The entity with a name = '{logical_name}' was not found."),
            )
        })
    }

    /// The navigation property of this name, if the table has one.
    pub(crate) fn navigation(&self, table: &str, name: &str) -> Option<&Navigation> {
        self.navigations.get(table)?.get(name)
    }

    /// Every navigation property of the table.
    pub(crate) fn navigations(&self, table: &str) -> impl Iterator<Item = (&String, &Navigation)> {
        self.navigations.get(table).into_iter().flatten()
    }

    /// The navigation property by which a lookup column refers to a row of `target`.
    pub(crate) fn lookup_navigation(
        &self,
        table: &str,
        column: &str,
        target: &str,
    ) -> Option<&str> {
        let names = self
            .lookup_names
            .get(&(table.to_owned(), column.to_owned()))?;
        names.get(target).map(String::as_str)
    }

    /// The property of this name on the wire.
    pub(crate) fn property(&self, table: &Table, name: &str) -> Result<Property<'_>, ODataError> {
        self.find_property(table, name)
            .ok_or_else(|| ODataError::unknown_property(name, &table.logical_name))
    }

    pub(crate) fn find_property(&self, table: &Table, name: &str) -> Option<Property<'_>> {
        let table = self.schema.table(&table.logical_name)?;
        if name == "ownerid" && is_principal(table) {
            let column = table.column(&table.primary_id)?;
            return Some(Property {
                name: name.to_owned(),
                sql: table.primary_id.clone(),
                stored: Stored::Guid,
                column,
            });
        }
        let lookup = name
            .strip_prefix('_')
            .and_then(|rest| rest.strip_suffix("_value"));
        let column = table.column(lookup.unwrap_or(name))?;
        if !column.is_selectable() || column.is_lookup() != lookup.is_some() {
            return None;
        }
        let sql = match name {
            "versionnumber" => "$version".to_owned(),
            _ => column.logical_name.clone(),
        };
        Some(Property {
            name: name.to_owned(),
            sql,
            stored: Stored::of(column)?,
            column,
        })
    }

    /// Every property of the table, in the order of the columns.
    pub(crate) fn properties(&self, table: &Table) -> Vec<Property<'_>> {
        let mut properties: Vec<Property<'_>> = table
            .columns
            .iter()
            .filter_map(|column| self.find_property(table, &wire_name(column)))
            .collect();
        if is_principal(table) && !properties.iter().any(|property| property.name == "ownerid") {
            properties.extend(self.find_property(table, "ownerid"));
        }
        properties
    }
}

/// The name of a column's property on the wire.
pub(crate) fn wire_name(column: &Column) -> String {
    if column.is_lookup() {
        format!("_{}_value", column.logical_name)
    } else {
        column.logical_name.clone()
    }
}

/// Users and teams inherit their key, `ownerid`, from `principal` (reference §4.2).
pub(crate) fn is_principal(table: &Table) -> bool {
    matches!(table.logical_name.as_str(), "systemuser" | "team")
}

fn is_owned(table: &Table) -> bool {
    table.column("ownerid").is_some_and(Column::is_lookup)
}
