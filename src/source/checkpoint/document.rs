//! The JSON document of a checkpoint.

use serde::Serialize;

use super::binding::Binding;
use crate::source::position::Position;

/// The format that this connector writes. It reads every format up to this one: format 1 had no
/// ranges; format 2 had no filters, columns and age of change tokens.
pub(super) const VERSION: u32 = 3;

/// The order of its members is the order of the text; members that earlier formats did not have
/// are left out where they are empty.
#[derive(Serialize)]
pub(super) struct Document {
    pub(super) v: u32,
    pub(super) environment: String,
    pub(super) table: String,
    pub(super) columns: Option<Vec<String>>,
    pub(super) labels: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) files: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) types: Option<String>,
    pub(super) position: Position,
    /// CRC-32 of the document with this member empty, in hexadecimal.
    pub(super) sum: String,
}

impl Document {
    /// The document of a position, without its checksum.
    pub(super) fn new(binding: &Binding, types: &str, position: &Position) -> Self {
        let binding = binding.clone();
        Self {
            v: VERSION,
            environment: binding.environment,
            table: binding.table,
            columns: binding.columns,
            labels: binding.labels,
            filter: binding.filter,
            since: binding.since,
            query: binding.query,
            files: binding.files.then_some(true),
            types: Some(types.to_owned()),
            position: position.clone(),
            sum: String::new(),
        }
    }

    /// The text, with its checksum.
    pub(super) fn into_text(mut self) -> Result<String, serde_json::Error> {
        self.sum = self.checksum()?;
        serde_json::to_string(&self)
    }

    /// The checksum that belongs to the rest of the document.
    pub(super) fn checksum(&mut self) -> Result<String, serde_json::Error> {
        let sum = std::mem::take(&mut self.sum);
        let text = serde_json::to_string(self)?;
        self.sum = sum;
        Ok(format!("{:08x}", crc32fast::hash(text.as_bytes())))
    }

    /// What it was made for.
    pub(super) fn binding(&self) -> Binding {
        Binding {
            environment: self.environment.clone(),
            table: self.table.clone(),
            columns: self.columns.clone(),
            labels: self.labels,
            filter: self.filter.clone(),
            since: self.since.clone(),
            query: self.query.clone(),
            files: self.files == Some(true),
        }
    }
}
