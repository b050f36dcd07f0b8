//! The catalogue of a large organization, and new columns.

use std::time::Duration;

use dataverse_host::contract::{
    Commit, DataType, ErrorKind, NewChoice, NewColumn, NewType, TextType,
};
use dataverse_host::{CallError, Limits};
use dataverse_tests::{Fixture, MemorySink, assert_complete, host, requests};
use serde_json::{Value, json};

/// How many streams are described in one call.
const STREAMS_PER_CALL: usize = 50;

fn error_of<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> (ErrorKind, Commit, String) {
    match outcome {
        Err(CallError::Connector(error)) => (error.kind, error.commit, error.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_organization_is_described_within_the_memory_limit() {
    const TABLES: usize = 1_500;
    const COLUMNS: usize = 120;
    let fixture = Fixture::build(|builder| builder.extra_tables(TABLES, COLUMNS)).await;
    let limits = Limits {
        memory: 64 << 20,
        ..Limits::default()
    };
    let profile = fixture.profile().with_limits(limits);
    let mut session = host().open(&profile).await.unwrap();
    let streams = session.list_streams().await.unwrap();
    let names: Vec<String> = streams.into_iter().map(|stream| stream.name).collect();
    assert!(names.len() > TABLES, "{}", names.len());
    let before = fixture.emulator.statistics();
    let mut wide = 0;
    for group in names.chunks(STREAMS_PER_CALL) {
        let described = session.describe_streams(group).await.unwrap();
        for (name, stream) in group.iter().zip(&described) {
            assert_eq!(name, &stream.summary.name);
            assert!(!stream.change_detection_reason.is_empty(), "{name}");
            let schema: Value = serde_json::from_str(&stream.row_schema).unwrap();
            let properties = schema["properties"].as_object().unwrap();
            assert_eq!(properties.len(), stream.columns.len(), "{name}");
            wide += usize::from(stream.columns.len() >= COLUMNS);
        }
    }
    assert!(wide >= TABLES, "only {wide} tables have all their columns");
    // Two batches for ten tables, one for a single table, and a few for streams that are no tables.
    let batches = fixture.emulator.statistics().batches - before.batches;
    assert!(batches < 400, "{batches} batches");

    let all_at_once = error_of(session.describe_streams(&names).await);
    assert_eq!(all_at_once.0, ErrorKind::Unsupported, "{}", all_at_once.2);
    // The instance can still be used.
    session.describe_streams(&names[..1]).await.unwrap();
}

fn new(name: &str, new_type: NewType) -> NewColumn {
    NewColumn::new(name, "Größe \"XL\" & <mehr>", new_type).with_description("Wie groß")
}

fn colours() -> Vec<NewChoice> {
    ["Red", "Green"]
        .map(|label| NewChoice {
            value: None,
            label: label.to_owned(),
        })
        .to_vec()
}

/// A column of each type, with a value that is written and must be read unchanged.
fn columns() -> Vec<(NewColumn, DataType, Value)> {
    let text = |max_length, multiline| {
        NewType::Text(TextType {
            max_length,
            multiline,
        })
    };
    let first = 100_000_000;
    vec![
        (
            new("Line", text(80, false)),
            DataType::Text,
            "ä".repeat(80).into(),
        ),
        (
            new("Lines", text(5_000, true)),
            DataType::Text,
            "a\nb".into(),
        ),
        (
            new("Whole", NewType::Integer),
            DataType::Integer,
            (-7).into(),
        ),
        (
            new("Exact", NewType::Decimal(3)),
            DataType::Decimal,
            json!(0.125),
        ),
        (
            new("Price", NewType::Money(2)),
            DataType::Decimal,
            json!(12.5),
        ),
        (
            new("Flag", NewType::Boolean),
            DataType::Boolean,
            true.into(),
        ),
        (
            new("Colour", NewType::Choice(colours())),
            DataType::Choice,
            first.into(),
        ),
        (
            new("Colours", NewType::ChoiceList(colours())),
            DataType::ChoiceList,
            format!("{first},{}", first + 1).into(),
        ),
        (
            new("Day", NewType::Date),
            DataType::Date,
            "2024-02-29".into(),
        ),
        (
            new("Time", NewType::Timestamp),
            DataType::Timestamp,
            "2024-02-29T12:00:00Z".into(),
        ),
        (
            new("Friend", NewType::Reference("contact".into())),
            DataType::Reference,
            Value::Null,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_column_of_each_type_can_be_used_at_once() {
    let fixture = Fixture::start().await;
    fixture.emulator.set_metadata_lag(Duration::from_secs(2));
    let mut session = host().open(&fixture.profile()).await.unwrap();
    let mut row = json!({"name": "New"});
    let mut expected = Vec::new();
    for (column, data_type, value) in columns() {
        let created = session.create_column("account", &column).await.unwrap();
        assert_eq!(created.data_type, data_type, "{}", column.name);
        assert_eq!(created.title, column.title);
        assert_eq!(created.name, format!("new_{}", column.name.to_lowercase()));
        // An existing column is described; another type is a conflict.
        let existing = session.create_column("account", &column).await.unwrap();
        assert_eq!(existing.name, created.name);
        let other = match data_type {
            DataType::Integer => NewType::Boolean,
            _ => NewType::Integer,
        };
        let clash = new(&column.name, other);
        let clash = session.create_column("account", &clash).await;
        let (kind, commit, message) = error_of(clash);
        assert_eq!(
            (kind, commit),
            (ErrorKind::Conflict, Commit::NotStarted),
            "{message}"
        );
        if !value.is_null() {
            row[&created.name] = value.clone();
        }
        expected.push((created.name, value));
    }
    let key = fixture.api.create("accounts", &row).await;
    let memory = MemorySink::new();
    assert_complete(
        &fixture
            .sync(&requests(&["account"], 100), memory.clone())
            .await,
    );
    let stored = memory.stream("account");
    for (name, value) in expected {
        let schema = &stored.row_schema["properties"][&name];
        assert!(schema.is_object(), "{name} is missing in the schema");
        let found: Value = serde_json::from_str(&stored.rows[&key][&name]).unwrap();
        assert_eq!(found, value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_columns_are_rejected_with_a_remedy() {
    let fixture = Fixture::start().await;
    let mut session = host().open(&fixture.profile()).await.unwrap();
    let unknown_solution = new("Whole", NewType::Integer).with_solution("nowhere");
    for (table, column, expected, words) in [
        (
            "account",
            new("abc_Whole", NewType::Integer),
            ErrorKind::InvalidData,
            "new_abc_Whole",
        ),
        (
            "account",
            new("Exact", NewType::Decimal(11)),
            ErrorKind::InvalidData,
            "0 to 10",
        ),
        ("account", unknown_solution, ErrorKind::NotFound, "nowhere"),
        (
            "acount",
            new("Whole", NewType::Integer),
            ErrorKind::NotFound,
            "did you mean account",
        ),
        (
            "account",
            new("Friend", NewType::Reference("nothing".into())),
            ErrorKind::NotFound,
            "nothing",
        ),
    ] {
        let (kind, commit, message) = error_of(session.create_column(table, &column).await);
        assert_eq!((kind, commit), (expected, Commit::NotStarted), "{message}");
        assert!(message.contains(words), "{message}");
    }
}
