//! Many-to-many relationships with the tables that hold them (reference §5.4).

use axum::http::StatusCode;
use rusqlite::Connection;

use super::{DefinitionChange, body::Body, table::FIRST_CODE};
use crate::{
    api::Call,
    schema::{PrivilegeType, SchemaChange, Table, metadata_id},
    wire::ODataError,
};

impl Call<'_> {
    /// `POST RelationshipDefinitions` of a `ManyToManyRelationshipMetadata`: a relationship and
    /// its intersect table.
    pub(super) fn create_many_to_many(
        &self,
        connection: &Connection,
        body: &Body,
    ) -> DefinitionChange {
        let publishers = self.publishers(connection)?;
        let schema_name = body.needed_text("SchemaName")?;
        publishers.require(schema_name, "Relationship")?;
        self.require_new_relationship(schema_name)?;
        let intersect = body.needed_text("IntersectEntityName")?;
        publishers.require(intersect, "Entity")?;
        let schema = &self.model().schema;
        if schema.table(&intersect.to_lowercase()).is_some() {
            return Err(ODataError::bad_request(
                "0x80048403",
                format!("An entity with the name {intersect} already exists."),
            ));
        }
        let one = self.associable(body, "Entity1LogicalName")?;
        let other = self.associable(body, "Entity2LogicalName")?;
        let navigation = |member: &str| -> Result<String, ODataError> {
            Ok(body.text(member)?.unwrap_or(schema_name).to_owned())
        };
        let to_other = navigation("Entity1NavigationPropertyName")?;
        let to_one = navigation("Entity2NavigationPropertyName")?;
        let same = one.logical_name == other.logical_name;
        if same && to_other == to_one {
            return Err(ODataError::bad_request(
                "0x80040203",
                "A relationship of a table with itself needs an Entity1NavigationPropertyName and \
                 another Entity2NavigationPropertyName.",
            ));
        }
        let (column, other_column) = if same {
            let key = &one.primary_id;
            (format!("{key}one"), format!("{key}two"))
        } else {
            (one.primary_id.clone(), other.primary_id.clone())
        };
        let logical = intersect.to_lowercase();
        let codes = schema.tables().map(|table| table.object_type_code);
        let code = codes.max().unwrap_or(0).max(FIRST_CODE).saturating_add(1);
        let text = format!(
            "table {intersect}\nrows {logical}set\nlabels \"{intersect}\" \"{intersect}\"\n\
             code {code}\nowned-by nobody\nid {logical}id\nchange-tracking available\n\
             flags custom on-demand intersect no-concurrency\nprivileges none\n\
             read-with {}\nassociates {schema_name}  {} {column} {to_other}  {} {other_column} \
             {to_one}\n\ncolumns\n{column} id read-only\n{other_column} id read-only\n\
             {intersect}Id id system read-only\nVersionNumber bigint read-only\n",
            readers(one, other).join(" "),
            one.logical_name,
            other.logical_name,
        );
        let id = metadata_id(&["relationship", schema_name]);
        Ok((
            vec![SchemaChange::AddTable { text }],
            self.defined(&format!("RelationshipDefinitions({id})")),
        ))
    }

    /// A table that rows of others can be associated with.
    fn associable(&self, body: &Body, member: &str) -> Result<&Table, ODataError> {
        let table = self.named_table(body, member)?;
        if table.is_intersect || table.is_activity_party || table.is_read_only {
            return Err(ODataError::bad_request(
                "0x80044332",
                "This entity cannot participate in an entity association",
            ));
        }
        Ok(table)
    }

    /// What removes a custom many-to-many relationship: its intersect table, with its rows.
    pub(super) fn intersect_removal(&self, intersect: &str) -> Result<SchemaChange, ODataError> {
        let table = self.model().schema.table(intersect);
        match table.filter(|table| table.is_custom) {
            Some(table) => Ok(SchemaChange::RemoveTable {
                table: table.logical_name.clone(),
            }),
            None => Err(ODataError::new(
                StatusCode::BAD_REQUEST,
                "0x80040203",
                "The relationship cannot be deleted: only those added by a customization can.",
            )),
        }
    }
}

/// Names of the privileges to read both tables.
fn readers(one: &Table, other: &Table) -> Vec<String> {
    let mut names: Vec<String> = [one, other]
        .into_iter()
        .filter_map(|table| table.privilege(PrivilegeType::Read))
        .map(|privilege| privilege.name.clone())
        .collect();
    names.dedup();
    names
}
