//! The limits of an instance: origins, memory, time; and what happens when one is exceeded.

use std::time::Duration;

use dataverse_emulator::seed::generate::Sizes;
use dataverse_emulator::{Fault, FaultKind};
use dataverse_host::contract::{ErrorKind, Verdict};
use dataverse_host::{CallError, Denial, End, Limits, Network, Outcome};
use dataverse_tests::{
    Cli, Fixture, MemorySink, assert_complete, assert_same, host, requests, sync,
};

async fn fixture(accounts: u64) -> Fixture {
    Fixture::with_rows(Sizes {
        accounts,
        ..Sizes::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_reaches_only_its_stated_origins() {
    let fixture = fixture(2).await;
    let session = host().open(&fixture.profile()).await.unwrap();
    let origins: Vec<String> = session.origins().iter().map(ToString::to_string).collect();
    assert_eq!(origins, [fixture.emulator.base_url(), "http://127.0.0.1:*"]);

    let mut named = fixture.settings();
    named["authority"] = fixture.emulator.authority_url().into();
    let session = host().open(&fixture.profile_with(&named)).await.unwrap();
    let origins: Vec<String> = session.origins().iter().map(ToString::to_string).collect();
    assert_eq!(
        origins,
        [
            fixture.emulator.base_url(),
            fixture.emulator.authority_url()
        ]
    );

    // The platform's own list restricts the origins that the connector states.
    let network = Network {
        allowed_origins: Some(vec![fixture.emulator.base_url().parse().unwrap()]),
        ..Network::default()
    };
    let profile = fixture.profile_with(&named).with_network(&network).unwrap();
    let issued = fixture.emulator.statistics().tokens_issued;
    let report = sync(&profile, &requests(&["account"], 5), MemorySink::new()).await;
    let End::Call(CallError::Connector(error)) = report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(error.kind, ErrorKind::InvalidSettings, "{error}");
    assert!(
        error.message.contains(fixture.emulator.authority_url()),
        "{error}"
    );
    let denied = profile.metrics().last_denied().unwrap();
    assert_eq!(denied.origin, fixture.emulator.authority_url());
    assert_eq!(denied.reason, Denial::NotAllowed);
    assert!(profile.metrics().denied() > 0);
    assert_eq!(
        fixture.emulator.statistics().tokens_issued,
        issued,
        "the authority was not reached"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connector_rejects_settings_with_wrong_addresses() {
    let fixture = fixture(1).await;
    let mut settings = fixture.settings();
    settings["environment"] = "http://[::1]:1".into();
    let mut session = host().open(&fixture.profile_with(&settings)).await.unwrap();
    let report = session.check().await.unwrap();
    assert!(!report.available);
    let reach = report
        .findings
        .iter()
        .find(|finding| finding.id == "reach")
        .unwrap();
    assert_eq!(reach.verdict, Verdict::Failed);
    assert!(
        reach.message.contains("http://[::1]:1"),
        "{}",
        reach.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_exceeds_its_memory_does_not_affect_others() {
    let fixture = fixture(1_500).await;
    let low = Limits {
        memory: 3 << 20,
        ..Limits::default()
    };
    let profile = fixture.profile().with_limits(low);
    let memory = MemorySink::new();
    let requests = requests(&["account"], 5_000);
    let report = sync(&profile, &requests, memory.clone()).await;
    let End::Call(CallError::Trap { reason, .. }) = &report.end else {
        panic!("{:?}", report.end);
    };
    assert!(!reason.is_empty());
    assert_eq!(report.restarts, 3, "{reason}");
    assert_eq!(report.streams[0].outcome, Outcome::Unfinished);
    // The host can still be used, and stored rows are kept.
    assert_complete(&fixture.sync(&requests, memory.clone()).await);
    assert_same(
        "account",
        &memory.stream("account").rows,
        &fixture.api.rows("account").await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_instance_resumes_after_a_call_timed_out() {
    let fixture = fixture(20).await;
    let short = Limits {
        call: Duration::from_secs(1),
        ..Limits::default()
    };
    let profile = fixture.profile().with_limits(short);
    let delay = FaultKind::Delay {
        milliseconds: 3_600_000,
    };
    let memory = MemorySink::new();
    let requests = requests(&["account"], 4);

    for times in [1, 2] {
        fixture.emulator.inject(Fault {
            kind: delay.clone(),
            at: 3,
            times,
            path: None,
        });
        let report = sync(&profile, &requests, memory.clone()).await;
        assert_complete(&report);
        assert_eq!(u64::from(report.restarts), times);
        assert_same(
            "account",
            &memory.stream("account").rows,
            &fixture.api.rows("account").await,
        );
        // Makes the next round a full read.
        fixture.emulator.expire_delta_tokens().unwrap();
    }

    fixture.emulator.inject(Fault {
        kind: delay,
        at: 1,
        times: u64::MAX,
        path: None,
    });
    let cli = Cli::new(&fixture.settings());
    cli.append("[limits]\ncall-timeout-seconds = 1");
    let output = cli.run(&["sync", "--to", "jsonl:out", "--stream", "account"]);
    output.assert_error(7, &["within 1 s"], &[dataverse_emulator::CLIENT_SECRET]);
}

/// Each session has an instance of its own; sessions do not affect each other.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_one_host_run_concurrently() {
    let fixtures = [fixture(30).await, fixture(40).await, fixture(50).await];
    let memories = [MemorySink::new(), MemorySink::new(), MemorySink::new()];
    let requests = requests(&["account"], 3);
    let runs = [0, 1, 2].map(|index| {
        let (profile, sink) = (fixtures[index].profile(), memories[index].clone());
        let requests = requests.clone();
        tokio::spawn(async move { sync(&profile, &requests, sink).await })
    });
    for (index, run) in runs.into_iter().enumerate() {
        assert_complete(&run.await.unwrap());
        let rows = fixtures[index].api.rows("account").await;
        assert_same("account", &memories[index].stream("account").rows, &rows);
    }
}

/// One session more than allowed is rejected. Memory that an earlier session used is cleared
/// before another one gets it.
#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_concurrent_sessions_is_enforced() {
    let fixture = fixture(1).await;
    let small = dataverse_host::ConnectorHost::builder()
        .component_file(dataverse_tests::component_path())
        .max_instances(2)
        .build()
        .unwrap();
    let profile = fixture.profile();
    for _ in 0..3 {
        let mut first = small.open(&profile).await.unwrap();
        let second = small.open(&profile).await.unwrap();
        let error = small.open(&profile).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, CallError::TooMany), "{error}");
        assert!(!error.is_fatal_to_session());
        assert!(first.check().await.unwrap().available);
        drop(second);
        let mut third = small.open(&profile).await.unwrap();
        assert!(third.check().await.unwrap().available);
    }
}
