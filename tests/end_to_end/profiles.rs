//! All tables that the profiles read: a full read, then changes.

use std::collections::BTreeSet;

use dataverse_host::StreamRequest;
use dataverse_host::contract::{NewColumn, NewType, Selection, TextType};
use dataverse_tests::{Fixture, MemorySink, assert_complete, assert_row_fits, assert_same, host};
use serde_json::json;

const PROFILES: [&str; 5] = [
    "revenue-intelligence",
    "sales-assistant",
    "account-based-marketing",
    "access-sync",
    "access-provisioning",
];

/// The tables that the roles of the profiles allow to read.
async fn tables(fixture: &Fixture, there: &BTreeSet<String>) -> BTreeSet<String> {
    let mut settings = fixture.settings();
    settings["purpose"] = json!({"profiles": PROFILES});
    let role = host().required_role(&settings.to_string()).await.unwrap();
    role.permissions
        .iter()
        .flat_map(|permission| &permission.needed_for)
        .filter_map(|reason| reason.strip_prefix("reading "))
        .filter(|name| !name.contains(' ') && there.contains(*name))
        .map(str::to_owned)
        .collect()
}

fn text_column(name: &str, max_length: u32, multiline: bool) -> NewColumn {
    let text = TextType {
        max_length,
        multiline,
    };
    NewColumn::new(name, name, NewType::Text(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_all_profiles_are_read_exactly() {
    let fixture = Fixture::with_accounts(30).await;
    let profile = fixture.profile();
    let mut session = host().open(&profile).await.unwrap();
    let mut created = Vec::new();
    for column in [
        text_column("longesttext", 4_000, false),
        text_column("longestmemo", 1_048_576, true),
    ] {
        let column = session.create_column("account", &column).await.unwrap();
        created.push(column.name);
    }
    let account = |n: usize| {
        let letters = "Straße 漢字 🚀 \"\\\u{2028}\u{1}é ";
        // Lengths count in units of UTF-16.
        let text = |length: usize| {
            let mut left = length;
            let fits = move |letter: &char| {
                let fits = letter.len_utf16() <= left;
                left = left.saturating_sub(letter.len_utf16());
                fits
            };
            let letters = letters.chars().cycle().skip(n);
            letters.take_while(fits).collect::<String>()
        };
        json!({
            "name": text(160),
            "revenue": 1_234_567.89,
            created[0].as_str(): text(4_000),
            created[1].as_str(): text(1_048_576),
            "sample_foundedon": "0001-01-01",
            "sample_customersince": "9999-12-30T23:59:59Z",
            "industrycode": null,
        })
    };

    let there = session.list_streams().await.unwrap();
    let there = there.into_iter().map(|stream| stream.name).collect();
    let tables = tables(&fixture, &there).await;
    assert!(tables.len() > 25, "{tables:?}");
    let requests: Vec<StreamRequest> = tables
        .iter()
        .map(|table| Selection::of(table).with_page_size(60).with_sweep().into())
        .collect();
    let memory = MemorySink::new();
    let mut filled = BTreeSet::new();
    for day in 0..3_u64 {
        let mut keys = Vec::new();
        for n in 0..2 {
            keys.push(fixture.api.create("accounts", &account(n)).await);
        }
        for (set, row) in [
            ("campaigns", json!({"name": "Frühling"})),
            ("connectionroles", json!({"name": format!("Mentor {day}")})),
            (
                "lists",
                json!({"listname": "Everybody", "createdfromcode": 1}),
            ),
            ("queues", json!({"name": format!("Queue {day}")})),
        ] {
            fixture.api.create(set, &row).await;
        }
        if day > 0 {
            let work = fixture.simulate_changes(day, 80);
            assert!(work.created > 0 && work.updated > 0 && work.deleted > 0);
            fixture.api.delete("accounts", &keys[0]).await;
        }
        assert_complete(&fixture.sync(&requests, memory.clone()).await);
        for table in &tables {
            let stored = memory.stream(table);
            let rows = fixture.api.rows(table).await;
            assert_same(table, &stored.rows, &rows);
            for row in stored.rows.values() {
                assert_row_fits(&stored.row_schema, row);
            }
            if !rows.is_empty() {
                filled.insert(table.clone());
            }
        }
    }
    // Tables without rows test nothing.
    let empty: Vec<_> = tables.difference(&filled).collect();
    assert!(empty.len() * 3 < tables.len(), "without rows: {empty:?}");
}
