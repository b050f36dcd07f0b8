//! Whole syncs against a service that changes and fails.

mod cancellation;
mod checkpoints;
mod history;
mod pages;
mod queries;
mod random;
mod random_faults;
mod ranges;
mod selection;
mod service;
mod sink;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use self::service::{Kind, PageFault, World, id};
use super::{Event, Operation, Selection, Sync};
use crate::error::{Error, ErrorKind};
use crate::simulation::{self, Reply, SECRET_NAME, SECRET_VALUE, SETTINGS, Simulation, signed_in};

fn host(world: &Rc<RefCell<World>>) -> Rc<Simulation> {
    let world = Rc::clone(world);
    signed_in(move |request| world.borrow_mut().respond(request))
}

/// Like [`host`], but the service recommends this many requests at once.
fn host_recommending(world: &Rc<RefCell<World>>, hint: &'static str) -> Rc<Simulation> {
    let world = Rc::clone(world);
    signed_in(move |request| {
        let reply = world.borrow_mut().respond(request);
        reply.with("x-ms-dop-hint", hint)
    })
}

fn selection(stream: &str) -> Selection {
    Selection {
        stream: stream.to_owned(),
        page_size: Some(7),
        ..Selection::default()
    }
}

/// Every event of one sync.
fn run(host: &Rc<Simulation>, selections: Vec<Selection>) -> Result<Vec<Event>, Error> {
    let client = simulation::client(host, SETTINGS);
    let mut sync = Sync::start(&client, selections)?;
    let mut events = Vec::new();
    while let Some(event) = host.block_on(sync.next())? {
        events.push(event);
    }
    Ok(events)
}

/// A short form of the events.
fn summary(events: &[Event]) -> Vec<String> {
    let mut summary: Vec<String> = Vec::new();
    for event in events {
        summary.push(match event {
            Event::Schema(_) => "schema".to_owned(),
            Event::Reset(_) => "reset".to_owned(),
            Event::Page(page) => format!("{:?} {}", page.operation, page.count).to_lowercase(),
            Event::Sweep(_) => "sweep".to_owned(),
            Event::Complete(_) => "complete".to_owned(),
            Event::Failed(failure) => format!("failed {:?}", failure.error.kind),
            Event::Warning(warning) => warning.id.clone(),
        });
    }
    summary
}

fn last_checkpoint(events: &[Event]) -> String {
    events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Page(page) => Some(page.checkpoint.clone()),
            _ => None,
        })
        .unwrap()
}

fn failure(events: &[Event]) -> &Error {
    events
        .iter()
        .find_map(|event| match event {
            Event::Failed(failure) => Some(&failure.error),
            _ => None,
        })
        .unwrap_or_else(|| panic!("nothing failed: {:?}", summary(events)))
}

/// A service with one table of that many rows.
fn world(kind: Kind, rows: u32) -> Rc<RefCell<World>> {
    let world = World::new(1, &[("alpha", kind)]);
    {
        let mut world = world.borrow_mut();
        world.tables[0].rows.clear();
        for number in 0..rows {
            world.put(0, number);
        }
        world.expire_tokens();
    }
    world
}

#[test]
fn a_tracked_table_is_read_in_full_and_then_by_changes() {
    let world = world(Kind::Tracked, 17);
    let host = host(&world);
    let first = run(&host, vec![selection("alpha")]).unwrap();
    assert_eq!(
        summary(&first),
        [
            "schema",
            "reset",
            "snapshot 7",
            "snapshot 7",
            "snapshot 3",
            "complete"
        ]
    );
    {
        let mut world = world.borrow_mut();
        world.put(0, 3);
        world.put(0, 99);
        world.delete(0, 4);
    }
    let resumed = Selection {
        checkpoint: Some(last_checkpoint(&first)),
        ..selection("alpha")
    };
    let second = run(&host, vec![resumed]).unwrap();
    assert_eq!(
        summary(&second),
        ["schema", "upsert 2", "delete 1", "complete"]
    );
    let Event::Page(gone) = &second[2] else {
        panic!()
    };
    assert_eq!(gone.operation, Operation::Delete);
    assert_eq!(gone.ndjson, format!("{{\"alphaid\":\"{}\"}}\n", id(4)));
    // Nothing has changed since, and the service's link is the same, so there is no new checkpoint.
    let resumed = Selection {
        checkpoint: Some(last_checkpoint(&second)),
        ..selection("alpha")
    };
    assert_eq!(
        summary(&run(&host, vec![resumed]).unwrap()),
        ["schema", "complete"]
    );
    // Every request of a tracked sequence has the preference.
    for (address, prefer) in &world.borrow().log {
        assert!(
            prefer.contains("odata.track-changes,odata.maxpagesize=7"),
            "{address} {prefer}"
        );
    }
}

#[test]
fn an_empty_table_has_a_checkpoint_too() {
    for kind in Kind::ALL {
        let world = world(kind, 0);
        let host = host(&world);
        let first = run(&host, vec![selection("alpha")]).unwrap();
        assert_eq!(summary(&first).last().unwrap(), "complete", "{kind:?}");
        world.borrow_mut().put(0, 5);
        let resumed = Selection {
            checkpoint: Some(last_checkpoint(&first)),
            ..selection("alpha")
        };
        let second = run(&host, vec![resumed]).unwrap();
        let rows: u32 = second
            .iter()
            .map(|event| {
                if let Event::Page(page) = event {
                    page.count
                } else {
                    0
                }
            })
            .sum();
        assert_eq!(rows, 1, "{kind:?}: {:?}", summary(&second));
    }
}

#[test]
fn the_next_page_is_requested_before_this_one_is_handed_out() {
    let world = world(Kind::Tracked, 20);
    let host = host(&world);
    let client = simulation::client(&host, SETTINGS);
    let mut sync = Sync::start(&client, vec![selection("alpha")]).unwrap();
    let mut pages = 0;
    while let Some(event) = host.block_on(sync.next()).unwrap() {
        if let Event::Page(_) = event {
            pages += 1;
            assert_eq!(world.borrow().log.len(), (pages + 1).min(3));
        }
    }
    assert_eq!(pages, 3);
}

#[test]
fn an_expired_token_leads_to_a_reset_and_a_full_read() {
    let world = world(Kind::Tracked, 5);
    let host = host(&world);
    for _ in 0..8 {
        let first = run(&host, vec![selection("alpha")]).unwrap();
        world.borrow_mut().expire_tokens();
        let resumed = Selection {
            checkpoint: Some(last_checkpoint(&first)),
            ..selection("alpha")
        };
        let second = run(&host, vec![resumed]).unwrap();
        assert_eq!(
            summary(&second),
            ["schema", "reset", "snapshot 5", "complete"]
        );
    }
}

#[test]
fn tables_without_usable_tracking_fall_back_with_a_warning() {
    let first_events = |kind| {
        let host = host(&world(kind, 3));
        let labelled = Selection {
            labels: true,
            ..selection("alpha")
        };
        summary(&run(&host, vec![labelled]).unwrap())
    };
    let lost = "change-tracking-unavailable";
    for kind in [
        Kind::TrackingForbidden,
        Kind::TrackingRejected,
        Kind::Elastic,
    ] {
        assert_eq!(
            first_events(kind),
            ["schema", "reset", lost, "reset", "snapshot 3", "complete"]
        );
    }
    assert_eq!(
        first_events(Kind::NoDeltaLinkWithLabels),
        [
            "schema",
            "reset",
            "labels-unavailable",
            "reset",
            "snapshot 3",
            "complete"
        ]
    );
    assert_eq!(
        first_events(Kind::NoDeltaLink),
        [
            "schema",
            "reset",
            "labels-unavailable",
            "reset",
            lost,
            "reset",
            "snapshot 3",
            "complete"
        ]
    );
    for kind in [Kind::Modified, Kind::Versioned] {
        assert_eq!(
            first_events(kind),
            [
                "schema",
                "deletions-not-observable",
                "reset",
                "snapshot 3",
                "complete"
            ]
        );
    }
    assert_eq!(
        first_events(Kind::Plain),
        ["schema", "reset", "snapshot 3", "complete"]
    );
}

#[test]
fn only_selected_columns_and_the_key_are_returned() {
    for kind in Kind::ALL {
        let host = host(&world(kind, 2));
        let some = Selection {
            columns: vec!["parent".to_owned(), "statuscode".to_owned()],
            ..selection("alpha")
        };
        for event in run(&host, vec![some]).unwrap() {
            let Event::Page(page) = event else { continue };
            for line in page.ndjson.lines() {
                let row: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
                let names: Vec<&str> = row.keys().map(String::as_str).collect();
                assert_eq!(names, ["alphaid", "parent", "statuscode"], "{kind:?}");
            }
        }
    }
}

#[test]
fn unknown_names_fail_only_their_stream() {
    let world = World::new(1, &[("alpha", Kind::Tracked), ("beta", Kind::Plain)]);
    let host = host(&world);
    let misspelt = Selection {
        columns: vec!["nam".to_owned()],
        ..selection("alpha")
    };
    let events = run(&host, vec![misspelt, selection("betta"), selection("beta")]).unwrap();
    let messages: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Failed(failure) => {
                assert_eq!(failure.error.kind, ErrorKind::NotFound);
                Some(failure.error.message.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(messages.len(), 2);
    assert!(
        messages
            .iter()
            .any(|message| message.contains("; did you mean name")),
        "{messages:?}"
    );
    assert!(
        messages
            .iter()
            .any(|message| message.contains("; did you mean beta?")),
        "{messages:?}"
    );
    assert!(events.contains(&Event::Complete("beta".to_owned())));
}

#[test]
fn unreadable_pages_fail_the_stream_after_retries() {
    for (page_fault, kind, words) in [
        (PageFault::BrokenJson, ErrorKind::Unavailable, "at byte"),
        (PageFault::CutBody, ErrorKind::Unavailable, "after"),
        (
            PageFault::NotUtf8,
            ErrorKind::Unavailable,
            "not UTF-8 text at byte 20",
        ),
        (
            PageFault::ForeignLink,
            ErrorKind::Unavailable,
            "evil.example",
        ),
        (PageFault::Loop, ErrorKind::Unavailable, "paging loop"),
    ] {
        let world = world(Kind::Tracked, 5);
        world.borrow_mut().page_fault = Some(page_fault);
        let host = host(&world);
        let events = run(&host, vec![selection("alpha")]).unwrap();
        let error = failure(&events);
        assert_eq!(error.kind, kind, "{page_fault:?}");
        assert!(
            error.message.contains(words),
            "{page_fault:?}: {}",
            error.message
        );
        assert_eq!(host.count("evil.example"), 0);
    }
}

#[test]
fn invalid_selections_are_rejected_before_any_request() {
    let host = host(&world(Kind::Tracked, 5));
    let error = run(&host, vec![selection("alpha"), selection("alpha")]).unwrap_err();
    assert!(error.message.contains("twice"), "{error}");
    let zero = Selection {
        page_size: Some(0),
        ..selection("alpha")
    };
    assert!(
        run(&host, vec![zero])
            .unwrap_err()
            .message
            .contains("page size")
    );
    let damaged = Selection {
        checkpoint: Some("{".to_owned()),
        ..selection("alpha")
    };
    assert_eq!(
        run(&host, vec![damaged]).unwrap_err().kind,
        ErrorKind::CheckpointExpired
    );
    assert!(host.requests().is_empty());
}

#[test]
fn pages_too_large_for_the_service_become_smaller() {
    let world = world(Kind::Tracked, 27);
    let host = host(&world);
    world.borrow_mut().max_rows_per_page = 10;
    let large = Selection {
        page_size: Some(28),
        ..selection("alpha")
    };
    let events = run(&host, vec![large]).unwrap();
    assert_eq!(
        summary(&events),
        [
            "schema",
            "reset",
            "reset",
            "snapshot 7",
            "snapshot 7",
            "snapshot 7",
            "snapshot 6",
            "complete"
        ]
    );
}

#[test]
fn streams_read_at_once_follow_the_recommended_concurrency() {
    // Before the first response two streams are opened and the sizes of all tables are requested.
    // Parts of the metadata are requested concurrently too, and a request that a stream needs never
    // waits for another one.
    for (hint, expected) in [("", 2..=3), ("1", 2..=3), ("8", 3..=8)] {
        let names = ["alpha", "beta", "gamma", "delta"];
        let world = World::new(7, &names.map(|name| (name, Kind::Tracked)));
        let host = host_recommending(&world, hint);
        let selections = names
            .map(|name| Selection {
                page_size: Some(1),
                ..selection(name)
            })
            .to_vec();
        run(&host, selections).unwrap();
        let most = host.most_at_once();
        assert!(expected.contains(&most), "{most} for {hint:?}");
    }
}

#[test]
fn very_large_rows_are_read_one_per_page() {
    let world = world(Kind::Tracked, 3);
    let host = host(&world);
    world.borrow_mut().max_rows_per_page = 1;
    let events = run(&host, vec![selection("alpha")]).unwrap();
    let pages: Vec<String> = summary(&events)
        .into_iter()
        .filter(|event| event.contains("snap"))
        .collect();
    assert_eq!(pages, ["snapshot 1", "snapshot 1", "snapshot 1"]);
}

#[test]
fn page_memory_is_divided_among_streams() {
    let host = host(&world(Kind::Tracked, 3));
    for (streams, mebibytes) in [(1, 24), (2, 16), (3, 12), (9, 12)] {
        let client = simulation::client(&host, SETTINGS);
        let selections = (0..streams).map(|n| selection(&format!("t{n}"))).collect();
        let mut sync = Sync::start(&client, selections).unwrap();
        host.block_on(sync.next()).unwrap();
        let request = host.requests().pop().unwrap();
        assert_eq!(request.max_body, mebibytes << 20);
    }
}

#[test]
fn a_full_read_resumes_with_pages_of_the_same_size() {
    for kind in [Kind::Tracked, Kind::Modified, Kind::Plain] {
        let world = world(kind, 20);
        let host = host(&world);
        let client = simulation::client(&host, SETTINGS);
        let mut sync = Sync::start(&client, vec![selection("alpha")]).unwrap();
        let checkpoint = loop {
            if let Some(Event::Page(page)) = host.block_on(sync.next()).unwrap() {
                break page.checkpoint;
            }
        };
        drop(sync);
        let mut expected = vec!["snapshot 7", "snapshot 6"];
        if kind == Kind::Tracked {
            // The service reports changes since the read began.
            let mut world = world.borrow_mut();
            world.put(0, 3);
            world.delete(0, 4);
            expected.extend(["upsert 1", "delete 1"]);
        }
        let resumed = Selection {
            checkpoint: Some(checkpoint),
            page_size: Some(3),
            ..selection("alpha")
        };
        let events = run(&host, vec![resumed]).unwrap();
        let pages: Vec<String> = summary(&events)
            .into_iter()
            .filter(|event| event.contains(char::is_numeric))
            .collect();
        assert_eq!(pages, expected, "{kind:?}");
        assert!(!summary(&events).contains(&"reset".to_owned()));
    }
}

#[test]
fn a_rejected_sign_in_is_not_an_expired_change_token() {
    for (code, kind) in [
        (700_082, ErrorKind::Unauthenticated),
        (65_001, ErrorKind::Forbidden),
    ] {
        let world = world(Kind::Tracked, 17);
        let inner = host(&world);
        let first = run(&inner, vec![selection("alpha")]).unwrap();
        let body = format!(r#"{{"error":"invalid_grant","error_codes":[{code}]}}"#);
        let tokens = Cell::new(0);
        // The access token is rejected in the request for changes, and there is no other one.
        let host = Simulation::new(move |request| {
            let is_sign_in = request.target.authority != "contoso.crm.dynamics.com";
            tokens.set(tokens.get() + u32::from(is_sign_in));
            if is_sign_in && tokens.get() > 1 {
                Reply::body(400, body.clone())
            } else if request.target.path_and_query.contains("deltatoken") {
                Reply::status(401)
            } else {
                inner.respond(request)
            }
        });
        host.set_secret(SECRET_NAME, Ok(SECRET_VALUE));
        let resumed = Selection {
            checkpoint: Some(last_checkpoint(&first)),
            ..selection("alpha")
        };
        let client = simulation::client(&host, SETTINGS);
        let mut sync = Sync::start(&client, vec![resumed, selection("beta")]).unwrap();
        let error = loop {
            match host.block_on(sync.next()) {
                Ok(event) => assert!(!matches!(event.unwrap(), Event::Reset(_))),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind, kind);
        let sign_ins = host.requests();
        let sign_ins = sign_ins
            .iter()
            .filter(|it| it.target.authority != "contoso.crm.dynamics.com");
        assert_eq!(sign_ins.count(), 2);
    }
}

#[test]
fn connection_errors_end_the_sync() {
    let world = world(Kind::Tracked, 3);
    let host = host(&world);
    host.set_secret(
        crate::simulation::SECRET_NAME,
        Err(crate::host::SecretError::NotFound),
    );
    let client = simulation::client(&host, SETTINGS);
    let mut sync = Sync::start(&client, vec![selection("alpha")]).unwrap();
    let error = host.block_on(sync.next()).unwrap_err();
    assert!(
        matches!(
            error.kind,
            ErrorKind::Unauthenticated | ErrorKind::InvalidSettings
        ),
        "{error:?}"
    );
    assert_eq!(host.block_on(sync.next()), Ok(None));
}
