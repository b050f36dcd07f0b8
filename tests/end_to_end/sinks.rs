//! Targets that cannot be written, and syncs that are interrupted: an exit code, one error, and
//! stored rows are kept.

use std::path::Path;
use std::process::Command;

use dataverse_emulator::seed::generate::{self, Sizes};
use dataverse_emulator::{CLIENT_SECRET, Fault, FaultKind};
use dataverse_host::sink::{JsonLines, Sqlite};
use dataverse_tests::{
    Cli, Fixture, RunOutput, TestServer, assert_database_holds, assert_same, open_sink,
    read_json_lines,
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

async fn assert_equals_source(fixture: &Fixture, lines: Option<&Path>, file: Option<&Path>) {
    let rows = fixture.api.rows("account").await;
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

/// A file system of 1 MiB, if this user may mount one.
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
async fn a_full_disk_is_reported_and_no_row_is_lost() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 900,
        ..Sizes::default()
    })
    .await;
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: this user cannot mount a small file system");
        return;
    };
    for target in ["jsonl", "sqlite"] {
        let cli = Cli::new(&fixture.settings());
        let target_path = disk.0.path().join(target);
        let to = format!("{target}:{}", target_path.display());
        let filler = disk.0.path().join("filler");
        std::fs::write(&filler, vec![0; 400 << 10]).unwrap();
        cli.run(&sync(&to)).assert_error(
            8,
            &["disk is full", target_path.to_str().unwrap()],
            &[CLIENT_SECRET],
        );
        // The disk is still full, and the error is the same.
        cli.run(&sync(&to))
            .assert_error(8, &["disk is full"], &[CLIENT_SECRET]);
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

/// The size of files is limited; without the limit, the next sync resumes.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_space_is_reported_and_resumed_later() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 400,
        ..Sizes::default()
    })
    .await;
    for target in ["jsonl:out", "sqlite:out.db"] {
        let cli = Cli::new(&page_after_page(fixture.settings()));
        // Compiles and caches the component before files are limited.
        cli.command(&["describe"]).output().unwrap();
        let mut arguments = CONNECTION.to_vec();
        let sync = sync(target);
        arguments.extend(sync);
        let mut limited = cli.shell("trap '' XFSZ && ulimit -f 1200", &arguments);
        let output = RunOutput::of(limited.spawn().unwrap());
        output.assert_error(8, &["out"], &[CLIENT_SECRET]);
        let reads = fixture.emulator.statistics().reads;
        let output = cli.run(&sync);
        output.assert_success();
        let again = fixture.emulator.statistics().reads - reads;
        assert!(again < 10, "{target}: {again} of 10 pages were read again");
        if target.starts_with("jsonl") {
            assert_equals_source(&fixture, Some(&cli.file("out")), None).await;
        } else {
            assert_equals_source(&fixture, None, Some(&cli.file("out.db"))).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_targets_are_named() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 3,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&fixture.settings());
    std::fs::write(cli.file("file"), "this text is not an SQLite database").unwrap();
    std::fs::create_dir(cli.file("directory")).unwrap();
    let taken = rusqlite::Connection::open(cli.file("taken.db")).unwrap();
    taken
        .execute_batch("CREATE TABLE account (mine TEXT); INSERT INTO account VALUES ('x')")
        .unwrap();
    let in_use = Sqlite::open(cli.file("in-use.db")).unwrap();
    let lines_in_use = JsonLines::open(cli.file("in-use")).unwrap();
    let cases: [(&str, &[&str]); 9] = [
        // Not even root may write there.
        ("jsonl:/sys/rows", &["/sys/rows"]),
        ("sqlite:/sys/rows.db", &["/sys/rows.db"]),
        ("jsonl:file", &["file"]),
        ("sqlite:file", &["file", "not an SQLite database"]),
        ("sqlite:directory", &["directory"]),
        ("sqlite:absent/rows.db", &["absent/rows.db"]),
        ("sqlite:in-use.db", &["in use by another sync"]),
        ("jsonl:in-use", &["in use by another sync"]),
        ("sqlite:taken.db", &["account", "no sync created"]),
    ];
    for (target, words) in cases {
        println!("{target}");
        cli.run(&sync(target))
            .assert_error(8, words, &[CLIENT_SECRET]);
    }
    drop((in_use, lines_in_use));
    // Waits until no child process has a copy of the locks, see `open_sink`.
    drop((
        open_sink(|| Sqlite::open(cli.file("in-use.db"))),
        open_sink(|| JsonLines::open(cli.file("in-use"))),
    ));
    cli.run(&sync("sqlite:in-use.db")).assert_success();
    cli.run(&sync("jsonl:in-use")).assert_success();
    let mine: String = taken
        .query_row("SELECT mine FROM account", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mine, "x", "a table of another program was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_targets_are_detected() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 5,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&fixture.settings());
    cli.run(&sync("jsonl:out")).assert_success();
    let file = cli.file("out").join("account.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() / 2]).unwrap();
    cli.run(&sync("jsonl:out")).assert_error(
        8,
        &["account.jsonl", "in full again"],
        &[CLIENT_SECRET],
    );
    let mut full = sync("jsonl:out").to_vec();
    full.push("--full");
    cli.run(&full).assert_success();
    assert_equals_source(&fixture, Some(&cli.file("out")), None).await;

    std::fs::write(cli.file("out").join("state.json"), "{\"version\":1,").unwrap();
    cli.run(&sync("jsonl:out"))
        .assert_error(8, &["state.json"], &[CLIENT_SECRET]);
}

/// A signal arrives while the program waits for a page. Stored rows are kept, and the next run reads
/// the rest.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sync_ends_with_exit_code_130_and_the_next_resumes() {
    for (signal, target) in [(Signal::INT, "sqlite:out.db"), (Signal::TERM, "jsonl:out")] {
        let mut server = TestServer::bind().await;
        let origin = server.origin().to_owned();
        let fixture = Fixture::build(|builder| {
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
        let (requested, mut requests_seen) = mpsc::unbounded_channel();
        server.forward(fixture.emulator.base_url(), move |received, response| {
            if received.is_data() {
                requested.send(()).unwrap();
            }
            response
        });
        // The fifth page never arrives.
        let kind = FaultKind::Delay {
            milliseconds: 3_600_000,
        };
        fixture.emulator.inject(Fault {
            at: 5,
            ..Fault::once(kind)
        });
        let mut settings = fixture.settings();
        settings["environment"] = origin.into();
        let cli = Cli::new(&page_after_page(settings));
        let child = cli.start(&sync(target));
        for _ in 0..4 {
            requests_seen.recv().await.unwrap();
        }
        let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
        let output = RunOutput::of(child);
        output.assert_error(
            130,
            &["interrupted", "resumes from there"],
            &[CLIENT_SECRET],
        );
        assert!(output.stdout.contains("unfinished"), "{}", output.stdout);

        // The program may have ended before it requested the fifth page.
        fixture.emulator.clear_faults();
        fixture.emulator.reset_statistics();
        cli.run(&sync(target)).assert_success();
        let pages = fixture.emulator.statistics().reads;
        assert!(pages < 10, "{pages} of 10 pages were read again");
        if target.starts_with("jsonl") {
            assert_equals_source(&fixture, Some(&cli.file("out")), None).await;
        } else {
            assert_equals_source(&fixture, None, Some(&cli.file("out.db"))).await;
        }
        cli.assert_not_in_files(&[CLIENT_SECRET, fixture.api.token(), "eyJ"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn max_duration_ends_with_exit_code_9_and_the_next_sync_resumes() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 200,
        ..Sizes::default()
    })
    .await;
    let kind = FaultKind::Delay {
        milliseconds: 3_600_000,
    };
    fixture.emulator.inject(Fault {
        at: 3,
        ..Fault::once(kind)
    });
    let cli = Cli::new(&fixture.settings());
    let mut limited = sync("sqlite:out.db").to_vec();
    limited.extend(["--max-duration", "1s"]);
    cli.run(&limited)
        .assert_error(9, &["--max-duration reached"], &[CLIENT_SECRET]);
    fixture.emulator.clear_faults();
    cli.run(&sync("sqlite:out.db")).assert_success();
    assert_equals_source(&fixture, None, Some(&cli.file("out.db"))).await;
}

/// One request at a time, so that pages can be counted.
fn page_after_page(mut settings: serde_json::Value) -> serde_json::Value {
    settings["limits"] = serde_json::json!({"maxConcurrency": 1});
    settings
}
