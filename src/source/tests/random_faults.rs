//! Simulated sinks, one per seed: after random faults they hold the rows of the service.

use std::rc::Rc;

use serde_json::Value;

use super::host_recommending;
use super::random::Random;
use super::service::{Kind, World, expected, id};
use super::sink::Sink;
use crate::simulation::{self, RandomFaults, SETTINGS, Simulation};
use crate::source::{Selection, Sync};

/// Runs syncs until every stream is complete, at most six times, and kills the sink at random.
fn sync_with_kills(
    host: &Rc<Simulation>,
    sink: &mut Sink,
    selections: &[Selection],
    random: &mut Random,
    kills: bool,
) {
    for _ in 0..6 {
        let client = simulation::client(host, SETTINGS);
        let selections = selections
            .iter()
            .map(|selection| Selection {
                checkpoint: sink
                    .streams
                    .get(&selection.stream)
                    .and_then(|held| held.checkpoint.clone()),
                ..selection.clone()
            })
            .collect();
        let mut sync = Sync::start(&client, selections).unwrap();
        sink.begin();
        let mut left = if kills {
            1 + random.below(15)
        } else {
            u32::MAX
        };
        while let Ok(event) = host.block_on(sync.next()) {
            let Some(event) = event else { return };
            left -= 1;
            if !sink.apply(event, left == 0) || left == 0 {
                break;
            }
        }
    }
}

/// How large the tables are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tables {
    /// Of every kind, and rarely large enough to be read in ranges.
    Small,
    /// Nearly always large enough.
    Large,
}

/// Runs one sink by a seed. At its end it holds the rows of the service.
fn run_seed(seed: u64, tables: Tables) {
    let mut random = Random::new(seed ^ 0x5EED);
    let kinds: Vec<(&str, Kind)> = ["alpha", "beta", "gamma", "delta"]
        .into_iter()
        .take(1 + random.index(4))
        .map(|name| {
            // Half of the tables are ordinary ones.
            let odd = Kind::ALL[random.index(Kind::ALL.len())];
            (name, if random.one_in(2) { Kind::Tracked } else { odd })
        })
        .collect();
    let world = World::new(seed, &kinds);
    if tables == Tables::Large {
        let mut world = world.borrow_mut();
        world.max_rows = 160;
        let most = 220 * u32::try_from(kinds.len()).unwrap();
        world.change_at_random(most / 2, most);
    }
    let hint = ["", "1", "4", "8"][random.index(4)];
    let host = host_recommending(&world, hint);
    let labels = random.one_in(2);
    let sweeps = random.one_in(3);
    let selections: Vec<Selection> = kinds
        .iter()
        .map(|(name, _)| Selection {
            stream: (*name).to_owned(),
            labels,
            sweep: sweeps,
            // A page of one row does not show whether the order is correct.
            page_size: Some(2 + random.below(19)),
            ..Selection::default()
        })
        .collect();
    let mut sink = Sink::new(&mut random);
    // A full read restores rows that were lost before. So for most seeds no token expires.
    let has_faults = random.one_in(4);
    for _ in 0..=1 + random.below(4) {
        world.borrow_mut().is_busy = random.one_in(2);
        world.borrow_mut().has_faults = has_faults;
        world.borrow_mut().counts = !random.one_in(8);
        let random_faults = random
            .one_in(2)
            .then(|| RandomFaults::new(random.below(u32::MAX).into(), 6));
        host.set_random_faults(random_faults);
        sync_with_kills(&host, &mut sink, &selections, &mut random, true);
        world.borrow_mut().change_at_random(0, 30);
    }
    host.set_random_faults(None);
    world.borrow_mut().is_busy = false;
    world.borrow_mut().has_faults = false;
    for held in sink.streams.values_mut() {
        held.failures.clear();
    }
    // The first of these may only finish a full read that was interrupted; the second brings
    // what has changed since it began.
    for _ in 0..2 {
        sync_with_kills(&host, &mut sink, &selections, &mut random, false);
    }
    let world = world.borrow();
    for table in &world.tables {
        let held = &sink.streams[table.name];
        assert!(held.failures.is_empty(), "{:?}", held.failures);
        for number in table.rows.keys() {
            let mut expected_row = expected(table, *number, labels);
            let found = held.rows.get(&id(*number)).unwrap_or_else(|| {
                panic!(
                    "{} {:?}: row {number} is missing, {sweeps} {:?}",
                    table.name, table.kind, held.warnings
                )
            });
            if held
                .warnings
                .iter()
                .any(|warning| warning == "labels-unavailable")
            {
                for label in ["statuscodename", "parentname", "parenttype"] {
                    if found[label].is_null() {
                        expected_row[label] = Value::Null;
                    }
                }
            }
            assert_eq!(*found, expected_row, "{} {:?}", table.name, table.kind);
        }
        if table.kind.has_visible_deletions() || sweeps {
            assert_eq!(
                held.rows.len(),
                table.rows.len(),
                "{} {:?} has deleted rows",
                table.name,
                table.kind
            );
        }
    }
}

/// Runs 200 seeds, or those in the environment variables `SEED` and `SEEDS`.
fn run_seeds(tables: Tables) {
    let seeds: u64 = std::env::var("SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let first: u64 = std::env::var("SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    for seed in first..first + seeds {
        if let Err(panic) = std::panic::catch_unwind(|| run_seed(seed, tables)) {
            eprintln!("The seed is {seed}; SEED={seed} SEEDS=1 replays it.");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn the_sink_equals_the_service_after_any_faults() {
    run_seeds(Tables::Small);
}

#[test]
fn the_sink_equals_the_service_after_any_faults_in_ranges() {
    run_seeds(Tables::Large);
}
