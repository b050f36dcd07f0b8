//! Duplicate detection: rules, and writes that request it (reference §7.5).

use rusqlite::types::Value as SqlValue;
use serde_json::json;
use uuid::Uuid;

use crate::{
    api::{
        Call, Response,
        payload::{Members, payload_error},
    },
    schema::{PrivilegeType, Table},
    store::{Stored, Value, Writer},
    wire::ODataError,
};

/// `statecode` and `statuscode` of a rule that is in force, and of one that is not.
const PUBLISHED: (i64, i64) = (1, 2);
const UNPUBLISHED: (i64, i64) = (0, 0);

const SECONDS_OF_DAY: i64 = 86_400;

/// How a rule compares two columns.
struct Criterion {
    base: String,
    matching: String,
    operator: i64,
    length: i64,
    ignores_blanks: bool,
}

impl Call<'_> {
    /// Rejects a duplicate, if the client requests duplicate detection.
    pub(super) fn require_no_duplicate(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        row: &[Value],
        id: Uuid,
    ) -> Result<(), ODataError> {
        let suppressed = self.request.header("mscrm.suppressduplicatedetection");
        if !suppressed.is_some_and(|value| value.eq_ignore_ascii_case("false")) {
            return Ok(());
        }
        let mut statement = writer.connection().prepare_cached(
            "SELECT duplicateruleid, matchingentityname, excludeinactiverecords FROM duplicaterule \
             WHERE baseentityname = ?1 AND statuscode = ?2",
        )?;
        let rules = statement.query_map((&table.logical_name, PUBLISHED.1), |row| {
            let inactive: Option<bool> = row.get(2)?;
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                inactive == Some(true),
            ))
        })?;
        for rule in rules {
            let (rule, matching, only_active) = rule?;
            let Some(other) = self.model().schema.table(&matching) else {
                continue;
            };
            let criteria = criteria(writer, &rule)?;
            if is_found(writer, table, row, id, other, &criteria, only_active)? {
                return Err(ODataError::precondition(
                    "0x80040333",
                    "A record was not created or updated because a duplicate of the current \
                     record already exists.",
                ));
            }
        }
        Ok(())
    }

    /// `POST duplicaterules(id)/Microsoft.Dynamics.CRM.PublishDuplicateRule`; the job is done at
    /// once.
    pub(in crate::api) fn publish_rule(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
    ) -> Result<Response, ODataError> {
        self.set_rule(writer, table, id, PUBLISHED)?;
        Ok(self.complex(
            "PublishDuplicateRuleResponse",
            json!({"JobId": Uuid::new_v4()}),
        ))
    }

    /// `POST UnpublishDuplicateRule` with `{"DuplicateRuleId":"…"}`.
    pub(in crate::api) fn unpublish_rule(
        &self,
        writer: &Writer<'_>,
    ) -> Result<Response, ODataError> {
        let body = Members::parse(&self.request.body, "UnpublishDuplicateRule")?;
        let id = body
            .text("DuplicateRuleId")
            .and_then(|text| crate::api::key::parse_id(&text))
            .ok_or_else(|| {
                let problem = "The body has no GUID 'DuplicateRuleId'.";
                payload_error("UnpublishDuplicateRule", problem)
            })?;
        let table = self.model().table("duplicaterule")?;
        self.set_rule(writer, table, id, UNPUBLISHED)?;
        Ok(Response::empty(axum::http::StatusCode::NO_CONTENT))
    }

    fn set_rule(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        id: Uuid,
        (state, status): (i64, i64),
    ) -> Result<(), ODataError> {
        let name = &table.logical_name;
        self.require_access(writer.connection(), table, id, PrivilegeType::Write)?;
        let before = writer
            .row(name, id)?
            .ok_or_else(|| ODataError::no_row(name, id))?;
        let layout = writer.store().layout(name)?;
        let mut after = before.values.clone();
        layout.set(&mut after, "statecode", Value::Int(state));
        layout.set(&mut after, "statuscode", Value::Int(status));
        self.author().sign(layout, &mut after);
        writer.update(name, &before, &after)?;
        Ok(())
    }
}

fn criteria(writer: &Writer<'_>, rule: &str) -> Result<Vec<Criterion>, ODataError> {
    let mut statement = writer.connection().prepare_cached(
        "SELECT baseattributename, matchingattributename, operatorcode, operatorparam, \
         ignoreblankvalues FROM duplicaterulecondition WHERE regardingobjectid = ?1",
    )?;
    let criteria = statement.query_map([rule], |row| {
        Ok(Criterion {
            base: row.get(0)?,
            matching: row.get(1)?,
            operator: row.get::<_, Option<i64>>(2)?.unwrap_or(0),
            length: row.get::<_, Option<i64>>(3)?.unwrap_or(0),
            ignores_blanks: row.get::<_, Option<bool>>(4)? == Some(true),
        })
    })?;
    Ok(criteria.collect::<Result<_, _>>()?)
}

/// Whether another row meets all criteria; a rule without criteria finds none.
fn is_found(
    writer: &Writer<'_>,
    table: &Table,
    row: &[Value],
    id: Uuid,
    other: &Table,
    criteria: &[Criterion],
    only_active: bool,
) -> Result<bool, ODataError> {
    let base = writer.store().layout(&table.logical_name)?;
    let layout = writer.store().layout(&other.logical_name)?;
    let mut conditions = vec![format!("\"{}\" <> ?", layout.primary_id)];
    if only_active && layout.position("statecode").is_some() {
        conditions.push("statecode = 0".to_owned());
    }
    let mut values = vec![SqlValue::Text(id.to_string())];
    for criterion in criteria {
        let Some(slot) = layout
            .position(&criterion.matching)
            .and_then(|at| layout.slots.get(at))
        else {
            return Ok(false);
        };
        let column = format!("\"{}\"", slot.name);
        match (base.get(row, &criterion.base), slot.stored) {
            (Value::Null, _) if criterion.ignores_blanks => return Ok(false),
            (Value::Null, _) => conditions.push(format!("{column} IS NULL")),
            (value, stored) => {
                let (condition, value) = compared(criterion, &column, value, stored);
                let Some(value) = value else {
                    return Ok(false);
                };
                conditions.push(condition);
                values.push(value);
            }
        }
    }
    if criteria.is_empty() || !writer.store().has_made(&other.logical_name) {
        return Ok(false);
    }
    let sql = format!(
        "SELECT 1 FROM \"{}\" WHERE {}",
        layout.table,
        conditions.join(" AND ")
    );
    let mut statement = writer.connection().prepare_cached(&sql)?;
    Ok(statement.exists(rusqlite::params_from_iter(values))?)
}

/// The condition on a column, with the value to compare it to; none if they do not compare.
fn compared(
    criterion: &Criterion,
    column: &str,
    value: &Value,
    stored: Stored,
) -> (String, Option<SqlValue>) {
    let equal = format!("{column} = ?");
    match (criterion.operator, value) {
        (1 | 2, Value::Text(text)) => {
            let length = usize::try_from(criterion.length).unwrap_or(0);
            let from = if criterion.operator == 1 {
                1
            } else {
                -criterion.length
            };
            let skipped = text.chars().count().saturating_sub(length);
            let part: String = if criterion.operator == 1 {
                text.chars().take(length).collect()
            } else {
                text.chars().skip(skipped).collect()
            };
            let sql = format!(
                "substr({column}, {from}, {length}) = ?{}",
                crate::store::COLLATE
            );
            (sql, Some(SqlValue::Text(part)))
        }
        (3, Value::DateTime(at)) => (
            format!("{column} - {column} % {SECONDS_OF_DAY} = ?"),
            Some(SqlValue::Integer(at - at.rem_euclid(SECONDS_OF_DAY))),
        ),
        (_, Value::Text(text)) => (equal, Some(SqlValue::Text(text.clone()))),
        (_, Value::Int(number)) => (equal, Some(SqlValue::Integer(*number))),
        (_, Value::Bool(flag)) => (equal, Some(SqlValue::Integer((*flag).into()))),
        (_, Value::DateTime(at)) => (equal, Some(SqlValue::Integer(*at))),
        (_, Value::Guid(id) | Value::Lookup { id, .. }) => {
            (equal, Some(SqlValue::Text(id.to_string())))
        }
        (_, Value::Decimal(number)) => {
            let units = match stored {
                Stored::Scaled(scale) => number.units_at(scale),
                _ => None,
            };
            (equal, units.map(SqlValue::Integer))
        }
        (_, Value::Double(number)) => (equal, Some(SqlValue::Real(*number))),
        (_, Value::Null) => (equal, None),
    }
}
