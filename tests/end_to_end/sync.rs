//! Full reads, changes and incremental reads: what the sinks hold equals what the service holds.

use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::contract::{Event, Operation, Selection};
use dataverse_host::sink::{JsonLines, Sink, Sqlite};
use dataverse_host::{Outcome, StreamRequest};
use dataverse_tests::{
    Memory, Stand, all_complete, assert_database_holds, assert_row_fits, assert_same, open,
    parse_rows, read_json_lines, requests, sync_events,
};
use http::Method;
use serde_json::json;

/// Every tracked table that a day's work touches, and some that it does not.
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

/// The service's own account of its row numbers and the sinks', stream by stream.
async fn assert_equal(stand: &Stand, sink: &Memory, streams: &[&str]) {
    for stream in streams {
        assert_same(
            stream,
            &sink.held(stream).rows,
            &stand.api.rows(stream).await,
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sink_follows_the_service_through_days_of_work() {
    let stand = Stand::of_accounts(40).await;
    let place = tempfile::tempdir().unwrap();
    let (directory, file) = (place.path().join("lines"), place.path().join("rows.db"));
    let memory = Memory::new();
    let requests = requests(&STREAMS, 17);
    for day in 0..4_u64 {
        if day > 0 {
            let work = stand.work(day, 60);
            assert!(
                work.created > 0 && work.updated > 0 && work.deleted > 0,
                "{work:?}"
            );
        }
        let in_memory = stand.sync(&requests, memory.clone()).await;
        let reports = [
            stand
                .sync(&requests, open(|| JsonLines::open(&directory)))
                .await,
            stand.sync(&requests, open(|| Sqlite::open(&file))).await,
            in_memory,
        ];
        for report in &reports {
            all_complete(report);
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
            let rows = stand.api.rows(stream).await;
            assert!(!rows.is_empty(), "{stream} has no rows to compare");
            let held = memory.held(stream);
            assert_same(stream, &held.rows, &rows);
            assert_same(
                stream,
                &read_json_lines(&directory, stream, &held.key[0]),
                &rows,
            );
            assert_database_holds(&file, stream, &held.key[0], &rows);
            for row in held.rows.values() {
                assert_row_fits(&held.row_schema, row);
            }
        }
    }
    // Nothing happened since: nothing comes.
    let report = stand.sync(&requests, memory.clone()).await;
    all_complete(&report);
    for stream in &report.streams {
        assert_eq!((stream.rows, stream.deleted), (0, 0), "{}", stream.stream);
    }
    assert!(
        STREAMS
            .iter()
            .all(|stream| memory.held(stream).warnings.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_arrive_as_they_were_written() {
    let stand = Stand::start().await;
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
    // More digits than a binary number holds.
    let written = row
        .to_string()
        .replacen('{', "{\"revenue\":90071992547409.93,", 1);
    let full = stand.api.create_as_written("accounts", &written).await;
    let empty = stand
        .api
        .create("accounts", &json!({"name": "Nothing else"}))
        .await;
    let company = json!({
        "lastname": "Œdipe",
        "parentcustomerid_account@odata.bind": format!("/accounts({full})"),
    });
    let employee = stand.api.create("contacts", &company).await;
    let friend = json!({
        "lastname": "Ødegård",
        "parentcustomerid_contact@odata.bind": format!("/contacts({employee})"),
    });
    let friend = stand.api.create("contacts", &friend).await;

    let memory = Memory::new();
    all_complete(
        &stand
            .sync(&requests(&["account", "contact"], 100), memory.clone())
            .await,
    );
    let accounts = memory.held("account").rows;
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
        // A scale's zeros are the service's to write.
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
    let contacts = memory.held("contact").rows;
    assert_eq!(
        contacts[&employee]["parentcustomerid"],
        format!("\"{full}\"")
    );
    assert_eq!(
        contacts[&friend]["parentcustomerid"],
        format!("\"{employee}\"")
    );
    assert_equal(&stand, &memory, &["account", "contact"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_size_hold_the_same_rows() {
    let stand = Stand::of(Sizes {
        accounts: 22,
        ..Sizes::default()
    })
    .await;
    for (page_size, pages) in [(1, 22..=23), (7, 4..=4), (11, 2..=3), (5_000, 1..=1)] {
        let memory = Memory::new();
        let report = stand
            .sync(&requests(&["account"], page_size), memory.clone())
            .await;
        all_complete(&report);
        assert_eq!(report.streams[0].rows, 22, "page size {page_size}");
        assert!(
            pages.contains(&report.streams[0].pages),
            "{:?}",
            report.streams[0]
        );
        assert_equal(&stand, &memory, &["account"]).await;
    }
}

/// Every page's checkpoint is good for a new instance that knows nothing else, also when rows
/// have changed in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_resumes_from_the_checkpoint_of_every_page() {
    let stand = Stand::of(Sizes {
        accounts: 20,
        ..Sizes::default()
    })
    .await;
    let profile = stand.profile();
    let mut first = sync_events(&profile, selection("account", 3, None))
        .await
        .unwrap();
    let mut recorder = Memory::new();
    for event in &first {
        recorder.apply(event).unwrap();
    }

    // Changes in several pages, then the pages of an incremental read.
    let keys: Vec<String> = recorder.held("account").rows.into_keys().collect();
    for (index, key) in keys.iter().enumerate() {
        match index % 4 {
            0 => stand.api.delete("accounts", key).await,
            1 => {
                stand
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
    stand
        .api
        .create("accounts", &json!({"name": "The last"}))
        .await;

    let mut sink = Memory::new();
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
            Operation::Present => panic!("nobody asked for a sweep"),
        }] = true;
        let mut fresh = sink.fork();
        // A full read that goes on ends where it ends; what changed behind it comes with the next.
        for _ in 0..2 {
            let from = fresh.checkpoint_of("account");
            for event in sync_events(&profile, selection("account", 3, from))
                .await
                .unwrap()
            {
                assert!(
                    !matches!(event, Event::Reset(_)),
                    "resuming does not start over"
                );
                fresh.apply(&event).unwrap();
            }
        }
        assert_equal(&stand, &fresh, &["account"]).await;
        resumed += 1;
    }
    assert_eq!(kinds, [true; 3], "pages of every kind were resumed from");
    assert!(resumed > 10, "{resumed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_change_token_restarts_the_stream_and_says_so() {
    let stand = Stand::of_accounts(15).await;
    let place = tempfile::tempdir().unwrap();
    let (directory, file) = (place.path().join("lines"), place.path().join("rows.db"));
    let memory = Memory::new();
    let requests = requests(&["account", "task"], 6);
    for round in 0..2 {
        all_complete(&stand.sync(&requests, memory.clone()).await);
        all_complete(
            &stand
                .sync(&requests, open(|| JsonLines::open(&directory)))
                .await,
        );
        all_complete(&stand.sync(&requests, open(|| Sqlite::open(&file))).await);
        if round == 0 {
            // Deletions whose trace is lost: only the reset can make them good.
            for key in stand.api.rows("task").await.into_keys().take(4) {
                stand.api.delete("tasks", &key).await;
            }
            stand.work(3, 30);
            stand.emulator.expire_delta_tokens().unwrap();
        }
    }
    for stream in ["account", "task"] {
        let rows = stand.api.rows(stream).await;
        let held = memory.held(stream);
        assert_eq!(held.resets.len(), 2, "{:?}", held.resets);
        assert!(held.resets[1].contains("expired"), "{:?}", held.resets);
        assert_same(stream, &held.rows, &rows);
        assert_same(
            stream,
            &read_json_lines(&directory, stream, &held.key[0]),
            &rows,
        );
        assert_database_holds(&file, stream, &held.key[0], &rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_selected_columns_are_read() {
    let stand = Stand::of(Sizes {
        accounts: 9,
        contacts: 9,
        ..Sizes::default()
    })
    .await;
    let memory = Memory::new();
    let columns = ["primarycontactid", "revenue", "name"];
    let selection = Selection::of("account").with_columns(columns);
    let request = StreamRequest::of(selection.with_page_size(4));
    for round in 0..2 {
        all_complete(
            &stand
                .sync(std::slice::from_ref(&request), memory.clone())
                .await,
        );
        let held = memory.held("account");
        let mut expected = stand.api.rows("account").await;
        for row in expected.values_mut() {
            row.retain(|name, _| name == "accountid" || columns.contains(&name.as_str()));
            assert_eq!(row.len(), 4);
        }
        assert_same("account", &held.rows, &expected);
        held.rows
            .values()
            .for_each(|row| assert_row_fits(&held.row_schema, row));
        if round == 0 {
            let key = expected.keys().next().unwrap();
            stand
                .api
                .update("accounts", key, &json!({"name": "Umbenannt"}))
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_added_beside_choices_and_references() {
    let stand = Stand::of_accounts(8).await;
    let memory = Memory::new();
    let streams = ["account", "contact", "task"];
    let mut requests = requests(&streams, 5);
    for request in &mut requests {
        request.labels = true;
    }
    for round in 0..2 {
        all_complete(&stand.sync(&requests, memory.clone()).await);
        for stream in streams {
            let held = memory.held(stream);
            assert_same(stream, &held.rows, &stand.api.labelled_rows(stream).await);
            held.rows
                .values()
                .for_each(|row| assert_row_fits(&held.row_schema, row));
            let row = held.rows.values().next().unwrap();
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
            stand.work(8, 30);
        }
    }
}

/// Tables whose changes the service does not track are read by a column that grows; that
/// deletions are not seen is said, not hidden.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_change_tracking_is_read_by_its_watermark() {
    let stand = Stand::start().await;
    let row = |name: &str| json!({"name": name, "category": 1});
    let mut keys = Vec::new();
    for index in 0..9 {
        keys.push(
            stand
                .api
                .create("connectionroles", &row(&format!("Role {index}")))
                .await,
        );
        // Only the last three lie within the overlap.
        stand
            .emulator
            .clock()
            .advance(if index == 5 { 1_000 } else { 1 });
    }
    let memory = Memory::new();
    let requests = requests(&["connectionrole"], 4);
    all_complete(&stand.sync(&requests, memory.clone()).await);
    assert_equal(&stand, &memory, &["connectionrole"]).await;
    let (id, message) = memory.held("connectionrole").warnings[0].clone();
    assert_eq!(id, "deletions-not-observable");
    assert!(
        message.contains("modifiedon") && message.contains("not observable"),
        "{message}"
    );

    stand.emulator.clock().advance(10);
    stand
        .api
        .update("connectionroles", &keys[2], &row("Changed"))
        .await;
    keys.push(stand.api.create("connectionroles", &row("New")).await);
    let report = stand.sync(&requests, memory.clone()).await;
    all_complete(&report);
    assert!(!report.streams[0].full, "{report:?}");
    assert_eq!(
        report.streams[0].rows, 5,
        "three of the overlap, the changed one, the new one"
    );
    assert_equal(&stand, &memory, &["connectionrole"]).await;

    stand.api.delete("connectionroles", &keys[0]).await;
    all_complete(&stand.sync(&requests, memory.clone()).await);
    let mut expected = stand.api.rows("connectionrole").await;
    let kept = memory.held("connectionrole").rows[&keys[0]].clone();
    expected.insert(keys[0].clone(), kept);
    assert_same(
        "connectionrole",
        &memory.held("connectionrole").rows,
        &expected,
    );
}

/// Every table of the organization, whoever owns its rows and whether or not it is tracked.
#[tokio::test(flavor = "multi_thread")]
async fn every_stream_of_the_catalog_can_be_read() {
    let stand = Stand::of_accounts(10).await;
    let mut session = dataverse_tests::host()
        .open(&stand.profile())
        .await
        .unwrap();
    let streams = session.list_streams().await.unwrap();
    assert!(streams.len() > 50, "{}", streams.len());
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    let memory = Memory::new();
    let report = stand.sync(&requests(&names, 500), memory.clone()).await;
    for stream in &report.streams {
        assert_eq!(stream.outcome, Outcome::Complete, "{}", stream.stream);
        let held = memory.held(&stream.stream);
        // What is no table is no set of rows at the service.
        if !stream.stream.contains('-') {
            let rows = stand.api.rows(&stream.stream).await;
            assert_same(&stream.stream, &held.rows, &rows);
        }
        held.rows
            .values()
            .for_each(|row| assert_row_fits(&held.row_schema, row));
    }
    let rows: u64 = report.streams.iter().map(|stream| stream.rows).sum();
    assert!(rows > 1_000, "{rows}");
}

/// A row that comes and goes between two syncs is reported as gone without ever having come.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_a_row_that_was_never_seen_does_no_harm() {
    let stand = Stand::of(Sizes {
        accounts: 3,
        ..Sizes::default()
    })
    .await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("rows.db");
    let requests = requests(&["account"], 2);
    all_complete(&stand.sync(&requests, open(|| Sqlite::open(&file))).await);
    let key = stand
        .api
        .create("accounts", &json!({"name": "Mayfly"}))
        .await;
    stand
        .api
        .send(Method::DELETE, &format!("accounts({key})"), None)
        .await;
    let report = stand.sync(&requests, open(|| Sqlite::open(&file))).await;
    all_complete(&report);
    assert_eq!((report.streams[0].rows, report.streams[0].deleted), (0, 1));
    assert_database_holds(
        &file,
        "account",
        "accountid",
        &stand.api.rows("account").await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_ndjson_have_one_key_each() {
    let stand = Stand::of(Sizes {
        accounts: 5,
        ..Sizes::default()
    })
    .await;
    let events = sync_events(&stand.profile(), selection("account", 5_000, None))
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
        &stand.api.rows("account").await,
    );
}
