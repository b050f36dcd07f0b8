//! Relating rows: when they are created, and with custom relationships (reference §7.4).

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn a_new_row_binds_existing_rows_to_its_collections() {
    let service = Service::start().await;
    let contact = service
        .create("contacts", &json!({"lastname": "Primary"}))
        .await;
    let mut tasks = Vec::new();
    for subject in ["Task 1", "Task 2"] {
        tasks.push(service.create("tasks", &json!({"subject": subject})).await);
    }
    let body = json!({
        "name": "Sample",
        "primarycontactid@odata.bind": format!("/contacts({contact})"),
        "Account_Tasks@odata.bind": [format!("/tasks({})", tasks[0]), format!("/tasks({})", tasks[1])],
    });
    let response = service
        .send(
            hyper::Method::POST,
            "accounts?$select=name&$expand=primarycontactid($select=fullname),\
             Account_Tasks($select=subject)",
            &[("prefer", "return=representation")],
            &body.to_string(),
        )
        .await;
    assert_eq!(response.status, 201, "{}", response.text);
    let made = response.json();
    assert_eq!(made["Account_Tasks"].as_array().unwrap().len(), 2);
    assert_eq!(made["primarycontactid"]["contactid"], contact.as_str());
    let list = json!({"listname": "Static", "createdfromcode": 2, "type": false,
        "listcontact_association@odata.bind": [format!("contacts({contact})")]});
    let list = service.create("lists", &list).await;
    let members = service
        .get(&format!("lists({list})/listcontact_association"))
        .await
        .rows();
    assert_eq!(members[0]["contactid"], contact.as_str());

    // A bind to a missing or wrong row creates nothing.
    for address in [
        format!("/contacts({contact})"),
        "/tasks(00000000-0000-0000-0000-000000000001)".to_owned(),
    ] {
        let body = json!({"name": "Nothing", "Account_Tasks@odata.bind": [address]});
        assert!(
            service
                .post("accounts", &body)
                .await
                .status
                .is_client_error()
        );
    }
    let left = service
        .get("accounts?$filter=name eq 'Nothing'")
        .await
        .rows();
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_many_to_many_relationship_is_created_used_and_deleted() {
    let service = Service::start().await;
    let body = json!({
        "@odata.type": "Microsoft.Dynamics.CRM.ManyToManyRelationshipMetadata",
        "SchemaName": "new_accounts_campaigns",
        "Entity1LogicalName": "account",
        "Entity2LogicalName": "campaign",
        "IntersectEntityName": "new_accounts_campaigns",
        "Entity1AssociatedMenuConfiguration": {"Behavior": "UseLabel", "Group": "Details"},
    });
    let made = service.post("RelationshipDefinitions", &body).await;
    assert_eq!(made.status, 204, "{}", made.text);
    let address = made.header("odata-entityid").to_owned();
    let definition = service.follow(&address, "").await.json();
    for (name, value) in [
        ("RelationshipType", json!("ManyToManyRelationship")),
        ("IsCustomRelationship", json!(true)),
        ("IntersectEntityName", json!("new_accounts_campaigns")),
        ("Entity1IntersectAttribute", json!("accountid")),
        (
            "Entity2NavigationPropertyName",
            json!("new_accounts_campaigns"),
        ),
    ] {
        assert_eq!(definition[name], value, "{name}: {definition}");
    }
    let again = service.post("RelationshipDefinitions", &body).await;
    assert_eq!(
        (again.status.as_u16(), again.error().0.as_str()),
        (400, "0x8004432B")
    );

    let account = service.create("accounts", &json!({"name": "One"})).await;
    let campaign = service.create("campaigns", &json!({"name": "Many"})).await;
    let collection = format!("accounts({account})/new_accounts_campaigns");
    let reference = json!({"@odata.id": service.address(&format!("campaigns({campaign})"))});
    for expected in [204, 412] {
        let response = service
            .post(&format!("{collection}/$ref"), &reference)
            .await;
        assert_eq!(response.status, expected, "{}", response.text);
    }
    let other_side = format!("campaigns({campaign})/new_accounts_campaigns?$select=name");
    assert_eq!(service.get(&other_side).await.rows()[0]["name"], "One");
    let rows = service.get("new_accounts_campaignsset").await.rows();
    assert_eq!(rows[0]["campaignid"], campaign.as_str());
    let filter = "accounts?$select=name&$filter=new_accounts_campaigns/any(c:c/name eq 'Many')";
    assert_eq!(service.get(filter).await.rows().len(), 1);
    let parted = service
        .delete(&format!("{collection}({campaign})/$ref"))
        .await;
    assert_eq!(parted.status, 204);
    assert!(service.get(&collection).await.rows().is_empty());

    let key = address.split("/api/data/v9.2/").nth(1).unwrap();
    assert_eq!(service.delete(key).await.status, 204);
    assert_eq!(service.get(&collection).await.status, 404);
    assert_eq!(service.get("new_accounts_campaignsset").await.status, 404);
    let standard = "RelationshipDefinitions(SchemaName='teammembership_association')";
    assert_eq!(service.delete(standard).await.status, 400);
}

#[tokio::test]
async fn hierarchies_have_no_loops() {
    let service = Service::start().await;
    let top = service.create("accounts", &json!({"name": "Top"})).await;
    let below = json!({"name": "Below", "parentaccountid@odata.bind": format!("accounts({top})")});
    let below = service.create("accounts", &below).await;
    for parent in [&top, &below] {
        let body = json!({"parentaccountid@odata.bind": format!("/accounts({parent})")});
        let response = service.patch(&format!("accounts({top})"), &body).await;
        assert_eq!(
            (response.status.as_u16(), response.error().0.as_str()),
            (400, "0x80040507")
        );
    }
    let contact = service
        .create("contacts", &json!({"firstname": "A", "lastname": "B"}))
        .await;
    let path = format!("contacts({contact})");
    let own = json!({"parentcustomerid_contact@odata.bind": format!("/{path}")});
    assert_eq!(service.patch(&path, &own).await.error().0, "0x80040387");
    // A full name follows its parts.
    let body = json!({"firstname": null, "lastname": null});
    assert_eq!(service.patch(&path, &body).await.status, 204);
    assert!(service.get(&path).await.json()["fullname"].is_null());
}

#[tokio::test]
async fn bypassing_custom_logic_needs_a_privilege() {
    let service = Service::start().await;
    let send = async |headers: &[(&str, &str)]| {
        let body = json!({"name": "Past"}).to_string();
        let response = service
            .send(hyper::Method::POST, "accounts", headers, &body)
            .await;
        response.status.as_u16()
    };
    let logic = "MSCRM.BypassBusinessLogicExecution";
    let steps = "MSCRM.BypassBusinessLogicExecutionStepIds";
    assert_eq!(send(&[(logic, "CustomSync,CustomAsync")]).await, 204);
    assert_eq!(send(&[(logic, "Everything")]).await, 400);
    assert_eq!(send(&[(steps, "1,2,3,4")]).await, 400);
    assert_eq!(
        send(&[("MSCRM.BypassCustomPluginExecution", "true")]).await,
        204
    );
    let account = crate::privileges::Account::new(&service).await;
    let global = dataverse_emulator::org::Depth::Global;
    account.hold(&[("prvCreateAccount", global), ("prvReadAccount", global)]);
    let token = account.token();
    for header in [
        (logic, "CustomSync"),
        ("MSCRM.BypassCustomPluginExecution", "true"),
    ] {
        assert_eq!(
            send(&[("authorization", token), header]).await,
            403,
            "{header:?}"
        );
    }
    assert_eq!(send(&[("authorization", token)]).await, 204);
}
