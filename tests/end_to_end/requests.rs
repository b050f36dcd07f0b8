//! The requests that the connector sends.

use std::sync::mpsc;
use std::time::Duration;

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::store::Store;
use dataverse_emulator::{CLIENT_SECRET, SeedError};
use dataverse_host::contract::Event;
use dataverse_host::sink::{Applied, Sink, SinkError};
use dataverse_tests::{
    Fixture, MemorySink, ReceivedRequest, TestServer, assert_complete, assert_same, requests, sync,
};
use serde_json::Value;

const ACCOUNTS: u64 = 23;
const PAGE_SIZE: u32 = 5;

fn seed(store: &mut Store) -> Result<(), SeedError> {
    generate::run(
        store,
        5,
        &Sizes {
            accounts: ACCOUNTS,
            ..Sizes::default()
        },
    )?;
    Ok(())
}

/// An emulator behind a recording server, and settings that point to that server.
async fn fixture_behind_server(
    edit: impl Fn(&ReceivedRequest, &[u8]) + Send + Sync + 'static,
) -> (Fixture, TestServer, Value) {
    let mut server = TestServer::bind().await;
    let origin = server.origin().to_owned();
    let fixture =
        Fixture::build(|builder| builder.also_known_as(&origin).affinity_cookie().seed(seed)).await;
    server.forward(fixture.emulator.base_url(), move |received, response| {
        edit(received, response.body());
        response
    });
    let mut settings = fixture.settings();
    settings["environment"] = origin.into();
    (fixture, server, settings)
}

/// Links are sent as the service returned them, and every page is requested with the same
/// preferences (reference §4.6, §6).
#[tokio::test(flavor = "multi_thread")]
async fn links_are_sent_unchanged_and_every_page_has_the_same_preferences() {
    let (links, returned) = mpsc::channel();
    let (fixture, server, settings) = fixture_behind_server(move |received, body| {
        if received.is_data() {
            let page: Value = serde_json::from_slice(body).unwrap();
            for name in ["@odata.nextLink", "@odata.deltaLink"] {
                if let Some(link) = page[name].as_str() {
                    links.send(link.to_owned()).unwrap();
                }
            }
        }
    })
    .await;
    let profile = fixture.profile_with(&settings);
    let memory = MemorySink::new();
    for _ in 0..2 {
        assert_complete(&sync(&profile, &requests(&["account"], PAGE_SIZE), memory.clone()).await);
    }
    let pages: Vec<ReceivedRequest> = server
        .requests()
        .into_iter()
        .filter(ReceivedRequest::is_data)
        .collect();
    assert_eq!(pages.len(), 6, "five pages and one read of changes");
    let returned: Vec<String> = returned.try_iter().collect();
    assert_eq!(returned.len(), 6, "each page has a link");
    for (link, next) in returned.iter().zip(&pages[1..]) {
        assert_eq!(*link, format!("{}{}", server.origin(), next.path));
    }
    assert_eq!(pages[0].path, "/api/data/v9.2/accounts");
    for received in &pages {
        let prefer = received.header("prefer");
        assert!(prefer.contains("odata.track-changes"), "{prefer}");
        assert!(prefer.contains("odata.maxpagesize=5"), "{prefer}");
        assert!(!prefer.contains("include-annotations"), "{prefer}");
        assert_eq!(received.header("odata-version"), "4.0");
        assert_eq!(received.header("odata-maxversion"), "4.0");
        assert!(
            received.header("accept").starts_with("application/json"),
            "{received:?}"
        );
        // Compression does not pay for a service on the same machine.
        assert_eq!(received.header("accept-encoding"), "identity");
        assert!(received.header("authorization").starts_with("Bearer eyJ"));
    }
}

/// Cookies are not returned, only batches have a body, no URL contains a secret, and connections
/// are reused.
#[tokio::test(flavor = "multi_thread")]
async fn no_unnecessary_requests_are_sent() {
    let (fixture, server, settings) = fixture_behind_server(|_, _| {}).await;
    let profile = fixture.profile_with(&settings);
    let memory = MemorySink::new();
    assert_complete(&sync(&profile, &requests(&["account"], 1), memory).await);
    let received = server.requests();
    assert!(received.len() > 23, "{}", received.len());
    let token = received
        .iter()
        .map(|received| received.header("authorization"))
        .find(|text| !text.is_empty());
    let token = token.and_then(|text| text.strip_prefix("Bearer ")).unwrap();
    for request in &received {
        let is_batch = request.path.ends_with("/$batch");
        let method = if is_batch {
            http::Method::POST
        } else {
            http::Method::GET
        };
        assert_eq!(request.method, method, "{}", request.path);
        assert_eq!(request.header("cookie"), "", "{request:?}");
        assert!(!request.path.contains(token) && !request.path.contains(CLIENT_SECRET));
        let has_body = request.headers.contains_key("content-length");
        assert_eq!(has_body, is_batch, "{}", request.path);
    }
    let metrics = profile.metrics();
    let (connections, requests) = (metrics.connections(), metrics.requests());
    assert!(
        connections * 3 <= requests,
        "{connections} connections for {requests} requests"
    );
    assert_eq!(metrics.denied(), 0);
}

/// Finishes a page only after the next one has been requested.
struct WaitingSink {
    inner: MemorySink,
    requested: mpsc::Receiver<()>,
    pages: u32,
}

impl Sink for WaitingSink {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        self.inner.checkpoint(stream)
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        if let Event::Page(_) = event {
            self.pages += 1;
            // While page n is stored, page n + 1 is requested.
            if u64::from(self.pages) < ACCOUNTS.div_ceil(u64::from(PAGE_SIZE)) {
                let request = self.requested.recv_timeout(Duration::from_secs(30));
                assert!(
                    request.is_ok(),
                    "no page was requested while page {} was stored",
                    self.pages
                );
            }
        }
        self.inner.apply(event)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_page_is_requested_while_the_sink_works() {
    let (sender, requested) = mpsc::channel();
    let (fixture, _server, settings) = fixture_behind_server(move |received, _| {
        // Pages after the first.
        if received.is_data() && received.path.contains("skiptoken") {
            sender.send(()).unwrap();
        }
    })
    .await;
    let memory = MemorySink::new();
    let sink = WaitingSink {
        inner: memory.clone(),
        requested,
        pages: 0,
    };
    let profile = fixture.profile_with(&settings);
    assert_complete(&sync(&profile, &requests(&["account"], PAGE_SIZE), sink).await);
    assert_same(
        "account",
        &memory.stream("account").rows,
        &fixture.api.rows("account").await,
    );
}
