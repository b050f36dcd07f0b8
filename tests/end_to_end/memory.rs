//! Memory is bounded: it does not grow with the number of rows.

use std::process::Child;

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::Limits;
use dataverse_tests::{Cli, Fixture, MemorySink, RunOutput, assert_complete, requests, sync};

/// The peak memory of the program, in KiB.
fn peak(cli: &Cli, rows: u64) -> u64 {
    let directory = format!("jsonl:{rows}");
    let mut child = cli.start(&[
        "--quiet",
        "sync",
        "--stream",
        "account",
        "--to",
        &directory,
        "--columns",
        "name,revenue,createdon",
    ]);
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(high_water_mark(&child).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let output = RunOutput::of(child);
    output.assert_success();
    let lines = std::fs::read_to_string(cli.file(&rows.to_string()).join("account.jsonl")).unwrap();
    assert_eq!(lines.lines().count() as u64, rows);
    assert!(peak > 0, "the memory of the program could not be read");
    peak
}

fn high_water_mark(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_number_of_rows() {
    let few = Fixture::with_rows(Sizes {
        accounts: 20_000,
        ..Sizes::default()
    })
    .await;
    let many = Fixture::with_rows(Sizes {
        accounts: 100_000,
        ..Sizes::default()
    })
    .await;
    // Compiles and caches the component, which takes more memory than a sync.
    Cli::new(&few.settings())
        .command(&["describe"])
        .output()
        .unwrap();
    let small = peak(&Cli::new(&few.settings()), 20_000);
    let large = peak(&Cli::new(&many.settings()), 100_000);
    println!("{small} KiB for 20,000 rows, {large} KiB for 100,000");
    assert!(
        large < small + 24 * 1_024,
        "{small} KiB for 20,000 rows, {large} KiB for 100,000"
    );
    assert!(large < 150 * 1_024, "{large} KiB");
}

/// Pages of 5,000 rows with all columns and labels, within the default memory limit.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_maximum_size_fit_into_an_instance() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 10_000,
        ..Sizes::default()
    })
    .await;
    assert_eq!(Limits::default().memory, 64 << 20);
    let mut requests = requests(&["account"], 5_000);
    requests[0].selection.labels = true;
    let memory = MemorySink::new();
    let report = sync(&fixture.profile(), &requests, memory.clone()).await;
    assert_complete(&report);
    assert_eq!(
        (report.restarts, report.streams[0].rows),
        (0, 10_000),
        "{report:?}"
    );
}
