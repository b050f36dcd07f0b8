//! Targets that cannot be written, and runs that are told to end: an exit code, one sentence,
//! and everything that was durable still there.

use std::path::Path;
use std::process::Command;

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::{CLIENT_SECRET, Fault, FaultKind};
use dataverse_host::sink::{JsonLines, Sqlite};
use dataverse_tests::{
    Cli, Ended, Place, Stand, assert_database_holds, assert_same, open, read_json_lines,
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;

const CONNECTION: [&str; 2] = ["--connection", "connection.toml"];

fn sync(to: &str) -> [&str; 7] {
    [
        "sync",
        "--stream",
        "account",
        "--page-size",
        "40",
        "--to",
        to,
    ]
}

async fn assert_equals_source(stand: &Stand, lines: Option<&Path>, file: Option<&Path>) {
    let rows = stand.api.rows("account").await;
    if let Some(directory) = lines {
        assert_same(
            "account",
            &read_json_lines(directory, "account", "accountid"),
            &rows,
        );
    }
    if let Some(file) = file {
        assert_database_holds(file, "account", "accountid", &rows);
    }
}

/// A file system of one mebibyte, if this user may make one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(directory.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(directory))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_reported_and_loses_nothing() {
    let stand = Stand::of(Sizes {
        accounts: 900,
        ..Sizes::default()
    })
    .await;
    let Some(disk) = SmallDisk::mount() else {
        println!("this user cannot mount a small disk; the limit on files below has to do");
        return;
    };
    for target in ["jsonl", "sqlite"] {
        let cli = Cli::new(&stand.settings());
        let place = disk.0.path().join(target);
        let to = format!("{target}:{}", place.display());
        let ballast = disk.0.path().join("ballast");
        std::fs::write(&ballast, vec![0; 400 << 10]).unwrap();
        cli.run(&sync(&to)).refused(
            8,
            &["disk is full", place.to_str().unwrap()],
            &[CLIENT_SECRET],
        );
        // Still full, still the same answer, and still nothing worse.
        cli.run(&sync(&to))
            .refused(8, &["disk is full"], &[CLIENT_SECRET]);
        for entry in std::fs::read_dir(disk.0.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(&path).unwrap();
            } else {
                std::fs::remove_file(&path).unwrap();
            }
        }
    }
}

/// Files may not grow beyond some hundred kilobytes; when they may again, the sync goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_space_is_reported_and_resumed_later() {
    let stand = Stand::of(Sizes {
        accounts: 400,
        ..Sizes::default()
    })
    .await;
    for target in ["jsonl:out", "sqlite:out.db"] {
        let cli = Cli::new(&page_after_page(stand.settings()));
        // Compiles and caches the component before files are limited.
        cli.command(&["describe"]).output().unwrap();
        let mut arguments = CONNECTION.to_vec();
        let sync = sync(target);
        arguments.extend(sync);
        let mut limited = cli.shell("trap '' XFSZ && ulimit -f 1200", &arguments);
        let ended = Ended::of(limited.spawn().unwrap());
        ended.refused(8, &["out"], &[CLIENT_SECRET]);
        let reads = stand.emulator.statistics().reads;
        let ended = cli.run(&sync);
        ended.succeeded();
        let again = stand.emulator.statistics().reads - reads;
        assert!(
            again < 10,
            "{target}: it went on, and did not start over: {again} pages of 10, changes included"
        );
        if target.starts_with("jsonl") {
            assert_equals_source(&stand, Some(&cli.file("out")), None).await;
        } else {
            assert_equals_source(&stand, None, Some(&cli.file("out.db"))).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_targets_are_named() {
    let stand = Stand::of(Sizes {
        accounts: 3,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&stand.settings());
    std::fs::write(
        cli.file("file"),
        "not a database, but a letter to an old friend",
    )
    .unwrap();
    std::fs::create_dir(cli.file("directory")).unwrap();
    let taken = rusqlite::Connection::open(cli.file("taken.db")).unwrap();
    taken
        .execute_batch("CREATE TABLE account (mine TEXT); INSERT INTO account VALUES ('x')")
        .unwrap();
    let in_use = Sqlite::open(cli.file("in-use.db")).unwrap();
    let lines_in_use = JsonLines::open(cli.file("in-use")).unwrap();
    let cases: [(&str, &[&str]); 9] = [
        // Nobody may write there, not even root.
        ("jsonl:/sys/rows", &["/sys/rows"]),
        ("sqlite:/sys/rows.db", &["/sys/rows.db"]),
        ("jsonl:file", &["file"]),
        ("sqlite:file", &["file", "not an SQLite database"]),
        ("sqlite:directory", &["directory"]),
        ("sqlite:absent/rows.db", &["absent/rows.db"]),
        ("sqlite:in-use.db", &["in use by another sync"]),
        ("jsonl:in-use", &["in use by another sync"]),
        ("sqlite:taken.db", &["account", "no sync made"]),
    ];
    for (target, words) in cases {
        println!("{target}");
        cli.run(&sync(target)).refused(8, words, &[CLIENT_SECRET]);
    }
    drop((in_use, lines_in_use));
    // Nobody has a copy of the locks any more, see `open`.
    drop((
        open(|| Sqlite::open(cli.file("in-use.db"))),
        open(|| JsonLines::open(cli.file("in-use"))),
    ));
    cli.run(&sync("sqlite:in-use.db")).succeeded();
    cli.run(&sync("jsonl:in-use")).succeeded();
    let mine: String = taken
        .query_row("SELECT mine FROM account", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mine, "x", "what is not ours stays as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_targets_are_detected() {
    let stand = Stand::of(Sizes {
        accounts: 5,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&stand.settings());
    cli.run(&sync("jsonl:out")).succeeded();
    let file = cli.file("out").join("account.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() / 2]).unwrap();
    cli.run(&sync("jsonl:out"))
        .refused(8, &["account.jsonl", "in full again"], &[CLIENT_SECRET]);
    let mut full = sync("jsonl:out").to_vec();
    full.push("--full");
    cli.run(&full).succeeded();
    assert_equals_source(&stand, Some(&cli.file("out")), None).await;

    std::fs::write(cli.file("out").join("state.json"), "{\"version\":1,").unwrap();
    cli.run(&sync("jsonl:out"))
        .refused(8, &["state.json"], &[CLIENT_SECRET]);
}

/// A signal comes while a page is awaited; what is durable stays, and the next run does the rest.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sync_ends_with_130_and_the_next_resumes() {
    for (signal, target) in [(Signal::INT, "sqlite:out.db"), (Signal::TERM, "jsonl:out")] {
        let mut place = Place::take().await;
        let origin = place.origin().to_owned();
        let stand = Stand::with(|builder| {
            builder.also_known_as(&origin).seed(|store| {
                generate::run(
                    store,
                    5,
                    &Sizes {
                        accounts: 400,
                        ..Sizes::default()
                    },
                )?;
                Ok(())
            })
        })
        .await;
        let (asked, mut awaited) = mpsc::unbounded_channel();
        place.forward(stand.emulator.base_url(), move |seen, answer| {
            if seen.is_data() {
                asked.send(()).unwrap();
            }
            answer
        });
        // The fifth page does not come.
        let kind = FaultKind::Delay {
            milliseconds: 3_600_000,
        };
        stand.emulator.inject(Fault {
            at: 5,
            ..Fault::once(kind)
        });
        let mut settings = stand.settings();
        settings["environment"] = origin.into();
        let cli = Cli::new(&page_after_page(settings));
        let child = cli.start(&sync(target));
        for _ in 0..4 {
            awaited.recv().await.unwrap();
        }
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
        let ended = Ended::of(child);
        ended.refused(
            130,
            &["interrupted", "resumes from there"],
            &[CLIENT_SECRET],
        );
        assert!(ended.stdout.contains("unfinished"), "{}", ended.stdout);

        // It may have ended before it asked for the fifth page.
        stand.emulator.clear_faults();
        stand.emulator.reset_statistics();
        cli.run(&sync(target)).succeeded();
        let pages = stand.emulator.statistics().reads;
        assert!(
            pages < 10,
            "the first pages were kept: {pages} of 10 were read again"
        );
        if target.starts_with("jsonl") {
            assert_equals_source(&stand, Some(&cli.file("out")), None).await;
        } else {
            assert_equals_source(&stand, None, Some(&cli.file("out.db"))).await;
        }
        cli.assert_kept_out(&[CLIENT_SECRET, stand.api.token(), "eyJ"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn max_duration_ends_with_9_and_the_next_sync_resumes() {
    let stand = Stand::of(Sizes {
        accounts: 200,
        ..Sizes::default()
    })
    .await;
    let kind = FaultKind::Delay {
        milliseconds: 3_600_000,
    };
    stand.emulator.inject(Fault {
        at: 3,
        ..Fault::once(kind)
    });
    let cli = Cli::new(&stand.settings());
    let mut limited = sync("sqlite:out.db").to_vec();
    limited.extend(["--max-duration", "1s"]);
    cli.run(&limited)
        .refused(9, &["--max-duration reached"], &[CLIENT_SECRET]);
    stand.emulator.clear_faults();
    cli.run(&sync("sqlite:out.db")).succeeded();
    assert_equals_source(&stand, None, Some(&cli.file("out.db"))).await;
}

/// One request at a time, so that pages can be counted.
fn page_after_page(mut settings: serde_json::Value) -> serde_json::Value {
    settings["limits"] = serde_json::json!({"maxConcurrency": 1});
    settings
}
