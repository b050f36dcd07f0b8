//! Finds and loads the connector component.

use std::path::{Path, PathBuf};

use dataverse_host::{ConnectorHost, LoadError};

use crate::exit::{Exit, Failure};

/// The component's file name, as the build leaves it.
const FILE: &str = "dataverse_connector.wasm";

/// A command has one session, and a new one after a crash.
const MAX_INSTANCES: u32 = 4;

/// Loads the named component, else that of `$DATAVERSE_COMPONENT`, else the one beside this
/// program, else the one that the build leaves.
pub(crate) fn load(named: Option<&Path>) -> Result<ConnectorHost, Failure> {
    let from_environment = || {
        let path = std::env::var_os("DATAVERSE_COMPONENT")?;
        (!path.is_empty()).then(|| PathBuf::from(path))
    };
    let path = named.map(Path::to_path_buf).or_else(from_environment);
    let path = path.unwrap_or_else(beside_or_built);
    let host = ConnectorHost::builder()
        .component_file(&path)
        .max_instances(MAX_INSTANCES)
        .build();
    host.map_err(|error| match error {
        LoadError::File { .. } | LoadError::Runtime(_) => error.into(),
        _ => Failure::new(Exit::Usage, format!("{}: {error}", path.display())),
    })
}

fn beside_or_built() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .map(|program| program.with_file_name(FILE));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| ["target", "component", FILE].iter().collect())
}
