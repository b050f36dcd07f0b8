//! Expanded navigation properties of a row, as JSON.

use rusqlite::{Row, params_from_iter, types::Value as SqlValue};

use super::{ExpandPlan, Kind, Many, Rows};
use crate::{
    api::Call,
    odata::{fragment::Sql, plan::KEY, skiptoken::SkipToken},
    wire::{
        ODataError,
        json::{push_member, push_name, push_separator},
    },
};

impl ExpandPlan<'_> {
    /// Appends the property of the parent row.
    pub(in crate::api::read) fn write(
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
