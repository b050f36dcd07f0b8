//! Creating and updating one row with its related rows.

use uuid::Uuid;

use super::duplicate;
use crate::{
    api::{Call, key::RowKey, payload::Members},
    schema::{Column, ColumnKind, PrivilegeType, RequiredLevel, Table},
    store::{Layout, Row, Value, Writer},
    wire::ODataError,
};

/// `statecode` of activities.
const OPEN: i64 = 0;
const COMPLETED: i64 = 1;
const CANCELED: i64 = 2;

/// Columns that a new row must have, besides the texts and lookups that the platform
/// requires and does not fill itself.
const REQUIRED: [(&str, &str); 5] = [
    ("connection", "record1id"),
    ("connection", "record2id"),
    ("list", "createdfromcode"),
    ("queueitem", "objectid"),
    ("queueitem", "queueid"),
];

/// Columns that the platform numbers itself.
const NUMBERED: [&str; 3] = ["invoicenumber", "ordernumber", "quotenumber"];

/// Tables whose rows the platform makes and deletes: they are updated only, or come and go with
/// other rows.
const OF_PLATFORM: [&str; 6] = [
    "listmember",
    "organization",
    "processstage",
    "sdkmessage",
    "sdkmessagefilter",
    "usersettings",
];

/// How deep new rows may contain new rows.
const MAX_DEPTH: usize = 16;

impl Call<'_> {
    /// Creates a row from a body; `fixed` values apply where the body has none.
    pub(in crate::api) fn create_record(
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
        require_not_of_platform(table, "Create")?;
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
        self.store_images(writer, table, None, &mut row)?;
        self.prepare_new(writer, table, &mut row)?;
        let mut completer = writer.completer(table, self.author())?;
        completer.complete(&mut row)?;
        require_given(table, layout, &row)?;
        self.require_creatable(writer, table, &row)?;
        require_state(
            table,
            layout.get(&row, "statecode"),
            layout.get(&row, "statuscode"),
            id,
        )?;
        require_unique_keys(writer, table, &row, id)?;
        self.require_no_duplicate(writer, table, &row, id)?;
        writer.insert(&table.logical_name, &row)?;
        self.created(writer, table, id)?;
        for (child, column, nested) in &intent.after {
            let child = self.model().table(child)?;
            let link = [(column.clone(), Value::lookup(&table.logical_name, id))];
            // Parties are parts of their activity and not appended to it.
            if !child.is_activity_party {
                self.caller.depth(child, PrivilegeType::Append)?;
                self.caller.depth(table, PrivilegeType::AppendTo)?;
            }
            self.create_nested(writer, child, nested, &link, depth + 1)?;
        }
        for (navigation, other, nested) in &intent.associated {
            let other = self.model().table(other)?;
            let other_id = self.create_nested(writer, other, nested, &[], depth + 1)?;
            self.associate(writer, table, id, navigation, other_id)?;
        }
        for (navigation, other, other_id) in &intent.related {
            let other = self.model().table(other)?;
            self.relate(writer, (table, id), navigation, (other, *other_id))?;
        }
        Ok(id)
    }

    /// Updates a row from a body. The columns of the key that addressed it are left alone.
    pub(in crate::api) fn update_record(
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
        self.store_images(writer, table, Some(&before.values), &mut after)?;
        let mut completer = writer.completer(table, self.author())?;
        if given.contains(&"statecode")
            && !given.contains(&"statuscode")
            && layout.differs(&before.values, &after, "statecode")
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
        let state = state.clone();
        if table.is_activity
            && matches!(state, Value::Int(COMPLETED | CANCELED))
            && *layout.get(&before.values, "statecode") == Value::Int(OPEN)
            && *layout.get(&after, "actualend") == Value::Null
        {
            layout.set(&mut after, "actualend", Value::DateTime(self.now()));
        }
        self.author().sign(layout, &mut after);
        if given.contains(&"transactioncurrencyid") {
            completer.set_rate(&mut after)?;
        }
        // A full name is composed of what is left of its parts.
        if given.contains(&"firstname") || given.contains(&"lastname") {
            layout.set(&mut after, "fullname", Value::Null);
        }
        completer.derive(&mut after)?;
        require_unique_keys(writer, table, &after, before.id)?;
        self.require_no_duplicate(writer, table, &after, before.id)?;
        self.check_update(writer, table, before, &after)?;
        writer.update(&table.logical_name, before, &after)?;
        self.updated(writer, table, before, &after)
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

/// Rejects a new row without a required value (reference §7.2).
fn require_given(table: &Table, layout: &Layout, row: &[Value]) -> Result<(), ODataError> {
    let demanded = |column: &Column| {
        REQUIRED.contains(&(table.logical_name.as_str(), column.logical_name.as_str()))
            || column.required == RequiredLevel::SystemRequired
                && column.creatable
                && matches!(
                    column.kind,
                    ColumnKind::String { .. } | ColumnKind::Lookup { .. }
                )
                && !NUMBERED.contains(&column.logical_name.as_str())
    };
    let missing = table.columns.iter().find(|column| {
        let name = &column.logical_name;
        demanded(column) && layout.position(name).is_some() && *layout.get(row, name) == Value::Null
    });
    match missing {
        None => Ok(()),
        Some(column) => Err(ODataError::bad_request(
            "0x80040200",
            format!(
                "Required field '{}' of '{}' is missing.",
                column.logical_name, table.logical_name
            ),
        )),
    }
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

/// Rejects to create or delete rows that only the platform does.
pub(super) fn require_not_of_platform(table: &Table, method: &str) -> Result<(), ODataError> {
    if OF_PLATFORM.contains(&table.logical_name.as_str()) {
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
        .map_or_else(|| state.to_string(), |choice| choice.label.text.clone());
    Err(ODataError::bad_request(
        "0x80048408",
        format!(
            "{status} is not a valid status code for state code {}State.{label} on {} with Id {id}.",
            table.schema_name, table.logical_name
        ),
    ))
}
