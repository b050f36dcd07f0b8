//! Columns: created, replaced, deleted.

use axum::http::StatusCode;
use rusqlite::Connection;

use super::{DefinitionChange, body::Body, kind::Kinds};
use crate::{
    api::{Call, Response},
    schema::{
        Cascade, Column, ColumnKind, MAX_MONEY, Range, Relationship, RequiredLevel, Schema,
        SchemaChange, StringFormat, Table, metadata_id,
    },
    wire::ODataError,
};

impl Call<'_> {
    /// `POST EntityDefinitions(…)/Attributes`.
    pub(super) fn create_column(&self, connection: &Connection, table: &Table) -> DefinitionChange {
        self.caller.require_definitions("prvCreateAttribute")?;
        let body = self.body()?;
        let publishers = self.publishers(connection)?;
        let schema_name = body.needed_text("SchemaName")?;
        publishers.require(schema_name, "Attribute")?;
        require_extensible(table)?;
        let schema = &self.model().schema;
        let kinds = Kinds {
            schema,
            first_option: publishers.first_option,
        };
        let kind = kinds.read(&body)?;
        let column = column(table, schema_name, kind, &body)?;
        let mut changes = Vec::new();
        for part in parts(table, column) {
            require_new(table, &part.logical_name)?;
            changes.push(put(table, part));
        }
        changes.extend(currency(table, &changes));
        let id = metadata_id(&["column", &table.logical_name, &schema_name.to_lowercase()]);
        let address = format!("{}({id})", self.request.path.trim_end_matches('/'));
        Ok((changes, self.defined(&address)))
    }

    /// `PUT EntityDefinitions(…)/Attributes(…)`: what the body leaves out falls back to what a
    /// new column has.
    pub(super) fn replace_column(&self, table: &Table, before: &Column) -> DefinitionChange {
        self.caller.require_definitions("prvWriteAttribute")?;
        let body = self.body()?;
        let mut after = before.clone();
        if !before.is_lookup() {
            let kinds = Kinds {
                schema: &self.model().schema,
                first_option: 0,
            };
            after.kind = kinds.of_existing(&body, &before.kind)?;
        }
        if before.required != RequiredLevel::SystemRequired {
            after.required = body.required_level()?;
        }
        after.display_name = body.label("DisplayName")?.or(after.display_name);
        after.description = body.label("Description")?.or(after.description);
        after.audited = body
            .managed_flag("IsAuditEnabled")?
            .unwrap_or(after.audited);
        after.secured = body.flag("IsSecured")?.unwrap_or(after.secured);
        if after.secured && !before.secured {
            require_securable(&after)?;
        }
        let secured = after.secured;
        let base = table
            .column(&format!("{}_base", after.logical_name))
            .cloned();
        let mut changes = vec![put(table, after)];
        changes.extend(base.map(|base| put(table, Column { secured, ..base })));
        Ok((changes, Response::empty(StatusCode::NO_CONTENT)))
    }

    /// `DELETE EntityDefinitions(…)/Attributes(…)`.
    pub(super) fn delete_column(&self, table: &Table, column: &Column) -> DefinitionChange {
        self.caller.require_definitions("prvDeleteAttribute")?;
        let done = Response::empty(StatusCode::NO_CONTENT);
        Ok((removals(table, column)?, done))
    }
}

/// What puts a column into a table from outside the Web API, whatever its name: the changes that
/// `body`, a definition as it would be posted, asks for. A column of its name is replaced.
pub(crate) fn column_from_outside(
    schema: &Schema,
    table: &str,
    body: &[u8],
) -> Result<Vec<SchemaChange>, ODataError> {
    let table = outside_table(schema, table)?;
    let body = Body::parse(body)?;
    let schema_name = body.needed_text("SchemaName")?;
    let lookup = body.list("Targets")?;
    let targets = lookup.map(|targets| {
        let names = targets.iter().filter_map(serde_json::Value::as_str);
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    let kind = match &targets {
        Some(targets) => ColumnKind::Lookup {
            targets: targets.clone(),
        },
        None => Kinds {
            schema,
            first_option: 1,
        }
        .read(&body)?,
    };
    let column = column(table, schema_name, kind, &body)?;
    let mut changes: Vec<SchemaChange> = Vec::new();
    for target in targets.into_iter().flatten() {
        let referenced = outside_table(schema, &target)?;
        let name = format!("{}_{schema_name}_{target}", table.logical_name);
        changes.push(SchemaChange::PutRelationship(Relationship::OneToMany {
            referenced_table: target,
            referenced_column: referenced.primary_id.clone(),
            referencing_table: table.logical_name.clone(),
            referencing_column: column.logical_name.clone(),
            referencing_navigation: schema_name.to_owned(),
            referenced_navigation: Some(name.clone()),
            schema_name: name,
            cascade_delete: Cascade::RemoveLink,
        }));
    }
    changes.extend(
        parts(table, column)
            .into_iter()
            .map(|part| put(table, part)),
    );
    changes.extend(currency(table, &changes));
    Ok(changes)
}

/// What removes a column from outside the Web API, one of the platform's too.
pub(crate) fn column_gone(
    schema: &Schema,
    table: &str,
    column: &str,
) -> Result<Vec<SchemaChange>, ODataError> {
    let table = outside_table(schema, table)?;
    let column = table
        .column(column)
        .ok_or_else(|| ODataError::unknown_property(column, &table.logical_name))?;
    let custom = Column {
        is_custom: true,
        ..column.clone()
    };
    removals(table, &custom)
}

fn outside_table<'s>(schema: &'s Schema, name: &str) -> Result<&'s Table, ODataError> {
    let table = schema.table(name);
    table.ok_or_else(|| {
        ODataError::bad_request("0x80041102", format!("There is no table '{name}'."))
    })
}

/// What removing a column removes, or why it cannot be removed.
pub(crate) fn removals(table: &Table, column: &Column) -> Result<Vec<SchemaChange>, ODataError> {
    let name = &column.logical_name;
    if !column.is_custom || *name == table.primary_id || table.primary_name.as_ref() == Some(name) {
        return Err(ODataError::bad_request(
            "0x80040203",
            format!(
                "The column '{name}' of '{}' cannot be deleted: only columns added by a \
                 customization can.",
                table.logical_name
            ),
        ));
    }
    if table.keys.iter().any(|key| key.columns.contains(name)) {
        return Err(ODataError::bad_request(
            "0x8004f01f",
            format!(
                "The Attribute({}) component cannot be deleted because it is referenced by 1 \
                 other components. For a list of referenced components, use the \
                 RetrieveDependenciesForDeleteRequest.",
                column.metadata_id
            ),
        ));
    }
    let belongs = |other: &&Column| {
        let other = &other.logical_name;
        other == name
            || match &column.kind {
                ColumnKind::Money { .. } => *other == format!("{name}_base"),
                ColumnKind::Image { .. } => {
                    let part = other.strip_prefix(name.as_str());
                    part.is_some_and(|part| matches!(part, "id" | "_timestamp" | "_url"))
                }
                ColumnKind::File { .. } => *other == format!("{name}_name"),
                _ => false,
            }
    };
    let columns = table.columns.iter().filter(belongs);
    Ok(columns
        .map(|column| SchemaChange::RemoveColumn {
            table: table.logical_name.clone(),
            column: column.logical_name.clone(),
        })
        .collect())
}

/// A new custom column.
pub(super) fn column(
    table: &Table,
    schema_name: &str,
    kind: ColumnKind,
    body: &Body,
) -> Result<Column, ODataError> {
    let column = Column {
        display_name: body.label("DisplayName")?,
        description: body.label("Description")?,
        required: body.required_level()?,
        secured: body.flag("IsSecured")?.unwrap_or(false),
        audited: body.managed_flag("IsAuditEnabled")?.unwrap_or(true),
        ..plain(table, schema_name, kind)
    };
    if column.display_name.is_none() {
        return Err(ODataError::bad_request(
            "0x80040203",
            "Required field 'DisplayName' is missing",
        ));
    }
    if column.secured {
        require_securable(&column)?;
    }
    Ok(column)
}

/// A custom column with nothing but name and type.
pub(crate) fn plain(table: &Table, schema_name: &str, kind: ColumnKind) -> Column {
    Column {
        is_custom: true,
        ..Column::plain(&table.logical_name, schema_name, kind)
    }
}

/// A column and those that come with it: of an amount the one in base currency, of an image its
/// key, time and address, of a file nothing.
pub(crate) fn parts(table: &Table, mut column: Column) -> Vec<Column> {
    let name = column.schema_name.clone();
    let read_only = |schema_name: String, kind| Column {
        creatable: false,
        updatable: false,
        ..plain(table, &schema_name, kind)
    };
    let mut parts = Vec::new();
    match &column.kind {
        ColumnKind::Money { .. } => {
            let mut base = read_only(
                format!("{name}_Base"),
                ColumnKind::Money {
                    precision: 4,
                    range: Range::around_zero(MAX_MONEY),
                    precision_source: 2,
                },
            );
            base.display_name = column
                .display_name
                .as_ref()
                .map(|label| format!("{} (Base)", label.text).into());
            parts.push(base);
        }
        ColumnKind::Image { .. } => {
            let key = format!("{name}Id");
            column.attribute_of = Some(key.to_lowercase());
            parts.push(read_only(key.clone(), ColumnKind::Uniqueidentifier));
            let address = ColumnKind::String {
                max_length: 2048,
                format: StringFormat::Url,
            };
            for (suffix, kind) in [("_Timestamp", ColumnKind::BigInt), ("_URL", address)] {
                let mut part = read_only(format!("{name}{suffix}"), kind);
                part.attribute_of = Some(key.to_lowercase());
                parts.push(part);
            }
        }
        _ => {}
    }
    parts.push(column);
    parts
}

/// The first amount of a table brings its currency and exchange rate along.
pub(crate) fn currency(table: &Table, changes: &[SchemaChange]) -> Vec<SchemaChange> {
    let amount = |change: &SchemaChange| {
        matches!(change, SchemaChange::PutColumn { column, .. }
            if matches!(column.kind, ColumnKind::Money { .. }))
    };
    if !changes.iter().any(amount) || table.column("transactioncurrencyid").is_some() {
        return Vec::new();
    }
    let targets = vec!["transactioncurrency".to_owned()];
    let mut lookup = plain(
        table,
        "TransactionCurrencyId",
        ColumnKind::Lookup { targets },
    );
    lookup.display_name = Some("Currency".into());
    lookup.is_custom = false;
    let rate = ColumnKind::Decimal {
        precision: 12,
        range: Range::around_zero(crate::schema::MAX_DECIMAL),
    };
    let mut rate = plain(table, "ExchangeRate", rate);
    rate.display_name = Some("Exchange Rate".into());
    (rate.creatable, rate.updatable, rate.is_custom) = (false, false, false);
    let name = format!("TransactionCurrency_{}", table.schema_name);
    let relationship = Relationship::OneToMany {
        referenced_table: "transactioncurrency".to_owned(),
        referenced_column: "transactioncurrencyid".to_owned(),
        referencing_table: table.logical_name.clone(),
        referencing_column: "transactioncurrencyid".to_owned(),
        referencing_navigation: "transactioncurrencyid".to_owned(),
        referenced_navigation: Some(name.clone()),
        schema_name: name,
        cascade_delete: Cascade::Restrict,
    };
    vec![
        put(table, lookup),
        put(table, rate),
        SchemaChange::PutRelationship(relationship),
    ]
}

pub(crate) fn put(table: &Table, column: Column) -> SchemaChange {
    SchemaChange::PutColumn {
        table: table.logical_name.clone(),
        column,
    }
}

/// Rejects a column whose name exists.
pub(super) fn require_new(table: &Table, name: &str) -> Result<(), ODataError> {
    if table.column(name).is_none() {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x80047013",
        format!(
            "An attribute with the specified name {name} already exists in the entity {}.",
            table.logical_name
        ),
    ))
}

/// Rejects a table that takes no columns (`CanCreateAttributes`).
pub(super) fn require_extensible(table: &Table) -> Result<(), ODataError> {
    if !table.is_intersect {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x80040203",
        format!(
            "No column can be added to the table '{}'.",
            table.logical_name
        ),
    ))
}

fn require_securable(column: &Column) -> Result<(), ODataError> {
    if column.can_be_secured() || matches!(column.kind, ColumnKind::Image { .. }) {
        return Ok(());
    }
    Err(ODataError::bad_request(
        "0x8004f508",
        format!(
            "The column '{}' is not enabled for field level security.",
            column.logical_name
        ),
    ))
}
