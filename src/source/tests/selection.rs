//! What a selection reads from a table, and how unreadable parts are reported.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use super::random::Random;
use super::service::{Kind, World, expected, id};
use super::sink::Sink;
use super::*;
use crate::source::{Change, FileForm};

/// The keys on all pages of an operation.
fn keys(events: &[Event], operation: Operation) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for event in events {
        if let Event::Page(page) = event
            && page.operation == operation
        {
            for line in page.ndjson.lines() {
                let row: Value = serde_json::from_str(line).unwrap();
                keys.insert(row["alphaid"].as_str().unwrap().to_owned());
            }
        }
    }
    keys
}

fn resumed(events: &[Event], selection: Selection) -> Selection {
    Selection {
        checkpoint: Some(last_checkpoint(events)),
        ..selection
    }
}

/// The keys of the rows with a status.
fn with_status(world: &RefCell<World>, status: i32) -> BTreeSet<String> {
    let world = world.borrow();
    let rows = world.tables[0].rows.iter();
    rows.filter(|(_, row)| row.status == Some(status))
        .map(|(number, _)| id(*number))
        .collect()
}

fn warning(events: &[Event]) -> &str {
    events
        .iter()
        .find_map(|event| match event {
            Event::Warning(warning) => Some(warning.message.as_str()),
            _ => None,
        })
        .unwrap()
}

#[test]
fn only_rows_that_match_the_filter_are_read() {
    for kind in [Kind::Tracked, Kind::Modified, Kind::Versioned, Kind::Plain] {
        // Page after page, and in ranges.
        for (rows, page_size) in [(17, 7), (100, 5)] {
            let world = world(kind, rows);
            let host = host_recommending(&world, "8");
            let filtered = Selection {
                filter: Some("statuscode eq 1".to_owned()),
                page_size: Some(page_size),
                ..selection("alpha")
            };
            let first = run(&host, vec![filtered.clone()]).unwrap();
            assert_eq!(
                keys(&first, Operation::Snapshot),
                with_status(&world, 1),
                "{kind:?} {rows}"
            );
            for (address, prefer) in &world.borrow().log {
                assert!(
                    address.contains("$filter=(statuscode%20eq%201)"),
                    "{address}"
                );
                assert!(!prefer.contains("track-changes"), "{address} {prefer}");
            }
            if kind == Kind::Plain {
                continue;
            }
            assert!(warning(&first).contains("no longer match the filter"));
            world.borrow_mut().put(0, 500);
            world.borrow_mut().tables[0]
                .rows
                .get_mut(&500)
                .unwrap()
                .status = Some(1);
            let second = run(&host, vec![resumed(&first, filtered)]).unwrap();
            assert!(keys(&second, Operation::Upsert).contains(&id(500)));
            assert!(keys(&second, Operation::Upsert).is_subset(&with_status(&world, 1)));
        }
    }
}

#[test]
fn only_rows_changed_since_a_time_are_read() {
    let world = world(Kind::Tracked, 30);
    let host = host(&world);
    let (since, expected) = {
        let world = world.borrow();
        let rows = &world.tables[0].rows;
        let since = rows[&20].modified;
        let expected: BTreeSet<String> = rows
            .iter()
            .filter(|(_, row)| row.modified >= since)
            .map(|(number, _)| id(*number))
            .collect();
        (since, expected)
    };
    let recent = Selection {
        // The same time in another time zone.
        since: Some(super::service::timestamp(since + 3_600).replace('Z', "+01:00")),
        ..selection("alpha")
    };
    let events = run(&host, vec![recent]).unwrap();
    assert_eq!(keys(&events, Operation::Snapshot), expected);
    let first = &world.borrow().log[0].0;
    assert!(
        first.contains(&format!(
            "$filter=modifiedon%20ge%20{}",
            super::service::timestamp(since)
        )),
        "{first}"
    );
    // Rows without a time cannot be selected by it.
    let host = super::host(&super::world(Kind::Plain, 3));
    let since = Selection {
        since: Some("2024-01-01T00:00:00Z".to_owned()),
        ..selection("alpha")
    };
    let events = run(&host, vec![since]).unwrap();
    assert_eq!(failure(&events).kind, ErrorKind::Unsupported);
}

#[test]
fn invalid_selections_are_rejected_with_the_reason() {
    let host = host(&world(Kind::Tracked, 5));
    let plain = || selection("alpha");
    let text = |text: &str| Some(text.to_owned());
    for (selection, words) in [
        (
            Selection {
                filter: text("a eq 1) or (1 eq 1"),
                ..plain()
            },
            "unbalanced \")\"",
        ),
        (
            Selection {
                filter: text("name eq 'x"),
                ..plain()
            },
            "quotation mark",
        ),
        (
            Selection {
                filter: text(" "),
                ..plain()
            },
            "empty",
        ),
        (
            Selection {
                since: text("yesterday"),
                ..plain()
            },
            "RFC 3339",
        ),
        (
            Selection {
                query: text("<fetch/>"),
                ..plain()
            },
            "can have a query",
        ),
        (selection("query:a"), "no FetchXML"),
        (
            Selection {
                filter: text("a eq 1"),
                ..selection("view:a")
            },
            "only tables",
        ),
        (
            Selection {
                columns: vec!["listid".to_owned()],
                ..selection("list-members")
            },
            "cannot be selected",
        ),
    ] {
        let error = run(&host, vec![selection]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidData);
        assert!(error.message.contains(words), "{error}");
    }
    assert!(host.requests().is_empty());
}

#[test]
fn a_checkpoint_belongs_to_one_filter() {
    let host = host(&world(Kind::Tracked, 5));
    let filtered = Selection {
        filter: Some("statuscode eq 1".to_owned()),
        ..selection("alpha")
    };
    let first = run(&host, vec![filtered]).unwrap();
    let error = run(&host, vec![resumed(&first, selection("alpha"))]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::CheckpointExpired);
    assert!(error.message.contains("another filter"), "{error}");
}

#[test]
fn a_sweep_finds_deleted_rows() {
    for kind in [Kind::Modified, Kind::Versioned, Kind::TrackingForbidden] {
        let world = world(kind, 17);
        let host = host(&world);
        let swept = Selection {
            sweep: true,
            ..selection("alpha")
        };
        let mut sink = Sink::new(&mut Random::new(3));
        let mut before = None;
        for sync in 0..2 {
            sink.begin();
            let selection = Selection {
                checkpoint: before.take(),
                ..swept.clone()
            };
            let events = run(&host, vec![selection]).unwrap();
            let summary = summary(&events);
            assert!(!summary.contains(&"deletions-not-observable".to_owned()));
            let sweep = summary.iter().position(|event| event == "sweep").unwrap();
            // Keys do not change the checkpoint.
            let checkpoints: BTreeSet<&str> = events[sweep - 1..]
                .iter()
                .filter_map(|event| match event {
                    Event::Page(page) => Some(page.checkpoint.as_str()),
                    _ => None,
                })
                .collect();
            assert_eq!(checkpoints.len(), 1, "{summary:?}");
            before = checkpoints.first().map(|text| (*text).to_owned());
            let present = keys(&events, Operation::Present);
            for event in events {
                sink.apply(event, false);
            }
            let mut world = world.borrow_mut();
            assert_eq!(present.len(), world.tables[0].rows.len());
            assert_eq!(
                sink.streams["alpha"].rows.len(),
                present.len(),
                "{kind:?} {sync}"
            );
            world.delete(0, 3);
            world.delete(0, 4);
        }
    }
    // The service reports deletions of a tracked table.
    let host = host(&world(Kind::Tracked, 3));
    let swept = Selection {
        sweep: true,
        ..selection("alpha")
    };
    let summary = summary(&run(&host, vec![swept]).unwrap());
    assert_eq!(summary, ["schema", "reset", "snapshot 3", "complete"]);
}

fn changes(events: &[Event]) -> Vec<(String, Change)> {
    let Event::Schema(schema) = &events[0] else {
        panic!("{events:?}")
    };
    let changes = schema.changes.iter();
    changes
        .map(|change| (change.column.clone(), change.change))
        .collect()
}

#[test]
fn column_changes_are_reported_and_reading_continues() {
    for kind in [Kind::Tracked, Kind::Modified, Kind::Plain] {
        for columns in [
            vec![],
            vec![
                "name".to_owned(),
                "parent".to_owned(),
                "statuscode".to_owned(),
            ],
        ] {
            let world = world(kind, 9);
            let host = host(&world);
            let chosen = Selection {
                columns: columns.clone(),
                ..selection("alpha")
            };
            let first = run(&host, vec![chosen.clone()]).unwrap();
            assert_eq!(changes(&first), []);
            {
                let mut world = world.borrow_mut();
                world.hidden.insert("parent");
                world.status_type = "String";
                world.put(0, 50);
            }
            let second = run(&host, vec![resumed(&first, chosen.clone())]).unwrap();
            assert_eq!(
                changes(&second),
                [
                    ("parent".to_owned(), Change::Removed),
                    ("statuscode".to_owned(), Change::Retyped)
                ]
            );
            let summary = summary(&second);
            assert_eq!(summary.last().unwrap(), "complete", "{kind:?} {summary:?}");
            assert_eq!(
                summary.contains(&"columns-removed".to_owned()),
                !columns.is_empty()
            );
            assert_eq!(
                summary.contains(&"reset".to_owned()),
                kind == Kind::Plain,
                "{summary:?}"
            );
            world.borrow_mut().hidden.clear();
            let third = run(&host, vec![resumed(&second, chosen)]).unwrap();
            assert_eq!(changes(&third), [("parent".to_owned(), Change::Added)]);
        }
    }
}

#[test]
fn a_change_token_is_replaced_before_it_expires() {
    const DAY: Duration = Duration::from_hours(24);
    for (remembers, days, resyncs) in [(7, 6, false), (7, 7, true), (30, 20, false), (30, 29, true)]
    {
        let world = world(Kind::Tracked, 9);
        world.borrow_mut().keeps_days = remembers;
        let host = host(&world);
        let first = run(&host, vec![selection("alpha")]).unwrap();
        host.advance(DAY * days);
        let second = run(&host, vec![resumed(&first, selection("alpha"))]).unwrap();
        let reason = second.iter().find_map(|event| match event {
            Event::Reset(reset) => Some(reset.reason.clone()),
            _ => None,
        });
        assert_eq!(reason.is_some(), resyncs, "{remembers} {days}");
        if let Some(reason) = reason {
            let days = format!("for {remembers} days");
            assert!(reason.contains(&days), "{reason}");
        }
    }
}

#[test]
fn a_sweep_keeps_rows_complete() {
    let world = world(Kind::Modified, 9);
    let host = host(&world);
    let mut sink = Sink::new(&mut Random::new(1));
    let swept = Selection {
        sweep: true,
        ..selection("alpha")
    };
    for event in run(&host, vec![swept]).unwrap() {
        sink.apply(event, false);
    }
    let world = world.borrow();
    for number in world.tables[0].rows.keys() {
        let found = sink.streams["alpha"].rows.get(&id(*number));
        assert_eq!(found, Some(&expected(&world.tables[0], *number, false)));
    }
}

#[test]
fn columns_hidden_by_field_security_are_named() {
    let world = world(Kind::Tracked, 3);
    world.borrow_mut().secured = vec!["name"];
    let host = host(&world);
    let events = run(&host, vec![selection("alpha")]).unwrap();
    assert_eq!(
        summary(&events),
        [
            "schema",
            "columns-unreadable",
            "reset",
            "snapshot 3",
            "complete"
        ]
    );
    assert!(warning(&events).contains("hides name of alpha"));
    // Columns that are not read are not tested.
    let other = Selection {
        columns: vec!["parent".to_owned()],
        ..selection("alpha")
    };
    let events = run(&host, vec![other]).unwrap();
    assert_eq!(
        summary(&events),
        ["schema", "reset", "snapshot 3", "complete"]
    );
}

#[test]
fn files_are_returned_as_content_when_selected() {
    use base64::Engine as _;
    let world = world(Kind::Tracked, 9);
    world.borrow_mut().file_size = Some(10);
    let host = host(&world);
    let reference = run(&host, vec![selection("alpha")]).unwrap();
    let filled = Selection {
        files: FileForm::Content,
        ..selection("alpha")
    };
    let content = run(&host, vec![filled.clone()]).unwrap();
    assert_eq!(summary(&reference), summary(&content));
    let found = |events: &[Event]| -> Vec<Value> {
        let mut photos = Vec::new();
        for event in events {
            if let Event::Page(page) = event {
                for line in page.ndjson.lines() {
                    let row: Value = serde_json::from_str(line).unwrap();
                    assert!(row["name"].is_string());
                    photos.push(row["photo"].clone());
                }
            }
        }
        photos
    };
    let encoded = |number| {
        let content = super::service::file_content(number, 10);
        Value::from(base64::engine::general_purpose::STANDARD.encode(content))
    };
    assert_eq!(
        found(&reference)[..3],
        [Value::Null, id(1).into(), id(2).into()]
    );
    // The file of the second row was deleted meanwhile.
    assert_eq!(
        found(&content)[..4],
        [Value::Null, Value::Null, encoded(2), encoded(3)]
    );
    // Many large files are read in smaller pages; too large ones are missing.
    world.borrow_mut().file_size = Some(3 << 20);
    let large = run(&host, vec![filled.clone()]).unwrap();
    assert_eq!(found(&large).len(), 9);
    assert_eq!(summary(&large).last().unwrap(), "complete");
    for event in &large {
        if let Event::Page(page) = event {
            assert!(page.ndjson.len() < 9 << 20);
        }
    }
    world.borrow_mut().file_size = Some(5 << 20);
    let events = run(&host, vec![filled]).unwrap();
    assert!(
        warning(&events).contains("larger than the 4 MiB"),
        "{:?}",
        summary(&events)
    );
    assert!(found(&events).iter().all(Value::is_null));
}
