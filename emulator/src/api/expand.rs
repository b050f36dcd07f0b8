//! `$expand` (reference §4.7).

use rusqlite::{Connection, Row, params_from_iter, types::Value as SqlValue};

use super::{Call, request::MAX_PAGE};
use crate::{
    odata::{
        Navigation, ODataError,
        fragment::Sql,
        json::{push_member, push_name, push_separator},
        options::{Expand, Options},
        plan::{KEY, Plan},
        skiptoken::SkipToken,
        sql::{Compiler, collate},
    },
    schema::{PrivilegeType, Table},
};

/// One expanded navigation property, ready to be read for any parent row.
pub(super) struct ExpandPlan<'a> {
    name: &'a str,
    kind: Kind<'a>,
    connection: &'a Connection,
}

enum Kind<'a> {
    /// The owner, of whom only the key is told.
    Owner {
        id_at: usize,
        type_at: usize,
        references: bool,
    },
    One {
        id_at: usize,
        rows: Rows<'a>,
        target: &'a Table,
        references: bool,
    },
    Many(Many<'a>),
}

/// The statement for the rows of one parent, whose key is its first parameter.
struct Rows<'a> {
    sql: Sql,
    plan: Plan,
    nested: Vec<ExpandPlan<'a>>,
}

/// An expanded collection.
struct Many<'a> {
    rows: Rows<'a>,
    parent: &'a Table,
    /// Selection and other options for the collection's own link.
    link: String,
    /// Page size, when the query nests expands and collections are paged.
    page: Option<usize>,
    child_key: String,
}

/// Plans the expanded properties of rows of `table`, adding to `plan` the columns they need.
pub(super) fn plans<'a>(
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

impl ExpandPlan<'_> {
    /// Appends the property of the parent row.
    pub(super) fn write(
        &self,
        call: &Call<'_>,
        out: &mut Vec<u8>,
        parent_id: &str,
        parent_row: &Row<'_>,
    ) -> Result<(), ODataError> {
        let text = |at: usize| -> Result<Option<&str>, ODataError> {
            Ok(parent_row.get_ref(at)?.as_str_or_null().unwrap_or(None))
        };
        push_name(out, self.name);
        match &self.kind {
            Kind::Owner {
                id_at,
                type_at,
                references,
            } => {
                let set = if text(*type_at)? == Some("team") {
                    "teams"
                } else {
                    "systemusers"
                };
                match text(*id_at)? {
                    None => out.extend_from_slice(b"null"),
                    Some(id) if *references => push_reference(call, out, set, id),
                    Some(id) => {
                        out.push(b'{');
                        let kind = set.trim_end_matches('s');
                        let kind = format!("#Microsoft.Dynamics.CRM.{kind}");
                        push_member(out, "@odata.type", &kind);
                        push_member(out, "ownerid", id);
                        out.push(b'}');
                    }
                }
                Ok(())
            }
            Kind::One {
                id_at,
                rows,
                target,
                references,
            } => match text(*id_at)? {
                None => {
                    out.extend_from_slice(b"null");
                    Ok(())
                }
                Some(id) if *references => {
                    push_reference(call, out, &target.entity_set_name, id);
                    Ok(())
                }
                Some(id) => {
                    let sql = &rows.sql;
                    let mut statement = self.connection.prepare_cached(&sql.text)?;
                    let mut found = statement.query(params_from_iter(parameters(id, sql)))?;
                    match found.next()? {
                        None => out.extend_from_slice(b"null"),
                        Some(row) => call.push_row(out, row, &rows.plan, &rows.nested)?,
                    }
                    Ok(())
                }
            },
            Kind::Many(many) => self.write_many(call, out, parent_id, many),
        }
    }

    fn write_many(
        &self,
        call: &Call<'_>,
        out: &mut Vec<u8>,
        parent_id: &str,
        many: &Many<'_>,
    ) -> Result<(), ODataError> {
        out.push(b'[');
        let Rows { sql, plan, nested } = &many.rows;
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        let mut rows = statement.query(params_from_iter(parameters(parent_id, sql)))?;
        let mut count = 0;
        let mut last = String::new();
        let mut more = false;
        while let Some(row) = rows.next()? {
            if many.page == Some(count) {
                more = true;
                break;
            }
            push_separator(out);
            call.push_row(out, row, plan, nested)?;
            row.get_ref(KEY)?
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut last);
            count += 1;
        }
        out.push(b']');
        if many.page.is_some() && !more {
            return Ok(());
        }
        let mut options: Vec<String> = Vec::new();
        options.extend((!many.link.is_empty()).then(|| many.link.clone()));
        if more {
            let last = Some(format!("{{{}}}", last.to_uppercase()));
            let cookie = vec![(many.child_key.clone(), last)];
            let token = SkipToken {
                page: 2,
                tracking: false,
                last: cookie.clone(),
            };
            options.push(format!("$skiptoken={}", token.encode(&cookie)));
        }
        let mark = if options.is_empty() { "" } else { "?" };
        let address = format!(
            "{}/{}({parent_id})/{}{mark}{}",
            call.request.root,
            many.parent.entity_set_name,
            self.name,
            options.join("&")
        );
        push_member(out, &format!("{}@odata.nextLink", self.name), &address);
        Ok(())
    }
}

fn parameters(id: &str, sql: &Sql) -> Vec<SqlValue> {
    std::iter::once(SqlValue::Text(id.to_owned()))
        .chain(sql.values.iter().cloned())
        .collect()
}

fn push_reference(call: &Call<'_>, out: &mut Vec<u8>, set: &str, id: &str) {
    out.push(b'{');
    push_member(
        out,
        "@odata.id",
        &format!("{}/{set}({id})", call.request.root),
    );
    out.push(b'}');
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
