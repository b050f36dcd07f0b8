//! An emulated service, and the host with the connector in front of it.

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

use crate::{WebApi, component_path, leaks};

/// The name under which the client secret is known to the settings of a [`Stand`].
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

/// A running emulator and what a connection to it needs.
pub struct Stand {
    pub emulator: Emulator,
    pub api: WebApi,
}

impl Stand {
    /// An organization without rows of its own.
    pub async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    /// An organization with so many accounts and what goes with them.
    pub async fn of_accounts(accounts: u64) -> Self {
        Self::of(Sizes::of_accounts(accounts)).await
    }

    /// An organization with so many rows.
    pub async fn of(sizes: Sizes) -> Self {
        Self::with(|builder| {
            builder.seed(move |store| {
                generate::run(store, 5, &sizes)?;
                Ok(())
            })
        })
        .await
    }

    pub async fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let emulator = configure(Emulator::builder()).start().await.unwrap();
        let api = WebApi::sign_in(&emulator).await;
        leaks::watch(CLIENT_SECRET);
        leaks::watch(api.token());
        leaks::watch_over(emulator.handed_out());
        Self { emulator, api }
    }

    /// Settings that name nothing but what they must. What fails is not waited for long.
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

    /// A profile with settings of the test's own.
    pub fn profile_with(&self, settings: &Value) -> Profile {
        let secrets = InMemory::new().with(SECRET_NAME, CLIENT_SECRET);
        Profile::new(settings.to_string(), secrets).unwrap()
    }

    /// Reads streams into a sink until each has ended.
    pub async fn sync(&self, requests: &[StreamRequest], sink: impl Sink + 'static) -> SyncReport {
        sync(&self.profile(), requests, sink).await
    }

    /// Works in the organization, on a thread where blocking is allowed.
    pub fn work(&self, seed: u64, changes: usize) -> dataverse_emulator::DayReport {
        self.emulator
            .work_a_day(seed, changes)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Every column of each stream, in pages of so many rows.
pub fn requests(streams: &[&str], page_size: u32) -> Vec<StreamRequest> {
    let request = |stream: &&str| Selection::of(*stream).with_page_size(page_size).into();
    streams.iter().map(request).collect()
}

/// Opens a sink again that was in use until now.
///
/// A program that another test is just starting has, for a moment, a copy of everything that
/// this process has open, and so of the sink's lock.
pub fn open<S>(mut open: impl FnMut() -> Result<S, SinkError>) -> S {
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
    leaks::assert_none("a report", format!("{report:?}").as_bytes());
    report
}

/// The events of a sync of one stream in an instance of its own.
pub async fn sync_events(profile: &Profile, selection: Selection) -> Result<Vec<Event>, CallError> {
    let mut session = host().open(profile).await?;
    let mut sync = session.sync(&[selection]).await?;
    let mut events = Vec::new();
    while let Some(event) = sync.next().await? {
        events.push(event);
    }
    Ok(events)
}

/// Fails unless every stream came to its end.
#[track_caller]
pub fn all_complete(report: &SyncReport) {
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    assert!(!report.streams.is_empty());
    for stream in &report.streams {
        assert_eq!(stream.outcome, Outcome::Complete, "{}", stream.stream);
    }
}
