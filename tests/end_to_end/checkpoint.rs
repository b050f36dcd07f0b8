//! Checkpoints that cannot be resumed are refused by name, before anything is sent.

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::CallError;
use dataverse_host::contract::{ErrorKind, Selection};
use dataverse_host::sink::Sqlite;
use dataverse_tests::{
    Cli, Memory, Random, Stand, all_complete, host, open, requests, sync, sync_events,
};
use serde_json::Value;

fn selection(stream: &str, checkpoint: &str) -> Selection {
    Selection::of(stream)
        .with_page_size(4)
        .with_checkpoint(checkpoint)
}

/// A checkpoint in the middle of a full read, and one at its end.
async fn checkpoints(stand: &Stand) -> [String; 2] {
    let memory = Memory::new();
    all_complete(&stand.sync(&requests(&["account"], 4), memory.clone()).await);
    let all = memory.held("account").checkpoints;
    assert!(all.len() > 2, "{all:?}");
    [all[0].clone(), all[all.len() - 1].clone()]
}

/// Why a checkpoint is refused.
async fn refusal(stand: &Stand, selection: Selection) -> String {
    let before = stand.emulator.statistics();
    let mut session = host().open(&stand.profile()).await.unwrap();
    let Err(CallError::Connector(error)) = session.sync(&[selection]).await.map(|_| ()) else {
        panic!("the checkpoint was taken");
    };
    assert_eq!(error.kind, ErrorKind::CheckpointExpired, "{error}");
    assert!(!error.message.contains('\n'), "{error}");
    assert_eq!(stand.emulator.statistics(), before, "nothing was sent");
    error.message
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_of_other_streams_and_environments_are_refused() {
    let stand = Stand::of(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    let other = Stand::of(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    let foreign = checkpoints(&other).await;
    for (own, foreign) in checkpoints(&stand).await.iter().zip(&foreign) {
        let told = refusal(&stand, selection("contact", own)).await;
        assert!(told.contains("of the table account, not contact"), "{told}");
        let told = refusal(&stand, selection("account", foreign)).await;
        assert!(
            told.contains("of the environment") && told.contains(other.emulator.base_url()),
            "{told}"
        );
        let mut narrower = selection("account", own);
        narrower.columns = vec!["name".to_owned()];
        let told = refusal(&stand, narrower).await;
        assert!(told.contains("columns"), "{told}");
        let mut labelled = selection("account", own);
        labelled.labels = true;
        let told = refusal(&stand, labelled).await;
        assert!(told.contains("labels"), "{told}");
        // What it is good for, it still is.
        sync_events(&stand.profile(), selection("account", own))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_checkpoints_are_refused() {
    let stand = Stand::of(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    for good in checkpoints(&stand).await {
        assert!(good.is_ascii(), "cut and flip below count bytes: {good}");
        for cut in [0, 1, good.len() / 3, good.len() / 2, good.len() - 1] {
            let told = refusal(&stand, selection("account", &good[..cut])).await;
            assert!(told.contains("cut off"), "{cut}: {told}");
        }
        let mut flipped = 0;
        for seed in 0..60 {
            let mut random = Random::new(seed);
            let mut bytes = good.clone().into_bytes();
            let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
            bytes[at] ^= 1 << random.below(7);
            let text = String::from_utf8(bytes).unwrap();
            // Any word but the same one: a flipped letter in a URL, a digit of a token.
            let told = refusal(&stand, selection("account", &text)).await;
            assert!(told.contains("account"), "seed {seed}: {told}");
            flipped += 1;
        }
        assert_eq!(flipped, 60);
        for nonsense in ["null", "[]", "{}", "7", "\"x\"", "{\"v\":1}", "nonsense"] {
            refusal(&stand, selection("account", nonsense)).await;
        }
        let mut document: Value = serde_json::from_str(&good).unwrap();
        document["v"] = 1_000.into();
        document["news"] = "what this connector cannot know".into();
        let told = refusal(&stand, selection("account", &document.to_string())).await;
        assert!(told.contains("newer version"), "{told}");
    }
}

/// The program's side: exit code 6, the name of what differs, and `--full` as the way out.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_checkpoint_ends_with_6_and_a_remedy() {
    let stand = Stand::of(Sizes {
        accounts: 11,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&stand.settings());
    let target = [
        "sync",
        "--to",
        "sqlite:rows.db",
        "--stream",
        "account",
        "--page-size",
        "4",
    ];
    cli.run(&target).succeeded();
    let held = || {
        let database = rusqlite::Connection::open(cli.file("rows.db")).unwrap();
        let count = "SELECT count(*) FROM account";
        database
            .query_row(count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(held(), 11);

    let mut narrower = target.to_vec();
    narrower.extend(["--columns", "name"]);
    let ended = cli.run(&narrower);
    ended.refused(6, &["account", "columns"], &[]);
    assert!(ended.stderr.contains("--full"), "{}", ended.stderr);

    let database = rusqlite::Connection::open(cli.file("rows.db")).unwrap();
    database
        .execute(
            "UPDATE _sync_state SET checkpoint = substr(checkpoint, 1, 40)",
            [],
        )
        .unwrap();
    drop(database);
    cli.run(&target).refused(6, &["account", "cut off"], &[]);
    assert_eq!(held(), 11, "what was stored stays");

    narrower.push("--full");
    cli.run(&narrower).succeeded();
    assert_eq!(held(), 11);
    cli.run(&narrower[..narrower.len() - 1]).succeeded();
}

/// The same environment under another name is another one to a checkpoint, so that the rows of
/// two are never mixed.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_of_another_environment_is_refused() {
    let (first, second) = (Stand::of_accounts(3).await, Stand::of_accounts(3).await);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("rows.db");
    let requests = requests(&["account"], 10);
    all_complete(&first.sync(&requests, open(|| Sqlite::open(&file))).await);
    let report = sync(&second.profile(), &requests, open(|| Sqlite::open(&file))).await;
    let dataverse_host::End::Call(CallError::Connector(error)) = report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(error.kind, ErrorKind::CheckpointExpired, "{error}");
}
