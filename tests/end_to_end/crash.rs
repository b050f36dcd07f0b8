//! Crashes at any moment: after the next complete sync the target equals the source.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::contract::Event;
use dataverse_host::sink::{Applied, JsonLines, Sink, SinkError, Sqlite};
use dataverse_host::{End, SyncReport};
use dataverse_tests::{
    Cli, Fixture, Random, TestServer, assert_complete, assert_database_holds, assert_same,
    open_sink, read_json_lines, requests,
};
use tokio::sync::Notify;

const STREAMS: [(&str, &str); 3] = [
    ("account", "accountid"),
    ("contact", "contactid"),
    ("task", "activityid"),
];
const SEEDS: u64 = 32;

/// The target of a sync.
#[derive(Clone, Debug)]
enum Target {
    Lines(PathBuf),
    Database(PathBuf),
}

impl Target {
    fn choose(random: &mut Random, directory: &Path) -> Self {
        match random.below(2) {
            0 => Self::Lines(directory.join("lines")),
            _ => Self::Database(directory.join("rows.db")),
        }
    }

    fn open(&self) -> Box<dyn Sink> {
        match self {
            Self::Lines(directory) => Box::new(open_sink(|| JsonLines::open(directory))),
            Self::Database(file) => Box::new(open_sink(|| Sqlite::open(file))),
        }
    }

    fn argument(&self) -> String {
        match self {
            Self::Lines(directory) => format!("jsonl:{}", directory.display()),
            Self::Database(file) => format!("sqlite:{}", file.display()),
        }
    }

    async fn assert_equals_source(&self, fixture: &Fixture, what: &str) {
        for (stream, key) in STREAMS {
            let rows = fixture.api.rows(stream).await;
            assert!(!rows.is_empty());
            match self {
                Self::Lines(directory) => {
                    assert_same(what, &read_json_lines(directory, stream, key), &rows);
                }
                Self::Database(file) => assert_database_holds(file, stream, key, &rows),
            }
        }
    }
}

/// A sink that crashes at an event, before or after the event is durable.
struct CrashingSink {
    inner: Box<dyn Sink>,
    events_before_crash: u64,
    applies_last_event: bool,
}

impl Sink for CrashingSink {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        self.inner.checkpoint(stream)
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        if self.events_before_crash == 0 {
            if self.applies_last_event {
                self.inner.apply(event)?;
            }
            return Err(SinkError::Broken);
        }
        self.events_before_crash -= 1;
        self.inner.apply(event)
    }
}

/// Runs a sync of the library while rows are changed in the service.
async fn sync_during_changes(
    fixture: &Arc<Fixture>,
    sink: CrashingSink,
    change_seed: u64,
) -> SyncReport {
    let busy = Arc::clone(fixture);
    let changes = tokio::task::spawn_blocking(move || busy.simulate_changes(change_seed, 12));
    let names = STREAMS.map(|(stream, _)| stream);
    let report = fixture.sync(&requests(&names, 6), sink).await;
    changes.await.unwrap();
    report
}

fn sizes() -> Sizes {
    Sizes {
        accounts: 30,
        contacts: 40,
        tasks: 30,
        ..Sizes::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_crashes_at_any_event_resumes_and_equals_the_source() {
    let fixture = Arc::new(Fixture::with_rows(sizes()).await);
    let mut crashes = 0;
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let temp_dir = tempfile::tempdir().unwrap();
        let target = Target::choose(&mut random, temp_dir.path());
        println!("seed {seed}: {target:?}");
        for attempt in 0..4 {
            let sink = CrashingSink {
                inner: target.open(),
                events_before_crash: random.below(30),
                applies_last_event: random.below(2) == 0,
            };
            let report = sync_during_changes(&fixture, sink, seed * 10 + attempt).await;
            match report.end {
                End::Sink(SinkError::Broken) => crashes += 1,
                _ => assert_complete(&report),
            }
        }
        // The first may complete an interrupted full read; the second reads what has changed
        // meanwhile.
        for _ in 0..2 {
            let names = STREAMS.map(|(stream, _)| stream);
            let inner = target.open();
            let sink = CrashingSink {
                inner,
                events_before_crash: u64::MAX,
                applies_last_event: true,
            };
            assert_complete(&fixture.sync(&requests(&names, 6), sink).await);
        }
        target
            .assert_equals_source(&fixture, &format!("seed {seed}"))
            .await;
    }
    assert!(crashes > SEEDS, "only {crashes} crashes");
}

/// The program is killed (`SIGKILL`) while a response of the service is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_at_any_request_resumes_and_equals_the_source() {
    let mut server = TestServer::bind().await;
    let origin = server.origin().to_owned();
    let fixture = Fixture::build(|builder| {
        builder.also_known_as(&origin).seed(|store| {
            dataverse_emulator::seed::generate::run(store, 9, &sizes())?;
            Ok(())
        })
    })
    .await;
    let fixture = Arc::new(fixture);
    let (requests_before_kill, kill) =
        (Arc::new(AtomicI64::new(i64::MAX)), Arc::new(Notify::new()));
    let (counter, notice) = (Arc::clone(&requests_before_kill), Arc::clone(&kill));
    server.forward(fixture.emulator.base_url(), move |_, response| {
        if counter.fetch_sub(1, Ordering::SeqCst) == 1 {
            notice.notify_one();
        }
        response
    });
    let mut settings = fixture.settings();
    settings["environment"] = origin.into();

    let mut killed = 0;
    for seed in 0..SEEDS {
        let mut random = Random::new(1_000 + seed);
        let cli = Cli::new(&settings);
        let target = Target::choose(&mut random, cli.path());
        println!("seed {seed}: {target:?}");
        let to = target.argument();
        let mut arguments = vec![
            "--connection",
            "connection.toml",
            "--quiet",
            "sync",
            "--page-size",
            "6",
            "--to",
            &to,
        ];
        for (stream, _) in STREAMS {
            arguments.extend(["--stream", stream]);
        }
        for attempt in 0..4 {
            let busy = Arc::clone(&fixture);
            let change_seed = 1_000 + seed * 10 + attempt;
            let changes =
                tokio::task::spawn_blocking(move || busy.simulate_changes(change_seed, 12));
            let last = 1 + random.below(24);
            requests_before_kill.store(i64::try_from(last).unwrap(), Ordering::SeqCst);
            let mut child = tokio::process::Command::from(cli.command(&arguments));
            let mut child = child.kill_on_drop(true).spawn().unwrap();
            tokio::select! {
                () = kill.notified() => {
                    child.kill().await.unwrap();
                    killed += 1;
                }
                status = child.wait() => assert!(status.unwrap().success(), "seed {seed}"),
            }
            changes.await.unwrap();
        }
        requests_before_kill.store(i64::MAX, Ordering::SeqCst);
        // A notification that came after the end of the program does not concern the next one.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, kill.notified()).await;
        cli.run(&arguments[2..]).assert_success();
        cli.run(&arguments[2..]).assert_success();
        target
            .assert_equals_source(&fixture, &format!("seed {seed}"))
            .await;
    }
    assert!(killed > SEEDS, "only {killed} kills");
}
