//! Creating and updating one row, with what hangs on it.

use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    duplicate,
    payload::{Members, invalid_property, payload_error, undeclared_navigation, value_of},
};
use crate::{
    api::{Call, key::RowKey},
    odata::{Navigation, ODataError},
    schema::{Column, ColumnKind, PrivilegeType, RequiredLevel, Table},
    store::{Row, Value, Writer},
};

/// How deep new rows may contain new rows.
const MAX_DEPTH: usize = 16;

/// What a body asks for, by the columns and navigation properties it names.
#[derive(Default)]
struct Intent<'a> {
    columns: Vec<(&'a Column, Value)>,
    /// Rows to create first, and the lookups that will refer to them.
    before: Vec<(String, String, Members)>,
    /// Rows to create after: of this table, with this lookup to the new row.
    after: Vec<(String, String, Members)>,
    /// Rows to create after and to associate: navigation property, table, row.
    associated: Vec<(String, String, Members)>,
}

impl Call<'_> {
    /// Creates a row from a body; `fixed` values apply where the body has none.
    pub(super) fn create_record(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        members: &Members,
        fixed: &[(String, Value)],
    ) -> Result<Uuid, ODataError> {
        require_alone(table, fixed)?;
        self.create_nested(writer, table, members, fixed, 0)
    }

    fn create_nested(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        members: &Members,
        fixed: &[(String, Value)],
        depth: usize,
    ) -> Result<Uuid, ODataError> {
        if depth > MAX_DEPTH {
            return Err(ODataError::bad_request(
                "0x80060888",
                format!("New rows are nested more than {MAX_DEPTH} deep."),
            ));
        }
        require_writable(table, "Create")?;
        self.caller.depth(table, PrivilegeType::Create)?;
        let intent = self.intent(writer, table, members, true)?;
        let layout = writer.store().layout(&table.logical_name)?;
        let mut row = layout.empty_row();
        for (name, value) in fixed {
            layout.set(&mut row, name, value.clone());
        }
        for (column, value) in &intent.columns {
            layout.set(&mut row, &column.logical_name, value.clone());
        }
        for (column, target, nested) in &intent.before {
            let target = self.model().table(target)?;
            self.caller.depth(table, PrivilegeType::Append)?;
            self.caller.depth(target, PrivilegeType::AppendTo)?;
            let id = self.create_nested(writer, target, nested, &[], depth + 1)?;
            layout.set(&mut row, column, Value::lookup(&target.logical_name, id));
        }
        let id = if let Some(id) = layout.get(&row, &table.primary_id).id() {
            id
        } else {
            let id = Uuid::new_v4();
            layout.set(&mut row, &table.primary_id, Value::Guid(id));
            id
        };
        if writer.row(&table.logical_name, id)?.is_some() {
            return Err(duplicate());
        }
        if let Value::DateTime(_) = layout.get(&row, "overriddencreatedon") {
            // Backdating: the column keeps the real time, `createdon` takes the one given.
            let backdated = layout.get(&row, "overriddencreatedon").clone();
            layout.set(&mut row, "createdon", backdated);
            layout.set(&mut row, "overriddencreatedon", Value::DateTime(self.now()));
            layout.set(&mut row, "modifiedon", Value::DateTime(self.now()));
        }
        self.prepare_new(writer, table, &mut row)?;
        let mut completer = writer.completer(table, self.author())?;
        completer.complete(&mut row)?;
        self.require_creatable(writer, table, &row)?;
        require_state(
            table,
            layout.get(&row, "statecode"),
            layout.get(&row, "statuscode"),
            id,
        )?;
        require_unique_keys(writer, table, &row, id)?;
        writer.insert(&table.logical_name, &row)?;
        self.created(writer, table, id)?;
        for (child, column, nested) in &intent.after {
            let child = self.model().table(child)?;
            let link = [(column.clone(), Value::lookup(&table.logical_name, id))];
            self.caller.depth(child, PrivilegeType::Append)?;
            self.caller.depth(table, PrivilegeType::AppendTo)?;
            self.create_nested(writer, child, nested, &link, depth + 1)?;
        }
        for (navigation, other, nested) in &intent.associated {
            let other = self.model().table(other)?;
            let other_id = self.create_nested(writer, other, nested, &[], depth + 1)?;
            self.associate(writer, table, id, navigation, other_id)?;
        }
        Ok(id)
    }

    /// Updates a row from a body. The columns of the key that addressed it are left alone.
    pub(super) fn update_record(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        before: &Row,
        members: &Members,
        key: &RowKey,
    ) -> Result<(), ODataError> {
        require_writable(table, "Update")?;
        self.caller.depth(table, PrivilegeType::Write)?;
        let intent = self.intent(writer, table, members, false)?;
        if !intent.after.is_empty() || !intent.associated.is_empty() || !intent.before.is_empty() {
            return Err(ODataError::bad_request(
                "0x80060888",
                "Related rows cannot be created by an update.",
            ));
        }
        let layout = writer.store().layout(&table.logical_name)?;
        let mut after = before.values.clone();
        let mut given = Vec::new();
        for (column, value) in intent.columns {
            let name = &column.logical_name;
            let required = column.required == RequiredLevel::SystemRequired
                || column.kind == ColumnKind::Owner;
            if value == Value::Null && required {
                return Err(ODataError::bad_request(
                    "0x80040203",
                    format!(
                        "The column '{name}' of '{}' cannot be null.",
                        table.logical_name
                    ),
                ));
            }
            let in_key = matches!(key, RowKey::Alternate { columns, .. }
                if columns.iter().any(|(known, _)| crate::api::key::column_name(known) == name));
            if in_key || *name == table.primary_id {
                continue;
            }
            let changes = *layout.get(&before.values, name) != value;
            if changes && column.is_lookup() && value != Value::Null {
                let kind = if name == "ownerid" {
                    PrivilegeType::Assign
                } else {
                    PrivilegeType::Append
                };
                self.require_access(writer.connection(), table, before.id, kind)?;
            }
            given.push(name.as_str());
            layout.set(&mut after, name, value);
        }
        let mut completer = writer.completer(table, self.author())?;
        if given.contains(&"statecode")
            && !given.contains(&"statuscode")
            && layout.get(&after, "statecode") != layout.get(&before.values, "statecode")
            && let Value::Int(state) = *layout.get(&after, "statecode")
            && let Some(status) = completer.default_status(state)
        {
            layout.set(&mut after, "statuscode", Value::Int(status));
        }
        let (state, status) = (
            layout.get(&after, "statecode"),
            layout.get(&after, "statuscode"),
        );
        require_state(table, state, status, before.id)?;
        layout.set(&mut after, "modifiedon", Value::DateTime(self.now()));
        layout.set(
            &mut after,
            "modifiedby",
            Value::lookup("systemuser", self.caller.user),
        );
        if given.contains(&"transactioncurrencyid") {
            completer.set_rate(&mut after)?;
        }
        completer.derive(&mut after)?;
        require_unique_keys(writer, table, &after, before.id)?;
        self.check_update(writer, table, before, &after)?;
        writer.update(&table.logical_name, before, &after)?;
        self.updated(writer, table, before, &after)
    }

    /// Understands the members of a body.
    fn intent<'t>(
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
                // A lookup may be cleared by its logical name, whatever its navigation is called.
                let cleared = table
                    .column(name)
                    .filter(|c| c.is_lookup() && raw.get() == "null");
                let column = cleared.ok_or_else(|| invalid_property(table, name))?;
                intent.columns.push((column, Value::Null));
            }
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

fn require_unique_keys(
    writer: &Writer<'_>,
    table: &Table,
    row: &[Value],
    id: Uuid,
) -> Result<(), ODataError> {
    if let Some(key) = writer.violated_key(table, row, id)? {
        return Err(ODataError::precondition(
            "0x80060892",
            format!(
                "Entity Key {} violated. A record with the same value for {} already exists. A \
                 duplicate record cannot be created. Select one or more unique values and try \
                 again.",
                key.display_name,
                key.columns.join(", ")
            ),
        ));
    }
    Ok(())
}

/// The objects of an array.
fn list(raw: &RawValue, set: &str) -> Result<Vec<Members>, ODataError> {
    serde_json::from_str(raw.get())
        .map_err(|error| payload_error(set, &format!("A collection must be an array: {error}")))
}

/// Parties are created with their activity (reference §12.3).
fn require_alone(table: &Table, fixed: &[(String, Value)]) -> Result<(), ODataError> {
    if table.is_activity_party && fixed.is_empty() {
        return Err(unsupported_method(table, "Create"));
    }
    Ok(())
}

/// Some tables are the platform's own, and activities are listed in one that is written through
/// theirs (reference §12.3).
pub(super) fn require_writable(table: &Table, method: &str) -> Result<(), ODataError> {
    if table.is_read_only || table.logical_name == "activitypointer" {
        return Err(unsupported_method(table, method));
    }
    Ok(())
}

fn unsupported_method(table: &Table, method: &str) -> ODataError {
    ODataError::bad_request(
        "0x80040800",
        format!(
            "The '{method}' method does not support entities of type '{}'.",
            table.logical_name
        ),
    )
}

/// The status has to belong to the state.
fn require_state(table: &Table, state: &Value, status: &Value, id: Uuid) -> Result<(), ODataError> {
    let (Value::Int(state), Value::Int(status)) = (state, status) else {
        return Ok(());
    };
    let statuses = table
        .column("statuscode")
        .map(Column::choices)
        .unwrap_or_default();
    let fits = statuses.iter().any(|choice| {
        i64::from(choice.value) == *status && choice.state.is_none_or(|of| i64::from(of) == *state)
    });
    if fits || statuses.is_empty() {
        return Ok(());
    }
    let labels = table
        .column("statecode")
        .map(Column::choices)
        .unwrap_or_default();
    let label = labels
        .iter()
        .find(|choice| i64::from(choice.value) == *state)
        .map_or_else(|| state.to_string(), |choice| choice.label.clone());
    Err(ODataError::bad_request(
        "0x80048408",
        format!(
            "{status} is not a valid status code for state code {}State.{label} on {} with Id {id}.",
            table.schema_name, table.logical_name
        ),
    ))
}
