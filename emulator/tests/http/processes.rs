//! Business process flows and marketing lists (reference §12.3).

use dataverse_emulator::{
    Emulator,
    seed::{
        generate::{self, Sizes},
        marketing, processes,
    },
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::Service;

async fn sales() -> Service {
    let emulator = Emulator::builder().seed(|store| {
        generate::run(store, 3, &Sizes::of_accounts(60))?;
        processes::run(store)?;
        marketing::run(store)?;
        Ok(())
    });
    Service::with(emulator.start().await.unwrap()).await
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn every_opportunity_stands_in_one_stage_of_one_process() {
    let service = sales().await;
    let flows = service
        .get(
            "workflows?$filter=category eq 4 and type eq 1 and statecode eq 1\
             &$select=name,uniquename,primaryentity",
        )
        .await
        .rows();
    assert_eq!(flows.len(), 2);
    let opportunities = service
        .get("opportunities?$select=statecode,_originatingleadid_value")
        .await
        .rows();
    let mut seen = 0;
    for flow in &flows {
        let table = text(&flow["uniquename"]);
        let set = service
            .get(&format!(
                "EntityDefinitions(LogicalName='{table}')?$select=EntitySetName"
            ))
            .await
            .json();
        let set = text(&set["EntitySetName"]).to_owned();
        let stages = service
            .get(&format!(
                "processstages?$filter=_processid_value eq {}&$orderby=stagecategory",
                text(&flow["workflowid"])
            ))
            .await
            .rows();
        let ids: Vec<&str> = stages
            .iter()
            .map(|stage| text(&stage["processstageid"]))
            .collect();
        assert_eq!(ids.len(), 4);
        let instances = service.get(&set).await.rows();
        seen += instances.len();
        for instance in instances.iter().take(5) {
            let opportunity = opportunities
                .iter()
                .find(|row| row["opportunityid"] == instance["_opportunityid_value"])
                .unwrap();
            let path: Vec<&str> = text(&instance["traversedpath"]).split(',').collect();
            assert!(ids.starts_with(&path));
            assert_eq!(
                path.last().copied(),
                instance["_activestageid_value"].as_str()
            );
            assert_eq!(instance["_processid_value"], flow["workflowid"]);
            let open = opportunity["statecode"] == 0;
            assert_eq!(instance["statecode"], json!(i64::from(!open)));
            assert_eq!(instance["completedon"].is_null(), open);
            let id = text(&instance["businessprocessflowinstanceid"]);
            let path = service
                .get(&format!("RetrieveActivePath(ProcessInstanceId={id})"))
                .await
                .rows();
            let path: Vec<&str> = path
                .iter()
                .map(|stage| text(&stage["processstageid"]))
                .collect();
            assert_eq!(path, ids);
        }
    }
    assert_eq!(seen, opportunities.len());
    // The stage is changed as the reference says.
    let instance = &service
        .get("opportunitysalesprocesses?$filter=statecode eq 0&$top=1")
        .await
        .rows()[0];
    let close = service
        .get(&format!(
            "processstages?$filter=_processid_value eq {} and stagecategory eq 3",
            text(&instance["_processid_value"])
        ))
        .await
        .rows();
    let close = text(&close[0]["processstageid"]);
    let id = text(&instance["businessprocessflowinstanceid"]);
    let body = json!({"activestageid@odata.bind": format!("/processstages({close})"),
                      "traversedpath": close});
    let response = service
        .patch(&format!("opportunitysalesprocesses({id})"), &body)
        .await;
    assert_eq!(response.status, 204, "{}", response.text);
}

#[tokio::test]
async fn lists_have_members_or_a_query() {
    let service = sales().await;
    let lists = service
        .get("lists?$select=listname,type,query,membercount,createdfromcode")
        .await
        .rows();
    let named = |name: &str| lists.iter().find(|list| list["listname"] == name).unwrap();
    let newsletter = text(&named("Newsletter")["listid"]);
    let members = format!("lists({newsletter})/listcontact_association");
    let count = service
        .get(&format!("{members}?$select=contactid"))
        .await
        .rows()
        .len();
    assert_eq!(named("Newsletter")["membercount"], json!(count));

    let contact = service
        .create("contacts", &json!({"lastname": "New"}))
        .await;
    let reference = json!({"@odata.id": service.address(&format!("contacts({contact})"))});
    let added = service.post(&format!("{members}/$ref"), &reference).await;
    assert_eq!(added.status, 204, "{}", added.text);
    assert_eq!(
        service
            .post(&format!("{members}/$ref"), &reference)
            .await
            .status,
        412
    );
    service.delete(&format!("{members}({contact})/$ref")).await;
    let action = |name: &str| format!("lists({newsletter})/Microsoft.Dynamics.CRM.{name}");
    let body = json!({"EntityId": contact});
    let added = service.post(&action("AddMemberList"), &body).await;
    assert_eq!(added.status, 200, "{}", added.text);
    let members = service
        .get(&format!("listmembers?$filter=_entityid_value eq {contact}"))
        .await
        .rows();
    assert_eq!(members[0]["listmemberid"], added.json()["Id"]);
    let row = service
        .get(&format!("lists({newsletter})?$select=membercount"))
        .await
        .json();
    assert_eq!(row["membercount"], json!(count + 1));
    assert_eq!(
        service
            .post(&action("RemoveMemberList"), &body)
            .await
            .status,
        204
    );
    let log = service
        .get(&format!(
            "audits?$filter=_objectid_value eq {newsletter}&$select=action"
        ))
        .await
        .rows();
    let mut actions: Vec<i64> = log
        .iter()
        .map(|entry| entry["action"].as_i64().unwrap())
        .collect();
    actions.sort_unstable();
    assert_eq!(actions, [2, 2, 31, 31, 32, 32]);

    let dynamic = named("Contacts with an e-mail address");
    assert_eq!(dynamic["type"], json!(true));
    let query = utf8_percent_encode(text(&dynamic["query"]), NON_ALPHANUMERIC);
    let found = service.get(&format!("contacts?fetchXml={query}")).await;
    assert!(!found.rows().is_empty(), "{}", found.text);
    let list = text(&dynamic["listid"]);
    let action = format!("lists({list})/Microsoft.Dynamics.CRM.AddMemberList");
    let refused = service.post(&action, &body).await;
    assert_eq!(refused.status, 400);
    assert!(refused.error().1.contains("dynamic"));
}
