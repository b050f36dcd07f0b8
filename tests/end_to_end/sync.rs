//! Full reads, changes and incremental reads: what the sinks hold equals what the service holds.

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::contract::{Event, Operation, Selection};
use dataverse_host::sink::{JsonLines, Sink, Sqlite};
use dataverse_host::{Outcome, StreamRequest};
use dataverse_tests::{
    Fixture, MemorySink, assert_complete, assert_database_holds, assert_row_fits, assert_same,
    open_sink, parse_rows, read_json_lines, requests, sync_events,
};
use http::Method;
use serde_json::json;

/// All tracked tables that simulated changes concern, and some others.
const STREAMS: [&str; 9] = [
    "account",
    "contact",
    "lead",
    "opportunity",
    "task",
    "phonecall",
    "annotation",
    "systemuser",
    "transactioncurrency",
];

fn selection(stream: &str, page_size: u32, checkpoint: Option<String>) -> Selection {
    let mut selection = Selection::of(stream).with_page_size(page_size);
    selection.checkpoint = checkpoint;
    selection
}

/// Compares the rows of a sink with those of the service.
async fn assert_equal(fixture: &Fixture, sink: &MemorySink, streams: &[&str]) {
    for stream in streams {
        assert_same(
            stream,
            &sink.stream(stream).rows,
            &fixture.api.rows(stream).await,
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sink_equals_the_service_after_each_sync() {
    let fixture = Fixture::with_accounts(40).await;
    let temp_dir = tempfile::tempdir().unwrap();
    let (directory, file) = (
        temp_dir.path().join("lines"),
        temp_dir.path().join("rows.db"),
    );
    let memory = MemorySink::new();
    let requests = requests(&STREAMS, 17);
    for day in 0..4_u64 {
        if day > 0 {
            let work = fixture.simulate_changes(day, 60);
            assert!(
                work.created > 0 && work.updated > 0 && work.deleted > 0,
                "{work:?}"
            );
        }
        let in_memory = fixture.sync(&requests, memory.clone()).await;
        let reports = [
            fixture
                .sync(&requests, open_sink(|| JsonLines::open(&directory)))
                .await,
            fixture
                .sync(&requests, open_sink(|| Sqlite::open(&file)))
                .await,
            in_memory,
        ];
        for report in &reports {
            assert_complete(report);
            assert!(
                report
                    .streams
                    .iter()
                    .all(|stream| stream.full == (day == 0))
            );
            let deleted: u64 = report.streams.iter().map(|stream| stream.deleted).sum();
            assert_eq!(
                deleted > 0,
                day > 0,
                "day {day}: {deleted} deletions were reported"
            );
        }
        for stream in STREAMS {
            let rows = fixture.api.rows(stream).await;
            assert!(!rows.is_empty(), "{stream} has no rows to compare");
            let stored = memory.stream(stream);
            assert_same(stream, &stored.rows, &rows);
            assert_same(
                stream,
                &read_json_lines(&directory, stream, &stored.key[0]),
                &rows,
            );
            assert_database_holds(&file, stream, &stored.key[0], &rows);
            for row in stored.rows.values() {
                assert_row_fits(&stored.row_schema, row);
            }
        }
    }
    // Without changes, no rows are read.
    let report = fixture.sync(&requests, memory.clone()).await;
    assert_complete(&report);
    for stream in &report.streams {
        assert_eq!((stream.rows, stream.deleted), (0, 0), "{}", stream.stream);
    }
    assert!(
        STREAMS
            .iter()
            .all(|stream| memory.stream(stream).warnings.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_are_read_exactly() {
    let fixture = Fixture::start().await;
    let memo: String = "Zeile ä\n\"quoted\"\t\\ 漢字 🚀 "
        .chars()
        .cycle()
        .take(1_900)
        .collect();
    let row = json!({
        "name": "Ærøskøbing & Söhne \u{2028}「株式会社」\u{7f}",
        "description": memo,
        "numberofemployees": 2_147_483_647,
        "creditonhold": true,
        "industrycode": 7,
        "address1_latitude": -0.12345,
        "sample_segments": "3,1",
        "sample_foundedon": "1899-12-31",
        "sample_orderdeadline": "2024-02-29T23:59:59Z",
        "sample_customersince": "2023-07-01T22:00:00Z",
    });
    // More digits than a binary floating-point number has.
    let written = row
        .to_string()
        .replacen('{', "{\"revenue\":90071992547409.93,", 1);
    let full = fixture.api.create_from_text("accounts", &written).await;
    let empty = fixture
        .api
        .create("accounts", &json!({"name": "Nothing else"}))
        .await;
    let company = json!({
        "lastname": "Œdipe",
        "parentcustomerid_account@odata.bind": format!("/accounts({full})"),
    });
    let employee = fixture.api.create("contacts", &company).await;
    let friend = json!({
        "lastname": "Ødegård",
        "parentcustomerid_contact@odata.bind": format!("/contacts({employee})"),
    });
    let friend = fixture.api.create("contacts", &friend).await;

    let memory = MemorySink::new();
    assert_complete(
        &fixture
            .sync(&requests(&["account", "contact"], 100), memory.clone())
            .await,
    );
    let accounts = memory.stream("account").rows;
    let value = |id: &str, column: &str| accounts[id][column].as_str();
    let unescaped =
        |id: &str, column: &str| -> String { serde_json::from_str(value(id, column)).unwrap() };
    assert_eq!(unescaped(&full, "name"), row["name"].as_str().unwrap());
    assert_eq!(unescaped(&full, "description"), memo);
    for (column, expected) in [
        ("numberofemployees", "2147483647"),
        ("revenue", "90071992547409.93"),
        ("creditonhold", "true"),
        ("industrycode", "7"),
        ("statecode", "0"),
        ("address1_latitude", "-0.12345"),
        ("sample_segments", "\"1,3\""),
        ("sample_foundedon", "\"1899-12-31\""),
        ("sample_orderdeadline", "\"2024-02-29T23:59:59Z\""),
        ("sample_customersince", "\"2023-07-01T22:00:00Z\""),
        ("creditlimit", "null"),
        ("parentaccountid", "null"),
    ] {
        let found = value(&full, column);
        // The service may append zeros up to the scale.
        let found = if column == "revenue" {
            found.trim_end_matches('0')
        } else {
            found
        };
        assert_eq!(found, expected, "{column}");
    }
    for column in [
        "description",
        "revenue",
        "sample_segments",
        "sample_foundedon",
    ] {
        assert_eq!(value(&empty, column), "null", "{column}");
    }
    let contacts = memory.stream("contact").rows;
    assert_eq!(
        contacts[&employee]["parentcustomerid"],
        format!("\"{full}\"")
    );
    assert_eq!(
        contacts[&friend]["parentcustomerid"],
        format!("\"{employee}\"")
    );
    assert_equal(&fixture, &memory, &["account", "contact"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_size_does_not_change_the_rows() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 22,
        ..Sizes::default()
    })
    .await;
    for (page_size, pages) in [(1, 22..=23), (7, 4..=4), (11, 2..=3), (5_000, 1..=1)] {
        let memory = MemorySink::new();
        let report = fixture
            .sync(&requests(&["account"], page_size), memory.clone())
            .await;
        assert_complete(&report);
        assert_eq!(report.streams[0].rows, 22, "page size {page_size}");
        assert!(
            pages.contains(&report.streams[0].pages),
            "{:?}",
            report.streams[0]
        );
        assert_equal(&fixture, &memory, &["account"]).await;
    }
}

/// A new instance resumes from the checkpoint of any page, also when rows have changed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_resumes_from_the_checkpoint_of_every_page() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 20,
        ..Sizes::default()
    })
    .await;
    let profile = fixture.profile();
    let mut first = sync_events(&profile, selection("account", 3, None))
        .await
        .unwrap();
    let mut recorder = MemorySink::new();
    for event in &first {
        recorder.apply(event).unwrap();
    }

    // Changes in several pages, then the pages of an incremental read.
    let keys: Vec<String> = recorder.stream("account").rows.into_keys().collect();
    for (index, key) in keys.iter().enumerate() {
        match index % 4 {
            0 => fixture.api.delete("accounts", key).await,
            1 => {
                fixture
                    .api
                    .update("accounts", key, &json!({"name": format!("Later {index}")}))
                    .await;
            }
            _ => {}
        }
    }
    let before = recorder.checkpoint_of("account");
    first.extend(
        sync_events(&profile, selection("account", 3, before))
            .await
            .unwrap(),
    );
    fixture
        .api
        .create("accounts", &json!({"name": "The last"}))
        .await;

    let mut sink = MemorySink::new();
    let mut resumed = 0;
    let mut kinds = [false; 3];
    for event in &first {
        sink.apply(event).unwrap();
        let Event::Page(page) = event else {
            continue;
        };
        kinds[match page.operation {
            Operation::Snapshot => 0,
            Operation::Upsert => 1,
            Operation::Delete => 2,
            Operation::Present => panic!("a sweep that was not selected"),
        }] = true;
        let mut fresh = sink.fork();
        // The first sync may complete the full read; the second reads what has changed meanwhile.
        for _ in 0..2 {
            let from = fresh.checkpoint_of("account");
            for event in sync_events(&profile, selection("account", 3, from))
                .await
                .unwrap()
            {
                assert!(
                    !matches!(event, Event::Reset(_)),
                    "the stream was reset instead of resumed"
                );
                fresh.apply(&event).unwrap();
            }
        }
        assert_equal(&fixture, &fresh, &["account"]).await;
        resumed += 1;
    }
    assert_eq!(kinds, [true; 3], "an operation has no page");
    assert!(resumed > 10, "{resumed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_change_token_restarts_the_stream_with_a_reason() {
    let fixture = Fixture::with_accounts(15).await;
    let temp_dir = tempfile::tempdir().unwrap();
    let (directory, file) = (
        temp_dir.path().join("lines"),
        temp_dir.path().join("rows.db"),
    );
    let memory = MemorySink::new();
    let requests = requests(&["account", "task"], 6);
    for round in 0..2 {
        assert_complete(&fixture.sync(&requests, memory.clone()).await);
        assert_complete(
            &fixture
                .sync(&requests, open_sink(|| JsonLines::open(&directory)))
                .await,
        );
        assert_complete(
            &fixture
                .sync(&requests, open_sink(|| Sqlite::open(&file)))
                .await,
        );
        if round == 0 {
            // These deletions can only be found by a full read.
            for key in fixture.api.rows("task").await.into_keys().take(4) {
                fixture.api.delete("tasks", &key).await;
            }
            fixture.simulate_changes(3, 30);
            fixture.emulator.expire_delta_tokens().unwrap();
        }
    }
    for stream in ["account", "task"] {
        let rows = fixture.api.rows(stream).await;
        let stored = memory.stream(stream);
        assert_eq!(stored.resets.len(), 2, "{:?}", stored.resets);
        assert!(stored.resets[1].contains("expired"), "{:?}", stored.resets);
        assert_same(stream, &stored.rows, &rows);
        assert_same(
            stream,
            &read_json_lines(&directory, stream, &stored.key[0]),
            &rows,
        );
        assert_database_holds(&file, stream, &stored.key[0], &rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_selected_columns_are_read() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 9,
        contacts: 9,
        ..Sizes::default()
    })
    .await;
    let memory = MemorySink::new();
    let columns = ["primarycontactid", "revenue", "name"];
    let selection = Selection::of("account").with_columns(columns);
    let request = StreamRequest::of(selection.with_page_size(4));
    for round in 0..2 {
        assert_complete(
            &fixture
                .sync(std::slice::from_ref(&request), memory.clone())
                .await,
        );
        let stored = memory.stream("account");
        let mut expected = fixture.api.rows("account").await;
        for row in expected.values_mut() {
            row.retain(|name, _| name == "accountid" || columns.contains(&name.as_str()));
            assert_eq!(row.len(), 4);
        }
        assert_same("account", &stored.rows, &expected);
        stored
            .rows
            .values()
            .for_each(|row| assert_row_fits(&stored.row_schema, row));
        if round == 0 {
            let key = expected.keys().next().unwrap();
            fixture
                .api
                .update("accounts", key, &json!({"name": "Umbenannt"}))
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_added_beside_choices_and_references() {
    let fixture = Fixture::with_accounts(8).await;
    let memory = MemorySink::new();
    let streams = ["account", "contact", "task"];
    let mut requests = requests(&streams, 5);
    for request in &mut requests {
        request.selection.labels = true;
    }
    for round in 0..2 {
        assert_complete(&fixture.sync(&requests, memory.clone()).await);
        for stream in streams {
            let stored = memory.stream(stream);
            assert_same(
                stream,
                &stored.rows,
                &fixture.api.labelled_rows(stream).await,
            );
            stored
                .rows
                .values()
                .for_each(|row| assert_row_fits(&stored.row_schema, row));
            let row = stored.rows.values().next().unwrap();
            assert_eq!(row["owneridtype"], "\"systemuser\"");
            assert!(
                [
                    "\"Active\"",
                    "\"Open\"",
                    "\"Completed\"",
                    "\"Inactive\"",
                    "\"Canceled\""
                ]
                .contains(&row["statecodename"].as_str()),
                "{}",
                row["statecodename"]
            );
        }
        if round == 0 {
            fixture.simulate_changes(8, 30);
        }
    }
}

/// Without change tracking, changes are found by a column that grows, and a warning says that
/// deletions are not.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_change_tracking_is_read_by_watermark() {
    let fixture = Fixture::start().await;
    let row = |name: &str| json!({"name": name, "category": 1});
    let mut keys = Vec::new();
    for index in 0..9 {
        keys.push(
            fixture
                .api
                .create("connectionroles", &row(&format!("Role {index}")))
                .await,
        );
        // Only the last three are within the overlap.
        fixture
            .emulator
            .clock()
            .advance(if index == 5 { 1_000 } else { 1 });
    }
    let memory = MemorySink::new();
    let requests = requests(&["connectionrole"], 4);
    assert_complete(&fixture.sync(&requests, memory.clone()).await);
    assert_equal(&fixture, &memory, &["connectionrole"]).await;
    let (id, message) = memory.stream("connectionrole").warnings[0].clone();
    assert_eq!(id, "deletions-not-observable");
    assert!(
        message.contains("modifiedon") && message.contains("not observable"),
        "{message}"
    );

    fixture.emulator.clock().advance(10);
    fixture
        .api
        .update("connectionroles", &keys[2], &row("Changed"))
        .await;
    keys.push(fixture.api.create("connectionroles", &row("New")).await);
    let report = fixture.sync(&requests, memory.clone()).await;
    assert_complete(&report);
    assert!(!report.streams[0].full, "{report:?}");
    assert_eq!(
        report.streams[0].rows, 5,
        "three in the overlap, the changed one, the new one"
    );
    assert_equal(&fixture, &memory, &["connectionrole"]).await;

    fixture.api.delete("connectionroles", &keys[0]).await;
    assert_complete(&fixture.sync(&requests, memory.clone()).await);
    let mut expected = fixture.api.rows("connectionrole").await;
    let kept = memory.stream("connectionrole").rows[&keys[0]].clone();
    expected.insert(keys[0].clone(), kept);
    assert_same(
        "connectionrole",
        &memory.stream("connectionrole").rows,
        &expected,
    );
}

/// Every table of the organization, whatever its ownership and change tracking.
#[tokio::test(flavor = "multi_thread")]
async fn every_stream_of_the_catalog_can_be_read() {
    let fixture = Fixture::with_accounts(10).await;
    let mut session = dataverse_tests::host()
        .open(&fixture.profile())
        .await
        .unwrap();
    let streams = session.list_streams().await.unwrap();
    assert!(streams.len() > 50, "{}", streams.len());
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    let memory = MemorySink::new();
    let report = fixture.sync(&requests(&names, 500), memory.clone()).await;
    for stream in &report.streams {
        assert_eq!(stream.outcome, Outcome::Complete, "{}", stream.stream);
        let stored = memory.stream(&stream.stream);
        // Streams with a hyphen are not tables, so the service has no such rows.
        if !stream.stream.contains('-') {
            let rows = fixture.api.rows(&stream.stream).await;
            assert_same(&stream.stream, &stored.rows, &rows);
        }
        stored
            .rows
            .values()
            .for_each(|row| assert_row_fits(&stored.row_schema, row));
    }
    let rows: u64 = report.streams.iter().map(|stream| stream.rows).sum();
    assert!(rows > 1_000, "{rows}");
}

/// A row that is created and deleted between two syncs is reported as deleted only.
#[tokio::test(flavor = "multi_thread")]
async fn deletions_of_rows_never_read_are_ignored() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 3,
        ..Sizes::default()
    })
    .await;
    let temp_dir = tempfile::tempdir().unwrap();
    let file = temp_dir.path().join("rows.db");
    let requests = requests(&["account"], 2);
    assert_complete(
        &fixture
            .sync(&requests, open_sink(|| Sqlite::open(&file)))
            .await,
    );
    let key = fixture
        .api
        .create("accounts", &json!({"name": "Mayfly"}))
        .await;
    fixture
        .api
        .send(Method::DELETE, &format!("accounts({key})"), None)
        .await;
    let report = fixture
        .sync(&requests, open_sink(|| Sqlite::open(&file)))
        .await;
    assert_complete(&report);
    assert_eq!((report.streams[0].rows, report.streams[0].deleted), (0, 1));
    assert_database_holds(
        &file,
        "account",
        "accountid",
        &fixture.api.rows("account").await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_read_returns_each_row_once() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 5,
        ..Sizes::default()
    })
    .await;
    let events = sync_events(&fixture.profile(), selection("account", 5_000, None))
        .await
        .unwrap();
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| match event {
            Event::Schema(_) => "schema",
            Event::Reset(_) => "reset",
            Event::Page(_) => "page",
            Event::Sweep(_) => "sweep",
            Event::Complete(_) => "complete",
            Event::Failed(_) => "failed",
            Event::Warning(_) => "warning",
        })
        .collect();
    assert_eq!(kinds, ["schema", "reset", "page", "complete"]);
    let Event::Page(page) = &events[2] else {
        panic!("{:?}", events[2]);
    };
    assert_same(
        "account",
        &parse_rows(&page.ndjson, "accountid"),
        &fixture.api.rows("account").await,
    );
}
