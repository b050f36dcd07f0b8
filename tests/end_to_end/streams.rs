//! Views, queries, the audit history and members of lists; filters and column changes.

use std::collections::{BTreeMap, BTreeSet};

use dataverse_host::StreamRequest;
use dataverse_host::contract::{Change, Event, Selection};
use dataverse_tests::{
    Fixture, MemorySink, assert_complete, assert_row_fits, parse_rows, sync_events,
};
use http::Method;
use serde_json::{Value, json};

/// The rows of a sync of one stream, by the value of one column.
async fn rows(fixture: &Fixture, selection: Selection, key: &str) -> dataverse_tests::Rows {
    let mut ndjson = String::new();
    let mut schema = Value::Null;
    for event in sync_events(&fixture.profile(), selection).await.unwrap() {
        match event {
            Event::Page(page) => ndjson.push_str(&page.ndjson),
            Event::Schema(of) => schema = serde_json::from_str(&of.row_schema).unwrap(),
            Event::Failed(failure) => panic!("{}", failure.error.message),
            _ => {}
        }
    }
    let rows = parse_rows(&ndjson, key);
    for row in rows.values() {
        assert_row_fits(&schema, row);
    }
    rows
}

async fn get(fixture: &Fixture, path: &str) -> Value {
    serde_json::from_str(&fixture.api.send(Method::GET, path, None).await.0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_stream_has_the_rows_of_the_saved_view() {
    let fixture = Fixture::with_accounts(25).await;
    let profile = fixture.profile();
    let mut session = dataverse_tests::host().open(&profile).await.unwrap();
    let views = session.list_views(Some("account")).await.unwrap();
    assert!(!views.is_empty());
    for view in views.iter().filter(|view| !view.personal) {
        let id = view.name.strip_prefix("view:").unwrap();
        let mut expected = BTreeSet::new();
        let mut next = Some(format!("accounts?savedQuery={id}"));
        while let Some(path) = next {
            let page = get(&fixture, &path).await;
            for row in page["value"].as_array().unwrap() {
                expected.insert(row["accountid"].as_str().unwrap().to_owned());
            }
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        for name in [view.name.clone(), format!("view:account/{}", view.title)] {
            let selection = Selection::of(&name).with_page_size(7);
            let found = rows(&fixture, selection, "accountid").await;
            let found: BTreeSet<String> = found.into_keys().collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_with_a_join_is_read_in_pages() {
    let fixture = Fixture::with_accounts(25).await;
    let query = r#"<fetch><entity name="contact"><attribute name="fullname"/>
        <link-entity name="account" from="accountid" to="parentcustomerid" alias="company">
        <attribute name="name"/></link-entity></entity></fetch>"#;
    let selection = Selection::of("query:people")
        .with_query(query)
        .with_page_size(4);
    let found = rows(&fixture, selection, "contactid").await;
    let contacts = fixture.api.rows("contact").await;
    let accounts = fixture.api.rows("account").await;
    let mut employed = 0;
    for (id, contact) in &contacts {
        let company = contact["parentcustomerid"].trim_matches('"');
        let Some(account) = accounts.get(company) else {
            assert!(!found.contains_key(id));
            continue;
        };
        employed += 1;
        let row = &found[id];
        assert_eq!(row["fullname"], contact["fullname"]);
        let (_, name) = row
            .iter()
            .find(|(column, _)| column.starts_with("company"))
            .unwrap_or_else(|| panic!("{row:?}"));
        assert_eq!(name, &account["name"]);
    }
    assert!(employed > 4 && found.len() == employed, "{employed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_audit_entry_is_read_once_with_a_row_per_column() {
    let fixture = Fixture::start().await;
    let id = fixture
        .api
        .create("accounts", &json!({"name": "First", "revenue": 10.5}))
        .await;
    for name in ["Second", "Third"] {
        fixture
            .api
            .update("accounts", &id, &json!({"name": name}))
            .await;
    }
    let memory = MemorySink::new();
    let request = [StreamRequest::all_of("audit-history:account")];
    let names = |memory: &MemorySink| -> BTreeSet<(String, String)> {
        let stored = memory.stream("audit-history:account");
        stored
            .rows
            .values()
            .filter(|row| row["column"] == "\"name\"")
            .map(|row| (row["oldvalue"].clone(), row["newvalue"].clone()))
            .collect()
    };
    assert_complete(&fixture.sync(&request, memory.clone()).await);
    let change = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    let mut expected = BTreeSet::from([
        change("null", "\"First\""),
        change("\"First\"", "\"Second\""),
        change("\"Second\"", "\"Third\""),
    ]);
    assert_eq!(names(&memory), expected);

    fixture
        .api
        .update("accounts", &id, &json!({"name": "Fourth"}))
        .await;
    let report = fixture.sync(&request, memory.clone()).await;
    assert_complete(&report);
    expected.insert(change("\"Third\"", "\"Fourth\""));
    assert_eq!(names(&memory), expected);
    assert_eq!(report.streams[0].rows, 1, "only new entries are read");
    let stored = memory.stream("audit-history:account");
    for row in stored.rows.values() {
        assert_row_fits(&stored.row_schema, row);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_and_since_restrict_the_rows() {
    let fixture = Fixture::with_accounts(30).await;
    let all = fixture.api.rows("account").await;
    let filter = "numberofemployees gt 500 or contains(name,'a')";
    let response = get(
        &fixture,
        &format!("accounts?$select=accountid&$filter={filter}"),
    )
    .await;
    let expected: BTreeSet<String> = response["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["accountid"].as_str().unwrap().to_owned())
        .collect();
    assert!(!expected.is_empty() && expected.len() < all.len());
    let selection = Selection::of("account")
        .with_filter(filter)
        .with_page_size(3);
    let found = rows(&fixture, selection, "accountid").await;
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected);

    let mut times: Vec<String> = all
        .values()
        .map(|row| row["modifiedon"].trim_matches('"').to_owned())
        .collect();
    times.sort_unstable();
    let since = times[times.len() / 2].clone();
    let selection = Selection::of("account").with_since(&since);
    let found = rows(&fixture, selection, "accountid").await;
    let expected: BTreeSet<String> = all
        .into_iter()
        .filter(|(_, row)| row["modifiedon"].trim_matches('"') >= since.as_str())
        .map(|(id, _)| id)
        .collect();
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_columns_are_reported() {
    let fixture = Fixture::with_accounts(5).await;
    let first = sync_events(&fixture.profile(), Selection::of("account"))
        .await
        .unwrap();
    let checkpoint = first
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Page(page) => Some(page.checkpoint.clone()),
            _ => None,
        })
        .unwrap();
    fixture
        .emulator
        .remove_column("account", "sample_foundedon")
        .unwrap();
    let attributes = json!({
        "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
        "SchemaName": "sample_Nickname",
        "MaxLength": 50,
        "RequiredLevel": {"Value": "None"},
        "DisplayName": {"LocalizedLabels": [{"Label": "Nickname", "LanguageCode": 1033}]},
    });
    let path = "EntityDefinitions(LogicalName='account')/Attributes";
    fixture
        .api
        .send(Method::POST, path, Some(&attributes.to_string()))
        .await;
    let selection = Selection::of("account").with_checkpoint(checkpoint);
    let second = sync_events(&fixture.profile(), selection).await.unwrap();
    let changes: BTreeMap<String, Change> = second
        .iter()
        .find_map(|event| match event {
            Event::Schema(schema) => Some(&schema.changes),
            _ => None,
        })
        .unwrap()
        .iter()
        .map(|change| (change.column.clone(), change.change))
        .collect();
    assert_eq!(
        changes.iter().collect::<Vec<_>>(),
        [
            (&"sample_foundedon".to_owned(), &Change::Removed),
            (&"sample_nickname".to_owned(), &Change::Added),
        ]
    );
    assert!(
        matches!(second.last(), Some(Event::Complete(_))),
        "{second:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_static_and_dynamic_lists_are_one_stream() {
    let fixture = Fixture::with_accounts(12).await;
    let accounts: Vec<String> = fixture.api.rows("account").await.into_keys().collect();
    let query = "<fetch><entity name=\"account\"><attribute name=\"accountid\"/><filter>\
                 <condition attribute=\"numberofemployees\" operator=\"gt\" value=\"100\"/>\
                 </filter></entity></fetch>";
    let list = |name: &str, dynamic: bool| {
        let mut list = json!({"listname": name, "createdfromcode": 1, "type": dynamic});
        if dynamic {
            list["query"] = query.into();
        }
        list
    };
    let chosen = fixture.api.create("lists", &list("Chosen", false)).await;
    let found = fixture.api.create("lists", &list("Found", true)).await;
    for account in &accounts[..3] {
        let path = format!("lists({chosen})/Microsoft.Dynamics.CRM.AddMemberList");
        let member = json!({"EntityId": account}).to_string();
        fixture.api.send(Method::POST, &path, Some(&member)).await;
    }
    let expected: BTreeSet<String> = get(
        &fixture,
        "accounts?$select=accountid&$filter=numberofemployees gt 100",
    )
    .await["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["accountid"].as_str().unwrap().to_owned())
        .collect();
    assert!(!expected.is_empty() && expected.len() < accounts.len());
    let memory = MemorySink::new();
    let request = [StreamRequest::all_of("list-members")];
    assert_complete(&fixture.sync(&request, memory.clone()).await);
    let stored = memory.stream("list-members");
    let members_of = |list: &str| -> BTreeSet<String> {
        stored
            .rows
            .values()
            .filter(|row| row["listid"].trim_matches('"') == list)
            .map(|row| {
                let (_, member) = row
                    .iter()
                    .find(|(_, value)| {
                        let value = value.trim_matches('"');
                        accounts.iter().any(|account| account == value)
                    })
                    .unwrap_or_else(|| panic!("{row:?}"));
                member.trim_matches('"').to_owned()
            })
            .collect()
    };
    assert_eq!(
        members_of(&chosen),
        accounts[..3].iter().cloned().collect::<BTreeSet<_>>()
    );
    assert_eq!(members_of(&found), expected);
    for row in stored.rows.values() {
        assert_row_fits(&stored.row_schema, row);
    }
}
