//! `Merge`: two accounts, contacts or leads become one (reference §12.4).

use axum::http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        key::RowKey,
        payload::{Members, member, payload_error},
    },
    schema::{PrivilegeType, Relationship, Table},
    store::{Row, Value, Writer},
    wire::ODataError,
};

/// The tables whose rows merge, with the column of a row's parent and the state and status of
/// what has been merged into another.
const MERGEABLE: [(&str, Option<&str>, i64, i64); 3] = [
    ("account", Some("parentaccountid"), 1, 2),
    ("contact", Some("parentcustomerid"), 1, 2),
    ("lead", None, 2, 7),
];

/// Whether `Merge` takes rows of the table.
pub(in crate::api) fn is_mergeable(table: &str) -> bool {
    MERGEABLE.iter().any(|(known, ..)| *known == table)
}

impl Call<'_> {
    /// `POST Merge` with `{"Target":{…},"Subordinate":{…},"UpdateContent":{…},
    /// "PerformParentingChecks":false}`. What referred to the subordinate refers to the target
    /// afterwards, and the subordinate is deactivated. All but the two rows is written in the
    /// platform's own name.
    pub(in crate::api::operations) fn merge(
        &self,
        writer: &Writer<'_>,
    ) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, "Merge")?;
        let connection = writer.connection();
        let (table, target) = self.row_member(connection, &body, "Target")?;
        let (other_table, subordinate) = self.row_member(connection, &body, "Subordinate")?;
        let name = table.logical_name.as_str();
        let mergeable = MERGEABLE.iter().find(|(known, ..)| *known == name);
        let Some((_, parent, state, status)) = mergeable.filter(|_| table == other_table) else {
            return Err(ODataError::bad_request(
                "0x80040800",
                format!(
                    "The 'Merge' method does not support entities of type '{name}' with those of \
                     type '{}'.",
                    other_table.logical_name
                ),
            ));
        };
        self.caller.require_general("prvMerge")?;
        let mut rows = Vec::new();
        for id in [target, subordinate] {
            self.require_access(connection, table, id, PrivilegeType::Write)?;
            let row = writer.row(name, id)?;
            rows.push(row.ok_or_else(|| ODataError::no_row(name, id))?);
        }
        let [target, subordinate] = rows.as_slice() else {
            return Err(ODataError::no_row(name, target));
        };
        let checks = body
            .get("PerformParentingChecks")
            .ok_or_else(|| payload_error("Merge", "The body has no 'PerformParentingChecks'."))?;
        let checked = parent.filter(|_| checks.get() == "true");
        require_mergeable(writer, table, target, subordinate, checked)?;

        let content = body.get("UpdateContent").filter(|raw| raw.get() != "null");
        if let Some(content) = content {
            let content = Members::parse(content.get().as_bytes(), &table.entity_set_name)?;
            self.update_record(writer, table, target, &content, &RowKey::Primary(target.id))?;
        }
        self.move_references(writer, table, target.id, subordinate.id)?;
        let changes = vec![
            member("statecode", &json!(state))?,
            member("statuscode", &json!(status))?,
        ];
        let before = reread(writer, table, subordinate.id)?;
        let key = RowKey::Primary(subordinate.id);
        self.update_record(writer, table, &before, &Members(changes), &key)?;
        let before = reread(writer, table, subordinate.id)?;
        let layout = writer.store().layout(name)?;
        let mut after = before.values.clone();
        layout.set(&mut after, "merged", Value::Bool(true));
        layout.set(&mut after, "masterid", Value::lookup(name, target.id));
        writer.update(name, &before, &after)?;
        Ok(Response::empty(StatusCode::NO_CONTENT))
    }

    /// Lets what refers to one row refer to another of its table.
    fn move_references(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        to: Uuid,
        from: Uuid,
    ) -> Result<(), ODataError> {
        let name = &table.logical_name;
        let schema = writer.store().schema();
        for relationship in schema.relationships_of(name) {
            match relationship {
                Relationship::OneToMany {
                    referenced_table,
                    referencing_table,
                    referencing_column,
                    ..
                } if referenced_table == name
                    && referencing_table != "activitypointer"
                    && referencing_column != "masterid" =>
                {
                    let layout = writer.store().layout(referencing_table)?;
                    for id in writer.referring(referencing_table, referencing_column, from)? {
                        let Some(before) = writer.row(referencing_table, id)? else {
                            continue;
                        };
                        let itself = referencing_table == name && id == to;
                        let value = if itself {
                            Value::Null
                        } else {
                            Value::lookup(name, to)
                        };
                        let mut after = before.values.clone();
                        layout.set(&mut after, referencing_column, value);
                        self.author().sign(layout, &mut after);
                        let child = writer.store().table(referencing_table)?;
                        writer.completer(child, self.author())?.derive(&mut after)?;
                        writer.update(referencing_table, &before, &after)?;
                    }
                }
                Relationship::ManyToMany {
                    table1,
                    navigation1,
                    table2,
                    navigation2,
                    intersect_table,
                    intersect_column1,
                    intersect_column2,
                    ..
                } => {
                    for (side, near, far, navigation) in [
                        (table1, intersect_column1, intersect_column2, navigation1),
                        (table2, intersect_column2, intersect_column1, navigation2),
                    ] {
                        if side == name {
                            let through = (intersect_table.as_str(), near.as_str(), far.as_str());
                            self.move_links(writer, table, navigation, through, (from, to))?;
                        }
                    }
                }
                Relationship::OneToMany { .. } => {}
            }
        }
        Ok(())
    }

    /// Associates a row with what another one of its table was associated with.
    fn move_links(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        navigation: &str,
        (intersect, near, far): (&str, &str, &str),
        (from, to): (Uuid, Uuid),
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(intersect)?;
        let ends = |id: Uuid| -> Result<Vec<(Uuid, Uuid)>, ODataError> {
            let mut ends = Vec::new();
            for link in writer.referring(intersect, near, id)? {
                let row = writer.row(intersect, link)?;
                let end = row.and_then(|row| layout.get(&row.values, far).id());
                ends.extend(end.map(|end| (link, end)));
            }
            Ok(ends)
        };
        let there: Vec<Uuid> = ends(to)?.into_iter().map(|(_, end)| end).collect();
        for (link, end) in ends(from)? {
            writer.delete(intersect, link)?;
            if !there.contains(&end) {
                self.associate(writer, table, to, navigation, end)?;
            }
        }
        Ok(())
    }
}

/// Rejects rows that do not merge: one row, or one that is inactive, or whose parent is another.
fn require_mergeable(
    writer: &Writer<'_>,
    table: &Table,
    target: &Row,
    subordinate: &Row,
    parent: Option<&str>,
) -> Result<(), ODataError> {
    let refused = |problem: &str| Err(ODataError::bad_request("0x80040203", problem));
    let layout = writer.store().layout(&table.logical_name)?;
    if target.id == subordinate.id {
        return refused("A row cannot be merged with itself: Target and Subordinate are the same.");
    }
    for row in [target, subordinate] {
        if *layout.get(&row.values, "statecode") != Value::Int(0) {
            return refused("Only active rows are merged: activate the row first.");
        }
    }
    let of = |row: &Row, column: &str| layout.get(&row.values, column).id();
    let differs = |column: &str| of(target, column) != of(subordinate, column);
    if parent.is_some_and(differs) {
        return refused(
            "The rows have different parents: merge them without PerformParentingChecks.",
        );
    }
    Ok(())
}

fn reread(writer: &Writer<'_>, table: &Table, id: Uuid) -> Result<Row, ODataError> {
    let name = &table.logical_name;
    writer
        .row(name, id)?
        .ok_or_else(|| ODataError::no_row(name, id))
}
