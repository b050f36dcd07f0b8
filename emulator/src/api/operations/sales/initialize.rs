//! `InitializeFrom`: a row to be created, filled from another by the maps of their tables
//! (reference §12.3).

use axum::http::StatusCode;
use rusqlite::Connection;

use crate::{
    api::{
        Call, Response,
        payload::{Members, payload_error},
    },
    odata::{Literal, filter::Operand},
    schema::{Column, Table},
    store::{Value, read_row},
    wire::{
        ODataError,
        json::{push_member, push_name},
    },
};

impl Call<'_> {
    /// `GET InitializeFrom(EntityMoniker=@p1,TargetEntityName=@p2,TargetFieldType=@p3)`.
    pub(in crate::api::operations) fn initialize_from(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        let (source, id) = self.row_argument(connection, arguments, "EntityMoniker")?;
        if !self.require_readable(connection, source, id)? {
            return Err(ODataError::no_row(&source.logical_name, id));
        }
        let target = self
            .model()
            .table(&self.text_argument(arguments, "TargetEntityName")?)?;
        let fits = match self.argument(arguments, "TargetFieldType")? {
            Operand::Literal(Literal::Member(kind, member)) if kind == "TargetFieldType" => {
                field_type(&member)
            }
            _ => {
                return Err(ODataError::syntax(
                    "The parameter 'TargetFieldType' must be a member of \
                     'Microsoft.Dynamics.CRM.TargetFieldType'.",
                ));
            }
        };
        let pairs = mapped(connection, source, target)?;
        let values = self
            .row(connection, source, id, &[])?
            .ok_or_else(|| ODataError::no_row(&source.logical_name, id))?;
        let values = Members::parse(&values.body, &source.entity_set_name)?;
        let layout = self.api.store.layout(&source.logical_name)?;
        let row = read_row(connection, layout, id)?
            .ok_or_else(|| ODataError::no_row(&source.logical_name, id))?;

        let mut body = vec![b'{'];
        let set = &target.entity_set_name;
        let context = format!("{}/$metadata#{set}/$entity", self.request.root);
        push_member(&mut body, "@odata.context", &context);
        let kind = format!("#Microsoft.Dynamics.CRM.{}", target.logical_name);
        push_member(&mut body, "@odata.type", &kind);
        for (from, to) in pairs {
            let Some(column) = target.column(&to).filter(|column| fits(column)) else {
                continue;
            };
            if column.is_lookup() {
                let refers = match layout.get(&row.values, &from) {
                    Value::Lookup { table, id } => Some((table.as_str(), *id)),
                    Value::Guid(id) => Some((source.logical_name.as_str(), *id)),
                    _ => None,
                };
                if let Some((table, id)) = refers {
                    let model = self.model();
                    let navigation = model.lookup_navigation(&target.logical_name, &to, table);
                    let navigation = navigation.ok_or_else(|| {
                        payload_error(set, &format!("'{to}' cannot refer to a row of '{table}'."))
                    })?;
                    let address = format!("{}({id})", model.table(table)?.entity_set_name);
                    push_member(&mut body, &format!("{navigation}@odata.bind"), &address);
                }
            } else if let Some(value) = values.get(&from).filter(|value| value.get() != "null") {
                push_name(&mut body, &to);
                body.extend_from_slice(value.get().as_bytes());
            }
        }
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body))
    }
}

/// The columns of a `TargetFieldType`.
fn field_type(member: &str) -> fn(&Column) -> bool {
    match member {
        "ValidForCreate" => |column| column.creatable,
        "ValidForUpdate" => |column| column.updatable,
        "ValidForRead" => |column| column.readable,
        _ => |_| true,
    }
}

/// The columns that the map of two tables carries over.
fn mapped(
    connection: &Connection,
    source: &Table,
    target: &Table,
) -> Result<Vec<(String, String)>, ODataError> {
    let mut statement = connection.prepare_cached(
        "SELECT a.sourceattributename, a.targetattributename FROM attributemap a \
         JOIN entitymap e ON e.entitymapid = a.entitymapid \
         WHERE e.sourceentityname = ?1 AND e.targetentityname = ?2 ORDER BY 2",
    )?;
    let names = [&source.logical_name, &target.logical_name];
    let pairs = statement.query_map(names, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let pairs: Vec<(String, String)> = pairs.collect::<Result<_, _>>()?;
    if pairs.is_empty() {
        return Err(ODataError::bad_request(
            "0x80040203",
            format!(
                "There is no entity map from '{}' to '{}'.",
                source.logical_name, target.logical_name
            ),
        ));
    }
    Ok(pairs)
}
