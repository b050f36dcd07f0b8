//! The statements for expanded navigation properties.

use rusqlite::{Connection, types::Value as SqlValue};

use super::{ExpandPlan, Kind, Many, Rows};
use crate::{
    api::{Call, request::MAX_PAGE},
    odata::{
        Navigation,
        fragment::Sql,
        options::{Expand, Options},
        plan::Plan,
        sql::{Compiler, collate},
    },
    schema::{PrivilegeType, Table},
    wire::ODataError,
};

/// Plans the expanded properties of rows of `table`, adding to `plan` the columns they need.
pub(in crate::api::read) fn plans<'a>(
    call: &'a Call<'a>,
    connection: &'a Connection,
    table: &'a Table,
    items: &'a [Expand],
    plan: &mut Plan,
) -> Result<Vec<ExpandPlan<'a>>, ODataError> {
    let nested = items.iter().any(|item| !item.options.expand.is_empty());
    let planner = Planner {
        call,
        connection,
        nested,
    };
    let plans: Vec<_> = items
        .iter()
        .map(|item| planner.plan(table, item, plan, false))
        .collect::<Result<_, _>>()?;
    let associated = |item: &&Expand| {
        let navigation = call
            .model()
            .navigation(&table.logical_name, &item.navigation);
        matches!(navigation, Some(Navigation::Associated { .. }))
    };
    let many_to_many = items.iter().filter(associated).count();
    if many_to_many > 0 && many_to_many < items.len() {
        return Err(unsupported(
            "Expand on a many-to-many relationship cannot be combined with expand on a \
             one-to-many or many-to-one relationship.",
        ));
    }
    Ok(plans)
}

struct Planner<'a> {
    call: &'a Call<'a>,
    connection: &'a Connection,
    /// Whether any expand contains another.
    nested: bool,
}

impl<'a> Planner<'a> {
    fn plan(
        &self,
        table: &'a Table,
        item: &'a Expand,
        plan: &mut Plan,
        inner: bool,
    ) -> Result<ExpandPlan<'a>, ODataError> {
        let model = self.call.model();
        let name = item.navigation.as_str();
        let navigation = model
            .navigation(&table.logical_name, name)
            .ok_or_else(|| ODataError::unknown_property(name, &table.logical_name))?;
        let options = &item.options;
        let kind = match navigation {
            Navigation::ToOwner => {
                let id_at = add(plan, "t.\"ownerid\"");
                let type_at = add(plan, "t.\"ownerid$type\"");
                Kind::Owner {
                    id_at,
                    type_at,
                    references: item.references,
                }
            }
            Navigation::ToOne { column, target } => {
                refuse_order_and_top(options, true)?;
                let target = model.table(target)?;
                // The log's users are expanded to null (reference §10).
                let id_at = match table.logical_name.as_str() {
                    "audit" => add(plan, "NULL"),
                    _ => add(plan, &format!("t.\"{column}\"")),
                };
                let condition = format!("t.\"{}\" = ?", target.primary_id);
                let rows = self.rows(target, item, &[], &condition, None)?;
                Kind::One {
                    id_at,
                    rows,
                    target,
                    references: item.references,
                }
            }
            Navigation::ToMany {
                table: child,
                column,
            } => {
                self.refuse_collection(item)?;
                let child = model.table(child)?;
                let condition = format!("t.\"{column}\" = ?");
                let foreign_key = format!("_{column}_value");
                self.many(table, child, item, &[foreign_key], &condition)?
            }
            Navigation::Associated {
                table: other,
                intersect,
                near,
                far,
            } => {
                self.refuse_collection(item)?;
                if inner || self.nested {
                    return Err(unsupported(
                        "Expand on a many-to-many relationship cannot be nested.",
                    ));
                }
                let other = model.table(other)?;
                let condition = format!(
                    "t.\"{}\" IN (SELECT \"{far}\" FROM \"{intersect}\" WHERE \"{near}\" = ?)",
                    other.primary_id
                );
                self.many(table, other, item, &[], &condition)?
            }
        };
        Ok(ExpandPlan {
            name,
            kind,
            connection: self.connection,
        })
    }

    fn refuse_collection(&self, item: &Expand) -> Result<(), ODataError> {
        if item.references {
            return Err(unsupported(
                "Expand with $ref is only supported on lookup type navigation property.",
            ));
        }
        refuse_order_and_top(&item.options, self.nested)
    }

    fn many(
        &self,
        parent: &'a Table,
        child: &'a Table,
        item: &'a Expand,
        also: &[String],
        condition: &str,
    ) -> Result<Kind<'a>, ODataError> {
        let page = if self.nested {
            Some(self.call.prefer.page_size.unwrap_or(MAX_PAGE))
        } else {
            None
        };
        let limit = page.map_or(MAX_PAGE, |page| page + 1);
        let limit = item.options.top.map_or(limit, |top| top.min(limit));
        let rows = self.rows(child, item, also, condition, Some(limit))?;
        let link = item
            .text
            .split(';')
            .filter(|part| !part.is_empty())
            .map(|part| part.replace(' ', "%20"))
            .collect::<Vec<_>>()
            .join("&");
        Ok(Kind::Many(Many {
            rows,
            parent,
            link,
            page,
            child_key: child.primary_id.clone(),
        }))
    }

    fn rows(
        &self,
        table: &'a Table,
        item: &'a Expand,
        also: &[String],
        condition: &str,
        limit: Option<usize>,
    ) -> Result<Rows<'a>, ODataError> {
        let call = self.call;
        let options = &item.options;
        let model = call.model();
        let select = options.select.as_deref();
        let annotations = &call.prefer.annotations;
        let mut plan = Plan::new(
            model,
            &call.caller.viewer,
            table,
            select,
            also,
            annotations,
            "t",
        )?;
        let nested = options
            .expand
            .iter()
            .map(|item| self.plan(table, item, &mut plan, true))
            .collect::<Result<Vec<_>, _>>()?;
        let mut sql = Sql::new(format!(
            "SELECT {} FROM \"{}\" t WHERE {condition}",
            plan.columns.join(", "),
            table.logical_name
        ));
        let mut compiler = Compiler::new(model, call.caller, &call.options, call.now(), table, "t");
        if let Some((text, ids)) = call.caller.access(table, PrivilegeType::Read, "t")? {
            let ids = ids.into_iter().map(SqlValue::Text).collect();
            sql.text.push_str(" AND ");
            sql.push(Sql::with(text, ids));
        }
        if let Some(filter) = &options.filter {
            sql.text.push_str(" AND ");
            sql.push(compiler.condition(filter)?);
        }
        if let Some(limit) = limit {
            sql.text.push_str(" ORDER BY ");
            for order in &options.order {
                let reached = compiler.order(order)?;
                let collate = collate(&reached.property);
                sql.push(reached.sql);
                sql.text.push_str(collate);
                sql.text
                    .push_str(if order.descending { " DESC, " } else { ", " });
            }
            sql.append(format!("t.\"{}\" LIMIT {limit}", table.primary_id));
        }
        Ok(Rows { sql, plan, nested })
    }
}

/// Adds a SQL column to a plan; returns its position.
fn add(plan: &mut Plan, sql: &str) -> usize {
    plan.columns.push(sql.to_owned());
    plan.columns.len() - 1
}

fn refuse_order_and_top(options: &Options, restricted: bool) -> Result<(), ODataError> {
    if restricted && (!options.order.is_empty() || options.top.is_some()) {
        return Err(unsupported(
            "Only $select and $filter clause can be provided while doing $expand on many-to-one \
             relationship or nested one-to-many relationship.",
        ));
    }
    Ok(())
}

fn unsupported(message: &str) -> ODataError {
    ODataError::bad_request("0x80060888", message)
}
