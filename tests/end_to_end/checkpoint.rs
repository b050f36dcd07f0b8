//! Checkpoints that cannot be resumed are rejected, with the reason, before any request.

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::CallError;
use dataverse_host::contract::{ErrorKind, Selection};
use dataverse_host::sink::Sqlite;
use dataverse_tests::{
    Cli, Fixture, MemorySink, Random, assert_complete, host, open_sink, requests, sync, sync_events,
};
use serde_json::Value;

fn selection(stream: &str, checkpoint: &str) -> Selection {
    Selection::of(stream)
        .with_page_size(4)
        .with_checkpoint(checkpoint)
}

/// A checkpoint in the middle of a full read, and one at its end.
async fn checkpoints(fixture: &Fixture) -> [String; 2] {
    let memory = MemorySink::new();
    assert_complete(
        &fixture
            .sync(&requests(&["account"], 4), memory.clone())
            .await,
    );
    let all = memory.stream("account").checkpoints;
    assert!(all.len() > 2, "{all:?}");
    [all[0].clone(), all[all.len() - 1].clone()]
}

/// Why a checkpoint is rejected.
async fn rejection(fixture: &Fixture, selection: Selection) -> String {
    let before = fixture.emulator.statistics();
    let mut session = host().open(&fixture.profile()).await.unwrap();
    let Err(CallError::Connector(error)) = session.sync(&[selection]).await.map(|_| ()) else {
        panic!("the checkpoint was accepted");
    };
    assert_eq!(error.kind, ErrorKind::CheckpointExpired, "{error}");
    assert!(!error.message.contains('\n'), "{error}");
    assert_eq!(fixture.emulator.statistics(), before, "requests were sent");
    error.message
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_of_other_streams_and_environments_are_rejected() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    let other = Fixture::with_rows(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    let foreign = checkpoints(&other).await;
    for (own, foreign) in checkpoints(&fixture).await.iter().zip(&foreign) {
        let message = rejection(&fixture, selection("contact", own)).await;
        assert!(
            message.contains("the stream account, not contact"),
            "{message}"
        );
        let message = rejection(&fixture, selection("account", foreign)).await;
        assert!(
            message.contains("the environment") && message.contains(other.emulator.base_url()),
            "{message}"
        );
        let mut narrower = selection("account", own);
        narrower.columns = vec!["name".to_owned()];
        let message = rejection(&fixture, narrower).await;
        assert!(message.contains("columns"), "{message}");
        let mut labelled = selection("account", own);
        labelled.labels = true;
        let message = rejection(&fixture, labelled).await;
        assert!(message.contains("labels"), "{message}");
        // It is still accepted for its own selection.
        sync_events(&fixture.profile(), selection("account", own))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_checkpoints_are_rejected() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    for good in checkpoints(&fixture).await {
        assert!(good.is_ascii(), "bytes are cut and flipped below: {good}");
        for cut in [0, 1, good.len() / 3, good.len() / 2, good.len() - 1] {
            let message = rejection(&fixture, selection("account", &good[..cut])).await;
            assert!(message.contains("cut off"), "{cut}: {message}");
        }
        let mut flipped = 0;
        for seed in 0..60 {
            let mut random = Random::new(seed);
            let mut bytes = good.clone().into_bytes();
            let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
            bytes[at] ^= 1 << random.below(7);
            let text = String::from_utf8(bytes).unwrap();
            // Wherever the bit is: in a URL or in a token, for example.
            let message = rejection(&fixture, selection("account", &text)).await;
            assert!(message.contains("account"), "seed {seed}: {message}");
            flipped += 1;
        }
        assert_eq!(flipped, 60);
        for nonsense in ["null", "[]", "{}", "7", "\"x\"", "{\"v\":1}", "nonsense"] {
            rejection(&fixture, selection("account", nonsense)).await;
        }
        let mut document: Value = serde_json::from_str(&good).unwrap();
        document["v"] = 1_000.into();
        document["news"] = "what this connector cannot know".into();
        let message = rejection(&fixture, selection("account", &document.to_string())).await;
        assert!(message.contains("newer version"), "{message}");
    }
}

/// The program ends with exit code 6, names what differs, and its hint is `--full`.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_checkpoint_ends_with_exit_code_6_and_a_hint() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&fixture.settings());
    let target = [
        "sync",
        "--to",
        "sqlite:rows.db",
        "--stream",
        "account",
        "--page-size",
        "4",
    ];
    cli.run(&target).assert_success();
    let count_rows = || {
        let database = rusqlite::Connection::open(cli.file("rows.db")).unwrap();
        let count = "SELECT count(*) FROM account";
        database
            .query_row(count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count_rows(), 11);

    let mut narrower = target.to_vec();
    narrower.extend(["--columns", "name"]);
    let output = cli.run(&narrower);
    output.assert_error(6, &["account", "columns"], &[]);
    assert!(output.stderr.contains("--full"), "{}", output.stderr);

    let database = rusqlite::Connection::open(cli.file("rows.db")).unwrap();
    database
        .execute(
            "UPDATE _sync_state SET checkpoint = substr(checkpoint, 1, 40)",
            [],
        )
        .unwrap();
    drop(database);
    cli.run(&target)
        .assert_error(6, &["account", "cut off"], &[]);
    assert_eq!(count_rows(), 11, "stored rows are kept");

    narrower.push("--full");
    cli.run(&narrower).assert_success();
    assert_eq!(count_rows(), 11);
    cli.run(&narrower[..narrower.len() - 1]).assert_success();
}

/// A checkpoint belongs to the URL of its environment, so that rows of two environments are never
/// mixed.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_another_environment_is_rejected() {
    let (first, second) = (
        Fixture::with_accounts(3).await,
        Fixture::with_accounts(3).await,
    );
    let temp_dir = tempfile::tempdir().unwrap();
    let file = temp_dir.path().join("rows.db");
    let requests = requests(&["account"], 10);
    assert_complete(
        &first
            .sync(&requests, open_sink(|| Sqlite::open(&file)))
            .await,
    );
    let report = sync(
        &second.profile(),
        &requests,
        open_sink(|| Sqlite::open(&file)),
    )
    .await;
    let dataverse_host::End::Call(CallError::Connector(error)) = report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(error.kind, ErrorKind::CheckpointExpired, "{error}");
}
