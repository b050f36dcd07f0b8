//! Configuring and starting an emulator.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64},
    },
    time::Duration,
};

use tokio::net::TcpListener;

use super::{
    Emulator,
    directory::{populate, tenants},
    error::{SeedError, StartError},
    opening::{ExtraTables, Seed, open},
};
use crate::{
    api::{Api, Organization, RECOMMENDED_PARALLELISM, Service},
    clock::Clock,
    entra::{Entra, Settings},
    environment::{
        Environment, as_many_as_processors, faults::Faults, paths::ServicePaths,
        statistics::Counters, version::ApiVersion,
    },
    gate::{
        Gate,
        limits::{Limiter, ServiceLimits},
    },
    ids::TENANT_ID,
    net::{authority::Authority, serve::serve},
    schema::Schema,
    store::Store,
};

/// How long access tokens are valid, in seconds (reference §2.2).
const TOKEN_LIFETIME: i64 = 3_599;

/// How long a device waits between two polls, in seconds (reference §2.6).
const DEVICE_CODE_INTERVAL: i64 = 5;

/// The configuration of an emulator.
pub struct Builder {
    schema: Option<Schema>,
    made_up: ExtraTables,
    file: Option<PathBuf>,
    environment: SocketAddr,
    authority: SocketAddr,
    clock: Clock,
    token_lifetime: i64,
    refresh_grace: Option<i64>,
    device_interval: i64,
    limits: Option<ServiceLimits>,
    affinity_cookie: bool,
    adfs: bool,
    organization_path: Option<String>,
    version: ApiVersion,
    resources: Vec<String>,
    name: String,
    seed: Option<Seed>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("file", &self.file)
            .field("environment", &self.environment)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Builder {
            schema: None,
            made_up: ExtraTables::default(),
            file: None,
            environment: free,
            authority: free,
            clock: Clock::system(),
            token_lifetime: TOKEN_LIFETIME,
            refresh_grace: None,
            device_interval: DEVICE_CODE_INTERVAL,
            limits: None,
            affinity_cookie: false,
            adfs: false,
            organization_path: None,
            version: ApiVersion::default(),
            resources: Vec::new(),
            name: "Contoso".to_owned(),
            seed: None,
        }
    }
}

impl Builder {
    /// The tables of the organization, instead of [`Schema::standard`].
    #[must_use]
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Adds generated custom tables, each with this many columns, not
    /// counting those that only describe others. A large organization costs a few seconds and a few
    /// hundred bytes a column. Has no effect with [`Builder::schema`].
    #[must_use]
    pub fn extra_tables(mut self, tables: usize, columns: usize) -> Self {
        (self.made_up.tables, self.made_up.columns) = (tables, columns);
        self
    }

    /// Adds this many rows to each generated table of a new organization.
    #[must_use]
    pub fn extra_rows(mut self, rows_per_table: usize) -> Self {
        self.made_up.rows = rows_per_table;
        self
    }

    /// Keeps the rows in this file. Without it they are deleted with the emulator.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Where the environment listens; by default on a free port of 127.0.0.1.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.environment = address;
        self
    }

    /// Where the authority listens; by default on another free port of 127.0.0.1. The two are
    /// different origins, as in reality.
    #[must_use]
    pub fn listen_authority(mut self, address: SocketAddr) -> Self {
        self.authority = address;
        self
    }

    /// The clock of the organization and the authority.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How long access tokens are valid, in whole seconds; 3,599 by default.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self
    }

    /// How long a refresh token stays valid after its successor was issued, in whole seconds. By
    /// default it stays valid until it expires, as in Entra.
    #[must_use]
    pub fn refresh_token_grace(mut self, grace: Duration) -> Self {
        self.refresh_grace = Some(i64::try_from(grace.as_secs()).unwrap_or(i64::MAX));
        self
    }

    /// The interval between two polls of a device, in whole seconds; 5 by default.
    #[must_use]
    pub fn device_code_interval(mut self, interval: Duration) -> Self {
        self.device_interval = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX);
        self
    }

    /// Enforces service protection limits; by default requests are only counted.
    #[must_use]
    pub fn limits(mut self, limits: ServiceLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Sets an `ARRAffinity` cookie on every response.
    #[must_use]
    pub fn affinity_cookie(mut self) -> Self {
        self.affinity_cookie = true;
        self
    }

    /// Sends people to AD FS instead of Entra, as a server on premises does: the challenge names
    /// `{authority}/adfs`. Both are served in any case.
    #[must_use]
    pub fn adfs(mut self) -> Self {
        self.adfs = true;
        self
    }

    /// The organization's name in the path: the Web API is at `/{name}/api/data/` besides
    /// `/api/data/`, and nowhere else.
    #[must_use]
    pub fn organization_path(mut self, name: impl Into<String>) -> Self {
        self.organization_path = Some(name.into());
        self
    }

    /// The newest version of the Web API that is served, 9.2 by default.
    #[must_use]
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// Another origin by which clients reach the environment, such as that of a proxy. Tokens
    /// for it are issued and accepted.
    #[must_use]
    pub fn also_known_as(mut self, origin: impl Into<String>) -> Self {
        self.resources.push(origin.into());
        self
    }

    /// The organization's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Fills a new organization; not called for a file that already holds one.
    #[must_use]
    pub fn seed(
        mut self,
        seed: impl FnOnce(&mut Store) -> Result<(), SeedError> + Send + 'static,
    ) -> Self {
        self.seed = Some(Box::new(seed));
        self
    }

    /// Starts the emulator on the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// When the schema or the database cannot be used, the seed fails, or an address cannot be
    /// listened on.
    pub async fn start(self) -> Result<Emulator, StartError> {
        let environment_listener = bind(self.environment).await?;
        let authority_listener = bind(self.authority).await?;
        let local = local_address(&environment_listener, self.environment)?;
        let authority_local = local_address(&authority_listener, self.authority)?;
        let (schema, made_up) = (self.schema, self.made_up);
        let (file, clock) = (self.file, self.clock.clone());
        let (name, seed) = (self.name.clone(), self.seed);
        let store =
            tokio::task::spawn_blocking(move || open(schema, made_up, file, clock, &name, seed))
                .await??;

        let entra = Arc::new(Entra::new(
            tenants(&self.name),
            self.clock,
            Settings {
                token_lifetime: self.token_lifetime,
                refresh_grace: self.refresh_grace,
                device_interval: self.device_interval,
            },
        ));
        let base_url = format!("http://{local}");
        entra.add_resource(&base_url);
        entra.add_resource(&format!("http://localhost:{}", local.port()));
        if let Some(name) = &self.organization_path {
            // On premises, the resource may be the organization's address.
            entra.add_resource(&format!("{base_url}/{name}"));
        }
        for resource in &self.resources {
            entra.add_resource(resource);
        }
        let authority_url = format!("http://{authority_local}");
        let authority_name = if self.adfs {
            "adfs".to_owned()
        } else {
            TENANT_ID.to_string()
        };
        let unique_name = self.organization_path.clone();
        let organization = Organization {
            version: self.version.build().to_owned(),
            tenant: TENANT_ID,
            unique_name: unique_name.unwrap_or_else(|| "contoso".to_owned()),
            friendly_name: self.name,
        };
        let limiter = Limiter::default();
        limiter.enforce(self.limits);
        let environment = Arc::new(Environment {
            api: Service::new(Api::new(Arc::new(store), organization, Arc::clone(&entra))),
            entra: Arc::clone(&entra),
            gate: Gate::default(),
            limiter,
            faults: Faults::default(),
            counters: Counters::default(),
            turns: as_many_as_processors(),
            latency: AtomicU64::new(0),
            recommended_parallelism: AtomicU32::new(RECOMMENDED_PARALLELISM),
            affinity_cookie: self.affinity_cookie,
            authorization_uri: format!("{authority_url}/{authority_name}/oauth2/authorize"),
            paths: ServicePaths {
                newest: self.version,
                organization: self.organization_path,
            },
            local,
            aliases: self.resources,
        });
        let shared = Arc::clone(&environment);
        tokio::task::spawn_blocking(move || populate(&shared))
            .await?
            .map_err(|error| StartError::Seed(Box::new(error)))?;
        let authority = Arc::new(Authority {
            entra,
            local: authority_local,
        });
        let tasks = vec![
            tokio::spawn({
                let environment = Arc::clone(&environment);
                async move {
                    serve(environment_listener, environment).await;
                }
            }),
            tokio::spawn(async move {
                serve(authority_listener, authority).await;
            }),
        ];
        Ok(Emulator {
            environment,
            base_url,
            authority_url,
            tasks,
        })
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

fn local_address(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    listener
        .local_addr()
        .map_err(|source| StartError::Listen { address, source })
}
