//! Writes of definitions: columns, relationships, shared choices, settings of tables, publishing
//! (reference §5.7).

mod body;
mod column;
mod key;
mod kind;
mod many_to_many;
mod publisher;
mod relationship;
mod table;

use axum::http::{Method, StatusCode};
use rusqlite::Connection;

use self::body::Body;
pub(crate) use self::column::{column_from_outside, column_gone};
use super::{
    Api, Call, DefinitionChange, Request, Response,
    metadata::{MetadataKey, find_table, no_definition},
    operations::is_definition_action,
    request::Segment,
};
use crate::{
    gate::Caller,
    schema::{Column, Table},
    wire::ODataError,
};

/// Whether a request changes definitions.
pub(super) fn is_change(request: &Request) -> bool {
    let first = request.path.split(['/', '(']).next().unwrap_or_default();
    let definitions = matches!(
        first,
        "EntityDefinitions" | "RelationshipDefinitions" | "GlobalOptionSetDefinitions"
    );
    (definitions || is_definition_action(first)) && request.method != Method::GET
}

impl Api {
    /// What a request for other definitions changes. The changes are not made yet.
    pub(super) fn plan_change(&self, request: &Request, caller: &Caller) -> DefinitionChange {
        let call = self.call(request, caller)?;
        self.store
            .read(|connection| call.definition_change(connection))
    }
}

impl Call<'_> {
    fn definition_change(&self, connection: &Connection) -> DefinitionChange {
        let segments = self.request.segments()?;
        let Some((first, rest)) = segments.split_first() else {
            return Err(ODataError::unknown_segment(""));
        };
        self.require_json()?;
        if let (Some(response), []) = (self.definition_action(connection, first), rest) {
            return response;
        }
        let method = self.request.method.as_str();
        let not_allowed = || Err(ODataError::method_not_allowed(method));
        match (first.name.as_str(), &first.arguments, rest, method) {
            ("EntityDefinitions", None, [], "POST") => self.create_table(connection),
            ("EntityDefinitions", Some(key), [], "DELETE") => {
                self.delete_table(self.table_of(key)?)
            }
            ("EntityDefinitions", Some(key), [], "PUT") => self.set_table(self.table_of(key)?),
            ("EntityDefinitions", Some(key), [attributes, below @ ..], _)
                if attributes.name == "Attributes" =>
            {
                let table = self.table_of(key)?;
                // A cast may follow that names the type of the column.
                let cast = |segment: &Segment| segment.name.starts_with("Microsoft.Dynamics.CRM.");
                if !below.iter().all(cast) {
                    return not_allowed();
                }
                match (&attributes.arguments, method) {
                    (None, "POST") => self.create_column(connection, table),
                    (Some(key), "PUT") => self.replace_column(table, column_of(table, key)?),
                    (Some(key), "DELETE") => self.delete_column(table, column_of(table, key)?),
                    _ => not_allowed(),
                }
            }
            ("EntityDefinitions", Some(key), [keys], _) if keys.name == "Keys" => {
                let table = self.table_of(key)?;
                match (&keys.arguments, method) {
                    (None, "POST") => self.create_key(connection, table),
                    (Some(key), "DELETE") => self.delete_key(table, key),
                    _ => not_allowed(),
                }
            }
            ("RelationshipDefinitions", None, [], "POST") => self.create_relationship(connection),
            ("RelationshipDefinitions", Some(key), [], "DELETE") => self.delete_relationship(key),
            ("GlobalOptionSetDefinitions", None, [], "POST") => self.create_option_set(connection),
            _ => not_allowed(),
        }
    }

    fn table_of(&self, key: &str) -> Result<&Table, ODataError> {
        find_table(self.model().schema.tables(), key)
    }

    fn body(&self) -> Result<Body, ODataError> {
        Body::parse(&self.request.body)
    }

    /// `POST PublishXml`
    pub(super) fn publish(&self) -> DefinitionChange {
        self.caller.require_definitions("prvPublishCustomization")?;
        let body = self.body()?;
        let xml = body.needed_text("ParameterXml")?;
        let document = roxmltree::Document::parse(xml);
        let named = document.is_ok_and(|it| it.root_element().has_tag_name("importexportxml"));
        if !named {
            return Err(ODataError::bad_request(
                "0x80048033",
                "The ParameterXml of PublishXml must be XML whose root is importexportxml.",
            ));
        }
        self.publish_all()
    }

    /// `POST PublishAllXml`. Changes are in force as soon as they are made.
    pub(super) fn publish_all(&self) -> DefinitionChange {
        self.caller.require_definitions("prvPublishCustomization")?;
        Ok((Vec::new(), Response::empty(StatusCode::NO_CONTENT)))
    }

    /// 204 with the address of what was created.
    fn defined(&self, address: &str) -> Response {
        let address = format!("{}/{address}", self.request.root);
        Response::empty(StatusCode::NO_CONTENT).with("odata-entityid", &address)
    }
}

/// The column of a key such as `LogicalName='name'`.
fn column_of<'t>(table: &'t Table, key: &str) -> Result<&'t Column, ODataError> {
    let wanted = MetadataKey::parse(key, "LogicalName")?;
    let found = table.columns.iter().find(|column| match &wanted {
        MetadataKey::Id(id) => column.metadata_id == *id,
        MetadataKey::Name(name) => column.logical_name == *name,
    });
    found.ok_or_else(|| no_definition(key))
}
