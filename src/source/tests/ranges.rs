//! Large tables, read in several ranges at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::random::Random;
use super::service::{Kind, World, expected, id};
use super::sink::Sink;
use super::*;
use crate::source::checkpoint::{self, Binding};
use crate::source::position::Position;

const HINT: &str = "8";

/// Runs a sync, and kills it once `pages` pages are durable. Returns whether it came to its end.
fn run_until(host: &Rc<Simulation>, sink: &mut Sink, pages: usize, page_size: u32) -> bool {
    let client = simulation::client(host, SETTINGS);
    let resumed = Selection {
        checkpoint: sink
            .streams
            .get("alpha")
            .and_then(|held| held.checkpoint.clone()),
        page_size: Some(page_size),
        ..selection("alpha")
    };
    let mut sync = Sync::start(&client, vec![resumed]).unwrap();
    sink.begin();
    let mut left = pages;
    while let Some(event) = host.block_on(sync.next()).unwrap() {
        let is_page = matches!(event, Event::Page(_));
        assert!(sink.apply(event, false));
        left -= usize::from(is_page);
        if left == 0 {
            return false;
        }
    }
    true
}

/// Checks that the sink holds the rows of the service.
fn assert_equal(sink: &Sink, world: &RefCell<World>, with_deletions: bool) {
    let world = world.borrow();
    let table = &world.tables[0];
    let held = &sink.streams["alpha"];
    for number in table.rows.keys() {
        let found = held.rows.get(&id(*number));
        assert_eq!(found, Some(&expected(table, *number, false)), "{number}");
    }
    if with_deletions {
        assert_eq!(held.rows.len(), table.rows.len());
    }
}

fn large(kind: Kind) -> Rc<RefCell<World>> {
    let world = world(kind, 100);
    world.borrow_mut().max_rows = 150;
    world
}

#[test]
fn pages_in_flight_follow_the_recommended_concurrency() {
    for (hint, expected) in [("", 2), ("5", 5), ("52", 8)] {
        let world = large(Kind::Tracked);
        let host = host_recommending(&world, hint);
        let mut sink = Sink::new(&mut Random::new(1));
        assert!(run_until(&host, &mut sink, usize::MAX, 5));
        assert_equal(&sink, &world, true);
        assert_eq!(host.most_at_once(), expected, "{hint:?}");
        let held = &sink.streams["alpha"];
        assert_eq!((held.resets, held.completed), (1, 1));
        assert!(held.warnings.is_empty());
    }
}

/// The sync waits for the last few pages of a baseline, and the next sync reads only changes. The
/// rest of a longer baseline is left to the next sync, which then reads recent versions again.
#[test]
fn a_nearly_complete_baseline_is_finished() {
    // Only at high concurrency is the baseline read beside the rows.
    for (hint, reads_again) in [("8", false), ("2", true)] {
        let world = large(Kind::Tracked);
        let host = host_recommending(&world, hint);
        let rows = |events: &[Event]| -> u32 {
            let counts = events.iter().map(|event| match event {
                Event::Page(page) => page.count,
                _ => 0,
            });
            counts.sum()
        };
        let alpha = Selection {
            page_size: Some(10),
            ..selection("alpha")
        };
        let first = run(&host, vec![alpha.clone()]).unwrap();
        assert_eq!(rows(&first), 100);
        let next = Selection {
            checkpoint: Some(last_checkpoint(&first)),
            ..alpha
        };
        let second = run(&host, vec![next]).unwrap();
        assert_eq!(rows(&second) > 0, reads_again, "{hint}");
    }
}

#[test]
fn a_throttled_service_gets_half_as_many_requests() {
    let world = large(Kind::Versioned);
    let throttled = Rc::new(std::cell::Cell::new(0));
    let host = {
        let (world, throttled) = (Rc::clone(&world), Rc::clone(&throttled));
        signed_in(move |request| {
            // The service can handle three requests at once and recommends eight.
            let reply = world
                .borrow_mut()
                .respond(request)
                .with("x-ms-dop-hint", "8");
            let is_range = request.target.path_and_query.contains("%20le%20");
            if is_range && throttled.get() < 3 {
                throttled.set(throttled.get() + 1);
                return crate::simulation::Reply::status(429).with("retry-after", "1");
            }
            reply
        })
    };
    let mut sink = Sink::new(&mut Random::new(1));
    assert!(run_until(&host, &mut sink, usize::MAX, 1));
    assert_equal(&sink, &world, true);
    assert_eq!(throttled.get(), 3);
    // Three 429 responses in a row leave one request at a time; then concurrency grows slowly.
    let client = simulation::client(&host, SETTINGS);
    assert!(client.concurrency() <= 2);
}

#[test]
fn a_small_table_costs_one_extra_request() {
    let world = world(Kind::Tracked, 20);
    let host = host_recommending(&world, HINT);
    run(&host, vec![selection("alpha")]).unwrap();
    assert_eq!(host.count("RetrieveTotalRecordCount"), 1);
    assert_eq!(world.borrow().log.len(), 3);
    // A sync that resumes does not request the count.
    let first = run(&host, vec![selection("alpha")]).unwrap();
    let resumed = Selection {
        checkpoint: Some(last_checkpoint(&first)),
        ..selection("alpha")
    };
    run(&host, vec![resumed]).unwrap();
    assert_eq!(host.count("RetrieveTotalRecordCount"), 2);
}

#[test]
fn all_tables_are_counted_in_one_request() {
    let names = ["alpha", "beta", "gamma", "delta"];
    let world = World::new(7, &names.map(|name| (name, Kind::Tracked)));
    let host = host_recommending(&world, HINT);
    run(&host, names.map(selection).to_vec()).unwrap();
    assert_eq!(host.count("RetrieveTotalRecordCount"), 1);
    // One unknown name makes that request fail; then each table is counted alone.
    let mut selections = names.map(selection).to_vec();
    selections.push(selection("omega"));
    run(&host, selections).unwrap();
    assert_eq!(host.count("RetrieveTotalRecordCount"), 2 + 4);
}

#[test]
fn a_concurrency_limit_of_one_is_respected() {
    let world = large(Kind::Tracked);
    let host = host_recommending(&world, HINT);
    let settings = SETTINGS.replacen('{', r#"{"limits":{"maxConcurrency":1},"#, 1);
    let client = simulation::client(&host, &settings);
    let mut sync = Sync::start(&client, vec![selection("alpha")]).unwrap();
    while host.block_on(sync.next()).unwrap().is_some() {}
    assert_eq!(host.count("RetrieveTotalRecordCount"), 0);
    assert_eq!(host.count("versionnumber"), 0);
    assert_eq!(host.most_at_once(), 1);
}

#[test]
fn services_without_ranges_are_read_page_after_page_without_a_warning() {
    for kind in [Kind::NoVersionFilter, Kind::NoVersionOrder] {
        let world = large(kind);
        let host = host_recommending(&world, HINT);
        let events = run(&host, vec![selection("alpha")]).unwrap();
        let summary = summary(&events);
        // Rows that were read in ranges before are void.
        let last = summary.iter().rposition(|event| event == "reset").unwrap();
        assert!(last > 1, "{kind:?}: {summary:?}");
        assert_eq!(summary[last + 1..last + 15], vec!["snapshot 7"; 14]);
        assert_eq!(summary[last + 15..], ["snapshot 2", "complete"], "{kind:?}");
        assert!(!summary.iter().any(|event| event.contains("tracking")));
    }
}

#[test]
fn services_failing_on_versions_are_read_page_after_page() {
    for fails_on in ["$orderby=versionnumber", "$filter=versionnumber", "$top="] {
        let world = large(Kind::Tracked);
        let host = {
            let world = Rc::clone(&world);
            signed_in(move |request| {
                if request.target.path_and_query.contains(fails_on) {
                    return crate::simulation::Reply::status(500);
                }
                world.borrow_mut().respond(request)
            })
        };
        let mut sink = Sink::new(&mut Random::new(1));
        assert!(run_until(&host, &mut sink, usize::MAX, 5));
        assert_equal(&sink, &world, true);
        assert!(host.count(fails_on) > 0);
    }
}

#[test]
fn a_row_too_large_for_a_range_is_read_page_after_page() {
    for (mebibytes, is_read) in [(7, true), (40, false)] {
        let world = large(Kind::Tracked);
        let row = |world: &mut World| {
            let row = world.tables[0].rows.get_mut(&50).unwrap();
            row.name = "x".repeat(mebibytes << 20);
        };
        row(&mut world.borrow_mut());
        let host = host_recommending(&world, HINT);
        let read = Selection {
            page_size: Some(5),
            ..selection("alpha")
        };
        let events = run(&host, vec![read]).unwrap();
        let is_complete = events
            .iter()
            .any(|event| matches!(event, Event::Complete(_)));
        assert_eq!(is_complete, is_read);
        if !is_read {
            assert_eq!(failure(&events).kind, ErrorKind::Unsupported);
            // Only the baseline: nothing is read page after page without need.
            assert!(host.count("skiptoken=all") < 10);
        }
    }
}

#[test]
fn ranges_that_fail_late_resume_in_the_next_sync() {
    let world = large(Kind::Tracked);
    let healthy = Rc::new(Cell::new(usize::MAX));
    let host = {
        let (world, healthy) = (Rc::clone(&world), Rc::clone(&healthy));
        signed_in(move |request| {
            if request
                .target
                .path_and_query
                .contains("$filter=versionnumber")
            {
                let Some(left) = healthy.get().checked_sub(1) else {
                    return crate::simulation::Reply::status(500);
                };
                healthy.set(left);
            }
            world.borrow_mut().respond(request)
        })
    };
    let mut sink = Sink::new(&mut Random::new(1));
    healthy.set(6);
    assert!(run_until(&host, &mut sink, usize::MAX, 5));
    let held = sink.streams["alpha"].rows.len();
    assert!(0 < held && held < 100, "{held}");
    healthy.set(usize::MAX);
    assert!(run_until(&host, &mut sink, usize::MAX, 5));
    assert_equal(&sink, &world, true);
}

#[test]
fn services_without_filters_on_changes_are_read_in_full_each_time() {
    for rejected in ["$filter=modifiedon", "$orderby=modifiedon"] {
        let world = super::world(Kind::Modified, 12);
        let host = {
            let world = Rc::clone(&world);
            signed_in(move |request| {
                if request.target.path_and_query.contains(rejected) {
                    return crate::simulation::Reply::status(501);
                }
                world.borrow_mut().respond(request)
            })
        };
        let mut sink = Sink::new(&mut Random::new(1));
        assert!(run_until(&host, &mut sink, usize::MAX, 5));
        assert_equal(&sink, &world, true);
        world.borrow_mut().put(0, 99);
        assert!(run_until(&host, &mut sink, usize::MAX, 5));
        assert_equal(&sink, &world, true);
        assert!(host.count(rejected) > 0);
    }
}

#[test]
fn missing_change_tracking_is_reported_once() {
    let world = large(Kind::TrackingForbidden);
    let host = host_recommending(&world, HINT);
    let events = run(&host, vec![selection("alpha")]).unwrap();
    let summary = summary(&events);
    assert_eq!(
        summary[..3],
        ["schema", "change-tracking-unavailable", "reset"]
    );
    assert!(!summary[3..].contains(&"reset".to_owned()));
    // Later changes are found by version.
    world.borrow_mut().put(0, 3);
    let resumed = Selection {
        checkpoint: Some(last_checkpoint(&events)),
        ..selection("alpha")
    };
    let later = run(&host, vec![resumed]).unwrap();
    let Some(Event::Page(page)) = later.iter().find(|event| matches!(event, Event::Page(_))) else {
        panic!("{:?}", super::summary(&later));
    };
    assert!(page.ndjson.contains(&id(3)));
    assert!(page.count < 20, "{}", page.count);
}

/// After any number of pages, a new process resumes without loss and without a reset.
#[test]
fn a_checkpoint_after_any_page_resumes_without_loss() {
    for kind in [Kind::Tracked, Kind::Versioned] {
        for pages in 1..60 {
            let world = large(kind);
            world.borrow_mut().is_busy = true;
            let host = host_recommending(&world, HINT);
            let mut sink = Sink::new(&mut Random::new(pages as u64));
            let ended = run_until(&host, &mut sink, pages, 5);
            // Another page size, as another version of the connector might request.
            run_until(&host, &mut sink, pages + 1, 3);
            world.borrow_mut().is_busy = false;
            // The first sync may leave the baseline to the second.
            assert!(run_until(&host, &mut sink, usize::MAX, 5));
            assert!(run_until(&host, &mut sink, usize::MAX, 5));
            assert_equal(&sink, &world, kind == Kind::Tracked);
            assert_eq!(sink.streams["alpha"].resets, 1, "{kind:?} {pages}");
            if ended {
                break;
            }
        }
    }
}

/// A stream can be complete before its baseline is.
#[test]
fn the_rest_of_the_baseline_is_read_by_the_next_sync() {
    let world = large(Kind::Tracked);
    // Too few concurrent requests to read the baseline beside the rows.
    let host = host_recommending(&world, "2");
    let mut sink = Sink::new(&mut Random::new(1));
    assert!(run_until(&host, &mut sink, usize::MAX, 5));
    assert_equal(&sink, &world, true);
    let checkpoint = sink.streams["alpha"].checkpoint.clone().unwrap();
    assert!(checkpoint.contains("\"baseline\""), "{checkpoint}");
    {
        let mut world = world.borrow_mut();
        world.put(0, 3);
        world.put(0, 120);
        world.delete(0, 4);
    }
    // The same if it is interrupted several times.
    for pages in 1..20 {
        run_until(&host, &mut sink, pages, 5);
    }
    assert!(run_until(&host, &mut sink, usize::MAX, 5));
    assert_equal(&sink, &world, true);
    let held = &sink.streams["alpha"];
    assert_eq!(held.resets, 1);
    assert!(held.checkpoint.as_ref().unwrap().contains("deltatoken"));
    // If its link has expired by then, all rows are read again.
    let mut sink = Sink::new(&mut Random::new(1));
    assert!(run_until(&host, &mut sink, usize::MAX, 5));
    world.borrow_mut().expire_tokens();
    assert!(run_until(&host, &mut sink, usize::MAX, 5));
    assert_eq!(sink.streams["alpha"].resets, 2);
    assert_equal(&sink, &world, true);
}

#[test]
fn too_large_pages_affect_only_their_range() {
    let world = large(Kind::Versioned);
    world.borrow_mut().max_rows_per_page = 6;
    let host = host_recommending(&world, HINT);
    let mut sink = Sink::new(&mut Random::new(1));
    assert!(run_until(&host, &mut sink, usize::MAX, 12));
    assert_equal(&sink, &world, true);
    assert_eq!(sink.streams["alpha"].resets, 1);
}

#[test]
fn checkpoints_of_the_first_format_are_read() {
    let world = world(Kind::Tracked, 20);
    let host = host_recommending(&world, HINT);
    let client = simulation::client(&host, SETTINGS);
    let text = concat!(
        r#"{"v":1,"environment":"https://contoso.crm.dynamics.com/api/data/v9.2/","#,
        r#""table":"account","columns":["name","revenue"],"labels":false,"position":"#,
        r#"{"caught-up":{"delta":{"link":"accounts?$deltatoken=919042%2108","plain":false}}},"#,
        r#""sum":"e379c254"}"#
    );
    let binding = Binding {
        environment: crate::simulation::API_ROOT.to_owned(),
        table: "account".to_owned(),
        columns: Some(vec!["name".to_owned(), "revenue".to_owned()]),
        ..Binding::default()
    };
    let read = checkpoint::read(&client, &binding, text).unwrap();
    assert!(matches!(read.position, Position::CaughtUp(_)));
}
