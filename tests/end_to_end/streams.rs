//! What is no plain table: views, queries, members of lists, the history of rows; conditions,
//! sweeps, changes of columns.

use std::collections::{BTreeMap, BTreeSet};

use dataverse_host::StreamRequest;
use dataverse_host::contract::{Change, Event, Selection};
use dataverse_tests::{Memory, Stand, all_complete, assert_row_fits, parse_rows, sync_events};
use http::Method;
use serde_json::{Value, json};

/// The rows that a sync of one stream gives, by the value of one column.
async fn rows(stand: &Stand, selection: Selection, key: &str) -> dataverse_tests::Rows {
    let mut ndjson = String::new();
    let mut schema = Value::Null;
    for event in sync_events(&stand.profile(), selection).await.unwrap() {
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

async fn get(stand: &Stand, path: &str) -> Value {
    serde_json::from_str(&stand.api.send(Method::GET, path, None).await.0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_shows_what_the_service_shows_of_it() {
    let stand = Stand::of_accounts(25).await;
    let profile = stand.profile();
    let mut session = dataverse_tests::host().open(&profile).await.unwrap();
    let views = session.list_views(Some("account")).await.unwrap();
    assert!(!views.is_empty());
    for view in views.iter().filter(|view| !view.personal) {
        let id = view.name.strip_prefix("view:").unwrap();
        let mut expected = BTreeSet::new();
        let mut next = Some(format!("accounts?savedQuery={id}"));
        while let Some(path) = next {
            let page = get(&stand, &path).await;
            for row in page["value"].as_array().unwrap() {
                expected.insert(row["accountid"].as_str().unwrap().to_owned());
            }
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        for name in [view.name.clone(), format!("view:account/{}", view.title)] {
            let selection = Selection::of(&name).with_page_size(7);
            let found = rows(&stand, selection, "accountid").await;
            let found: BTreeSet<String> = found.into_keys().collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_read_page_by_page_with_what_it_joins() {
    let stand = Stand::of_accounts(25).await;
    let query = r#"<fetch><entity name="contact"><attribute name="fullname"/>
        <link-entity name="account" from="accountid" to="parentcustomerid" alias="company">
        <attribute name="name"/></link-entity></entity></fetch>"#;
    let selection = Selection::of("query:people")
        .with_query(query)
        .with_page_size(4);
    let found = rows(&stand, selection, "contactid").await;
    let contacts = stand.api.rows("contact").await;
    let accounts = stand.api.rows("account").await;
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
async fn the_history_of_rows_is_read_once_and_column_by_column() {
    let stand = Stand::start().await;
    let id = stand
        .api
        .create("accounts", &json!({"name": "First", "revenue": 10.5}))
        .await;
    for name in ["Second", "Third"] {
        stand
            .api
            .update("accounts", &id, &json!({"name": name}))
            .await;
    }
    let memory = Memory::new();
    let request = [StreamRequest::all_of("audit-history:account")];
    let names = |memory: &Memory| -> BTreeSet<(String, String)> {
        let held = memory.held("audit-history:account");
        held.rows
            .values()
            .filter(|row| row["column"] == "\"name\"")
            .map(|row| (row["oldvalue"].clone(), row["newvalue"].clone()))
            .collect()
    };
    all_complete(&stand.sync(&request, memory.clone()).await);
    let told = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    let mut expected = BTreeSet::from([
        told("null", "\"First\""),
        told("\"First\"", "\"Second\""),
        told("\"Second\"", "\"Third\""),
    ]);
    assert_eq!(names(&memory), expected);

    stand
        .api
        .update("accounts", &id, &json!({"name": "Fourth"}))
        .await;
    let report = stand.sync(&request, memory.clone()).await;
    all_complete(&report);
    expected.insert(told("\"Third\"", "\"Fourth\""));
    assert_eq!(names(&memory), expected);
    assert_eq!(report.streams[0].rows, 1, "only what is new comes");
    let held = memory.held("audit-history:account");
    for row in held.rows.values() {
        assert_row_fits(&held.row_schema, row);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_and_since_restrict_the_rows() {
    let stand = Stand::of_accounts(30).await;
    let all = stand.api.rows("account").await;
    let filter = "numberofemployees gt 500 or contains(name,'a')";
    let answer = get(
        &stand,
        &format!("accounts?$select=accountid&$filter={filter}"),
    )
    .await;
    let expected: BTreeSet<String> = answer["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["accountid"].as_str().unwrap().to_owned())
        .collect();
    assert!(!expected.is_empty() && expected.len() < all.len());
    let selection = Selection::of("account")
        .with_filter(filter)
        .with_page_size(3);
    let found = rows(&stand, selection, "accountid").await;
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected);

    let mut times: Vec<String> = all
        .values()
        .map(|row| row["modifiedon"].trim_matches('"').to_owned())
        .collect();
    times.sort_unstable();
    let since = times[times.len() / 2].clone();
    let selection = Selection::of("account").with_since(&since);
    let found = rows(&stand, selection, "accountid").await;
    let expected: BTreeSet<String> = all
        .into_iter()
        .filter(|(_, row)| row["modifiedon"].trim_matches('"') >= since.as_str())
        .map(|(id, _)| id)
        .collect();
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_columns_are_reported() {
    let stand = Stand::of_accounts(5).await;
    let first = sync_events(&stand.profile(), Selection::of("account"))
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
    stand
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
    stand
        .api
        .send(Method::POST, path, Some(&attributes.to_string()))
        .await;
    let selection = Selection::of("account").with_checkpoint(checkpoint);
    let second = sync_events(&stand.profile(), selection).await.unwrap();
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
async fn members_of_static_and_dynamic_lists_come_as_one_stream() {
    let stand = Stand::of_accounts(12).await;
    let accounts: Vec<String> = stand.api.rows("account").await.into_keys().collect();
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
    let chosen = stand.api.create("lists", &list("Chosen", false)).await;
    let found = stand.api.create("lists", &list("Found", true)).await;
    for account in &accounts[..3] {
        let path = format!("lists({chosen})/Microsoft.Dynamics.CRM.AddMemberList");
        let member = json!({"EntityId": account}).to_string();
        stand.api.send(Method::POST, &path, Some(&member)).await;
    }
    let expected: BTreeSet<String> = get(
        &stand,
        "accounts?$select=accountid&$filter=numberofemployees gt 100",
    )
    .await["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["accountid"].as_str().unwrap().to_owned())
        .collect();
    assert!(!expected.is_empty() && expected.len() < accounts.len());
    let memory = Memory::new();
    let request = [StreamRequest::all_of("list-members")];
    all_complete(&stand.sync(&request, memory.clone()).await);
    let held = memory.held("list-members");
    let members_of = |list: &str| -> BTreeSet<String> {
        held.rows
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
    for row in held.rows.values() {
        assert_row_fits(&held.row_schema, row);
    }
}
