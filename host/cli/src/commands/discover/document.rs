//! Streams, columns and views for programs: the whole catalogue, as JSON.

use serde::Serialize;
use serde_json::value::RawValue;

use dataverse_host::contract::{
    AlternateKey, Choice, Column, Relationship, StreamDescription, View,
};

use super::super::raw_json::raw;
use super::names;
use crate::exit::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JsonStream<'a> {
    name: &'a str,
    kind: &'static str,
    title: &'a str,
    change_detection: &'static str,
    change_detection_reason: &'a str,
    primary_key: &'a [String],
    name_column: Option<&'a str>,
    columns: Vec<JsonColumn<'a>>,
    alternate_keys: Vec<JsonKey<'a>>,
    relationships: Vec<JsonRelationship<'a>>,
    row_schema: &'a RawValue,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "they are separate facts of the contract"
)]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonColumn<'a> {
    name: &'a str,
    title: &'a str,
    data_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a str>,
    nullable: bool,
    requirement: &'static str,
    creatable: bool,
    updatable: bool,
    secured: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<u8>,
    /// As text: a program that reads JSON numbers as binary ones would round it.
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<JsonChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choice_set: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    targets: &'a [String],
}

#[derive(Serialize)]
struct JsonChoice<'a> {
    value: i32,
    label: &'a str,
}

#[derive(Serialize)]
struct JsonKey<'a> {
    name: &'a str,
    columns: &'a [String],
    usable: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonRelationship<'a> {
    name: &'a str,
    cardinality: &'static str,
    column: &'a str,
    stream: &'a str,
    other_column: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct JsonView<'a> {
    name: &'a str,
    title: &'a str,
    stream: &'a str,
    personal: bool,
}

impl<'a> JsonStream<'a> {
    pub(super) fn new(stream: &'a StreamDescription) -> Result<Self, Failure> {
        Ok(Self {
            name: &stream.summary.name,
            kind: names::kind(stream.summary.kind),
            title: &stream.summary.title,
            change_detection: names::change_detection(stream.summary.change_detection),
            change_detection_reason: &stream.change_detection_reason,
            primary_key: &stream.primary_key,
            name_column: stream.name_column.as_deref(),
            columns: stream.columns.iter().map(JsonColumn::from).collect(),
            alternate_keys: stream.alternate_keys.iter().map(JsonKey::from).collect(),
            relationships: stream
                .relationships
                .iter()
                .map(JsonRelationship::from)
                .collect(),
            row_schema: raw(&stream.row_schema)?,
        })
    }
}

impl<'a> From<&'a Column> for JsonColumn<'a> {
    fn from(column: &'a Column) -> Self {
        Self {
            name: &column.name,
            title: &column.title,
            data_type: names::data_type(column.data_type),
            format: column.format.as_deref(),
            nullable: column.nullable,
            requirement: names::requirement(column.requirement),
            creatable: column.creatable,
            updatable: column.updatable,
            secured: column.secured,
            max_length: column.max_length,
            scale: column.scale,
            minimum: column.minimum.as_deref(),
            maximum: column.maximum.as_deref(),
            choices: column.choices.iter().map(JsonChoice::from).collect(),
            choice_set: column.choice_set.as_deref(),
            targets: &column.targets,
        }
    }
}

impl<'a> From<&'a Choice> for JsonChoice<'a> {
    fn from(choice: &'a Choice) -> Self {
        Self {
            value: choice.value,
            label: &choice.label,
        }
    }
}

impl<'a> From<&'a AlternateKey> for JsonKey<'a> {
    fn from(key: &'a AlternateKey) -> Self {
        Self {
            name: &key.name,
            columns: &key.columns,
            usable: key.usable,
        }
    }
}

impl<'a> From<&'a Relationship> for JsonRelationship<'a> {
    fn from(relationship: &'a Relationship) -> Self {
        Self {
            name: &relationship.name,
            cardinality: names::cardinality(relationship.cardinality),
            column: &relationship.column,
            stream: &relationship.stream,
            other_column: &relationship.other_column,
            pairs: relationship.pairs.as_deref(),
        }
    }
}

impl<'a> From<&'a View> for JsonView<'a> {
    fn from(view: &'a View) -> Self {
        Self {
            name: &view.name,
            title: &view.title,
            stream: &view.stream,
            personal: view.personal,
        }
    }
}
