//! Death at any moment: what is started again ends equal to the source.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::contract::Event;
use dataverse_host::sink::{Applied, JsonLines, Sink, SinkError, Sqlite};
use dataverse_host::{End, SyncReport};
use dataverse_tests::{
    Cli, Place, Random, Stand, all_complete, assert_database_holds, assert_same, open,
    read_json_lines, requests,
};
use tokio::sync::Notify;

const STREAMS: [(&str, &str); 3] = [
    ("account", "accountid"),
    ("contact", "contactid"),
    ("task", "activityid"),
];
const SEEDS: u64 = 32;

/// Where rows go.
#[derive(Clone, Debug)]
enum Target {
    Lines(PathBuf),
    Database(PathBuf),
}

impl Target {
    fn draw(random: &mut Random, directory: &Path) -> Self {
        match random.below(2) {
            0 => Self::Lines(directory.join("lines")),
            _ => Self::Database(directory.join("rows.db")),
        }
    }

    fn open(&self) -> Box<dyn Sink> {
        match self {
            Self::Lines(directory) => Box::new(open(|| JsonLines::open(directory))),
            Self::Database(file) => Box::new(open(|| Sqlite::open(file))),
        }
    }

    fn argument(&self) -> String {
        match self {
            Self::Lines(directory) => format!("jsonl:{}", directory.display()),
            Self::Database(file) => format!("sqlite:{}", file.display()),
        }
    }

    async fn assert_equals_source(&self, stand: &Stand, what: &str) {
        for (stream, key) in STREAMS {
            let rows = stand.api.rows(stream).await;
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

/// A sink that dies at an event, before or after the event is durable.
struct Mortal {
    inner: Box<dyn Sink>,
    events_to_live: u64,
    finishes_the_last: bool,
}

impl Sink for Mortal {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        self.inner.checkpoint(stream)
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        if self.events_to_live == 0 {
            if self.finishes_the_last {
                self.inner.apply(event)?;
            }
            return Err(SinkError::Broken);
        }
        self.events_to_live -= 1;
        self.inner.apply(event)
    }
}

/// A life of the library's sync, while somebody works in the organization.
async fn live(stand: &Arc<Stand>, sink: Mortal, work: u64) -> SyncReport {
    let busy = Arc::clone(stand);
    let worker = tokio::task::spawn_blocking(move || busy.work(work, 12));
    let names = STREAMS.map(|(stream, _)| stream);
    let report = stand.sync(&requests(&names, 6), sink).await;
    worker.await.unwrap();
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
async fn a_sync_that_dies_at_any_event_ends_equal_to_the_source() {
    let stand = Arc::new(Stand::of(sizes()).await);
    let mut deaths = 0;
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let place = tempfile::tempdir().unwrap();
        let target = Target::draw(&mut random, place.path());
        println!("seed {seed}: {target:?}");
        for life in 0..4 {
            let sink = Mortal {
                inner: target.open(),
                events_to_live: random.below(30),
                finishes_the_last: random.below(2) == 0,
            };
            let report = live(&stand, sink, seed * 10 + life).await;
            match report.end {
                End::Sink(SinkError::Broken) => deaths += 1,
                _ => all_complete(&report),
            }
        }
        // The first completes a full read that was interrupted, the second brings what has
        // changed behind it.
        for _ in 0..2 {
            let names = STREAMS.map(|(stream, _)| stream);
            let inner = target.open();
            let immortal = Mortal {
                inner,
                events_to_live: u64::MAX,
                finishes_the_last: true,
            };
            all_complete(&stand.sync(&requests(&names, 6), immortal).await);
        }
        target
            .assert_equals_source(&stand, &format!("seed {seed}"))
            .await;
    }
    assert!(deaths > SEEDS, "hardly anything died: {deaths}");
}

/// The program, killed with a signal that it cannot see, at the moment when an answer of the
/// service is on its way to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_killed_at_any_request_ends_equal_to_the_source() {
    let mut place = Place::take().await;
    let origin = place.origin().to_owned();
    let stand = Stand::with(|builder| {
        builder.also_known_as(&origin).seed(|store| {
            dataverse_emulator::seed::generate::run(store, 9, &sizes())?;
            Ok(())
        })
    })
    .await;
    let stand = Arc::new(stand);
    let (requests_to_live, kill) = (Arc::new(AtomicI64::new(i64::MAX)), Arc::new(Notify::new()));
    let (counter, notice) = (Arc::clone(&requests_to_live), Arc::clone(&kill));
    place.forward(stand.emulator.base_url(), move |_, answer| {
        if counter.fetch_sub(1, Ordering::SeqCst) == 1 {
            notice.notify_one();
        }
        answer
    });
    let mut settings = stand.settings();
    settings["environment"] = origin.into();

    let mut killed = 0;
    for seed in 0..SEEDS {
        let mut random = Random::new(1_000 + seed);
        let cli = Cli::new(&settings);
        let target = Target::draw(&mut random, cli.path());
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
        for life in 0..4 {
            let busy = Arc::clone(&stand);
            let work = 1_000 + seed * 10 + life;
            let worker = tokio::task::spawn_blocking(move || busy.work(work, 12));
            let last = 1 + random.below(24);
            requests_to_live.store(i64::try_from(last).unwrap(), Ordering::SeqCst);
            let mut child = tokio::process::Command::from(cli.command(&arguments));
            let mut child = child.kill_on_drop(true).spawn().unwrap();
            tokio::select! {
                () = kill.notified() => {
                    child.kill().await.unwrap();
                    killed += 1;
                }
                status = child.wait() => assert!(status.unwrap().success(), "seed {seed}"),
            }
            worker.await.unwrap();
        }
        requests_to_live.store(i64::MAX, Ordering::SeqCst);
        // A kill that came after the end is not for the next life.
        let _ = tokio::time::timeout(std::time::Duration::ZERO, kill.notified()).await;
        cli.run(&arguments[2..]).succeeded();
        cli.run(&arguments[2..]).succeeded();
        target
            .assert_equals_source(&stand, &format!("seed {seed}"))
            .await;
    }
    assert!(killed > SEEDS, "hardly anything was killed: {killed}");
}
