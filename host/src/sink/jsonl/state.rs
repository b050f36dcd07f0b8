//! `state.json`: the checkpoint and file length of each stream.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sync_directory;
use crate::sink::SinkError;

const FILE: &str = "state.json";
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    version: u32,
    streams: BTreeMap<String, StreamState>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamState {
    /// The file that readers see.
    pub(super) current: Part,
    /// The file of a full read that is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fresh: Option<Part>,
    /// The fresh file is complete and about to become the current one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) promoting: bool,
}

impl StreamState {
    /// The part that pages are appended to.
    pub(super) fn part(&mut self) -> &mut Part {
        self.fresh.as_mut().unwrap_or(&mut self.current)
    }
}

/// A file's durable length and the checkpoint that belongs to it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub(super) bytes: u64,
    /// As the connector wrote it, a JSON document as text.
    pub(super) checkpoint: Option<String>,
}

impl State {
    pub(super) fn load(directory: &Path) -> Result<Self, SinkError> {
        let path = directory.join(FILE);
        let changed = |reason: String| {
            SinkError::changed(
                &path,
                format!("{reason}; restore it, or empty the directory to read everything again"),
            )
        };
        let state: Self = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| changed(format!("is not a valid state file ({error})")))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self {
                version: VERSION,
                streams: BTreeMap::new(),
            },
            Err(error) => return Err(SinkError::io("read", path)(error)),
        };
        if state.version != VERSION {
            return Err(changed(format!(
                "has version {}, not {VERSION}",
                state.version
            )));
        }
        Ok(state)
    }

    /// Replaces the file as a whole, so that a reader sees the old state or the new one.
    pub(super) fn save(&self, directory: &Path) -> Result<(), SinkError> {
        let path = directory.join(FILE);
        let temporary = directory.join("state.json.new");
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(SinkError::io("written", &path))?;
        sync_directory(directory)
    }

    pub(super) fn get(&self, stream: &str) -> Option<&StreamState> {
        self.streams.get(stream)
    }

    pub(super) fn stream(&mut self, stream: &str) -> &mut StreamState {
        self.streams.entry(stream.to_owned()).or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &StreamState)> {
        self.streams
            .iter()
            .map(|(name, state)| (name.as_str(), state))
    }

    /// The streams whose promotion a crash interrupted.
    pub(super) fn promoting(&self) -> impl Iterator<Item = &str> {
        self.streams
            .iter()
            .filter(|(_, state)| state.promoting)
            .map(|(name, _)| name.as_str())
    }
}
