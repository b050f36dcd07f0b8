//! Faults between client and service: temporary ones are retried without a message, permanent
//! ones are reported as one error. No row is lost, and the number of requests is bounded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::store::Store;
use dataverse_emulator::{Fault, FaultKind, SeedError};
use dataverse_host::contract::{ConnectorError, ErrorKind, Event};
use dataverse_host::sink::{Applied, Sink, SinkError};
use dataverse_host::{CallError, End, Outcome, SyncReport};
use dataverse_tests::{
    Cli, Fixture, MemorySink, TestServer, assert_complete, assert_same, requests, sync,
};
use http::header;

const ACCOUNTS: u64 = 23;
const PAGE_SIZE: u32 = 5;
/// Requests of a read without faults: five pages.
const READS: u64 = 5;

fn sizes() -> Sizes {
    Sizes {
        accounts: ACCOUNTS,
        ..Sizes::default()
    }
}

async fn fixture() -> Fixture {
    Fixture::with_rows(sizes()).await
}

fn seed(store: &mut Store) -> Result<(), SeedError> {
    generate::run(store, 5, &sizes())?;
    Ok(())
}

async fn assert_equal(fixture: &Fixture, memory: &MemorySink, what: &str) {
    assert_same(
        what,
        &memory.stream("account").rows,
        &fixture.api.rows("account").await,
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
    let fixture = fixture().await;
    // A fault, how often it occurs, and how many additional requests it may cause.
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
            fixture.emulator.reset_statistics();
            fixture.emulator.inject(Fault {
                kind: kind.clone(),
                at,
                times,
                path: None,
            });
            let memory = MemorySink::new();
            let report = fixture
                .sync(&requests(&["account"], PAGE_SIZE), memory.clone())
                .await;
            let what = format!("{name} at {at}");
            assert_complete(&report);
            assert_eq!(
                report.streams[0].rows, ACCOUNTS,
                "{what}: each row is read once"
            );
            assert_eq!(memory.stream("account").resets.len(), 1, "{what}");
            let served = fixture.emulator.statistics();
            assert_eq!(served.faults, times, "{what}: the fault did not occur");
            assert_eq!(served.reads, READS + more, "{what}: requests");
            assert!(served.tokens_issued > 0);
            assert_equal(&fixture, &memory, &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_obeyed() {
    let fixture = fixture().await;
    for code in [429, 503] {
        fixture.emulator.inject(Fault {
            at: 2,
            ..Fault::once(status(code, Some("2")))
        });
        let start = Instant::now();
        let report = fixture
            .sync(&requests(&["account"], PAGE_SIZE), MemorySink::new())
            .await;
        assert_complete(&report);
        assert!(
            start.elapsed() >= Duration::from_secs(2),
            "{code}: {:?}",
            start.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_reports_a_long_wait() {
    let fixture = fixture().await;
    fixture.emulator.inject(Fault {
        at: 2,
        ..Fault::once(status(429, Some("6")))
    });
    let page_size = PAGE_SIZE.to_string();
    let target = ["--to", "jsonl:out", "--page-size", &page_size];
    let sync = [&["sync", "--stream", "account"][..], &target].concat();
    let output = Cli::new(&fixture.settings()).run(&sync);
    output.assert_success();
    let line = "waiting: the service asked for 6 s (HTTP 429)";
    assert!(output.stderr.contains(line), "{}", output.stderr);
}

/// A permanent fault, and the error that it causes.
struct PermanentFault {
    name: &'static str,
    kind: FaultKind,
    times: u64,
    expected: ErrorKind,
    /// What the error must contain.
    words: &'static str,
    /// The maximum number of requests for the page.
    max_requests: u64,
}

fn permanent_faults() -> Vec<PermanentFault> {
    let always = |name, kind, expected, words, max_requests| PermanentFault {
        name,
        kind,
        times: u64::MAX,
        expected,
        words,
        max_requests,
    };
    let once = |name, kind, words| PermanentFault {
        name,
        kind,
        times: 1,
        expected: ErrorKind::Unavailable,
        words,
        max_requests: 1,
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
        once("a loop", FaultKind::LoopingNextLink, "paging loop"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn permanent_faults_are_reported_and_no_row_is_lost() {
    let fixture = fixture().await;
    for PermanentFault {
        name,
        kind,
        times,
        expected,
        words,
        max_requests,
    } in permanent_faults()
    {
        let memory = MemorySink::new();
        fixture.emulator.reset_statistics();
        fixture.emulator.inject(Fault {
            kind,
            at: 3,
            times,
            path: None,
        });
        let mut settings = fixture.settings();
        settings["retry"]["maxWaitSeconds"] = 2.into();
        let profile = fixture.profile_with(&settings);
        let requests = requests(&["account"], PAGE_SIZE);
        let report = sync(&profile, &requests, memory.clone()).await;
        let error = error_of(name, &report);
        assert_eq!(error.kind, expected, "{name}: {error}");
        assert!(error.message.contains(words), "{name}: {error}");
        assert!(!error.message.contains('\n'), "{name}: {error}");
        let served = fixture.emulator.statistics();
        assert!(served.faults > 0, "{name}: the fault did not occur");
        assert!(
            served.reads <= 2 + max_requests,
            "{name}: {} requests",
            served.reads
        );
        if error.kind == ErrorKind::Throttled {
            assert!(
                error.retry_after >= Some(Duration::from_secs(3_590)),
                "{name}: {error:?}"
            );
        }
        // Two pages are stored. Without the fault, the next sync reads only the rest.
        fixture.emulator.clear_faults();
        assert!(
            report.streams[0].rows >= 10,
            "{name}: {:?}",
            report.streams[0]
        );
        let rest = fixture.sync(&requests, memory.clone()).await;
        assert_complete(&rest);
        assert_eq!(
            report.streams[0].rows + rest.streams[0].rows,
            ACCOUNTS,
            "{name}"
        );
        assert_eq!(memory.stream("account").resets.len(), 1, "{name}");
        assert_equal(&fixture, &memory, name).await;
    }
}

/// The service rejects a link permanently, as after a restore of the environment: the stream is
/// read in full again, with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_link_restarts_the_stream() {
    let mut server = TestServer::bind().await;
    let origin = server.origin().to_owned();
    let fixture = Fixture::build(|builder| builder.also_known_as(&origin).seed(seed)).await;
    let was_rejected = AtomicBool::new(false);
    server.forward(fixture.emulator.base_url(), move |received, response| {
        let is_second =
            received.path.contains("$skiptoken") || received.path.contains("%24skiptoken");
        if !is_second || was_rejected.swap(true, Ordering::SeqCst) {
            return response;
        }
        let body =
            r#"{"error":{"code":"0x80060888","message":"The token is not of this version."}}"#;
        http::Response::builder()
            .status(400)
            .body(body.into())
            .unwrap()
    });
    let mut settings = fixture.settings();
    settings["environment"] = origin.into();
    let profile = fixture.profile_with(&settings);
    let memory = MemorySink::new();
    assert_complete(&sync(&profile, &requests(&["account"], PAGE_SIZE), memory.clone()).await);
    let resets = memory.stream("account").resets;
    assert_eq!(resets.len(), 2, "{resets:?}");
    assert!(
        resets[1].contains("The token is not of this version"),
        "{resets:?}"
    );
    assert_equal(&fixture, &memory, "a rejected link").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stream_does_not_stop_the_others() {
    let fixture = Fixture::with_accounts(12).await;
    let kind = FaultKind::BrokenJson;
    fixture.emulator.inject(Fault {
        kind,
        at: 1,
        times: u64::MAX,
        path: Some("contacts".into()),
    });
    let memory = MemorySink::new();
    let streams = ["account", "contact", "lead", "task"];
    let report = fixture.sync(&requests(&streams, 4), memory.clone()).await;
    assert!(matches!(report.end, End::Finished), "{:?}", report.end);
    for stream in &report.streams {
        match (&*stream.stream, &stream.outcome) {
            ("contact", Outcome::Failed(error)) => {
                assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
                assert!(error.message.contains("contact"), "{error}");
            }
            (_, Outcome::Complete) => {
                let stored = memory.stream(&stream.stream);
                assert_same(
                    &stream.stream,
                    &stored.rows,
                    &fixture.api.rows(&stream.stream).await,
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_delta_link_is_reported_and_changes_are_found_by_watermark() {
    let fixture = fixture().await;
    fixture.emulator.inject(Fault {
        kind: FaultKind::MissingDeltaLink,
        at: 1,
        times: u64::MAX,
        path: Some("accounts".into()),
    });
    let memory = MemorySink::new();
    let requests = requests(&["account"], PAGE_SIZE);
    assert_complete(&fixture.sync(&requests, memory.clone()).await);
    let stored = memory.stream("account");
    assert_eq!(
        stored.warnings[0].0, "change-tracking-unavailable",
        "{:?}",
        stored.warnings
    );
    assert!(
        stored.warnings[0]
            .1
            .contains("deletions are not observable"),
        "{:?}",
        stored.warnings
    );
    assert_equal(&fixture, &memory, "first").await;
    fixture.emulator.clear_faults();
    fixture.emulator.clock().advance(600);
    let key = stored.rows.keys().next().unwrap();
    fixture
        .api
        .update("accounts", key, &serde_json::json!({"name": "Later"}))
        .await;
    assert_complete(&fixture.sync(&requests, memory.clone()).await);
    assert_equal(&fixture, &memory, "changes").await;
}

/// Calls a function for each event before it is stored.
struct ObservedSink<F> {
    inner: MemorySink,
    on_event: F,
}

impl<F: FnMut(&Event) + Send> Sink for ObservedSink<F> {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        self.inner.checkpoint(stream)
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        (self.on_event)(event);
        self.inner.apply(event)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_renewed_once() {
    let fixture = std::sync::Arc::new(fixture().await);
    let memory = MemorySink::new();
    let issued = fixture.emulator.statistics().tokens_issued;
    let (service, mut pages) = (std::sync::Arc::clone(&fixture), 0);
    let on_event = move |event: &Event| {
        if let Event::Page(_) = event {
            pages += 1;
            if pages == 2 {
                service.emulator.expire_tokens();
            }
        }
    };
    let sink = ObservedSink {
        inner: memory.clone(),
        on_event,
    };
    let report = fixture.sync(&requests(&["account"], PAGE_SIZE), sink).await;
    assert_complete(&report);
    let served = fixture.emulator.statistics();
    assert_eq!(
        served.tokens_issued - issued,
        2,
        "the first token and its replacement"
    );
    let api = dataverse_tests::WebApi::sign_in(&fixture.emulator).await;
    assert_same(
        "account",
        &memory.stream("account").rows,
        &api.rows("account").await,
    );
}

/// The emulator enforces the limits of the service.
#[tokio::test(flavor = "multi_thread")]
async fn service_limits_are_respected_after_the_first_429() {
    let fixture = Fixture::with_accounts(10).await;
    fixture
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
    let memory = MemorySink::new();
    assert_complete(&fixture.sync(&requests(&streams, 3), memory.clone()).await);
    fixture.emulator.set_limits(None);
    for stream in streams {
        assert_same(
            stream,
            &memory.stream(stream).rows,
            &fixture.api.rows(stream).await,
        );
    }
}

/// A token is sent to the environment's origin only. Each bad link points to another server on
/// this machine, which the host would allow; it must not receive any request.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_never_reaches_another_origin() {
    let mut foreign = TestServer::bind().await;
    foreign.respond(|_, _| {
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
            let mut server = TestServer::bind().await;
            let origin = server.origin().to_owned();
            let link = link.replace("{origin}", &origin);
            let fixture = Fixture::build(|builder| builder.also_known_as(&origin).seed(seed)).await;
            let bent = link.clone();
            server.forward(fixture.emulator.base_url(), move |received, response| {
                if !received.is_data() {
                    return response;
                }
                response.map(|body| {
                    let mut page: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    let page = page.as_object_mut().unwrap();
                    page.remove("@odata.nextLink");
                    page.remove("@odata.deltaLink");
                    page.insert(name.to_owned(), bent.clone().into());
                    serde_json::to_vec(page).unwrap().into()
                })
            });
            let mut settings = fixture.settings();
            settings["environment"] = origin.clone().into();
            let profile = fixture.profile_with(&settings);
            let report = sync(&profile, &requests(&["account"], 2), MemorySink::new()).await;
            let error = error_of(&link, &report);
            assert_eq!(error.kind, ErrorKind::Unavailable, "{name} {link}: {error}");
            assert!(
                error.message.contains("cannot follow a link"),
                "{name} {link}: {error}"
            );
            let stray = server
                .requests()
                .into_iter()
                .find(|received| received.path.contains("elsewhere"));
            assert!(stray.is_none(), "{name} {link}: {stray:?}");
            let with_token = |received: &&dataverse_tests::ReceivedRequest| {
                !received.header("authorization").is_empty()
            };
            assert!(
                server.requests().iter().filter(with_token).count() > 1,
                "no request had a token"
            );
        }
    }
    assert!(foreign.requests().is_empty(), "{:?}", foreign.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_not_followed() {
    let mut foreign = TestServer::bind().await;
    foreign
        .respond(|_, _| Box::pin(async { axum::http::Response::new(axum::body::Body::empty()) }));
    let elsewhere = format!("{}/api/data/v9.2/accounts", foreign.origin());
    let mut server = TestServer::bind().await;
    let origin = server.origin().to_owned();
    let fixture = Fixture::build(|builder| builder.also_known_as(&origin)).await;
    server.forward(
        fixture.emulator.base_url(),
        move |received, mut response| {
            if received.is_data() {
                *response.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
                response
                    .headers_mut()
                    .insert(header::LOCATION, elsewhere.parse().unwrap());
            }
            response
        },
    );
    let mut settings = fixture.settings();
    settings["environment"] = origin.into();
    let profile = fixture.profile_with(&settings);
    let error = error_of(
        "redirect",
        &sync(&profile, &requests(&["account"], 2), MemorySink::new()).await,
    );
    assert_eq!(error.kind, ErrorKind::InvalidSettings, "{error}");
    assert!(
        error.message.contains("redirects are not followed"),
        "{error}"
    );
    assert!(foreign.requests().is_empty(), "{:?}", foreign.requests());
}
