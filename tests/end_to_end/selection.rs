//! Selections of the command line (filter with sweep, view, query), `create-column` and `discover`.

use std::collections::BTreeSet;
use std::path::Path;

use dataverse_emulator::CLIENT_SECRET;
use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::sink::stored_name;
use dataverse_tests::{Cli, Fixture, Rows, read_json_lines};
use serde_json::{Value, json};

const SELECTION: &str = r#"
[[streams]]
name = "account"
columns = ["name"]
filter = "startswith(name,'Keep')"
sweep = true

[[streams]]
name = "view:Active Accounts"

[[streams]]
name = "query:kept names"
query-file = "kept.xml"
"#;

const QUERY: &str = "<fetch><entity name='account'><attribute name='accountid'/>\
    <attribute name='name'/><filter><condition attribute='name' operator='like' value='Keep%'/>\
    </filter></entity></fetch>";

fn json(cli: &Cli, arguments: &[&str]) -> Value {
    let output = cli.run(arguments);
    output.assert_success();
    serde_json::from_str(&output.stdout).unwrap()
}

fn find<'a>(list: &'a Value, key: &str, value: &str) -> &'a Value {
    let found = list
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item[key] == value);
    found.unwrap_or_else(|| panic!("no {key} is {value}: {list}"))
}

/// The names of the rows.
fn names(rows: &Rows) -> BTreeSet<String> {
    rows.values().map(|row| row["name"].clone()).collect()
}

fn stored_names(file: &Path, stream: &str) -> BTreeSet<String> {
    let database = rusqlite::Connection::open(file).unwrap();
    let sql = format!("SELECT json_quote(name) FROM \"{}\"", stored_name(stream));
    let mut statement = database.prepare(&sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn selections_stay_correct_when_rows_are_deleted() {
    let fixture = Fixture::start().await;
    for number in 1..=6 {
        for kind in ["Keep", "Other"] {
            let row = json!({"name": format!("{kind} {number}")});
            fixture.api.create("accounts", &row).await;
        }
    }
    let cli = Cli::new(&fixture.settings());
    std::fs::write(cli.file("selection.toml"), SELECTION).unwrap();
    std::fs::write(cli.file("kept.xml"), QUERY).unwrap();
    let streams = ["account", "view:Active Accounts", "query:kept names"];

    for round in 0..2 {
        let mut deleted = Vec::new();
        for target in ["jsonl:out", "sqlite:out.db"] {
            let sync = ["sync", "--selection", "selection.toml", "--to", target];
            let report = json(&cli, &[&sync[..], &["--format", "json"]].concat());
            let account = find(&report["streams"], "stream", "account");
            deleted.push(account["deleted"].as_u64().unwrap());
            assert_eq!(account["storedAs"], "account");
        }
        let kept = if round == 0 { 6 } else { 5 };
        assert_eq!(deleted, [round, round], "round {round}");
        for stream in streams {
            let lines = names(&read_json_lines(&cli.file("out"), stream, "accountid"));
            let count = if stream.starts_with("view") {
                kept + 6
            } else {
                kept
            };
            assert_eq!(lines.len(), count, "{stream} in round {round}: {lines:?}");
            assert_eq!(stored_names(&cli.file("out.db"), stream), lines, "{stream}");
            assert_eq!(lines.contains("\"Keep 2\""), round == 0, "{stream}");
        }
        if round == 0 {
            let deleted = fixture.api.first_key("accounts", "name eq 'Keep 2'").await;
            fixture.api.delete("accounts", &deleted).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_column_can_be_used_at_once_and_is_created_once() {
    let fixture = Fixture::start().await;
    let cli = Cli::new(&fixture.settings());
    let create = |column_type| {
        let new = [
            "create-column",
            "account",
            "score",
            "--title",
            "Score",
            "--type",
        ];
        [&new[..], &[column_type, "--format", "json"]].concat()
    };
    let column = json(&cli, &create("decimal"));
    assert_eq!(column["dataType"], "decimal");
    assert_eq!(column["title"], "Score");
    let name = column["name"].as_str().unwrap();
    assert!(name.ends_with("_score"), "{name}");
    assert_eq!(json(&cli, &create("decimal")), column, "created once");
    cli.run(&create("integer"))
        .assert_error(6, &[name, "decimal"], &[CLIENT_SECRET]);

    let id = fixture
        .api
        .create("accounts", &json!({"name": "A", name: 1.25}))
        .await;
    let sync = [
        "sync",
        "--stream",
        "account",
        "--columns",
        name,
        "--to",
        "jsonl:out",
    ];
    cli.run(&sync).assert_success();
    let rows = read_json_lines(&cli.file("out"), "account", "accountid");
    assert!(rows[&id][name].starts_with("1.25"), "{:?}", rows[&id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_printed_as_text_json_and_diagram() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 3,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&fixture.settings());
    let streams = json(&cli, &["discover", "--format", "json"]);
    for stream in streams.as_array().unwrap() {
        assert!(
            stream["rowSchema"]["properties"].is_object(),
            "{}",
            stream["name"]
        );
        assert!(!stream["changeDetectionReason"].as_str().unwrap().is_empty());
    }
    let account = find(&streams, "name", "account");
    let contact = find(&account["columns"], "name", "primarycontactid");
    assert_eq!(contact["targets"], json!(["contact"]));
    let relationship = find(&account["relationships"], "column", "primarycontactid");
    let reverse = find(
        &find(&streams, "name", "contact")["relationships"],
        "name",
        relationship["name"].as_str().unwrap(),
    );
    assert_eq!(relationship["cardinality"], "many-to-one");
    assert_eq!(reverse["cardinality"], "one-to-many");
    assert_eq!(reverse["otherColumn"], "primarycontactid");

    let views = json(
        &cli,
        &[
            "discover", "--views", "--stream", "account", "--format", "json",
        ],
    );
    let active = find(&views, "title", "Active Accounts")["name"]
        .as_str()
        .unwrap();
    cli.run(&["sync", "--stream", active, "--to", "jsonl:out"])
        .assert_success();
    assert_eq!(
        read_json_lines(&cli.file("out"), active, "accountid").len(),
        3
    );

    let pair = ["--stream", "account", "--stream", "contact"];
    let diagram = cli.run(&[&["discover", "--format", "mermaid"], &pair[..]].concat());
    diagram.assert_success();
    assert!(diagram.stdout.starts_with("erDiagram\n"));
    let line = "account }o--o| contact : primarycontactid";
    assert_eq!(
        diagram.stdout.matches(line).count(),
        1,
        "{}",
        diagram.stdout
    );
    let list = cli.run(&["discover"]);
    list.assert_success();
    assert!(list.stdout.lines().any(|line| line.starts_with("account ")));
}
