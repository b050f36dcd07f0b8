//! An emulator, a connection to it, and the host with the connector.

use std::sync::OnceLock;

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::{Builder, CLIENT_ID, CLIENT_SECRET, Emulator};
use dataverse_host::contract::{Event, Selection};
use dataverse_host::secrets::InMemory;
use dataverse_host::sink::{Sink, SinkError};
use dataverse_host::{
    CallError, ConnectorHost, End, Outcome, Profile, Silent, Stop, StreamRequest, SyncReport,
    run_sync,
};
use serde_json::{Value, json};

use crate::{WebApi, component_path, secret_scan};

/// The name of the client secret in the settings of a [`Fixture`].
pub const SECRET_NAME: &str = "client-secret";

/// The connector, loaded once for all tests.
pub fn host() -> &'static ConnectorHost {
    static HOST: OnceLock<ConnectorHost> = OnceLock::new();
    HOST.get_or_init(|| {
        let builder = ConnectorHost::builder()
            .component_file(component_path())
            .without_cache();
        builder.build().unwrap_or_else(|error| panic!("{error}"))
    })
}

/// A running emulator, and a signed-in client of it.
pub struct Fixture {
    pub emulator: Emulator,
    pub api: WebApi,
}

impl Fixture {
    /// An organization with only the rows that every organization has.
    pub async fn start() -> Self {
        Self::build(|builder| builder).await
    }

    /// An organization with this number of accounts, and contacts, activities and so on in
    /// proportion.
    pub async fn with_accounts(accounts: u64) -> Self {
        Self::with_rows(Sizes::of_accounts(accounts)).await
    }

    /// An organization with these numbers of rows.
    pub async fn with_rows(sizes: Sizes) -> Self {
        Self::build(|builder| {
            builder.seed(move |store| {
                generate::run(store, 5, &sizes)?;
                Ok(())
            })
        })
        .await
    }

    /// An organization of a configured emulator.
    pub async fn build(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let emulator = configure(Emulator::builder()).start().await.unwrap();
        let api = WebApi::sign_in(&emulator).await;
        secret_scan::register(CLIENT_SECRET);
        secret_scan::register(api.token());
        secret_scan::register_source(emulator.handed_out());
        Self { emulator, api }
    }

    /// The required settings, and a short limit for retries.
    pub fn settings(&self) -> Value {
        json!({
            "environment": self.emulator.base_url(),
            "auth": {
                "type": "client-secret",
                "clientId": CLIENT_ID.to_string(),
                "secret": SECRET_NAME,
            },
            "retry": {"maxWaitSeconds": 10},
        })
    }

    pub fn profile(&self) -> Profile {
        self.profile_with(&self.settings())
    }

    /// A profile with other settings.
    pub fn profile_with(&self, settings: &Value) -> Profile {
        let secrets = InMemory::new().with(SECRET_NAME, CLIENT_SECRET);
        Profile::new(settings.to_string(), secrets).unwrap()
    }

    /// Reads streams into a sink until each has ended.
    pub async fn sync(&self, requests: &[StreamRequest], sink: impl Sink + 'static) -> SyncReport {
        sync(&self.profile(), requests, sink).await
    }

    /// Creates, changes and deletes rows, as users do. Blocks.
    pub fn simulate_changes(&self, seed: u64, changes: usize) -> dataverse_emulator::DayReport {
        self.emulator
            .work_a_day(seed, changes)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Requests for every column of these streams, in pages of `page_size` rows.
pub fn requests(streams: &[&str], page_size: u32) -> Vec<StreamRequest> {
    let request = |stream: &&str| Selection::of(*stream).with_page_size(page_size).into();
    streams.iter().map(request).collect()
}

/// Opens a sink whose last user has just closed it, and retries while it is locked.
///
/// While another test starts a program, the child process briefly has a copy of all open files of
/// this process, the sink's lock among them.
pub fn open_sink<S>(mut open: impl FnMut() -> Result<S, SinkError>) -> S {
    let mut attempts = 0;
    loop {
        match open() {
            Err(SinkError::InUse { .. }) if attempts < 2_000 => {
                attempts += 1;
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            other => return other.unwrap_or_else(|error| panic!("{error}")),
        }
    }
}

/// Reads streams into a sink until each has ended.
pub async fn sync(
    profile: &Profile,
    requests: &[StreamRequest],
    sink: impl Sink + 'static,
) -> SyncReport {
    let never = std::future::pending::<Stop>();
    let report = run_sync(
        host(),
        profile,
        requests,
        Box::new(sink),
        &mut Silent,
        never,
    )
    .await;
    secret_scan::assert_no_secret("a report", format!("{report:?}").as_bytes());
    report
}

/// The events of a sync of one stream, in a new instance.
///
/// # Errors
/// When the session cannot be opened, or the sync ends with an error of the connection.
pub async fn sync_events(profile: &Profile, selection: Selection) -> Result<Vec<Event>, CallError> {
    let mut session = host().open(profile).await?;
    let mut sync = session.sync(&[selection]).await?;
    let mut events = Vec::new();
    while let Some(event) = sync.next().await? {
        events.push(event);
    }
    Ok(events)
}

/// Fails unless every stream is complete.
#[track_caller]
pub fn assert_complete(report: &SyncReport) {
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    assert!(!report.streams.is_empty());
    for stream in &report.streams {
        assert_eq!(stream.outcome, Outcome::Complete, "{}", stream.stream);
    }
}
