//! The audit log (reference §10).

use dataverse_emulator::{Emulator, org};
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Response, Service};

impl Service {
    /// The log's rows about a row, oldest first: action, operation, key.
    async fn log(&self, id: &str) -> Vec<Value> {
        let response = self
            .get(&format!(
                "audits?$filter=_objectid_value eq {id}&$orderby=createdon"
            ))
            .await;
        assert_eq!(response.status, 200, "{}", response.text);
        let mut rows = response.rows();
        rows.sort_by_key(|row| row["versionnumber"].as_i64());
        rows
    }

    async fn actions(&self, id: &str) -> Vec<i64> {
        let rows = self.log(id).await;
        rows.iter()
            .map(|row| row["action"].as_i64().unwrap())
            .collect()
    }

    async fn detail(&self, entry: &Value) -> Response {
        let id = entry["auditid"].as_str().unwrap();
        let path = format!("audits({id})/Microsoft.Dynamics.CRM.RetrieveAuditDetails");
        let response = self.get(&path).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response
    }

    async fn history(&self, function: &str, target: &str, paging: &str) -> Response {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let target = encode(&format!("{{'@odata.id':'{target}'}}"));
        let paging = encode(paging);
        self.get(&format!("{function}?@target={target}&@paginginfo={paging}"))
            .await
    }
}

#[tokio::test]
async fn every_write_is_audited_column_by_column() {
    let service = Service::start().await;
    let me = service.get("WhoAmI").await.json()["UserId"].clone();
    let contact = json!({"lastname": "Smith"});
    let id = service
        .create(
            "accounts",
            &json!({"name": "Añejo", "revenue": 10, "primarycontactid": contact}),
        )
        .await;
    let row = format!("accounts({id})");
    let update = json!({
        "name": "new", "revenue": 10.0, "creditonhold": true, "numberofemployees": 7,
        "primarycontactid@odata.bind": null,
    });
    assert_eq!(service.patch(&row, &update).await.status, 204);
    assert_eq!(
        service.patch(&row, &json!({"name": "new"})).await.status,
        204
    );
    let seller = format!("/systemusers({})", org::SELLERS[0]);
    service
        .patch(&row, &json!({"ownerid@odata.bind": seller}))
        .await;
    service.patch(&row, &json!({"statecode": 1})).await;
    service.delete(&row).await;

    let log = service.log(&id).await;
    let told: Vec<_> = log
        .iter()
        .map(|entry| {
            (
                entry["action"].as_i64().unwrap(),
                entry["operation"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [(1, 1), (2, 2), (13, 2), (5, 2), (3, 3)]);
    for entry in &log {
        assert_eq!(entry["objecttypecode"], "account");
        assert_eq!(entry["_userid_value"], me);
        assert_eq!(entry["_callinguserid_value"], Value::Null);
    }
    let detail = service.detail(&log[1]).await;
    let detail = &detail.json()["AuditDetail"];
    assert_eq!(
        detail["@odata.type"],
        "#Microsoft.Dynamics.CRM.AttributeAuditDetail"
    );
    let (old, new) = (&detail["OldValue"], &detail["NewValue"]);
    assert_eq!(old["@odata.type"], "#Microsoft.Dynamics.CRM.account");
    assert_eq!(
        (&old["name"], &new["name"]),
        (&json!("Añejo"), &json!("new"))
    );
    assert_eq!(new["creditonhold"], json!(true));
    assert_eq!(new["numberofemployees"], json!(7));
    assert!(old["_primarycontactid_value"].is_string());
    assert!(new.get("_primarycontactid_value").is_none());
    assert!(new.get("revenue").is_none(), "10 and 10.0 are one amount");
    assert!(new.get("modifiedon").is_none());
    let created = service.detail(&log[0]).await;
    assert!(
        created.text.contains("\"revenue\":10.0000"),
        "{}",
        created.text
    );
    let deleted = service.detail(&log[4]).await.json();
    assert_eq!(deleted["AuditDetail"]["OldValue"]["name"], "new");
    let numbers = log[1]["attributemask"].as_str().unwrap();
    let name = service
        .get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')")
        .await
        .json();
    let number = name["ColumnNumber"].to_string();
    assert!(numbers.split(',').any(|one| one == number), "{numbers}");

    // The log is read-only; its users are not expanded and have no navigation annotations.
    assert_eq!(service.post("audits", &json!({})).await.status, 400);
    let response = service
        .get_preferring(
            &format!("audits?$filter=_objectid_value eq {id}&$expand=userid($select=fullname)"),
            "odata.include-annotations=\"*\"",
        )
        .await;
    let first = &response.rows()[0];
    assert_eq!(first["userid"], Value::Null);
    assert_eq!(
        first["_objectid_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "account"
    );
    let navigation = "_userid_value@Microsoft.Dynamics.CRM.associatednavigationproperty";
    assert!(first.get(navigation).is_none());
}

#[tokio::test]
async fn states_links_roles_and_shares_are_audited() {
    let service = Service::start().await;
    let opportunity = service.create("opportunities", &json!({"name": "o"})).await;
    let row = format!("opportunities({opportunity})");
    service
        .patch(&row, &json!({"statecode": 1, "statuscode": 3}))
        .await;
    service
        .patch(&row, &json!({"statecode": 0, "statuscode": 1}))
        .await;
    service
        .patch(&row, &json!({"statecode": 2, "statuscode": 4}))
        .await;
    assert_eq!(service.actions(&opportunity).await, [1, 44, 21, 45]);

    let user = org::SELLERS[1].to_string();
    let roles = service
        .get(&format!(
            "roles?$select=roleid&$filter=name eq 'Basic User' and _businessunitid_value eq {}",
            org::SALES_BUSINESS_UNIT
        ))
        .await
        .rows();
    let role = roles[0]["roleid"].as_str().unwrap();
    let link = format!("systemusers({user})/systemuserroles_association");
    let reference = json!({"@odata.id": service.address(&format!("roles({role})"))});
    let given = service.post(&format!("{link}/$ref"), &reference).await;
    assert_eq!(given.status, 204, "{}", given.text);
    service.delete(&format!("{link}({role})/$ref")).await;
    assert_eq!(service.actions(&user).await, [55, 56]);
    let given = &service.log(&user).await[0];
    let detail = service.detail(given).await.json();
    assert_eq!(
        detail["AuditDetail"],
        json!({
            "@odata.type": "#Microsoft.Dynamics.CRM.RelationshipAuditDetail",
            "RelationshipName": "systemuserroles_association",
            "TargetRecords": [{"@odata.type": "#Microsoft.Dynamics.CRM.role", "roleid": role}],
        })
    );

    let team = org::KEY_ACCOUNTS_TEAM.to_string();
    let members = json!({"Members": [{
        "@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": user,
    }]});
    let action = format!("teams({team})/Microsoft.Dynamics.CRM.");
    service
        .post(&format!("{action}AddMembersTeam"), &members)
        .await;
    service
        .post(&format!("{action}RemoveMembersTeam"), &members)
        .await;
    assert_eq!(service.actions(&team).await, [35, 36]);

    let account = service.create("accounts", &json!({"name": "shared"})).await;
    let share = |mask: &str| {
        json!({
            "Target": {"accountid": account, "@odata.type": "Microsoft.Dynamics.CRM.account"},
            "PrincipalAccess": {"AccessMask": mask, "Principal": {
                "teamid": team, "@odata.type": "Microsoft.Dynamics.CRM.team",
            }},
        })
    };
    for (action, mask) in [
        ("GrantAccess", "ReadAccess"),
        ("ModifyAccess", "ReadAccess,WriteAccess"),
    ] {
        let response = service.post(action, &share(mask)).await;
        assert_eq!(response.status, 204, "{}", response.text);
    }
    let log = service.log(&account).await;
    assert_eq!(service.actions(&account).await, [1, 14, 48]);
    let detail = &service.detail(&log[2]).await.json()["AuditDetail"];
    assert_eq!(
        detail["@odata.type"],
        "#Microsoft.Dynamics.CRM.ShareAuditDetail"
    );
    assert_eq!(detail["OldPrivileges"], "ReadAccess");
    assert_eq!(detail["NewPrivileges"], "ReadAccess, WriteAccess");
    assert_eq!(detail["Principal"]["teamid"], json!(team));

    let unit = format!("/businessunits({})", org::ROOT_BUSINESS_UNIT);
    let role = service
        .create(
            "roles",
            &json!({"name": "Auditor", "businessunitid@odata.bind": unit}),
        )
        .await;
    let privilege = service
        .get("privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'")
        .await
        .rows()[0]["privilegeid"]
        .clone();
    let body = json!({"Privileges": [{"Depth": "Global", "PrivilegeId": privilege}]});
    let action = format!("roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole");
    assert_eq!(service.post(&action, &body).await.status, 204);
    let log = service.log(&role).await;
    assert_eq!(log.last().unwrap()["action"], json!(57));
    let detail = &service.detail(log.last().unwrap()).await.json()["AuditDetail"];
    assert_eq!(detail["NewRolePrivileges"][0]["PrivilegeId"], privilege);
    assert_eq!(detail["NewRolePrivileges"][0]["Depth"], "Global");
}

#[tokio::test]
async fn histories_are_paged_and_need_a_privilege() {
    let service = Service::start().await;
    let id = service
        .create("contacts", &json!({"lastname": "v0", "jobtitle": "a"}))
        .await;
    let row = format!("contacts({id})");
    for version in 1..4 {
        service
            .patch(&row, &json!({"lastname": format!("v{version}")}))
            .await;
    }
    service.patch(&row, &json!({"jobtitle": "b"})).await;
    let all = "RetrieveRecordChangeHistory(Target=@target,PagingInfo=@paginginfo)";
    let paging = |page: u32| {
        json!({"PageNumber": page, "Count": 2, "ReturnTotalRecordCount": true}).to_string()
    };
    let mut seen = Vec::new();
    for page in 1.. {
        let response = service.history(all, &row, &paging(page)).await;
        assert_eq!(response.status, 200, "{}", response.text);
        let body = response.json();
        let collection = &body["AuditDetailCollection"];
        assert_eq!(collection["TotalRecordCount"], json!(5));
        assert!(collection["AuditDetails"][0].get("AuditRecord").is_none());
        let cookie = collection["PagingCookie"].as_str().unwrap();
        assert!(cookie.starts_with(&format!("<cookie page=\"{page}\"><auditid last=\"{{")));
        seen.extend(collection["AuditDetails"].as_array().unwrap().clone());
        if collection["MoreRecords"] == json!(false) {
            break;
        }
    }
    let names: Vec<_> = seen
        .iter()
        .filter_map(|detail| detail["NewValue"]["lastname"].as_str())
        .collect();
    assert_eq!((seen.len(), names), (5, vec!["v3", "v2", "v1", "v0"]));
    let one = "RetrieveAttributeChangeHistory(Target=@target,AttributeLogicalName='jobtitle',\
               PagingInfo=@paginginfo)";
    let body = service.history(one, &row, &paging(1)).await.json();
    assert_eq!(body["AuditDetailCollection"]["TotalRecordCount"], json!(2));

    let reader = Uuid::from_u128(0x81);
    let emulator: &Emulator = &service.emulator;
    emulator
        .add_application(reader, "s3cret", Some(org::Role::BasicUser))
        .unwrap();
    let reader = reader.to_string();
    let token = service
        .request_token(&[("client_id", &reader), ("client_secret", "s3cret")])
        .await;
    let token = format!("Bearer {}", token.json()["access_token"].as_str().unwrap());
    let headers = [("authorization", token.as_str())];
    let refused = service.send(Method::GET, "audits", &headers, "").await;
    assert_eq!(refused.status, 403);
    assert!(refused.error().1.contains("prvReadAuditSummary"));
    let function = format!("RetrieveRecordChangeHistory(Target=@t)?@t={{'@odata.id':'{row}'}}");
    let refused = service.send(Method::GET, &function, &headers, "").await;
    assert_eq!(refused.status, 403);
    assert!(refused.error().1.contains("prvReadRecordAuditHistory"));
}

#[tokio::test]
async fn auditing_follows_the_switches_and_ignores_failed_writes() {
    let service = Service::start().await;
    let count = async || {
        let response = service.get("audits/$count").await;
        response.text.parse::<u64>().unwrap()
    };
    let before = count().await;
    service
        .create("annotations", &json!({"subject": "not audited"}))
        .await;
    assert_eq!(count().await, before);
    let refused = service
        .post("accounts", &json!({"name": "x", "nothing": 1}))
        .await;
    assert_eq!((refused.status.as_u16(), count().await), (400, before));
    let organization = format!("organizations({})", org::ORGANIZATION);
    let switch = async |on: bool| {
        let body = json!({"isauditenabled": on});
        assert_eq!(service.patch(&organization, &body).await.status, 204);
    };
    switch(false).await;
    let id = service.create("accounts", &json!({"name": "unseen"})).await;
    assert_eq!(service.actions(&id).await, Vec::<i64>::new());
    switch(true).await;
    assert_eq!(
        service.actions(&org::ORGANIZATION.to_string()).await,
        [110, 107]
    );
    service
        .patch(&format!("accounts({id})"), &json!({"name": "seen"}))
        .await;
    assert_eq!(service.actions(&id).await, [2]);
    // The requests of a change set are one transaction; a day's work is logged as well.
    let before = count().await;
    service.emulator.work_a_day(7, 20).unwrap();
    assert!(count().await > before);
}
