//! A loaded connector, from which sessions are opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::authorization::Authorization;
use crate::bindings::ConnectorPre;
use crate::cache::Cache;
use crate::contract::{ConnectorDescription, Role};
use crate::engine;
use crate::error::{CallError, LoadError};
use crate::instance::{Instance, State, link};
use crate::profile::Profile;
use crate::secrets::InMemory;
use crate::session::Session;

/// How many instances there may be at once if the builder is not told.
const MOST_INSTANCES: u32 = 250;

/// How WebAssembly begins.
const MAGIC: &[u8] = b"\0asm";

/// A connector component, loaded and compiled once, for any number of sessions at the same time.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct ConnectorHost {
    shared: Arc<Shared>,
}

struct Shared {
    pre: ConnectorPre<State>,
    environment: Vec<(String, String)>,
    /// One for each instance that there may be at once.
    places: Arc<Semaphore>,
    loading: Loading,
}

/// How a component was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loading {
    /// Whether compiled code was found in the cache.
    pub cached: bool,
    /// From the component's bytes to something that can be instantiated.
    pub took: Duration,
}

/// Says which component to load and what it gets beyond the least.
#[derive(Debug, Default)]
pub struct ConnectorHostBuilder {
    source: Option<Source>,
    cache: CacheChoice,
    environment: Option<Vec<(String, String)>>,
    most_instances: Option<u32>,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
}

#[derive(Debug, Default)]
enum CacheChoice {
    #[default]
    OfTheUser,
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
    /// Without a choice it is `dataverse-host` in the user's cache directory.
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

    /// How many instances there may be at once, of which each session has one; 250 without
    /// this call. One more is refused with [`CallError::TooMany`]. Each takes 8 GiB of address
    /// space and no memory before it runs.
    #[must_use]
    pub fn most_instances(mut self, most: u32) -> Self {
        self.most_instances = Some(most);
        self
    }

    /// Reads, compiles and checks the component. Blocks for the time of a compilation when the
    /// cache has none.
    pub fn build(self) -> Result<ConnectorHost, LoadError> {
        let wasm = match self.source.ok_or(LoadError::NoComponent)? {
            Source::Bytes(bytes) => bytes,
            Source::File(path) => std::fs::read(&path).map_err(|source| LoadError::File {
                path: path.clone(),
                source,
            })?,
        };
        let cache = match self.cache {
            CacheChoice::OfTheUser => Cache::default_directory().map(Cache::new),
            CacheChoice::In(directory) => Some(Cache::new(directory)),
            CacheChoice::None => None,
        };
        let most_instances = self.most_instances.unwrap_or(MOST_INSTANCES);
        let engine = engine::start(most_instances).map_err(LoadError::Runtime)?;

        let start = Instant::now();
        let known = cache.as_ref().and_then(|cache| cache.load(&engine, &wasm));
        let cached = known.is_some();
        let component = if let Some(component) = known {
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
                places: Arc::new(Semaphore::new(most_instances as usize)),
                loading,
            }),
        })
    }
}

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

impl ConnectorHost {
    /// Starts to say what to load.
    pub fn builder() -> ConnectorHostBuilder {
        ConnectorHostBuilder::default()
    }

    /// How the component was loaded.
    pub fn loading(&self) -> Loading {
        self.shared.loading
    }

    /// Who the connector is and which settings it takes. Needs no connection.
    pub async fn describe(&self) -> Result<ConnectorDescription, CallError> {
        self.instantiate_cut_off()
            .await?
            .call("connection.describe", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .call_describe(store)
                    .await
            })
            .await
    }

    /// The least that a connection's account must be allowed for what these settings say it will
    /// be used for, and what creates a role of that kind. Needs neither network nor secrets.
    pub async fn required_role(&self, settings: &str) -> Result<Role, CallError> {
        let settings = settings.to_owned();
        self.instantiate_cut_off()
            .await?
            .ask("connection.required-role", async |connector, store| {
                connector
                    .integration_connector_connection()
                    .call_required_role(store, &settings)
                    .await
            })
            .await
    }

    /// Prepares signing in with a person's help, in an instance of its own that can reach the
    /// origins of this profile. Nothing is sent yet. What was signed in to lives in the profile's
    /// secrets; sessions are opened afterwards.
    pub async fn authorization(&self, profile: &Profile) -> Result<Authorization, CallError> {
        Authorization::open(self.instantiate(profile).await?, profile).await
    }

    /// Opens a session of this profile in an instance of its own. The connector is first asked,
    /// cut off from the network, which origins it will reach; only those are opened to it. Nothing
    /// is sent yet.
    pub async fn open(&self, profile: &Profile) -> Result<Session, CallError> {
        Session::open(self.instantiate(profile).await?, profile).await
    }

    /// An instance without settings, secrets or network.
    async fn instantiate_cut_off(&self) -> Result<Instance, CallError> {
        let nobody = Profile::new("{}", InMemory::new()).map_err(|error| CallError::Trap {
            call: "instantiate",
            reason: error.to_string(),
        })?;
        self.instantiate(&nobody).await
    }

    async fn instantiate(&self, profile: &Profile) -> Result<Instance, CallError> {
        let place = Arc::clone(&self.shared.places).try_acquire_owned();
        let place = place.map_err(|_| CallError::TooMany)?;
        Instance::new(&self.shared.pre, profile, &self.shared.environment, place).await
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

    #[test]
    fn a_component_that_wants_more_is_refused_by_name() {
        let wants = [
            "wasi:io/poll@0.2.6",
            "wasi:cli/exit@0.2.6",
            "wasi:cli/environment@0.2.6",
        ];
        let Err(LoadError::Imports { imports }) = load(component(&wants)) else {
            panic!("was loaded")
        };
        assert_eq!(
            imports,
            ["wasi:cli/exit@0.2.6", "wasi:cli/environment@0.2.6"]
        );
        let granted = ConnectorHost::builder()
            .component_bytes(component(&wants))
            .without_cache()
            .environment([("A", "B")])
            .build();
        let Err(LoadError::Imports { imports }) = granted else {
            panic!("was loaded")
        };
        assert_eq!(imports, ["wasi:cli/exit@0.2.6"]);
    }

    /// A platform moves these between threads.
    #[test]
    fn futures_can_be_spawned() {
        fn spawnable<T: Send>(_: impl FnOnce(&'static ConnectorHost, &'static Profile) -> T) {}
        spawnable(|host, profile| async {
            let mut session = host.open(profile).await?;
            session.check().await?;
            session.describe_streams(&[]).await?;
            session.create_role("").await?;
            let mut sync = session.sync(&[]).await?;
            sync.next().await?;
            sync.close().await
        });
        spawnable(|host, profile| async {
            host.required_role("").await?;
            let mut authorization = host.authorization(profile).await?;
            let request = authorization.sign_in("").await?;
            authorization.complete("", &request, "").await?;
            let code = authorization.begin_device().await?;
            authorization.poll_device(&code.continuation).await
        });
        spawnable(|host, profile| async {
            let sink = Box::new(crate::sink::Sqlite::open("").unwrap());
            let never = std::future::pending();
            crate::run_sync(host, profile, &[], sink, &mut crate::Silent, never).await
        });
    }

    #[test]
    fn what_is_no_connector_is_refused() {
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
