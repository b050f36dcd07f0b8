//! Memory is bounded: a table of many rows takes no more than one of few.

use std::process::Child;

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::Limits;
use dataverse_tests::{Cli, Ended, Memory, Stand, all_complete, requests, sync};

/// The most memory that the program had at one time, in KiB.
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
    let ended = Ended::of(child);
    ended.succeeded();
    let lines = std::fs::read_to_string(cli.file(&rows.to_string()).join("account.jsonl")).unwrap();
    assert_eq!(lines.lines().count() as u64, rows);
    assert!(peak > 0, "the memory of the program could not be seen");
    peak
}

fn high_water_mark(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_memory_does_not_grow_with_the_rows() {
    let few = Stand::of(Sizes {
        accounts: 20_000,
        ..Sizes::default()
    })
    .await;
    let many = Stand::of(Sizes {
        accounts: 100_000,
        ..Sizes::default()
    })
    .await;
    // Compiling the component takes more than syncing does.
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

/// The largest pages there are, with everything in them, in the memory that an instance has.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_pages_fit_into_an_instance() {
    let stand = Stand::of(Sizes {
        accounts: 10_000,
        ..Sizes::default()
    })
    .await;
    assert_eq!(Limits::default().memory, 64 << 20);
    let mut requests = requests(&["account"], 5_000);
    requests[0].labels = true;
    let memory = Memory::new();
    let report = sync(&stand.profile(), &requests, memory.clone()).await;
    all_complete(&report);
    assert_eq!(
        (report.restarts, report.streams[0].rows),
        (0, 10_000),
        "{report:?}"
    );
}
