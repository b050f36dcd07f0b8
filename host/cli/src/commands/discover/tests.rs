//! The text, JSON and diagram of two streams and their pairs.

use dataverse_host::contract::{
    Cardinality, ChangeDetection, Choice, Column, DataType, Relationship, Requirement,
    StreamDescription, StreamKind, StreamSummary, View,
};
use serde_json::Value;

use super::*;

fn column(name: &str, data_type: DataType) -> Column {
    Column {
        name: name.to_owned(),
        title: name.to_uppercase(),
        data_type,
        format: None,
        nullable: true,
        requirement: Requirement::Optional,
        creatable: true,
        updatable: true,
        secured: false,
        max_length: None,
        scale: None,
        minimum: None,
        maximum: None,
        choices: Vec::new(),
        choice_set: None,
        targets: Vec::new(),
    }
}

fn stream(name: &str, columns: Vec<Column>, relationships: Vec<Relationship>) -> StreamDescription {
    let mut stream = StreamDescription::of(StreamSummary {
        name: name.to_owned(),
        kind: StreamKind::Table,
        title: name.to_uppercase(),
        change_detection: ChangeDetection::Watermark,
    });
    stream.primary_key = vec![format!("{name}id")];
    stream.name_column = Some("name".to_owned());
    stream.columns = columns;
    stream.change_detection_reason = "By its version number.".to_owned();
    stream.relationships = relationships;
    stream.row_schema = r#"{"type":"object"}"#.to_owned();
    stream
}

fn relationship(
    cardinality: Cardinality,
    name: &str,
    column: &str,
    stream: &str,
    other_column: &str,
) -> Relationship {
    let pairs = cardinality == Cardinality::ManyToMany;
    Relationship {
        name: name.to_owned(),
        cardinality,
        column: column.to_owned(),
        stream: stream.to_owned(),
        other_column: other_column.to_owned(),
        pairs: pairs.then(|| format!("{name}pairs")),
    }
}

fn streams() -> Vec<StreamDescription> {
    use Cardinality::{ManyToMany, ManyToOne, OneToMany};
    let contact = stream(
        "contact",
        vec![
            Column {
                nullable: false,
                ..column("contactid", DataType::Identifier)
            },
            Column {
                targets: vec!["account".to_owned(), "elsewhere".to_owned()],
                ..column("parent", DataType::Reference)
            },
            Column {
                format: Some("Email".to_owned()),
                max_length: Some(100),
                requirement: Requirement::Required,
                secured: true,
                ..column("mail", DataType::Text)
            },
            Column {
                choices: vec![Choice {
                    value: 1,
                    label: "Hot".to_owned(),
                }],
                choice_set: Some("heat".to_owned()),
                minimum: Some("-1.50".to_owned()),
                maximum: Some("100000000000.0000000001".to_owned()),
                creatable: false,
                updatable: false,
                ..column("heat", DataType::Choice)
            },
        ],
        vec![
            relationship(ManyToOne, "parents", "parent", "account", "accountid"),
            relationship(ManyToMany, "marketing", "contactid", "account", "accountid"),
        ],
    );
    let account = stream(
        "account",
        vec![
            column("accountid", DataType::Identifier),
            column("name", DataType::Text),
        ],
        vec![
            relationship(OneToMany, "parents", "accountid", "contact", "parent"),
            relationship(OneToMany, "hidden", "accountid", "elsewhere", "accountid"),
            relationship(ManyToMany, "marketing", "accountid", "contact", "contactid"),
        ],
    );
    vec![contact, account]
}

fn written(format: DiscoverFormat, streams: &[StreamDescription]) -> String {
    let names: Vec<String> = streams.iter().map(|s| s.summary.name.clone()).collect();
    let mut writer = Writer::new(format, &names);
    let mut text = String::new();
    for stream in streams {
        text.push_str(&writer.stream(stream).unwrap());
    }
    text + &writer.end()
}

#[test]
fn a_diagram_shows_each_relationship_once() {
    assert_eq!(
        written(DiscoverFormat::Mermaid, &streams()),
        "erDiagram\n    \
             contact {\n        identifier contactid PK\n        reference parent FK\n    }\n    \
             account {\n        identifier accountid PK\n        text name\n    }\n    \
             contact }o--o| account : parent\n    \
             account }o--o{ contact : marketing\n"
    );
    assert_eq!(written(DiscoverFormat::Mermaid, &[]), "erDiagram\n");
}

#[test]
fn the_text_of_a_column_shows_its_type_and_limits() {
    let text = written(DiscoverFormat::Text, &streams());
    for line in [
        "contact (CONTACT), table, changes: watermark",
        "By its version number.",
        "contactid  identifier      CONTACTID (key)",
        "parent     reference       PARENT (→ account, elsewhere)",
        "mail       text            MAIL (Email; at most 100 characters; required; secured)",
        "heat       choice          HEAT (1 choice of heat; -1.50 to 100000000000.0000000001; \
         read-only)",
        "parents: parent → account.accountid",
        "parents: accountid ← contact.parent",
        "marketing: ↔ account, pairs in marketingpairs (contactid, accountid)",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn the_json_of_a_stream_is_complete() {
    let document: Value = serde_json::from_str(&written(DiscoverFormat::Json, &streams())).unwrap();
    let contact = &document[0];
    assert_eq!(contact["kind"], "table");
    assert_eq!(contact["changeDetectionReason"], "By its version number.");
    assert_eq!(contact["rowSchema"]["type"], "object");
    let heat = &contact["columns"][3];
    assert_eq!(heat["maximum"], "100000000000.0000000001");
    assert_eq!(heat["choiceSet"], "heat");
    assert_eq!(contact["columns"][2]["requirement"], "required");
    assert_eq!(contact["columns"][2]["secured"], true);
    let pairs = &document[1]["relationships"][2];
    assert_eq!(pairs["cardinality"], "many-to-many");
    assert_eq!(pairs["pairs"], "marketingpairs");
    assert_eq!(document[1]["relationships"][0]["otherColumn"], "parent");
    let none: Value = serde_json::from_str(&written(DiscoverFormat::Json, &[])).unwrap();
    assert_eq!(none, serde_json::json!([]));
}

#[test]
fn views_are_listed_with_their_owners() {
    let view = |name: &str, personal| View {
        name: name.to_owned(),
        title: "Mine".to_owned(),
        stream: "account".to_owned(),
        personal,
    };
    assert_eq!(
        text::views(&[view("view:1", false), view("view:22", true)]),
        "VIEW     STREAM   TITLE\n\
         view:1   account  Mine\n\
         view:22  account  Mine (personal)\n"
    );
}
