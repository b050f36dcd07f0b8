//! Loads a component and checks that it is a connector.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::{ConnectorHost, Shared};
use crate::bindings::ConnectorPre;
use crate::cache::Cache;
use crate::engine;
use crate::error::{CONTRACT_VERSION, LoadError};
use crate::instance::link;

/// The default limit of concurrent instances.
const MAX_INSTANCES: u32 = 250;

/// The first bytes of WebAssembly.
const MAGIC: &[u8] = b"\0asm";

/// How a component was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loading {
    /// Whether compiled code was found in the cache.
    pub cached: bool,
    /// From the component's bytes to something that can be instantiated.
    pub took: Duration,
}

/// Which component to load, and what it is granted beyond the minimum.
#[derive(Debug, Default)]
pub struct ConnectorHostBuilder {
    source: Option<Source>,
    cache: CacheChoice,
    environment: Option<Vec<(String, String)>>,
    max_instances: Option<u32>,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
}

#[derive(Debug, Default)]
enum CacheChoice {
    #[default]
    UserDirectory,
    In(PathBuf),
    None,
}

impl ConnectorHostBuilder {
    /// Loads the component from a file.
    #[must_use]
    pub fn component_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Some(Source::File(path.into()));
        self
    }

    /// Loads the component from memory.
    #[must_use]
    pub fn component_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.source = Some(Source::Bytes(bytes.into()));
        self
    }

    /// Keeps compiled code in this directory, which is created with access for its owner only.
    /// The default is `dataverse-host` in the user's cache directory.
    #[must_use]
    pub fn cache_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache = CacheChoice::In(path.into());
        self
    }

    /// Compiles at every start.
    #[must_use]
    pub fn without_cache(mut self) -> Self {
        self.cache = CacheChoice::None;
        self
    }

    /// Grants `wasi:cli/environment` with exactly these variables, for a connector composed with
    /// an adapter that reads its secrets there. Without this call such a component is refused.
    #[must_use]
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        self.environment = Some(variables.collect());
        self
    }

    /// The limit of concurrent instances, of which each session has one. The default is 250. One
    /// more is refused with [`CallError::TooMany`](crate::CallError::TooMany). Each reserves 8 GiB
    /// of address space, and no memory before it runs.
    #[must_use]
    pub fn max_instances(mut self, limit: u32) -> Self {
        self.max_instances = Some(limit);
        self
    }

    /// Reads, compiles and checks the component. Blocks while it compiles, if the cache has no
    /// compiled code.
    ///
    /// # Errors
    /// When the component cannot be read or compiled, is not a connector of this version of the
    /// contract, or imports more than it is granted; when the runtime cannot start.
    pub fn build(self) -> Result<ConnectorHost, LoadError> {
        let wasm = match self.source.ok_or(LoadError::NoComponent)? {
            Source::Bytes(bytes) => bytes,
            Source::File(path) => std::fs::read(&path).map_err(|source| LoadError::File {
                path: path.clone(),
                source,
            })?,
        };
        let cache = match self.cache {
            CacheChoice::UserDirectory => Cache::default_directory().map(Cache::new),
            CacheChoice::In(directory) => Some(Cache::new(directory)),
            CacheChoice::None => None,
        };
        let max_instances = self.max_instances.unwrap_or(MAX_INSTANCES);
        let engine = engine::start(max_instances).map_err(LoadError::Runtime)?;

        let start = Instant::now();
        let compiled = cache.as_ref().and_then(|cache| cache.load(&engine, &wasm));
        let cached = compiled.is_some();
        let component = if let Some(component) = compiled {
            component
        } else {
            if !wasm.starts_with(MAGIC) {
                return Err(LoadError::Invalid(wasmtime::Error::msg(
                    "it is not WebAssembly",
                )));
            }
            let component = Component::new(&engine, &wasm).map_err(LoadError::Invalid)?;
            if let Some(cache) = &cache {
                cache.store(&engine, &wasm, &component);
            }
            component
        };
        refuse_other_versions(&component, &engine)?;
        refuse_other_imports(&component, &engine, self.environment.is_some())?;
        let mut linker = Linker::new(&engine);
        link(&mut linker, self.environment.is_some()).map_err(LoadError::Runtime)?;
        let pre = linker
            .instantiate_pre(&component)
            .map_err(LoadError::Contract)?;
        let pre = ConnectorPre::new(pre).map_err(LoadError::Contract)?;
        let loading = Loading {
            cached,
            took: start.elapsed(),
        };
        let environment = self.environment.unwrap_or_default();
        Ok(ConnectorHost {
            shared: Arc::new(Shared {
                pre,
                environment,
                permits: Arc::new(Semaphore::new(max_instances as usize)),
                loading,
            }),
        })
    }
}

/// An older or newer connector gets an error that names its version, not its first missing export.
fn refuse_other_versions(component: &Component, engine: &Engine) -> Result<(), LoadError> {
    let ty = component.component_type();
    let versions: Vec<String> = ty
        .exports(engine)
        .filter_map(|(name, _)| name.strip_prefix(CONTRACT)?.split_once('@'))
        .map(|(_interface, version)| version.to_owned())
        .collect();
    match versions.first() {
        Some(found) if !versions.iter().any(|version| is_compatible(version)) => {
            Err(LoadError::Version {
                found: found.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Versions with the same major and minor number are compatible.
fn is_compatible(version: &str) -> bool {
    let series = |version: &str| {
        let mut parts = version.split('.').map(str::to_owned);
        (parts.next(), parts.next())
    };
    series(version) == series(CONTRACT_VERSION)
}

/// The common beginning of the names of the contract's interfaces.
const CONTRACT: &str = "integration:connector/";

/// The interfaces that a connector may import, without their versions.
const GRANTED: [&str; 11] = [
    "integration:connector/secrets",
    "integration:connector/types",
    "wasi:cli/stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
];

fn refuse_other_imports(
    component: &Component,
    engine: &Engine,
    environment: bool,
) -> Result<(), LoadError> {
    let granted = |import: &str| {
        let interface = import
            .split_once('@')
            .map_or(import, |(interface, _)| interface);
        GRANTED.contains(&interface) || (environment && interface == "wasi:cli/environment")
    };
    let ty = component.component_type();
    let imports: Vec<String> = ty
        .imports(engine)
        .map(|(name, _)| name.to_owned())
        .filter(|name| !granted(name))
        .collect();
    if imports.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Imports { imports })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component that imports empty instances of these names and does nothing.
    fn component(imports: &[&str]) -> Vec<u8> {
        let mut import_section = vec![u8::try_from(imports.len()).unwrap()];
        for name in imports {
            import_section.extend([0, u8::try_from(name.len()).unwrap()]);
            import_section.extend(name.as_bytes());
            // An instance, of the first type.
            import_section.extend([5, 0]);
        }
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        // The first type: an instance that exports nothing.
        bytes.extend([7, 3, 1, 0x42, 0]);
        bytes.extend([10, u8::try_from(import_section.len()).unwrap()]);
        bytes.extend(import_section);
        bytes
    }

    fn load(bytes: impl Into<Vec<u8>>) -> Result<ConnectorHost, LoadError> {
        ConnectorHost::builder()
            .component_bytes(bytes)
            .without_cache()
            .build()
    }

    /// A connector of another version is refused with its version, not its first missing export.
    #[test]
    fn a_connector_of_another_version_is_refused_by_version() {
        let exporting = |name: &str| {
            let mut bytes = component(&["wasi:io/poll@0.2.6"]);
            let mut exports = vec![1, 0, u8::try_from(name.len()).unwrap()];
            exports.extend(name.as_bytes());
            // The first instance, without a type of its own.
            exports.extend([5, 0, 0]);
            bytes.extend([11, u8::try_from(exports.len()).unwrap()]);
            bytes.extend(exports);
            bytes
        };
        let old = load(exporting("integration:connector/connection@0.1.0"));
        let Err(LoadError::Version { found }) = old else {
            panic!("{:?}", old.map(|_| ()))
        };
        assert_eq!(found, "0.1.0");
        let incomplete = load(exporting("integration:connector/connection@0.2.7"));
        assert!(matches!(incomplete, Err(LoadError::Contract(_))));
    }

    #[test]
    fn imports_beyond_the_granted_ones_are_refused_by_name() {
        let wanted = [
            "wasi:io/poll@0.2.6",
            "wasi:cli/exit@0.2.6",
            "wasi:cli/environment@0.2.6",
        ];
        let Err(LoadError::Imports { imports }) = load(component(&wanted)) else {
            panic!("loaded")
        };
        assert_eq!(
            imports,
            ["wasi:cli/exit@0.2.6", "wasi:cli/environment@0.2.6"]
        );
        let granted = ConnectorHost::builder()
            .component_bytes(component(&wanted))
            .without_cache()
            .environment([("A", "B")])
            .build();
        let Err(LoadError::Imports { imports }) = granted else {
            panic!("loaded")
        };
        assert_eq!(imports, ["wasi:cli/exit@0.2.6"]);
    }

    #[test]
    fn components_that_are_not_connectors_are_refused() {
        assert!(matches!(load(component(&[])), Err(LoadError::Contract(_))));
        assert!(matches!(
            load(b"\0asm\x01\0\0\0"),
            Err(LoadError::Invalid(_))
        ));
        assert!(matches!(load("nonsense"), Err(LoadError::Invalid(_))));
        let absent = ConnectorHost::builder()
            .component_file("/nonexistent/x.wasm")
            .build();
        assert!(matches!(absent, Err(LoadError::File { .. })));
        assert!(matches!(
            ConnectorHost::builder().build(),
            Err(LoadError::NoComponent)
        ));
    }
}
