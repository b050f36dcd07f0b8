//! What a row becomes on the wire: the SQL columns to read and the bytes to write for each.

mod write;

pub(crate) use write::write_value;

use super::{
    Model, Property,
    model::{is_principal, wire_name},
};
use crate::{
    gate::Viewer,
    schema::{ColumnKind, Schema, Table},
    store::Stored,
    wire::{
        ODataError,
        annotations::{Annotations, FORMATTED},
        format::Display,
        json::push_text,
    },
};

/// One property of a row.
#[derive(Debug)]
struct Cell {
    /// `"name":`
    label: Vec<u8>,
    name: String,
    stored: Stored,
    /// Position among the SQL columns.
    at: usize,
    display: Option<Display>,
    /// Position of the text that completes the formatted value.
    companion: Option<usize>,
    /// Position of the referred row's table.
    target: Option<usize>,
    /// The only table a lookup refers to.
    only_target: Option<String>,
    is_lookup: bool,
    /// Target table → navigation property.
    navigations: Vec<(String, String)>,
    /// The column that the property shows under another name.
    alias_of: Option<String>,
}

/// How to read and write the rows of one table.
#[derive(Debug)]
pub(crate) struct Plan {
    /// SQL expressions: the key and the version, if rows have them, then the cells.
    pub(crate) columns: Vec<String>,
    cells: Vec<Cell>,
    annotations: Annotations,
    /// Whether each row is a row of a table, with a key and a version.
    keyed: bool,
    /// Whether properties without a value are left out.
    sparse: bool,
    /// For whom rows are written.
    viewer: Viewer,
}

/// SQL position of the row's key.
pub(crate) const KEY: usize = 0;
/// SQL position of the row's version.
pub(crate) const VERSION: usize = 1;

impl Plan {
    /// A plan for the selected properties, or for all of them. `also` are added to a selection.
    pub(crate) fn new(
        model: &Model,
        viewer: &Viewer,
        table: &Table,
        select: Option<&[String]>,
        also: &[String],
        annotations: &Annotations,
        alias: &str,
    ) -> Result<Self, ODataError> {
        let properties = match select {
            None => model.properties(table),
            Some(names) => selected(model, table, names, also)?,
        };
        let mut plan = Self {
            columns: vec![
                format!("{alias}.\"{}\"", table.primary_id),
                format!("{alias}.\"$version\""),
            ],
            cells: Vec::with_capacity(properties.len()),
            annotations: annotations.clone(),
            keyed: true,
            sparse: false,
            viewer: viewer.clone(),
        };
        for property in properties {
            plan.add(model, table, property, alias);
        }
        Ok(plan)
    }

    /// A plan for properties that are added one by one, of which only those with a value are
    /// written. With a table, its rows under the alias are the ones written.
    pub(crate) fn sparse(
        viewer: &Viewer,
        annotations: &Annotations,
        rows: Option<(&Table, &str)>,
    ) -> Self {
        let columns = rows.map_or_else(Vec::new, |(table, alias)| {
            vec![
                format!("{alias}.\"{}\"", table.primary_id),
                format!("{alias}.\"$version\""),
            ]
        });
        Self {
            columns,
            cells: Vec::new(),
            annotations: annotations.clone(),
            keyed: rows.is_some(),
            sparse: true,
            viewer: viewer.clone(),
        }
    }

    /// Whether a property of this name is written.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.cells.iter().any(|cell| cell.name == name)
    }

    /// Adds a property for a column under another name.
    pub(crate) fn add_alias(
        &mut self,
        model: &Model,
        table: &Table,
        property: Property<'_>,
        alias: &str,
        name: &str,
    ) {
        let column = property.column.logical_name.clone();
        let name = name.to_owned();
        self.add(model, table, Property { name, ..property }, alias);
        if let Some(cell) = self.cells.last_mut() {
            cell.alias_of = Some(column);
        }
    }

    /// Adds a property that is computed; `alias_of` names the column it is computed from.
    pub(crate) fn add_computed(
        &mut self,
        name: &str,
        sql: String,
        stored: Stored,
        display: Option<Display>,
        alias_of: &str,
    ) {
        let mut label = Vec::with_capacity(name.len() + 3);
        push_text(&mut label, name);
        label.push(b':');
        self.cells.push(Cell {
            label,
            name: name.to_owned(),
            stored,
            at: self.columns.len(),
            display: display.filter(|_| self.annotations.include(FORMATTED)),
            companion: None,
            target: None,
            only_target: None,
            is_lookup: false,
            navigations: Vec::new(),
            alias_of: Some(alias_of.to_owned()),
        });
        self.columns.push(sql);
    }

    /// Adds a property of the table, whose rows the statement knows as `alias`.
    pub(crate) fn add(
        &mut self,
        model: &Model,
        table: &Table,
        property: Property<'_>,
        alias: &str,
    ) {
        let mut label = Vec::with_capacity(property.name.len() + 3);
        push_text(&mut label, &property.name);
        label.push(b':');
        let at = self.columns.len();
        let column = property.column;
        // Without the right to read it a secured column is null, whatever it holds.
        self.columns
            .push(if self.viewer.columns.may_read(table, column) {
                format!("{alias}.\"{}\"", property.sql)
            } else {
                "NULL".to_owned()
            });
        let is_lookup = column.is_lookup();
        let mut cell = Cell {
            label,
            stored: property.stored,
            at,
            display: None,
            companion: None,
            target: None,
            only_target: None,
            is_lookup,
            navigations: Vec::new(),
            alias_of: None,
            name: property.name,
        };
        if is_lookup {
            let targets = column.targets();
            if property.stored == Stored::TypedReference && self.annotations.any() {
                cell.target = Some(self.columns.len());
                self.columns
                    .push(format!("{alias}.\"{}$type\"", column.logical_name));
            } else {
                cell.only_target = targets.first().map(|&target| target.to_owned());
            }
            // The audit log has no navigation properties for its users (reference §10).
            let told = targets.iter().filter(|_| table.logical_name != "audit");
            cell.navigations = told
                .filter_map(|&target| {
                    let column = &column.logical_name;
                    let navigation =
                        model.lookup_navigation(&table.logical_name, column, target)?;
                    Some((target.to_owned(), navigation.to_owned()))
                })
                .collect();
        }
        if self.annotations.include(FORMATTED) {
            cell.display = Display::of(column, &model.schema, self.viewer.language);
            let companion = match cell.display {
                Some(Display::Name) => name_of_target(
                    &model.schema,
                    &column.logical_name,
                    &column.targets(),
                    alias,
                ),
                Some(Display::Money { .. }) if table.column("transactioncurrencyid").is_some() => {
                    Some(format!(
                        "(SELECT currencysymbol FROM transactioncurrency WHERE \
                         transactioncurrencyid = {alias}.\"transactioncurrencyid\")"
                    ))
                }
                _ => None,
            };
            if let Some(sql) = companion {
                cell.companion = Some(self.columns.len());
                self.columns.push(sql);
            }
        }
        self.cells.push(cell);
    }
}

/// The selected properties and those that always come with them (reference §4.2).
fn selected<'m>(
    model: &'m Model,
    table: &Table,
    names: &[String],
    also: &[String],
) -> Result<Vec<Property<'m>>, ODataError> {
    let mut properties: Vec<Property<'m>> = Vec::with_capacity(names.len() + 2);
    for name in names {
        let property = model.property(table, name)?;
        if !properties.iter().any(|known| known.name == property.name) {
            properties.push(property);
        }
    }
    let money = properties
        .iter()
        .any(|property| matches!(property.column.kind, ColumnKind::Money { .. }));
    let mut extra = Vec::new();
    if money {
        extra.push("_transactioncurrencyid_value".to_owned());
    }
    extra.extend(also.iter().cloned());
    if let Some(key) = table.column(&table.primary_id) {
        extra.push(wire_name(key));
    }
    if is_principal(table) {
        extra.push("ownerid".to_owned());
    }
    for name in extra {
        if !properties.iter().any(|known| known.name == name) {
            properties.extend(model.find_property(table, &name));
        }
    }
    Ok(properties)
}

/// SQL for the primary name of the row a lookup refers to.
pub(crate) fn name_of_target(
    schema: &Schema,
    column: &str,
    targets: &[&str],
    alias: &str,
) -> Option<String> {
    let one = |target: &str| {
        let table = schema.table(target)?;
        let name = table.primary_name.as_ref()?;
        Some(format!(
            "(SELECT \"{name}\" FROM \"{target}\" WHERE \"{}\" = {alias}.\"{column}\")",
            table.primary_id
        ))
    };
    if let [only] = targets {
        return one(only);
    }
    let cases: String = targets
        .iter()
        .filter_map(|target| Some(format!(" WHEN '{target}' THEN {}", one(target)?)))
        .collect();
    (!cases.is_empty()).then(|| format!("CASE {alias}.\"{column}$type\"{cases} END"))
}
