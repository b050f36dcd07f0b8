//! The changes that the body of a write requests.

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{
    api::{
        Call,
        payload::{Members, invalid_property, payload_error, undeclared_navigation, value_of},
    },
    odata::Navigation,
    schema::{Column, PrivilegeType, Table},
    store::{Value, Writer},
    wire::ODataError,
};

/// The changes that a body requests, by columns and navigation properties.
#[derive(Default)]
pub(in crate::api) struct Intent<'a> {
    pub(in crate::api) columns: Vec<(&'a Column, Value)>,
    /// Rows to create first, and the lookups that will refer to them.
    pub(in crate::api) before: Vec<(String, String, Members)>,
    /// Rows to create after: of this table, with this lookup to the new row.
    pub(in crate::api) after: Vec<(String, String, Members)>,
    /// Rows to create after and to associate: navigation property, table, row.
    pub(in crate::api) associated: Vec<(String, String, Members)>,
    /// Existing rows to relate afterwards: navigation property, table, key.
    pub(in crate::api) related: Vec<(String, String, Uuid)>,
}

impl Call<'_> {
    /// Resolves the members of a body.
    pub(in crate::api) fn intent<'t>(
        &self,
        writer: &Writer<'_>,
        table: &'t Table,
        members: &Members,
        creating: bool,
    ) -> Result<Intent<'t>, ODataError> {
        let mut intent = Intent::default();
        for (name, raw) in &members.0 {
            if let Some(navigation) = name.strip_suffix("@odata.bind") {
                let found = self
                    .model()
                    .navigation(&table.logical_name, navigation)
                    .ok_or_else(|| undeclared_navigation(table, navigation))?;
                if creating && raw.get().starts_with('[') {
                    self.bind_all(writer, table, navigation, raw, &mut intent)?;
                    continue;
                }
                let (column, value) = self.bind(writer, table, navigation, found, raw)?;
                intent.columns.push((column, value));
                continue;
            }
            if name.contains('@') {
                continue;
            }
            if let Some(column) = table.column(name)
                && !column.is_lookup()
            {
                let allowed = if creating {
                    column.creatable
                } else {
                    column.updatable
                };
                let value = value_of(table, column, raw)?;
                let is_key = creating && *name == table.primary_id;
                // The platform ignores values of columns it keeps to itself.
                if allowed || is_key {
                    intent.columns.push((column, value));
                }
                continue;
            }
            if name.starts_with('_') && name.ends_with("_value") {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    "CRM do not support direct update of Entity Reference properties, Use \
                     Navigation properties instead.",
                ));
            }
            self.navigation_member(table, name, raw, &mut intent)?;
        }
        for (column, _) in &intent.columns {
            let rights = &self.caller.viewer.columns;
            rights.require_write(table, column, creating)?;
        }
        let lookups = intent.before.iter();
        for column in lookups.filter_map(|(column, _, _)| table.column(column)) {
            self.caller
                .viewer
                .columns
                .require_write(table, column, creating)?;
        }
        Ok(intent)
    }

    /// A navigation property with a value: null clears a lookup, objects are new rows.
    fn navigation_member<'t>(
        &self,
        table: &'t Table,
        name: &str,
        raw: &RawValue,
        intent: &mut Intent<'t>,
    ) -> Result<(), ODataError> {
        let set = &table.entity_set_name;
        match self.model().navigation(&table.logical_name, name) {
            Some(Navigation::ToOne { column, .. }) if raw.get() == "null" => {
                let column = table
                    .column(column)
                    .ok_or_else(|| invalid_property(table, name))?;
                intent.columns.push((column, Value::Null));
            }
            Some(Navigation::ToOne { column, target }) => {
                let nested = Members::parse(raw.get().as_bytes(), set)?;
                intent.before.push((column.clone(), target.clone(), nested));
            }
            Some(Navigation::ToMany {
                table: child,
                column,
            }) => {
                for nested in list(raw, set)? {
                    intent.after.push((child.clone(), column.clone(), nested));
                }
            }
            Some(Navigation::Associated { table: other, .. }) => {
                for nested in list(raw, set)? {
                    intent
                        .associated
                        .push((name.to_owned(), other.clone(), nested));
                }
            }
            Some(Navigation::ToOwner) | None => {
                // A lookup may be cleared by its logical name, whatever its navigation property.
                let cleared = table
                    .column(name)
                    .filter(|c| c.is_lookup() && raw.get() == "null");
                let column = cleared.ok_or_else(|| invalid_property(table, name))?;
                intent.columns.push((column, Value::Null));
            }
        }
        Ok(())
    }

    /// `"{navigation}@odata.bind":["/tasks(…)","/tasks(…)"]` of a new row.
    fn bind_all(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        name: &str,
        raw: &RawValue,
        intent: &mut Intent<'_>,
    ) -> Result<(), ODataError> {
        let set = &table.entity_set_name;
        let addresses: Vec<String> = serde_json::from_str(raw.get()).map_err(|_| {
            let problem = format!("The value of '{name}@odata.bind' must be addresses of rows.");
            payload_error(set, &problem)
        })?;
        let navigation = self.model().navigation(&table.logical_name, name);
        let navigation = navigation
            .filter(|found| found.is_collection())
            .ok_or_else(|| undeclared_navigation(table, name))?;
        for address in addresses {
            let (other, id) = self.resolve_reference(writer.connection(), &address)?;
            Self::require_target(table, name, navigation, other)?;
            let other = other.logical_name.clone();
            intent.related.push((name.to_owned(), other, id));
        }
        Ok(())
    }

    /// `"{navigation}@odata.bind":"/contacts(…)"`.
    fn bind<'t>(
        &self,
        writer: &Writer<'_>,
        table: &'t Table,
        name: &str,
        navigation: &Navigation,
        raw: &RawValue,
    ) -> Result<(&'t Column, Value), ODataError> {
        let (column, target) = match navigation {
            Navigation::ToOne { column, target } => (column.as_str(), Some(target.as_str())),
            Navigation::ToOwner => ("ownerid", None),
            Navigation::ToMany { .. } | Navigation::Associated { .. } => {
                return Err(undeclared_navigation(table, name));
            }
        };
        let column = table
            .column(column)
            .ok_or_else(|| undeclared_navigation(table, name))?;
        if raw.get() == "null" {
            return Ok((column, Value::Null));
        }
        let address: String = serde_json::from_str(raw.get()).map_err(|_| {
            payload_error(
                &table.entity_set_name,
                &format!("The value of '{name}@odata.bind' must be the address of a row."),
            )
        })?;
        let (found, id) = self.resolve_reference(writer.connection(), &address)?;
        let fits = match target {
            Some(target) => found.logical_name == target,
            None => crate::odata::model::is_principal(found),
        };
        if !fits {
            return Err(payload_error(
                &table.entity_set_name,
                &format!(
                    "The navigation property '{name}' cannot refer to a row of '{}'.",
                    found.entity_set_name
                ),
            ));
        }
        // An owner is assigned; everything else is appended to.
        if target.is_some() {
            self.caller.depth(table, PrivilegeType::Append)?;
            self.require_access(writer.connection(), found, id, PrivilegeType::AppendTo)?;
        }
        Ok((column, Value::lookup(&found.logical_name, id)))
    }
}

/// The objects of an array.
fn list(raw: &RawValue, set: &str) -> Result<Vec<Members>, ODataError> {
    serde_json::from_str(raw.get())
        .map_err(|error| payload_error(set, &format!("A collection must be an array: {error}")))
}
