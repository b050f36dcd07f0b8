//! Errors in settings and selections are named, with an exit code.

use dataverse_emulator::CLIENT_SECRET;
use dataverse_emulator::seed::generate::Sizes;
use dataverse_host::Outcome;
use dataverse_host::contract::ErrorKind;
use dataverse_tests::{
    Cli, Fixture, MemorySink, SECRET_NAME, assert_complete, assert_same, requests,
};
use serde_json::{Value, json};

const SYNC: [&str; 5] = ["sync", "--to", "jsonl:out", "--stream", "account"];

/// Valid settings for a port at which no server listens, changed.
fn settings(change: impl FnOnce(&mut Value)) -> Value {
    let mut settings = json!({
        "environment": "http://127.0.0.1:9",
        "auth": {
            "type": "client-secret",
            "clientId": dataverse_emulator::CLIENT_ID.to_string(),
            "secret": SECRET_NAME,
        },
        "retry": {"maxWaitSeconds": 0},
    });
    change(&mut settings);
    settings
}

#[test]
fn invalid_settings_are_rejected_by_name() {
    let cases: [(&str, Value, &[&str]); 8] = [
        (
            "a typo",
            settings(|settings| settings["enviroment"] = "https://x.example".into()),
            &["\"enviroment\"", "did you mean \"environment\""],
        ),
        (
            "a typo in a nested object",
            settings(|settings| settings["auth"]["clientID"] = "x".into()),
            &["\"auth.clientID\"", "did you mean \"auth.clientId\""],
        ),
        (
            "http to a foreign host",
            settings(|settings| settings["environment"] = "http://contoso.crm.dynamics.com".into()),
            &["\"environment\"", "https://"],
        ),
        (
            "a host that only looks local",
            settings(|settings| settings["environment"] = "http://127.0.0.1.example.com".into()),
            &["\"environment\"", "https://"],
        ),
        (
            "a foreign authority over http",
            settings(|settings| settings["authority"] = "http://login.example.com".into()),
            &["\"authority\"", "https://"],
        ),
        (
            "an address with a path",
            settings(|settings| settings["environment"] = "https://a.example/main.aspx".into()),
            &["\"environment\""],
        ),
        (
            "a secret instead of its name",
            settings(|settings| settings["auth"]["secret"] = "Abc8Q~hunter2.value".into()),
            &["\"auth.secret\"", "name of the secret"],
        ),
        (
            "an invalid page size",
            settings(|settings| settings["limits"] = json!({"pageSize": 50_000})),
            &["\"limits.pageSize\"", "5000"],
        ),
    ];
    for (name, settings, words) in cases {
        let cli = Cli::new(&settings);
        for arguments in [&["check"][..], &["discover"], &SYNC] {
            println!("{name}: {arguments:?}");
            cli.run(arguments)
                .assert_error(2, words, &[CLIENT_SECRET, "hunter2"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_named() {
    let fixture = Fixture::start().await;
    let cli = Cli::with_secret(&fixture.settings(), None);
    let before = fixture.emulator.statistics().tokens_issued;
    let output = cli.run(&SYNC);
    output.assert_error(3, &[SECRET_NAME], &[]);
    assert!(
        output
            .stderr
            .contains("CONNECTOR_SECRET_CLIENT_SECRET is not set"),
        "{}",
        output.stderr
    );
    let checked = cli.run(&["check"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.stdout.contains(SECRET_NAME), "{}", checked.stdout);
    assert_eq!(fixture.emulator.statistics().tokens_issued, before);
}

#[test]
fn an_unreachable_address_is_named() {
    let cli = Cli::new(&settings(|_| {}));
    cli.run(&SYNC).assert_error(
        7,
        &["http://127.0.0.1:9", "cannot be reached"],
        &[CLIENT_SECRET],
    );
    let checked = cli.run(&["check", "--output", "json"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(report["available"], false);
    let verdicts: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (
                finding["id"].as_str().unwrap(),
                finding["verdict"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        verdicts[..3],
        [
            ("settings", "passed"),
            ("reach", "failed"),
            ("sign-in", "skipped")
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_tables_and_columns_are_named_and_the_others_are_read() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 6,
        contacts: 6,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&fixture.settings());
    let alone = ["sync", "--to", "jsonl:alone", "--stream", "acount"];
    cli.run(&alone)
        .assert_error(5, &["acount", "account"], &[CLIENT_SECRET]);
    let column = [
        "sync",
        "--to",
        "jsonl:column",
        "--stream",
        "account",
        "--columns",
        "nmae",
    ];
    cli.run(&column)
        .assert_error(5, &["account", "\"nmae\"", "name"], &[CLIENT_SECRET]);
    let shouted = ["sync", "--to", "jsonl:shouted", "--stream", "Account"];
    cli.run(&shouted)
        .assert_error(5, &["Account", "account"], &[CLIENT_SECRET]);
    let mixed = [
        "sync",
        "--to",
        "jsonl:mixed",
        "--stream",
        "account",
        "--stream",
        "acount",
        "--stream",
        "contact",
    ];
    cli.run(&mixed)
        .assert_error(9, &["acount"], &[CLIENT_SECRET]);
    for (stream, key) in [("account", "accountid"), ("contact", "contactid")] {
        let rows = fixture.api.rows(stream).await;
        assert_same(
            stream,
            &dataverse_tests::read_json_lines(&cli.file("mixed"), stream, key),
            &rows,
        );
    }
    let described = cli.run(&["discover", "--stream", "acount"]);
    described.assert_error(5, &["acount"], &[CLIENT_SECRET]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_selected_twice_is_rejected_before_any_request() {
    let fixture = Fixture::start().await;
    let memory = MemorySink::new();
    let before = fixture.emulator.statistics();
    let report = fixture
        .sync(&requests(&["account", "account"], 5), memory)
        .await;
    let dataverse_host::End::Call(dataverse_host::CallError::Connector(error)) = report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(error.kind, ErrorKind::InvalidData, "{error}");
    assert!(
        error.message.contains("account is selected twice"),
        "{error}"
    );
    assert_eq!(fixture.emulator.statistics(), before);
}

/// Streams and options in the section `[sync]`.
#[tokio::test(flavor = "multi_thread")]
async fn the_connection_file_selects_what_is_read() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 7,
        contacts: 5,
        ..Sizes::default()
    })
    .await;
    let cli = Cli::new(&fixture.settings());
    cli.append(
        "[sync]\npage-size = 3\n[[sync.streams]]\nname = \"account\"\ncolumns = [\"name\"]\n\
         [[sync.streams]]\nname = \"contact\"\nlabels = true\n",
    );
    let output = cli.run(&["sync", "--to", "jsonl:out", "--output", "json"]);
    output.assert_success();
    output.assert_no_secrets(&[CLIENT_SECRET]);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    let counts: Vec<_> = report["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| {
            (
                stream["stream"].as_str().unwrap(),
                stream["rows"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(counts, [("account", 7), ("contact", 5)]);
    let contacts = dataverse_tests::read_json_lines(&cli.file("out"), "contact", "contactid");
    assert_same(
        "contact",
        &contacts,
        &fixture.api.labelled_rows("contact").await,
    );
    let accounts = dataverse_tests::read_json_lines(&cli.file("out"), "account", "accountid");
    assert!(accounts.values().all(|row| row.len() == 2), "{accounts:?}");
    cli.assert_not_in_files(&[CLIENT_SECRET, fixture.api.token(), "eyJ"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_size_of_the_settings_is_the_default() {
    let fixture = Fixture::with_rows(Sizes {
        accounts: 10,
        ..Sizes::default()
    })
    .await;
    let mut settings = fixture.settings();
    settings["limits"] = json!({"pageSize": 4});
    let profile = fixture.profile_with(&settings);
    let all = [dataverse_host::StreamRequest::all_of("account")];
    let report = dataverse_tests::sync(&profile, &all, MemorySink::new()).await;
    assert_complete(&report);
    assert_eq!((report.streams[0].rows, report.streams[0].pages), (10, 3));
    assert_eq!(report.streams[0].outcome, Outcome::Complete);
}
