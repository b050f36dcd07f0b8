//! `RetrieveMetadataChanges`: definitions by a query, and what has changed since (reference §5.6).

use std::collections::{BTreeMap, HashSet};

use axum::http::StatusCode;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    criteria::Filter,
    definition::{Children, Item, Sight},
};
use crate::{
    api::{Call, Response, read::DeltaToken},
    odata::{Literal, filter::Operand},
    schema::{SchemaChange, metadata_id},
    store::changes_after,
    wire::ODataError,
};

/// `EntityQueryExpression`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Query {
    criteria: Option<Filter>,
    properties: Properties,
    #[serde(rename = "AttributeQuery")]
    attributes: Option<Part>,
    #[serde(rename = "RelationshipQuery")]
    relationships: Option<Part>,
    #[serde(rename = "KeyQuery")]
    keys: Option<Part>,
    #[serde(rename = "LabelQuery")]
    labels: Option<LabelQuery>,
}

/// The requested properties of the columns, relationships or keys of tables.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Part {
    criteria: Option<Filter>,
    properties: Properties,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Properties {
    all_properties: Value,
    property_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct LabelQuery {
    filter_languages: Vec<i32>,
}

/// What has changed since a client's stamp.
#[derive(Debug, Default)]
struct Changes {
    ids: HashSet<Uuid>,
    /// New tables, all of whose parts count as changed.
    tables: HashSet<String>,
    /// Keys of what is gone, by `DeletedMetadataFilters`.
    deleted: BTreeMap<&'static str, Vec<Uuid>>,
}

/// A query with everything it is resolved against.
struct ResolvedQuery<'q, 'a> {
    sight: Sight<'a>,
    query: &'q Query,
    /// `None` for everything there is.
    changes: Option<Changes>,
}

impl Call<'_> {
    /// `GET RetrieveMetadataChanges(Query=@p1,DeletedMetadataFilters=@p2,ClientVersionStamp=@p3)`.
    pub(in crate::api) fn metadata_changes(
        &self,
        connection: &Connection,
        arguments: &str,
    ) -> Result<Response, ODataError> {
        self.caller.require_definitions("prvReadEntity")?;
        let query: Query = match self.aliased(arguments, "Query")? {
            None => Query::default(),
            Some(json) => serde_json::from_str(&json).map_err(|error| {
                ODataError::bad_request("0x80060888", format!("The Query is malformed: {error}"))
            })?,
        };
        let stamp = if arguments.contains("ClientVersionStamp") {
            Some(self.text_argument(arguments, "ClientVersionStamp")?)
        } else {
            None
        };
        let schema = &self.model().schema;
        let changes = stamp
            .map(|stamp| {
                let since = self.valid_stamp(connection, &stamp)?.version;
                let log = changes_after(connection, since)?;
                Ok::<_, ODataError>(Changes::of(&log))
            })
            .transpose()?;
        let mut sight = self.sight();
        let languages = query.labels.as_ref();
        let languages = languages.map(|labels| labels.filter_languages.clone());
        sight.labels.only = languages.filter(|languages| !languages.is_empty());
        let asked = ResolvedQuery {
            sight,
            query: &query,
            changes,
        };
        let mut tables = Vec::new();
        for table in schema.tables() {
            tables.extend(asked.table(Item::Table(table))?);
        }
        let stamp = DeltaToken {
            version: schema.version(),
            issued: self.now(),
        }
        .to_string();
        let kinds = self.deleted_kinds(arguments)?;
        let deleted = asked.changes.as_ref().zip(kinds);
        let deleted = deleted.map(|(changes, kinds)| changes.deleted(&kinds));
        let mut body = Map::new();
        let context = "$metadata#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse";
        let context = format!("{}/{context}", self.request.root);
        body.insert("@odata.context".to_owned(), context.into());
        body.insert("ServerVersionStamp".to_owned(), stamp.into());
        body.insert("DeletedMetadata".to_owned(), json!(deleted));
        body.insert("EntityMetadata".to_owned(), tables.into());
        let body = Value::Object(body).to_string().into_bytes();
        Ok(Response::json(StatusCode::OK, body))
    }
}

impl Call<'_> {
    /// The requested member of `DeletedMetadataFilters`, if any.
    fn deleted_kinds(&self, arguments: &str) -> Result<Option<String>, ODataError> {
        if !arguments.contains("DeletedMetadataFilters") {
            return Ok(None);
        }
        match self.argument(arguments, "DeletedMetadataFilters")? {
            Operand::Literal(Literal::Member(kind, member)) if kind == "DeletedMetadataFilters" => {
                Ok(Some(member))
            }
            Operand::Literal(Literal::Null) => Ok(None),
            _ => Err(ODataError::syntax(
                "The parameter 'DeletedMetadataFilters' must be a member of \
                 'Microsoft.Dynamics.CRM.DeletedMetadataFilters'.",
            )),
        }
    }
}

impl ResolvedQuery<'_, '_> {
    /// A requested table, if it or a requested part of it has changed.
    fn table(&self, item: Item<'_>) -> Result<Option<Value>, ODataError> {
        if let Some(criteria) = &self.query.criteria
            && !criteria.holds(&self.sight, &item)?
        {
            return Ok(None);
        }
        let Item::Table(table) = item else {
            return Ok(None);
        };
        let whole = |changes: &Changes| changes.tables.contains(&table.logical_name);
        let is_new = self.changes.as_ref().is_none_or(whole);
        let mut changed = self.has_changed(&item, is_new);
        let mut members = self.members(&item, &self.query.properties, is_new)?;
        for (name, part) in [
            ("Attributes", &self.query.attributes),
            ("OneToManyRelationships", &self.query.relationships),
            ("ManyToOneRelationships", &self.query.relationships),
            ("ManyToManyRelationships", &self.query.relationships),
            ("Keys", &self.query.keys),
        ] {
            let everything = Properties {
                all_properties: true.into(),
                ..Properties::default()
            };
            if !self.query.properties.ask_for(name) {
                continue;
            }
            let Some(Children::Many(children)) = item.children(&self.sight, name, true) else {
                continue;
            };
            let mut found = Vec::new();
            for child in children {
                let criteria = part.as_ref().and_then(|part| part.criteria.as_ref());
                let fits = criteria.map(|criteria| criteria.holds(&self.sight, &child));
                if fits.transpose()?.unwrap_or(true) && self.has_changed(&child, is_new) {
                    let wanted = part.as_ref().map_or(&everything, |part| &part.properties);
                    found.push(Value::Object(self.members(&child, wanted, is_new)?));
                }
            }
            changed |= !found.is_empty();
            members.insert(name.to_owned(), found.into());
        }
        Ok(changed.then_some(Value::Object(members)))
    }

    fn has_changed(&self, item: &Item<'_>, is_new: bool) -> bool {
        let id = item.metadata_id();
        is_new
            || self
                .changes
                .as_ref()
                .is_none_or(|changes| changes.ids.contains(&id))
    }

    /// The requested properties of a definition.
    fn members(
        &self,
        item: &Item<'_>,
        wanted: &Properties,
        is_new: bool,
    ) -> Result<Map<String, Value>, ODataError> {
        let mut members = Map::new();
        if item.is_one_of_several_types() {
            let kind = format!("#Microsoft.Dynamics.CRM.Complex{}", item.type_name(true));
            members.insert("@odata.type".to_owned(), kind.into());
        }
        members.insert("MetadataId".to_owned(), json!(item.metadata_id()));
        let changed = self
            .changes
            .as_ref()
            .map(|_| self.has_changed(item, is_new));
        members.insert("HasChanged".to_owned(), json!(changed));
        if wanted.all() {
            for name in item.names(true).filter(|name| *name != "HasChanged") {
                let value = item.property(&self.sight, name, true);
                members.insert(name.to_owned(), value.unwrap_or(Value::Null));
            }
        }
        for name in &wanted.property_names {
            if let Some(value) = item.property(&self.sight, name, true) {
                members.insert(name.clone(), value);
            } else if let Some(Children::One(child)) = item.children(&self.sight, name, true) {
                let everything = Properties {
                    all_properties: true.into(),
                    ..Properties::default()
                };
                let child = child.map(|child| self.members(&child, &everything, is_new));
                members.insert(name.clone(), json!(child.transpose()?));
            }
        }
        Ok(members)
    }
}

impl Properties {
    fn all(&self) -> bool {
        match &self.all_properties {
            Value::Bool(all) => *all,
            Value::String(text) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    fn ask_for(&self, name: &str) -> bool {
        self.all() || self.property_names.iter().any(|asked| asked == name)
    }
}

impl Changes {
    fn of(log: &[SchemaChange]) -> Self {
        let mut changes = Self::default();
        for change in log {
            changes.add(change);
        }
        changes
    }

    fn add(&mut self, change: &SchemaChange) {
        match change {
            SchemaChange::PutColumn { column, .. } => {
                self.ids.insert(column.metadata_id);
            }
            SchemaChange::PutKey { key, .. } => {
                self.ids.insert(key.metadata_id);
            }
            SchemaChange::PutRelationship(relationship) => {
                self.ids.insert(relationship.metadata_id());
            }
            SchemaChange::SetTable { table, .. } => {
                self.ids.insert(metadata_id(&["table", table]));
            }
            SchemaChange::AddTable { text } => {
                let name = text.lines().find_map(|line| line.strip_prefix("table "));
                self.tables.extend(name.map(str::to_lowercase));
            }
            SchemaChange::RemoveColumn { table, column } => {
                let id = metadata_id(&["column", table, column]);
                self.ids.remove(&id);
                self.deleted.entry("Attribute").or_default().push(id);
            }
            SchemaChange::RemoveTable { table } => {
                self.tables.remove(table);
                let id = metadata_id(&["table", table]);
                self.deleted.entry("Entity").or_default().push(id);
            }
            SchemaChange::PutOptionSet(_) | SchemaChange::RemoveKey { .. } => {}
        }
    }

    /// `DeletedMetadataCollection`.
    fn deleted(&self, wanted: &str) -> Value {
        let asked = |kind: &str| match wanted {
            "All" => true,
            "Default" => kind == "Entity",
            wanted => kind == wanted,
        };
        let found = self.deleted.iter().filter(|(kind, _)| asked(kind));
        let (keys, values): (Vec<_>, Vec<Value>) = found
            .map(|(kind, ids)| {
                let ids = json!({"Count": ids.len(), "IsReadOnly": false, "Items": ids});
                (*kind, ids)
            })
            .unzip();
        json!({"Count": keys.len(), "IsReadOnly": false, "Keys": keys, "Values": values})
    }
}
