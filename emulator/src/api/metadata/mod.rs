//! Definitions of tables, columns, keys and relationships (reference §5).

mod changes;
mod choices;
mod column;
mod criteria;
mod csdl;
mod definition;
mod labels;
mod query;
mod relationship;
mod table;

use axum::http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use self::{
    definition::{Children, Item, Sight},
    labels::Labels,
};
use super::{Call, Response, request::Segment};
use crate::{
    odata::{
        Literal,
        filter::{Operand, parse_arguments},
        options::Options,
    },
    schema::{Relationship, Table},
    wire::{ODataError, json::push_member},
};

/// Where a path into the definitions has led.
enum Place<'a> {
    One(Item<'a>),
    Many(Vec<Item<'a>>),
}

impl<'a> Call<'a> {
    /// `GET {api}/EntityDefinitions…`.
    pub(super) fn entity_definitions(
        &'a self,
        first: &Segment,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        self.refuse_list_options()?;
        let schema = &self.model().schema;
        let place = match &first.arguments {
            None => Place::Many(schema.tables().map(Item::Table).collect()),
            Some(key) => Place::One(Item::Table(find_table(schema.tables(), key)?)),
        };
        self.walk(place, first, rest)
    }

    /// `GET {api}/RelationshipDefinitions…`.
    pub(super) fn relationship_definitions(
        &'a self,
        first: &Segment,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        self.refuse_list_options()?;
        let relationships = self.model().schema.relationships();
        let place = match &first.arguments {
            None => Place::Many(relationships.iter().map(Item::Relationship).collect()),
            Some(key) => {
                let wanted = MetadataKey::parse(key, "SchemaName")?;
                let found = relationships.iter().find(|relationship| match &wanted {
                    MetadataKey::Id(id) => relationship.metadata_id() == *id,
                    MetadataKey::Name(name) => relationship.schema_name() == name,
                });
                Place::One(Item::Relationship(found.ok_or_else(|| no_definition(key))?))
            }
        };
        self.walk(place, first, rest)
    }

    /// `GET {api}/GlobalOptionSetDefinitions…`: the choices that columns share.
    pub(super) fn option_set_definitions(
        &'a self,
        first: &Segment,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        self.refuse_list_options()?;
        let mut sets = self.model().schema.option_sets();
        let place = match &first.arguments {
            None => Place::Many(sets.map(Item::GlobalOptionSet).collect()),
            Some(key) => {
                let wanted = MetadataKey::parse(key, "Name")?;
                let found = sets.find(|set| match &wanted {
                    MetadataKey::Id(id) => set.metadata_id() == *id,
                    MetadataKey::Name(name) => set.name == *name,
                });
                Place::One(Item::GlobalOptionSet(
                    found.ok_or_else(|| no_definition(key))?,
                ))
            }
        };
        self.walk(place, first, rest)
    }

    /// What the caller sees: labels in the language of the user's settings.
    fn sight(&'a self) -> Sight<'a> {
        let languages = self.options.custom.get("LabelLanguages");
        let only = languages.map(|list| list.split(',').flat_map(|code| code.trim().parse()));
        let labels = Labels {
            language: self.caller.viewer.language,
            only: only.map(Iterator::collect),
        };
        Sight {
            schema: &self.model().schema,
            labels,
        }
    }

    fn refuse_list_options(&self) -> Result<(), ODataError> {
        fn anywhere(options: &Options, option: &str) -> bool {
            let nested = &options.expand;
            options.has(option) || nested.iter().any(|item| anywhere(&item.options, option))
        }
        for option in ["$top", "$orderby", "$count", "$apply"] {
            if anywhere(&self.options, option) {
                return Err(ODataError::bad_request(
                    "0x80060888",
                    format!("The query parameter {option} is not supported on metadata entities."),
                ));
            }
        }
        Ok(())
    }

    /// Follows the rest of the path and writes what it leads to.
    fn walk(
        &'a self,
        start: Place<'a>,
        first: &Segment,
        rest: &[Segment],
    ) -> Result<Response, ODataError> {
        let sight = self.sight();
        let mut place = start;
        let mut cast: Option<&str> = None;
        let mut context = match &place {
            Place::One(item) if !rest.is_empty() => {
                format!("{}({})", first.name, item.metadata_id())
            }
            Place::One(_) | Place::Many(_) => first.name.clone(),
        };
        let mut segments = rest.iter();
        while let Some(segment) = segments.next() {
            let name = segment.name.as_str();
            context.push('/');
            context.push_str(name);
            if let Some(kind) = name.strip_prefix("Microsoft.Dynamics.CRM.") {
                place = cast_to(place, kind)?;
                cast = Some(kind);
                continue;
            }
            let Place::One(item) = &place else {
                return Err(ODataError::unknown_segment(name));
            };
            place = match item.children(&sight, name, cast.is_some()) {
                Some(Children::Many(items)) => match &segment.arguments {
                    None => Place::Many(items),
                    Some(key) => {
                        let key_property = match item {
                            Item::Table(_) if name == "Attributes" || name == "Keys" => {
                                "LogicalName"
                            }
                            _ => "SchemaName",
                        };
                        let wanted = MetadataKey::parse(key, key_property)?;
                        let found = items.into_iter().find(|item| match &wanted {
                            MetadataKey::Id(id) => item.metadata_id() == *id,
                            MetadataKey::Name(name) => item.name() == name,
                        });
                        Place::One(found.ok_or_else(|| no_definition(key))?)
                    }
                },
                Some(Children::One(Some(item))) => Place::One(item),
                Some(Children::One(None)) => return Ok(Response::empty(StatusCode::NO_CONTENT)),
                None => {
                    let next = segments.next();
                    return self.metadata_property(&sight, item, name, next, &context);
                }
            };
            cast = match &place {
                Place::One(item @ (Item::OptionSet(..) | Item::GlobalOptionSet(_))) => {
                    Some(item.type_name(true))
                }
                _ => definition::type_of_collection(name),
            };
        }
        let mut body = self.metadata_body(&context, matches!(place, Place::Many(_)));
        match place {
            Place::One(item) => {
                query::write_members(&mut body, &sight, &item, &self.options, cast)?;
            }
            Place::Many(items) => {
                body.extend_from_slice(b",\"value\":");
                query::write_all(&mut body, &sight, items, &self.options, cast)?;
            }
        }
        body.push(b'}');
        Ok(Response::json(StatusCode::OK, body))
    }

    /// `…/ObjectTypeCode` and `…/ObjectTypeCode/$value`.
    fn metadata_property(
        &self,
        sight: &Sight<'_>,
        item: &Item<'_>,
        name: &str,
        next: Option<&Segment>,
        context: &str,
    ) -> Result<Response, ODataError> {
        let value = item
            .property(sight, name, true)
            .ok_or_else(|| ODataError::unknown_segment(name))?;
        match next.map(|segment| segment.name.as_str()) {
            None => {
                let mut body = self.metadata_body(context, true);
                body.extend_from_slice(format!(",\"value\":{value}}}").as_bytes());
                Ok(Response::json(StatusCode::OK, body))
            }
            Some("$value") => Ok(Response::text(match value {
                Value::String(text) => text,
                other => other.to_string(),
            })),
            Some(other) => Err(ODataError::unknown_segment(other)),
        }
    }

    /// The beginning of a response: the brace and the context of a value, or of one definition.
    fn metadata_body(&self, place: &str, has_value: bool) -> Vec<u8> {
        let selection = self.options.selection();
        let suffix = if has_value { "" } else { "/$entity" };
        let context = format!("{}/$metadata#{place}{selection}{suffix}", self.request.root);
        let mut body = b"{".to_vec();
        push_member(&mut body, "@odata.context", &context);
        body
    }

    /// `GET {api}/$metadata`.
    pub(super) fn csdl(&self) -> Response {
        let annotated = self
            .options
            .custom
            .get("annotations")
            .is_some_and(|value| value == "true");
        let document = csdl::document(self.model(), annotated);
        let mut response = Response::text(document);
        response.headers.retain(|(name, _)| name != "content-type");
        response.with("content-type", "application/xml")
    }
}

/// How a definition is addressed.
pub(in crate::api) enum MetadataKey {
    Id(Uuid),
    Name(String),
}

impl MetadataKey {
    pub(in crate::api) fn parse(text: &str, property: &str) -> Result<Self, ODataError> {
        if let Some(id) = super::key::parse_id(text) {
            return Ok(Self::Id(id));
        }
        let arguments = parse_arguments(text).unwrap_or_default();
        match arguments.as_slice() {
            [(name, Operand::Literal(Literal::Text(value)))] if name == property => {
                Ok(Self::Name(value.clone()))
            }
            [(name, Operand::Literal(Literal::Guid(id)))] if name == "MetadataId" => {
                Ok(Self::Id(*id))
            }
            _ => Err(ODataError::bad_request(
                "0x8006088a",
                format!("The key '{text}' is not valid: use a MetadataId or {property}='…'."),
            )),
        }
    }
}

pub(in crate::api) fn find_table<'a>(
    mut tables: impl Iterator<Item = &'a Table>,
    key: &str,
) -> Result<&'a Table, ODataError> {
    let wanted = MetadataKey::parse(key, "LogicalName")?;
    let found = tables.find(|table| match &wanted {
        MetadataKey::Id(id) => table.metadata_id == *id,
        MetadataKey::Name(name) => table.logical_name == *name,
    });
    found.ok_or_else(|| match wanted {
        MetadataKey::Name(name) => ODataError::new(
            StatusCode::NOT_FOUND,
            "0x80060888",
            format!(
                "Could not find an entity with name {name} and ID {} in the metadata cache.",
                Uuid::nil()
            ),
        ),
        MetadataKey::Id(id) => no_definition(&id.to_string()),
    })
}

pub(in crate::api) fn no_definition(key: &str) -> ODataError {
    ODataError::new(
        StatusCode::NOT_FOUND,
        "0x80060888",
        format!("No definition was found for the key '{key}'."),
    )
}

/// Only the items of a type, such as `PicklistAttributeMetadata`.
fn cast_to<'a>(place: Place<'a>, kind: &str) -> Result<Place<'a>, ODataError> {
    if kind == "EnumAttributeMetadata" || !definition::is_type(kind) {
        return Err(ODataError::bad_request(
            "0x80060888",
            format!("The cast to 'Microsoft.Dynamics.CRM.{kind}' is not supported."),
        ));
    }
    Ok(match place {
        Place::Many(items) => {
            Place::Many(items.into_iter().filter(|item| item.is_a(kind)).collect())
        }
        Place::One(item) if item.is_a(kind) => Place::One(item),
        Place::One(_) => {
            return Err(ODataError::new(
                StatusCode::NOT_FOUND,
                "0x80060888",
                format!("The definition is no 'Microsoft.Dynamics.CRM.{kind}'."),
            ));
        }
    })
}

/// Whether a relationship can be followed from this table as the one that is looked up.
fn is_referenced(relationship: &Relationship, table: &Table) -> bool {
    matches!(relationship, Relationship::OneToMany { referenced_table, .. }
        if *referenced_table == table.logical_name)
}

/// Whether a relationship can be followed from this table by one of its lookups.
fn is_referencing(relationship: &Relationship, table: &Table) -> bool {
    matches!(relationship, Relationship::OneToMany { referencing_table, .. }
        if *referencing_table == table.logical_name)
}

/// Whether a relationship associates rows of this table.
fn is_associated(relationship: &Relationship, table: &Table) -> bool {
    matches!(relationship, Relationship::ManyToMany { table1, table2, .. }
        if *table1 == table.logical_name || *table2 == table.logical_name)
}
