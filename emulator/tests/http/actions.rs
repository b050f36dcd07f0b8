//! Actions and functions on rows of sales and service: merging, queues, rows made from others
//! (reference §12.3, §12.4).

use serde_json::{Value, json};

use crate::support::Service;

fn row(table: &str, id: &str) -> Value {
    json!({"@odata.type": format!("Microsoft.Dynamics.CRM.{table}"), format!("{table}id"): id})
}

fn merge(table: &str, target: &str, subordinate: &str, content: &Value) -> Value {
    json!({"Target": row(table, target), "Subordinate": row(table, subordinate),
        "UpdateContent": content, "PerformParentingChecks": false})
}

#[tokio::test]
async fn merge_moves_references_to_the_remaining_row() {
    let service = Service::start().await;
    let target = service
        .create("accounts", &json!({"name": "Stays", "fax": "1"}))
        .await;
    let other = service
        .create("accounts", &json!({"name": "Goes", "fax": "2"}))
        .await;
    let customer = format!("/accounts({other})");
    let contact = json!({"lastname": "Moved", "parentcustomerid_account@odata.bind": customer});
    let contact = service.create("contacts", &contact).await;
    let task = json!({"subject": "Moved", "regardingobjectid_account_task@odata.bind": customer});
    let task = service.create("tasks", &task).await;
    for account in [&target, &other] {
        let list = json!({"listname": account, "createdfromcode": 1, "type": false,
            "listaccount_association@odata.bind": [format!("/accounts({account})")]});
        service.create("lists", &list).await;
    }
    let content = json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountnumber": "1234"});
    let body = merge("account", &target, &other, &content);
    let response = service.post("Merge", &body).await;
    assert_eq!(
        (response.status.as_u16(), response.text.as_str()),
        (204, "")
    );

    let kept = service.get(&format!("accounts({target})")).await.json();
    assert_eq!(
        (&kept["accountnumber"], &kept["fax"]),
        (&json!("1234"), &json!("1"))
    );
    let gone = service.get(&format!("accounts({other})")).await.json();
    for (name, value) in [
        ("statecode", json!(1)),
        ("statuscode", json!(2)),
        ("merged", json!(true)),
        ("_masterid_value", json!(target)),
    ] {
        assert_eq!(gone[name], value, "{name}");
    }
    let of = async |path: String, column: &str| service.get(&path).await.json()[column].clone();
    assert_eq!(
        of(format!("contacts({contact})"), "_parentcustomerid_value").await,
        target.as_str()
    );
    assert_eq!(
        of(format!("tasks({task})"), "_regardingobjectid_value").await,
        target.as_str()
    );
    let lists = format!("accounts({target})/listaccount_association");
    assert_eq!(service.get(&lists).await.rows().len(), 2);

    // A merged row, a row with itself and a row of another table cannot be merged.
    for (one, another) in [(&target, &other), (&target, &target)] {
        let again = merge("account", one, another, &Value::Null);
        assert_eq!(service.post("Merge", &again).await.status, 400);
    }
    let mut mixed = merge("account", &target, &other, &Value::Null);
    mixed["Subordinate"] = row("contact", &contact);
    assert_eq!(service.post("Merge", &mixed).await.error().0, "0x80040800");
}

#[tokio::test]
async fn merge_compares_parents_on_request() {
    let service = Service::start().await;
    let account = service.create("accounts", &json!({"name": "Parent"})).await;
    let one = service
        .create("contacts", &json!({"lastname": "One"}))
        .await;
    let other = json!({"lastname": "Other",
        "parentcustomerid_account@odata.bind": format!("/accounts({account})")});
    let other = service.create("contacts", &other).await;
    let mut body = merge("contact", &one, &other, &Value::Null);
    body["PerformParentingChecks"] = json!(true);
    assert_eq!(service.post("Merge", &body).await.status, 400);
    body["PerformParentingChecks"] = json!(false);
    assert_eq!(service.post("Merge", &body).await.status, 204);
}

#[tokio::test]
async fn a_row_is_in_one_queue_at_a_time() {
    let service = Service::start().await;
    let mut queues = Vec::new();
    for name in ["First", "Second"] {
        queues.push(service.create("queues", &json!({"name": name})).await);
    }
    let task = service.create("tasks", &json!({"subject": "Queued"})).await;
    let target = json!({"@odata.type": "Microsoft.Dynamics.CRM.task", "activityid": task});
    let mut items = Vec::new();
    for queue in &queues {
        let action = format!("queues({queue})/Microsoft.Dynamics.CRM.AddToQueue");
        let response = service.post(&action, &json!({"Target": target})).await;
        assert_eq!(response.status, 200, "{}", response.text);
        let response = response.json();
        let context = response["@odata.context"].as_str().unwrap();
        assert!(context.ends_with("#Microsoft.Dynamics.CRM.AddToQueueResponse"));
        items.push(response["QueueItemId"].as_str().unwrap().to_owned());
    }
    assert_eq!(items[0], items[1]);
    let item = service
        .get(&format!("queueitems({})", items[0]))
        .await
        .json();
    assert_eq!(item["_queueid_value"], queues[1].as_str());
    assert_eq!(
        (&item["_objectid_value"], &item["title"]),
        (&json!(task), &json!("Queued"))
    );
    let account = service.create("accounts", &json!({"name": "None"})).await;
    let action = format!("queues({})/Microsoft.Dynamics.CRM.AddToQueue", queues[0]);
    let wrong = service
        .post(&action, &json!({"Target": row("account", &account)}))
        .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn initialize_from_copies_the_mapped_columns() {
    let service = Service::start().await;
    let account = json!({"name": "Parent", "address1_city": "Seattle", "telephone1": "1"});
    let account = service.create("accounts", &account).await;
    let ask = |target: &str| {
        format!(
            "InitializeFrom(EntityMoniker=@p1,TargetEntityName=@p2,TargetFieldType=@p3)\
             ?@p1={{'@odata.id':'accounts({account})'}}&@p2='{target}'\
             &@p3=Microsoft.Dynamics.CRM.TargetFieldType'ValidForCreate'"
        )
    };
    let response = service
        .get(&ask("contact").replace('{', "%7B").replace('}', "%7D"))
        .await;
    assert_eq!(response.status, 200, "{}", response.text);
    let mut body = response.json();
    assert!(
        body["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("/$metadata#contacts/$entity")
    );
    assert_eq!(body["@odata.type"], "#Microsoft.Dynamics.CRM.contact");
    assert_eq!(
        body["parentcustomerid_account@odata.bind"],
        format!("accounts({account})")
    );
    assert!(body["transactioncurrencyid@odata.bind"].is_string());
    body["lastname"] = json!("Filled");
    let contact = service.create("contacts", &body).await;
    let made = service.get(&format!("contacts({contact})")).await.json();
    assert_eq!(made["_parentcustomerid_value"], account.as_str());
    assert_eq!(
        (&made["address1_city"], &made["telephone1"]),
        (&json!("Seattle"), &json!("1"))
    );
    let none = service
        .get(&ask("list").replace('{', "%7B").replace('}', "%7D"))
        .await;
    assert_eq!(none.status, 400);
}

#[tokio::test]
async fn duplicates_are_rejected_when_detection_is_requested() {
    let service = Service::start().await;
    let first = service
        .create(
            "contacts",
            &json!({"lastname": "One", "emailaddress1": "a@b.example"}),
        )
        .await;
    let twin = json!({"lastname": "Two", "emailaddress1": "A@B.example"}).to_string();
    let send = async |method: hyper::Method, path: &str, body: &str| {
        let headers = [("MSCRM.SuppressDuplicateDetection", "false")];
        let response = service.send(method, path, &headers, body).await;
        (response.status.as_u16(), response.text)
    };
    let (status, text) = send(hyper::Method::POST, "contacts", &twin).await;
    assert_eq!(status, 412);
    assert!(text.contains("0x80040333"), "{text}");
    let other = service
        .create("contacts", &serde_json::from_str(&twin).unwrap())
        .await;
    let path = format!("contacts({other})");
    let change = json!({"jobtitle": "Twin"}).to_string();
    assert_eq!(send(hyper::Method::PATCH, &path, &change).await.0, 412);
    // Only active rows count, and only rules that are published.
    let inactive = json!({"statecode": 1});
    assert_eq!(
        service
            .patch(&format!("contacts({first})"), &inactive)
            .await
            .status,
        204
    );
    assert_eq!(send(hyper::Method::PATCH, &path, &change).await.0, 204);

    let rule = json!({"name": "Own", "baseentityname": "account", "matchingentityname": "account",
        "DuplicateRule_DuplicateRuleConditions": [{"baseattributename": "telephone1",
            "matchingattributename": "telephone1", "operatorcode": 1, "operatorparam": 3}]});
    let rule = service.create("duplicaterules", &rule).await;
    service
        .create("accounts", &json!({"name": "A", "telephone1": "555 1"}))
        .await;
    let publish = format!("duplicaterules({rule})/Microsoft.Dynamics.CRM.PublishDuplicateRule");
    let unpublish = json!({"DuplicateRuleId": rule});
    for (name, published) in [("B", false), ("C", true), ("D", false)] {
        let done = if published {
            service.post(&publish, &json!({})).await
        } else {
            service.post("UnpublishDuplicateRule", &unpublish).await
        };
        assert!(done.status.is_success(), "{}", done.text);
        let body = json!({"name": name, "telephone1": "555 2"}).to_string();
        let expected = if published { 412 } else { 204 };
        let (status, text) = send(hyper::Method::POST, "accounts", &body).await;
        assert_eq!(status, expected, "{name}: {text}");
    }
}

#[tokio::test]
async fn a_connection_is_two_rows_that_mirror_one_another() {
    let service = Service::start().await;
    let account = service.create("accounts", &json!({"name": "From"})).await;
    let contact = service.create("contacts", &json!({"lastname": "To"})).await;
    let body = json!({"record1id_account@odata.bind": format!("/accounts({account})"),
        "record2id_contact@odata.bind": format!("/contacts({contact})"), "description": "d"});
    let id = service.create("connections", &body).await;
    let row = service.get(&format!("connections({id})")).await.json();
    assert_eq!(
        (&row["ismaster"], &row["name"]),
        (&json!(true), &json!("To"))
    );
    let mirror = row["_relatedconnectionid_value"].as_str().unwrap();
    let path = format!("connections({mirror})");
    let image = service.get(&path).await.json();
    for (name, value) in [
        ("ismaster", json!(false)),
        ("name", json!("From")),
        ("_record1id_value", json!(contact)),
        ("_record2id_value", json!(account)),
        ("_relatedconnectionid_value", json!(id)),
        ("description", json!("d")),
    ] {
        assert_eq!(image[name], value, "{name}");
    }
    let changed = json!({"description": "other"});
    assert_eq!(service.patch(&path, &changed).await.status, 204);
    let row = service.get(&format!("connections({id})")).await.json();
    assert_eq!(row["description"], "other");
    assert_eq!(
        service.delete(&format!("connections({id})")).await.status,
        204
    );
    assert_eq!(service.get(&path).await.status, 404);
    let alone = json!({"record1id_account@odata.bind": format!("/accounts({account})")});
    assert_eq!(
        service.post("connections", &alone).await.error().0,
        "0x80040200"
    );
}

#[tokio::test]
async fn rows_have_every_required_value() {
    let service = Service::start().await;
    for (set, code) in [
        ("lists", "0x80040200"),
        ("queueitems", "0x80040200"),
        ("transactioncurrencies", "0x80040200"),
        ("organizations", "0x80040800"),
        ("usersettingscollection", "0x80040800"),
        ("listmembers", "0x80040800"),
    ] {
        let response = service.post(set, &json!({})).await;
        assert_eq!(
            (response.status.as_u16(), response.error().0.as_str()),
            (400, code),
            "{set}"
        );
    }
    let organization = service.get("organizations").await.rows().remove(0);
    let id = organization["organizationid"].as_str().unwrap();
    let kept = service.delete(&format!("organizations({id})")).await;
    assert_eq!(kept.error().0, "0x80040800");
    let list = service
        .create(
            "lists",
            &json!({"listname": "L", "createdfromcode": 2, "type": false}),
        )
        .await;
    let mut members = Vec::new();
    for name in ["One", "Two"] {
        let contact = service.create("contacts", &json!({"lastname": name})).await;
        members.push(row("contact", &contact));
    }
    let body = json!({"List": row("list", &list), "Members": members});
    for _ in 0..2 {
        let response = service.post("AddListMembersList", &body).await;
        assert_eq!(response.status, 204, "{}", response.text);
    }
    let path = format!("lists({list})/listcontact_association");
    assert_eq!(service.get(&path).await.rows().len(), 2);
    let task = service.create("tasks", &json!({"subject": "Done"})).await;
    let path = format!("tasks({task})");
    assert_eq!(
        service.patch(&path, &json!({"statecode": 1})).await.status,
        204
    );
    assert!(service.get(&path).await.json()["actualend"].is_string());
}
