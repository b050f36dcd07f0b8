//! What holds an instance: origins, memory, time; and what becomes of one that breaks.

use std::time::Duration;

use dataverse_emulator::seed::generate::Sizes;
use dataverse_emulator::{Fault, FaultKind};
use dataverse_host::contract::{ErrorKind, Verdict};
use dataverse_host::{CallError, Denial, End, Limits, Network, Outcome};
use dataverse_tests::{Cli, Memory, Stand, all_complete, assert_same, host, requests, sync};

async fn stand(accounts: u64) -> Stand {
    Stand::of(Sizes {
        accounts,
        ..Sizes::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_states_its_origins_and_reaches_no_other() {
    let stand = stand(2).await;
    let session = host().open(&stand.profile()).await.unwrap();
    let origins: Vec<String> = session.origins().iter().map(ToString::to_string).collect();
    assert_eq!(origins, [stand.emulator.base_url(), "http://127.0.0.1:*"]);

    let mut named = stand.settings();
    named["authority"] = stand.emulator.authority_url().into();
    let session = host().open(&stand.profile_with(&named)).await.unwrap();
    let origins: Vec<String> = session.origins().iter().map(ToString::to_string).collect();
    assert_eq!(
        origins,
        [stand.emulator.base_url(), stand.emulator.authority_url()]
    );

    // The platform's own list goes before what the connector states.
    let network = Network {
        allowed_origins: Some(vec![stand.emulator.base_url().parse().unwrap()]),
        ..Network::default()
    };
    let profile = stand.profile_with(&named).with_network(&network).unwrap();
    let issued = stand.emulator.statistics().tokens_issued;
    let report = sync(&profile, &requests(&["account"], 5), Memory::new()).await;
    let End::Call(CallError::Connector(error)) = report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(error.kind, ErrorKind::InvalidSettings, "{error}");
    assert!(
        error.message.contains(stand.emulator.authority_url()),
        "{error}"
    );
    let denied = profile.metrics().last_denied().unwrap();
    assert_eq!(denied.origin, stand.emulator.authority_url());
    assert_eq!(denied.reason, Denial::NotAllowed);
    assert!(profile.metrics().denied() > 0);
    assert_eq!(
        stand.emulator.statistics().tokens_issued,
        issued,
        "the authority was not reached"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_with_wrong_addresses_are_refused_by_the_connector() {
    let stand = stand(1).await;
    let mut settings = stand.settings();
    settings["environment"] = "http://[::1]:1".into();
    let mut session = host().open(&stand.profile_with(&settings)).await.unwrap();
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
    let stand = stand(1_500).await;
    let narrow = Limits {
        memory: 3 << 20,
        ..Limits::default()
    };
    let profile = stand.profile().with_limits(narrow);
    let memory = Memory::new();
    let requests = requests(&["account"], 5_000);
    let report = sync(&profile, &requests, memory.clone()).await;
    let End::Call(CallError::Trap { reason, .. }) = &report.end else {
        panic!("{:?}", report.end);
    };
    assert!(!reason.is_empty());
    assert_eq!(report.restarts, 3, "{reason}");
    assert_eq!(report.streams[0].outcome, Outcome::Unfinished);
    // The host lives on, and so does what the sink has.
    all_complete(&stand.sync(&requests, memory.clone()).await);
    assert_same(
        "account",
        &memory.held("account").rows,
        &stand.api.rows("account").await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_times_out_is_ended_and_a_new_instance_resumes() {
    let stand = stand(20).await;
    let hurried = Limits {
        call: Duration::from_secs(1),
        ..Limits::default()
    };
    let profile = stand.profile().with_limits(hurried);
    let delay = FaultKind::Delay {
        milliseconds: 3_600_000,
    };
    let memory = Memory::new();
    let requests = requests(&["account"], 4);

    for times in [1, 2] {
        stand.emulator.inject(Fault {
            kind: delay.clone(),
            at: 3,
            times,
            path: None,
        });
        let report = sync(&profile, &requests, memory.clone()).await;
        all_complete(&report);
        assert_eq!(u64::from(report.restarts), times);
        assert_same(
            "account",
            &memory.held("account").rows,
            &stand.api.rows("account").await,
        );
        // The next round reads everything again.
        stand.emulator.expire_delta_tokens().unwrap();
    }

    stand.emulator.inject(Fault {
        kind: delay,
        at: 1,
        times: u64::MAX,
        path: None,
    });
    let cli = Cli::new(&stand.settings());
    cli.append("[limits]\ncall-timeout-seconds = 1");
    let ended = cli.run(&["sync", "--to", "jsonl:out", "--stream", "account"]);
    ended.refused(7, &["within 1 s"], &[dataverse_emulator::CLIENT_SECRET]);
}

/// An instance serves its session and dies with it; sessions do not see each other.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_one_host_run_side_by_side() {
    let stands = [stand(30).await, stand(40).await, stand(50).await];
    let memories = [Memory::new(), Memory::new(), Memory::new()];
    let requests = requests(&["account"], 3);
    let runs = [0, 1, 2].map(|index| {
        let (profile, sink) = (stands[index].profile(), memories[index].clone());
        let requests = requests.clone();
        tokio::spawn(async move { sync(&profile, &requests, sink).await })
    });
    for (index, run) in runs.into_iter().enumerate() {
        all_complete(&run.await.unwrap());
        let rows = stands[index].api.rows("account").await;
        assert_same("account", &memories[index].held("account").rows, &rows);
    }
}

/// As many sessions as the host allows, and no more; memory that an earlier session used is
/// clean when another one gets it.
#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_concurrent_sessions_is_enforced() {
    let stand = stand(1).await;
    let small = dataverse_host::ConnectorHost::builder()
        .component_file(dataverse_tests::component_path())
        .max_instances(2)
        .build()
        .unwrap();
    let profile = stand.profile();
    for _ in 0..3 {
        let mut first = small.open(&profile).await.unwrap();
        let second = small.open(&profile).await.unwrap();
        let refused = small.open(&profile).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, CallError::TooMany), "{refused}");
        assert!(!refused.is_fatal_to_session());
        assert!(first.check().await.unwrap().available);
        drop(second);
        let mut third = small.open(&profile).await.unwrap();
        assert!(third.check().await.unwrap().available);
    }
}
