//! What the connector sends, as a server sees it.

use std::sync::mpsc;
use std::time::Duration;

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::store::Store;
use dataverse_emulator::{CLIENT_SECRET, SeedError};
use dataverse_host::contract::Event;
use dataverse_host::sink::{Applied, Sink, SinkError};
use dataverse_tests::{Memory, Place, Seen, Stand, all_complete, assert_same, requests, sync};
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

/// A service behind a place that sees everything, and a connection to that place.
async fn watched(edit: impl Fn(&Seen, &[u8]) + Send + Sync + 'static) -> (Stand, Place, Value) {
    let mut place = Place::take().await;
    let origin = place.origin().to_owned();
    let stand =
        Stand::with(|builder| builder.also_known_as(&origin).affinity_cookie().seed(seed)).await;
    place.forward(stand.emulator.base_url(), move |seen, answer| {
        edit(seen, answer.body());
        answer
    });
    let mut settings = stand.settings();
    settings["environment"] = origin.into();
    (stand, place, settings)
}

/// The reference, 4.6 and 6: links go back letter by letter, and every page is asked for with the
/// same preferences.
#[tokio::test(flavor = "multi_thread")]
async fn links_are_sent_unchanged_and_preferences_with_every_page() {
    let (links, given) = mpsc::channel();
    let (stand, place, settings) = watched(move |seen, body| {
        if seen.is_data() {
            let page: Value = serde_json::from_slice(body).unwrap();
            for name in ["@odata.nextLink", "@odata.deltaLink"] {
                if let Some(link) = page[name].as_str() {
                    links.send(link.to_owned()).unwrap();
                }
            }
        }
    })
    .await;
    let profile = stand.profile_with(&settings);
    let memory = Memory::new();
    for _ in 0..2 {
        all_complete(&sync(&profile, &requests(&["account"], PAGE_SIZE), memory.clone()).await);
    }
    let asked: Vec<Seen> = place.seen().into_iter().filter(Seen::is_data).collect();
    assert_eq!(asked.len(), 6, "five pages and one read of changes");
    let given: Vec<String> = given.try_iter().collect();
    assert_eq!(given.len(), 6, "each page leads on");
    for (link, next) in given.iter().zip(&asked[1..]) {
        assert_eq!(*link, format!("{}{}", place.origin(), next.path));
    }
    assert_eq!(asked[0].path, "/api/data/v9.2/accounts");
    for seen in &asked {
        let prefer = seen.header("prefer");
        assert!(prefer.contains("odata.track-changes"), "{prefer}");
        assert!(prefer.contains("odata.maxpagesize=5"), "{prefer}");
        assert!(!prefer.contains("include-annotations"), "{prefer}");
        assert_eq!(seen.header("odata-version"), "4.0");
        assert_eq!(seen.header("odata-maxversion"), "4.0");
        assert!(
            seen.header("accept").starts_with("application/json"),
            "{seen:?}"
        );
        // From this very machine, compressing costs more than it saves.
        assert_eq!(seen.header("accept-encoding"), "identity");
        assert!(seen.header("authorization").starts_with("Bearer eyJ"));
    }
}

/// No cookie comes back (architecture, rule 9), no request has a body that is no batch, or a
/// secret in its address, and connections are kept.
#[tokio::test(flavor = "multi_thread")]
async fn no_unnecessary_requests_are_sent() {
    let (stand, place, settings) = watched(|_, _| {}).await;
    let profile = stand.profile_with(&settings);
    let memory = Memory::new();
    all_complete(&sync(&profile, &requests(&["account"], 1), memory).await);
    let seen = place.seen();
    assert!(seen.len() > 23, "{}", seen.len());
    let token = seen
        .iter()
        .map(|seen| seen.header("authorization"))
        .find(|text| !text.is_empty());
    let token = token.and_then(|text| text.strip_prefix("Bearer ")).unwrap();
    for request in &seen {
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

/// Ends its work on the first page only when the second has been asked for.
struct Patient {
    inner: Memory,
    asked: mpsc::Receiver<()>,
    pages: u32,
}

impl Sink for Patient {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        self.inner.checkpoint(stream)
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        if let Event::Page(_) = event {
            self.pages += 1;
            // Page n is being stored: the request for page n + 1 has left or is leaving.
            if u64::from(self.pages) < ACCOUNTS.div_ceil(u64::from(PAGE_SIZE)) {
                let came = self.asked.recv_timeout(Duration::from_secs(30));
                assert!(
                    came.is_ok(),
                    "nobody asked for a page while page {} was stored",
                    self.pages
                );
            }
        }
        self.inner.apply(event)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_page_is_requested_while_the_sink_works() {
    let (tell, asked) = mpsc::channel();
    let (stand, _place, settings) = watched(move |seen, _| {
        // Pages after the first.
        if seen.is_data() && seen.path.contains("skiptoken") {
            tell.send(()).unwrap();
        }
    })
    .await;
    let memory = Memory::new();
    let sink = Patient {
        inner: memory.clone(),
        asked,
        pages: 0,
    };
    let profile = stand.profile_with(&settings);
    all_complete(&sync(&profile, &requests(&["account"], PAGE_SIZE), sink).await);
    assert_same(
        "account",
        &memory.held("account").rows,
        &stand.api.rows("account").await,
    );
}
