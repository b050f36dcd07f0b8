//! What goes wrong between a client and the service: recovered from in silence, or told in one
//! sentence of the right kind; nothing lost, nobody hammered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::store::Store;
use dataverse_emulator::{Fault, FaultKind, SeedError};
use dataverse_host::contract::{ConnectorError, ErrorKind, Event};
use dataverse_host::sink::{Applied, Sink, SinkError};
use dataverse_host::{CallError, End, Outcome, SyncReport};
use dataverse_tests::{Cli, Memory, Place, Stand, all_complete, assert_same, requests, sync};
use http::header;

const ACCOUNTS: u64 = 23;
const PAGE_SIZE: u32 = 5;
/// Requests of an undisturbed read: five pages.
const READS: u64 = 5;

fn sizes() -> Sizes {
    Sizes {
        accounts: ACCOUNTS,
        ..Sizes::default()
    }
}

async fn stand() -> Stand {
    Stand::of(sizes()).await
}

fn seed(store: &mut Store) -> Result<(), SeedError> {
    generate::run(store, 5, &sizes())?;
    Ok(())
}

async fn assert_equal(stand: &Stand, memory: &Memory, what: &str) {
    assert_same(
        what,
        &memory.held("account").rows,
        &stand.api.rows("account").await,
    );
}

/// The error of the only stream, or of the connection.
#[track_caller]
fn error_of(what: &str, report: &SyncReport) -> ConnectorError {
    match (&report.end, &report.streams[0].outcome) {
        (End::Finished, Outcome::Failed(error)) | (End::Call(CallError::Connector(error)), _) => {
            error.clone()
        }
        other => panic!("{what}: {other:?}"),
    }
}

fn status(status: u16, retry_after: Option<&str>) -> FaultKind {
    FaultKind::Status {
        status,
        retry_after: retry_after.map(str::to_owned),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn temporary_faults_are_retried_silently() {
    let stand = stand().await;
    // A fault, how often it strikes, and how many requests more than undisturbed it may cost.
    let cases = [
        ("429 with Retry-After", status(429, Some("1")), 1, 1),
        ("429 twice, with none", status(429, None), 2, 2),
        ("429 with a fraction", status(429, Some("0.2")), 1, 1),
        ("503", status(503, None), 1, 1),
        ("503 with Retry-After", status(503, Some("1")), 1, 1),
        ("502 twice", status(502, None), 2, 2),
        ("504", status(504, None), 1, 1),
        ("500", status(500, None), 1, 1),
        ("401", status(401, None), 1, 1),
        ("reset", FaultKind::Reset, 1, 1),
        ("resets", FaultKind::Reset, 2, 2),
        ("cut at once", FaultKind::CutBody { after: 0 }, 1, 1),
        ("cut in the middle", FaultKind::CutBody { after: 700 }, 1, 1),
        ("broken JSON", FaultKind::BrokenJson, 1, 1),
        ("a delay", FaultKind::Delay { milliseconds: 700 }, 1, 0),
    ];
    for (name, kind, times, more) in cases {
        for at in [1, 3] {
            stand.emulator.reset_statistics();
            stand.emulator.inject(Fault {
                kind: kind.clone(),
                at,
                times,
                path: None,
            });
            let memory = Memory::new();
            let report = stand
                .sync(&requests(&["account"], PAGE_SIZE), memory.clone())
                .await;
            let what = format!("{name} at {at}");
            all_complete(&report);
            assert_eq!(report.streams[0].rows, ACCOUNTS, "{what}: rows come once");
            assert_eq!(memory.held("account").resets.len(), 1, "{what}");
            let served = stand.emulator.statistics();
            assert_eq!(served.faults, times, "{what}: the fault was to strike");
            assert_eq!(served.reads, READS + more, "{what}: requests");
            assert!(served.tokens_issued > 0);
            assert_equal(&stand, &memory, &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_obeyed() {
    let stand = stand().await;
    for code in [429, 503] {
        stand.emulator.inject(Fault {
            at: 2,
            ..Fault::once(status(code, Some("2")))
        });
        let start = Instant::now();
        let report = stand
            .sync(&requests(&["account"], PAGE_SIZE), Memory::new())
            .await;
        all_complete(&report);
        assert!(
            start.elapsed() >= Duration::from_secs(2),
            "{code}: {:?}",
            start.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_reports_a_long_wait() {
    let stand = stand().await;
    stand.emulator.inject(Fault {
        at: 2,
        ..Fault::once(status(429, Some("6")))
    });
    let sync = ["sync", "--stream", "account", "--to", "jsonl:out"];
    let ended = Cli::new(&stand.settings()).run(&sync);
    ended.succeeded();
    let line = "waiting: the service asked for 6 s (HTTP 429)";
    assert!(ended.stderr.contains(line), "{}", ended.stderr);
}

/// A fault that stays, and the error that it causes.
struct Stubborn {
    name: &'static str,
    kind: FaultKind,
    times: u64,
    expected: ErrorKind,
    /// What the sentence must name.
    words: &'static str,
    /// The most requests that the page in question may cost.
    most: u64,
}

fn stubborn_faults() -> Vec<Stubborn> {
    let always = |name, kind, expected, words, most| Stubborn {
        name,
        kind,
        times: u64::MAX,
        expected,
        words,
        most,
    };
    let once = |name, kind, words| Stubborn {
        name,
        kind,
        times: 1,
        expected: ErrorKind::Unavailable,
        words,
        most: 1,
    };
    vec![
        always(
            "429 for an hour",
            status(429, Some("3600")),
            ErrorKind::Throttled,
            "account",
            1,
        ),
        always(
            "401 for ever",
            status(401, None),
            ErrorKind::Unauthenticated,
            "account",
            2,
        ),
        always(
            "503 for ever",
            status(503, None),
            ErrorKind::Unavailable,
            "account",
            20,
        ),
        always(
            "500 for ever",
            status(500, None),
            ErrorKind::Unavailable,
            "account",
            4,
        ),
        always(
            "resets for ever",
            FaultKind::Reset,
            ErrorKind::Unavailable,
            "http://127",
            20,
        ),
        always(
            "broken JSON for ever",
            FaultKind::BrokenJson,
            ErrorKind::Unavailable,
            "account",
            4,
        ),
        once(
            "foreign link",
            FaultKind::ForeignNextLink,
            "foreign.example",
        ),
        once("a loop", FaultKind::LoopingNextLink, "circle"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn permanent_faults_are_reported_and_lose_nothing() {
    let stand = stand().await;
    for Stubborn {
        name,
        kind,
        times,
        expected,
        words,
        most,
    } in stubborn_faults()
    {
        let memory = Memory::new();
        stand.emulator.reset_statistics();
        stand.emulator.inject(Fault {
            kind,
            at: 3,
            times,
            path: None,
        });
        let mut settings = stand.settings();
        settings["retry"]["maxWaitSeconds"] = 2.into();
        let profile = stand.profile_with(&settings);
        let requests = requests(&["account"], PAGE_SIZE);
        let report = sync(&profile, &requests, memory.clone()).await;
        let error = error_of(name, &report);
        assert_eq!(error.kind, expected, "{name}: {error}");
        assert!(error.message.contains(words), "{name}: {error}");
        assert!(!error.message.contains('\n'), "{name}: {error}");
        let served = stand.emulator.statistics();
        assert!(served.faults > 0, "{name}: the fault was to strike");
        assert!(
            served.reads <= 2 + most,
            "{name}: {} requests",
            served.reads
        );
        if error.kind == ErrorKind::Throttled {
            assert!(
                error.retry_after >= Some(Duration::from_secs(3_590)),
                "{name}: {error:?}"
            );
        }
        // Two pages were safe; the rest comes when the fault is over, and only the rest.
        stand.emulator.clear_faults();
        assert!(
            report.streams[0].rows >= 10,
            "{name}: {:?}",
            report.streams[0]
        );
        let rest = stand.sync(&requests, memory.clone()).await;
        all_complete(&rest);
        assert_eq!(
            report.streams[0].rows + rest.streams[0].rows,
            ACCOUNTS,
            "{name}"
        );
        assert_eq!(memory.held("account").resets.len(), 1, "{name}");
        assert_equal(&stand, &memory, name).await;
    }
}

/// A link that the service refuses for good, as after a restore of the environment: the stream
/// starts over and says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_link_restarts_the_stream() {
    let mut place = Place::take().await;
    let origin = place.origin().to_owned();
    let stand = Stand::with(|builder| builder.also_known_as(&origin).seed(seed)).await;
    let refused = AtomicBool::new(false);
    place.forward(stand.emulator.base_url(), move |seen, answer| {
        let is_second = seen.path.contains("$skiptoken") || seen.path.contains("%24skiptoken");
        if !is_second || refused.swap(true, Ordering::SeqCst) {
            return answer;
        }
        let body =
            r#"{"error":{"code":"0x80060888","message":"The token is not of this version."}}"#;
        http::Response::builder()
            .status(400)
            .body(body.into())
            .unwrap()
    });
    let mut settings = stand.settings();
    settings["environment"] = origin.into();
    let profile = stand.profile_with(&settings);
    let memory = Memory::new();
    all_complete(&sync(&profile, &requests(&["account"], PAGE_SIZE), memory.clone()).await);
    let resets = memory.held("account").resets;
    assert_eq!(resets.len(), 2, "{resets:?}");
    assert!(
        resets[1].contains("The token is not of this version"),
        "{resets:?}"
    );
    assert_equal(&stand, &memory, "a refused link").await;
}

/// One stream's trouble is its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stream_does_not_stop_the_others() {
    let stand = Stand::of_accounts(12).await;
    let kind = FaultKind::BrokenJson;
    stand.emulator.inject(Fault {
        kind,
        at: 1,
        times: u64::MAX,
        path: Some("contacts".into()),
    });
    let memory = Memory::new();
    let streams = ["account", "contact", "lead", "task"];
    let report = stand.sync(&requests(&streams, 4), memory.clone()).await;
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    for stream in &report.streams {
        match (&*stream.stream, &stream.outcome) {
            ("contact", Outcome::Failed(error)) => {
                assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
                assert!(error.message.contains("contact"), "{error}");
            }
            (_, Outcome::Complete) => {
                let held = memory.held(&stream.stream);
                assert_same(
                    &stream.stream,
                    &held.rows,
                    &stand.api.rows(&stream.stream).await,
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_delta_link_is_reported_and_changes_are_found_by_watermark() {
    let stand = stand().await;
    stand.emulator.inject(Fault {
        kind: FaultKind::MissingDeltaLink,
        at: 1,
        times: u64::MAX,
        path: Some("accounts".into()),
    });
    let memory = Memory::new();
    let requests = requests(&["account"], PAGE_SIZE);
    all_complete(&stand.sync(&requests, memory.clone()).await);
    let held = memory.held("account");
    assert_eq!(
        held.warnings[0].0, "change-tracking-unavailable",
        "{:?}",
        held.warnings
    );
    assert!(
        held.warnings[0].1.contains("deletions are not observable"),
        "{:?}",
        held.warnings
    );
    assert_equal(&stand, &memory, "first").await;
    stand.emulator.clear_faults();
    stand.emulator.clock().advance(600);
    let key = held.rows.keys().next().unwrap();
    stand
        .api
        .update("accounts", key, &serde_json::json!({"name": "Later"}))
        .await;
    all_complete(&stand.sync(&requests, memory.clone()).await);
    assert_equal(&stand, &memory, "changes").await;
}

/// Hears of events before they are stored.
struct Meddling<F> {
    inner: Memory,
    hear: F,
}

impl<F: FnMut(&Event) + Send> Sink for Meddling<F> {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        self.inner.checkpoint(stream)
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        (self.hear)(event);
        self.inner.apply(event)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_renewed_once() {
    let stand = std::sync::Arc::new(stand().await);
    let memory = Memory::new();
    let issued = stand.emulator.statistics().tokens_issued;
    let (service, mut pages) = (std::sync::Arc::clone(&stand), 0);
    let hear = move |event: &Event| {
        if let Event::Page(_) = event {
            pages += 1;
            if pages == 2 {
                service.emulator.expire_tokens();
            }
        }
    };
    let sink = Meddling {
        inner: memory.clone(),
        hear,
    };
    let report = stand.sync(&requests(&["account"], PAGE_SIZE), sink).await;
    all_complete(&report);
    let served = stand.emulator.statistics();
    assert_eq!(
        served.tokens_issued - issued,
        2,
        "one at first, one in its place"
    );
    let api = dataverse_tests::WebApi::sign_in(&stand.emulator).await;
    assert_same(
        "account",
        &memory.held("account").rows,
        &api.rows("account").await,
    );
}

/// The limits that a real service has, kept by an emulator that enforces them.
#[tokio::test(flavor = "multi_thread")]
async fn the_services_limits_are_respected_after_the_first_429() {
    let stand = Stand::of_accounts(10).await;
    stand
        .emulator
        .set_limits(Some(dataverse_emulator::ServiceLimits {
            concurrency: 2,
            ..Default::default()
        }));
    let streams = [
        "account",
        "contact",
        "lead",
        "opportunity",
        "task",
        "phonecall",
    ];
    let memory = Memory::new();
    all_complete(&stand.sync(&requests(&streams, 3), memory.clone()).await);
    stand.emulator.set_limits(None);
    for stream in streams {
        assert_same(
            stream,
            &memory.held(stream).rows,
            &stand.api.rows(stream).await,
        );
    }
}

/// Rule 2: a token goes to the environment's origin only. Another server of this very machine,
/// which the host would let through, listens at the end of each bad link; it must never hear
/// anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_never_reaches_another_origin() {
    let mut foreign = Place::take().await;
    foreign.answer(|_, _| {
        let body = axum::body::Body::from("{\"value\":[]}");
        Box::pin(async { axum::http::Response::new(body) })
    });
    let elsewhere = foreign.origin().to_owned();
    let port = elsewhere.rsplit(':').next().unwrap().to_owned();
    let links = [
        format!("{elsewhere}/api/data/v9.2/accounts?$skiptoken=x"),
        format!("http://localhost:{port}/api/data/v9.2/accounts"),
        "{origin}@".to_owned()
            + elsewhere.trim_start_matches("http://")
            + "/api/data/v9.2/accounts",
        format!("//127.0.0.1:{port}/api/data/v9.2/accounts"),
        "{origin}/api/data/v9.2/../../../elsewhere".to_owned(),
        "{origin}/elsewhere".to_owned(),
        "{origin}/api/data/v9.2/%2e%2e/%2e%2e/elsewhere".to_owned(),
        "https://foreign.invalid/api/data/v9.2/accounts".to_owned(),
        "../accounts?$skiptoken=x".to_owned(),
    ];
    for name in ["@odata.nextLink", "@odata.deltaLink"] {
        for link in &links {
            let mut place = Place::take().await;
            let origin = place.origin().to_owned();
            let link = link.replace("{origin}", &origin);
            let stand = Stand::with(|builder| builder.also_known_as(&origin).seed(seed)).await;
            let bent = link.clone();
            place.forward(stand.emulator.base_url(), move |seen, answer| {
                if !seen.is_data() {
                    return answer;
                }
                answer.map(|body| {
                    let mut page: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    let page = page.as_object_mut().unwrap();
                    page.remove("@odata.nextLink");
                    page.remove("@odata.deltaLink");
                    page.insert(name.to_owned(), bent.clone().into());
                    serde_json::to_vec(page).unwrap().into()
                })
            });
            let mut settings = stand.settings();
            settings["environment"] = origin.clone().into();
            let profile = stand.profile_with(&settings);
            let report = sync(&profile, &requests(&["account"], 2), Memory::new()).await;
            let error = error_of(&link, &report);
            assert_eq!(error.kind, ErrorKind::Unavailable, "{name} {link}: {error}");
            assert!(
                error.message.contains("not followed"),
                "{name} {link}: {error}"
            );
            let stray = place
                .seen()
                .into_iter()
                .find(|seen| seen.path.contains("elsewhere"));
            assert!(stray.is_none(), "{name} {link}: {stray:?}");
            let with_token =
                |seen: &&dataverse_tests::Seen| !seen.header("authorization").is_empty();
            assert!(
                place.seen().iter().filter(with_token).count() > 1,
                "tokens were used at all"
            );
        }
    }
    assert!(foreign.seen().is_empty(), "{:?}", foreign.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let mut foreign = Place::take().await;
    foreign.answer(|_, _| Box::pin(async { axum::http::Response::new(axum::body::Body::empty()) }));
    let elsewhere = format!("{}/api/data/v9.2/accounts", foreign.origin());
    let mut place = Place::take().await;
    let origin = place.origin().to_owned();
    let stand = Stand::with(|builder| builder.also_known_as(&origin)).await;
    place.forward(stand.emulator.base_url(), move |seen, mut answer| {
        if seen.is_data() {
            *answer.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
            answer
                .headers_mut()
                .insert(header::LOCATION, elsewhere.parse().unwrap());
        }
        answer
    });
    let mut settings = stand.settings();
    settings["environment"] = origin.into();
    let profile = stand.profile_with(&settings);
    let error = error_of(
        "redirect",
        &sync(&profile, &requests(&["account"], 2), Memory::new()).await,
    );
    assert_eq!(error.kind, ErrorKind::InvalidSettings, "{error}");
    assert!(
        error.message.contains("redirects are not followed"),
        "{error}"
    );
    assert!(foreign.seen().is_empty(), "{:?}", foreign.seen());
}
