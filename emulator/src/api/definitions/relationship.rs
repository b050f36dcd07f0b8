//! Relationships with their lookup columns, and choices that columns share.

use axum::http::StatusCode;
use rusqlite::Connection;
use serde_json::json;

use super::{
    DefinitionChange,
    body::{Body, unfit},
    column::{column, put, removals, require_extensible, require_new},
};
use crate::{
    api::{
        Call, Response,
        metadata::{MetadataKey, no_definition},
    },
    schema::{Cascade, ColumnKind, OptionSet, Relationship, SchemaChange, Table, metadata_id},
    wire::ODataError,
};

impl Call<'_> {
    /// `POST RelationshipDefinitions`: a lookup column with its relationship.
    pub(super) fn create_relationship(&self, connection: &Connection) -> DefinitionChange {
        self.caller.require_definitions("prvCreateRelationship")?;
        let body = self.body()?;
        match body.needed_text("@odata.type")?.trim_start_matches('#') {
            "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata" => {}
            "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata" => {
                return self.create_many_to_many(connection, &body);
            }
            other => return Err(unfit(format!("'{other}' is no relationship."))),
        }
        self.caller.require_definitions("prvCreateAttribute")?;
        let publishers = self.publishers(connection)?;
        let schema_name = body.needed_text("SchemaName")?;
        publishers.require(schema_name, "Relationship")?;
        self.require_new_relationship(schema_name)?;
        let referenced = self.named_table(&body, "ReferencedEntity")?;
        let referencing = self.named_table(&body, "ReferencingEntity")?;
        require_extensible(referencing)?;
        let lookup = body.nested("Lookup")?.ok_or_else(|| {
            ODataError::bad_request("0x80040203", "Required field 'Lookup' is missing")
        })?;
        let lookup_name = lookup.needed_text("SchemaName")?;
        publishers.require(lookup_name, "Attribute")?;
        let targets = vec![referenced.logical_name.clone()];
        let new = column(
            referencing,
            lookup_name,
            ColumnKind::Lookup { targets },
            &lookup,
        )?;
        require_new(referencing, &new.logical_name)?;
        let text = |name: &str, otherwise: &str| -> Result<String, ODataError> {
            Ok(body.text(name)?.unwrap_or(otherwise).to_owned())
        };
        let relationship = Relationship::OneToMany {
            schema_name: schema_name.to_owned(),
            referenced_table: referenced.logical_name.clone(),
            referenced_column: referenced.primary_id.clone(),
            referencing_table: referencing.logical_name.clone(),
            referencing_column: new.logical_name.clone(),
            // A custom lookup is navigated by its name as its author cased it (reference §5.4).
            referencing_navigation: text("ReferencingEntityNavigationPropertyName", lookup_name)?,
            referenced_navigation: Some(text(
                "ReferencedEntityNavigationPropertyName",
                schema_name,
            )?),
            cascade_delete: cascade(&body)?,
        };
        let changes = vec![
            put(referencing, new),
            SchemaChange::PutRelationship(relationship),
        ];
        let id = metadata_id(&["relationship", schema_name]);
        Ok((
            changes,
            self.defined(&format!("RelationshipDefinitions({id})")),
        ))
    }

    /// `POST CreateCustomerRelationships`: a column that refers to an account or a contact.
    pub(in crate::api) fn create_customer(&self, connection: &Connection) -> DefinitionChange {
        self.caller.require_definitions("prvCreateRelationship")?;
        self.caller.require_definitions("prvCreateAttribute")?;
        let body = self.body()?;
        let publishers = self.publishers(connection)?;
        let lookup = body.nested("Lookup")?.ok_or_else(|| {
            ODataError::bad_request("0x80040203", "Required field 'Lookup' is missing")
        })?;
        let lookup_name = lookup.needed_text("SchemaName")?;
        publishers.require(lookup_name, "Attribute")?;
        let mut relationships = Vec::new();
        let mut targets = Vec::new();
        let mut owner = None;
        for item in body.objects("OneToManyRelationships")? {
            let schema_name = item.needed_text("SchemaName")?;
            publishers.require(schema_name, "Relationship")?;
            let referenced = self.named_table(&item, "ReferencedEntity")?;
            let referencing = self.named_table(&item, "ReferencingEntity")?;
            if owner.get_or_insert(referencing).logical_name != referencing.logical_name {
                return Err(unfit(
                    "The relationships of one column start from one table.",
                ));
            }
            targets.push(referenced.logical_name.clone());
            relationships.push(Relationship::OneToMany {
                schema_name: schema_name.to_owned(),
                referenced_table: referenced.logical_name.clone(),
                referenced_column: referenced.primary_id.clone(),
                referencing_table: referencing.logical_name.clone(),
                referencing_column: lookup_name.to_lowercase(),
                referencing_navigation: format!("{lookup_name}_{}", referenced.logical_name),
                referenced_navigation: Some(schema_name.to_owned()),
                cascade_delete: cascade(&item)?,
            });
        }
        let mut sorted = targets.clone();
        sorted.sort_unstable();
        let (Some(table), ["account", "contact"]) = (
            owner,
            sorted
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .as_slice(),
        ) else {
            return Err(ODataError::bad_request(
                "0x80040203",
                "A customer column takes two relationships: to account and to contact.",
            ));
        };
        require_extensible(table)?;
        let new = column(
            table,
            lookup_name,
            ColumnKind::Customer { targets },
            &lookup,
        )?;
        require_new(table, &new.logical_name)?;
        let ids: Vec<_> = relationships
            .iter()
            .map(Relationship::metadata_id)
            .collect();
        let response = json!({"RelationshipIds": ids, "AttributeId": new.metadata_id});
        let mut changes = vec![put(table, new)];
        changes.extend(relationships.into_iter().map(SchemaChange::PutRelationship));
        Ok((
            changes,
            self.complex("CreateCustomerRelationshipsResponse", response),
        ))
    }

    /// Rejects a relationship whose name exists.
    pub(super) fn require_new_relationship(&self, schema_name: &str) -> Result<(), ODataError> {
        if self.model().schema.relationship(schema_name).is_none() {
            return Ok(());
        }
        Err(ODataError::bad_request(
            "0x8004432B",
            "A relationship with the specified name already exists. Please specify a unique name.",
        ))
    }

    pub(super) fn named_table(&self, body: &Body, member: &str) -> Result<&Table, ODataError> {
        let name = body.needed_text(member)?;
        self.model().schema.table(name).ok_or_else(|| {
            ODataError::new(
                StatusCode::NOT_FOUND,
                "0x80060888",
                format!("Could not find an entity with name {name} in the metadata cache."),
            )
        })
    }

    /// `DELETE RelationshipDefinitions(…)`, with its lookup column.
    pub(super) fn delete_relationship(&self, key: &str) -> DefinitionChange {
        self.caller.require_definitions("prvDeleteRelationship")?;
        let wanted = MetadataKey::parse(key, "SchemaName")?;
        let schema = &self.model().schema;
        let found = schema.relationships().iter().find(|known| match &wanted {
            MetadataKey::Id(id) => known.metadata_id() == *id,
            MetadataKey::Name(name) => known.schema_name() == name,
        });
        let done = Response::empty(StatusCode::NO_CONTENT);
        if let Some(Relationship::ManyToMany {
            intersect_table, ..
        }) = found
        {
            return Ok((vec![self.intersect_removal(intersect_table)?], done));
        }
        let column = match found {
            Some(Relationship::OneToMany {
                referencing_table,
                referencing_column,
                ..
            }) => schema
                .table(referencing_table)
                .and_then(|table| Some((table, table.column(referencing_column)?))),
            _ => None,
        };
        let (table, column) = column.ok_or_else(|| no_definition(key))?;
        Ok((removals(table, column)?, done))
    }

    /// `POST GlobalOptionSetDefinitions`.
    pub(super) fn create_option_set(&self, connection: &Connection) -> DefinitionChange {
        self.caller.require_definitions("prvCreateOptionSet")?;
        let body = self.body()?;
        let publishers = self.publishers(connection)?;
        let name = body.needed_text("Name")?;
        publishers.require(name, "OptionSet")?;
        if self.model().schema.option_set(name).is_some() {
            return Err(ODataError::bad_request(
                "0x80047013",
                format!("An option set with the name {name} already exists."),
            ));
        }
        let set = OptionSet {
            name: name.to_owned(),
            display_name: body.label("DisplayName")?,
            options: body.choices(publishers.first_option)?,
            is_custom: true,
        };
        let address = format!("GlobalOptionSetDefinitions({})", set.metadata_id());
        Ok((
            vec![SchemaChange::PutOptionSet(set)],
            self.defined(&address),
        ))
    }
}

/// What deleting the referenced row does.
fn cascade(body: &Body) -> Result<Cascade, ODataError> {
    let Some(configuration) = body.nested("CascadeConfiguration")? else {
        return Ok(Cascade::RemoveLink);
    };
    match configuration.text("Delete")? {
        None | Some("RemoveLink" | "NoCascade") => Ok(Cascade::RemoveLink),
        Some("Cascade") => Ok(Cascade::Cascade),
        Some("Restrict") => Ok(Cascade::Restrict),
        Some(other) => Err(unfit(format!("'{other}' is no way to delete."))),
    }
}
