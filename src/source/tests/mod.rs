//! Whole syncs against a service that changes and fails.

mod cancellation;
mod checkpoints;
mod history;
mod lives;
mod pages;
mod queries;
mod random;
mod ranges;
mod selection;
mod service;
mod sink;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use self::service::{Kind, Trick, World, id};
use super::{Event, Operation, Selection, Sync};
use crate::error::{Error, ErrorKind};
use crate::simulation::{self, Reply, SECRET_NAME, SECRET_VALUE, SETTINGS, Simulation, signed_in};

fn host(world: &Rc<RefCell<World>>) -> Rc<Simulation> {
    let world = Rc::clone(world);
    signed_in(move |request| world.borrow_mut().answer(request))
}

/// The same, where the service recommends so many requests at once.
fn host_recommending(world: &Rc<RefCell<World>>, hint: &'static str) -> Rc<Simulation> {
    let world = Rc::clone(world);
    signed_in(move |request| {
        let reply = world.borrow_mut().answer(request);
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

/// The events in short.
fn story(events: &[Event]) -> Vec<String> {
    let mut story: Vec<String> = Vec::new();
    for event in events {
        story.push(match event {
            Event::Schema(_) => "schema".to_owned(),
            Event::Reset(_) => "reset".to_owned(),
            Event::Page(page) => format!("{:?} {}", page.operation, page.count).to_lowercase(),
            Event::Sweep(_) => "sweep".to_owned(),
            Event::Complete(_) => "complete".to_owned(),
            Event::Failed(failure) => format!("failed {:?}", failure.error.kind),
            Event::Warning(warning) => warning.id.clone(),
        });
    }
    story
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
        .unwrap_or_else(|| panic!("nothing failed: {:?}", story(events)))
}

/// A world with one table of that many rows.
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
        story(&first),
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
        story(&second),
        ["schema", "upsert 2", "delete 1", "complete"]
    );
    let Event::Page(gone) = &second[2] else {
        panic!()
    };
    assert_eq!(gone.operation, Operation::Delete);
    assert_eq!(gone.ndjson, format!("{{\"alphaid\":\"{}\"}}\n", id(4)));
    // Nothing has changed since, and the service's link is the same: there is nothing to keep.
    let resumed = Selection {
        checkpoint: Some(last_checkpoint(&second)),
        ..selection("alpha")
    };
    assert_eq!(
        story(&run(&host, vec![resumed]).unwrap()),
        ["schema", "complete"]
    );
    // Every request of a tracked sequence said so.
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
        assert_eq!(story(&first).last().unwrap(), "complete", "{kind:?}");
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
        assert_eq!(rows, 1, "{kind:?}: {:?}", story(&second));
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
fn an_expired_token_leads_to_a_full_read_that_says_so() {
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
            story(&second),
            ["schema", "reset", "snapshot 5", "complete"]
        );
    }
}

#[test]
fn tables_without_usable_tracking_fall_back_and_say_so() {
    let beginning = |kind| {
        let host = host(&world(kind, 3));
        let labelled = Selection {
            labels: true,
            ..selection("alpha")
        };
        story(&run(&host, vec![labelled]).unwrap())
    };
    let lost = "change-tracking-unavailable";
    for kind in [Kind::NotDeepEnough, Kind::Contradictory, Kind::Elastic] {
        assert_eq!(
            beginning(kind),
            ["schema", "reset", lost, "reset", "snapshot 3", "complete"]
        );
    }
    assert_eq!(
        beginning(Kind::Forgetful),
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
        beginning(Kind::Amnesiac),
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
            beginning(kind),
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
        beginning(Kind::Plain),
        ["schema", "reset", "snapshot 3", "complete"]
    );
}

#[test]
fn selected_columns_come_alone_and_the_key_with_them() {
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
    for (trick, kind, words) in [
        (Trick::BrokenJson, ErrorKind::Unavailable, "at byte"),
        (Trick::CutBody, ErrorKind::Unavailable, "after"),
        (
            Trick::NotUtf8,
            ErrorKind::Unavailable,
            "not UTF-8 text at byte 20",
        ),
        (Trick::ForeignLink, ErrorKind::Unavailable, "evil.example"),
        (Trick::Loop, ErrorKind::Unavailable, "paging loop"),
    ] {
        let world = world(Kind::Tracked, 5);
        world.borrow_mut().trick = Some(trick);
        let host = host(&world);
        let events = run(&host, vec![selection("alpha")]).unwrap();
        let error = failure(&events);
        assert_eq!(error.kind, kind, "{trick:?}");
        assert!(
            error.message.contains(words),
            "{trick:?}: {}",
            error.message
        );
        assert_eq!(host.count("evil.example"), 0);
    }
}

#[test]
fn invalid_selections_are_refused_before_any_request() {
    let host = host(&world(Kind::Tracked, 5));
    let twice = run(&host, vec![selection("alpha"), selection("alpha")]).unwrap_err();
    assert!(twice.message.contains("twice"), "{twice}");
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
    world.borrow_mut().max_bearable_rows = 10;
    let large = Selection {
        page_size: Some(28),
        ..selection("alpha")
    };
    let events = run(&host, vec![large]).unwrap();
    assert_eq!(
        story(&events),
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
    // Two are opened, and the sizes of all requested, before the first response;
    // what is known of tables is read side by side too, and what a stream needs to go on waits
    // for no other.
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
    world.borrow_mut().max_bearable_rows = 1;
    let events = run(&host, vec![selection("alpha")]).unwrap();
    let pages: Vec<String> = story(&events)
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
            // The service tells of changes as of when the read began.
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
        let pages: Vec<String> = story(&events)
            .into_iter()
            .filter(|event| event.contains(char::is_numeric))
            .collect();
        assert_eq!(pages, expected, "{kind:?}");
        assert!(!story(&events).contains(&"reset".to_owned()));
    }
}

#[test]
fn a_refused_sign_in_is_not_taken_for_an_expired_change_token() {
    for (code, kind) in [
        (700_082, ErrorKind::Unauthenticated),
        (65_001, ErrorKind::Forbidden),
    ] {
        let world = world(Kind::Tracked, 17);
        let inner = host(&world);
        let first = run(&inner, vec![selection("alpha")]).unwrap();
        let body = format!(r#"{{"error":"invalid_grant","error_codes":[{code}]}}"#);
        let tokens = Cell::new(0);
        // The token is refused at the change token, and there is no other one.
        let host = Simulation::new(move |request| {
            let is_sign_in = request.target.authority != "contoso.crm.dynamics.com";
            tokens.set(tokens.get() + u32::from(is_sign_in));
            if is_sign_in && tokens.get() > 1 {
                Reply::body(400, body.clone())
            } else if request.target.path_and_query.contains("deltatoken") {
                Reply::status(401)
            } else {
                inner.answer(request)
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
