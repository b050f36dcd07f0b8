//! Actions on leads and opportunities (reference §12.4), and bulk deletion (§8.3).

use dataverse_emulator::org::Depth;
use serde_json::{Value, json};

use crate::{privileges::Account, support::Service};

impl Service {
    async fn row(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status, 200, "{path}: {}", response.text);
        response.json()
    }
}

#[tokio::test]
async fn an_opportunity_is_closed_by_an_activity() {
    let service = Service::start().await;
    for (action, status, state) in [("WinOpportunity", 3, 1), ("LoseOpportunity", 5, 2)] {
        let id = service
            .create("opportunities", &json!({"name": "Fleet"}))
            .await;
        let body = |status: i64| {
            json!({"Status": status, "OpportunityClose": {
                "@odata.type": "Microsoft.Dynamics.CRM.opportunityclose",
                "subject": "Done", "actualrevenue": 1250.75, "actualend": "2024-03-01T10:00:00Z",
                "opportunityid@odata.bind": service.address(&format!("opportunities({id})"))}})
        };
        let wrong = service.post(action, &body(1)).await;
        assert_eq!(wrong.error().0, "0x80048408", "{}", wrong.text);
        let response = service.post(action, &body(status)).await;
        assert_eq!(response.status, 204, "{}", response.text);
        let path = format!(
            "opportunities({id})?$select=statecode,statuscode,actualclosedate,\
                            actualvalue"
        );
        let row = service.row(&path).await;
        assert_eq!(row["statecode"], state);
        assert_eq!(row["statuscode"], status);
        assert_eq!(row["actualclosedate"], "2024-03-01");
        assert_eq!(row["actualvalue"], json!(1250.75));
        let closes = service
            .get(&format!(
                "opportunitycloses?$select=subject,statecode&$filter=_opportunityid_value eq {id} \
                 and _regardingobjectid_value eq {id}"
            ))
            .await
            .rows();
        assert_eq!(closes.len(), 1);
        assert_eq!(closes[0]["statecode"], 1);
        assert_eq!(service.post(action, &body(status)).await.status, 400);
    }
}

#[tokio::test]
async fn a_qualified_lead_becomes_account_contact_and_opportunity() {
    let service = Service::start().await;
    let lead = json!({"subject": "Ten bikes", "firstname": "Zoë", "lastname": "Smith",
                      "companyname": "Adventure Works", "emailaddress1": "zoe@example.com",
                      "estimatedamount": 99.5});
    let id = service.create("leads", &lead).await;
    let path = format!("leads({id})/Microsoft.Dynamics.CRM.QualifyLead");
    let body = json!({"CreateAccount": true, "CreateContact": true, "CreateOpportunity": true,
                      "Status": 3});
    let response = service.post(&path, &body).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let context = response.json()["@odata.context"].clone();
    assert!(
        context
            .as_str()
            .unwrap()
            .ends_with("$metadata#Collection(Microsoft.Dynamics.CRM.crmbaseentity)")
    );
    let made = response.rows();
    let key = |name: &str| {
        let kind = format!("#Microsoft.Dynamics.CRM.{name}");
        let row = made.iter().find(|row| row["@odata.type"] == kind).unwrap();
        row[format!("{name}id")].as_str().unwrap().to_owned()
    };
    let (account, contact, opportunity) = (key("account"), key("contact"), key("opportunity"));
    let row = service.row(&format!("contacts({contact})")).await;
    assert_eq!(row["fullname"], "Zoë Smith");
    assert_eq!(row["emailaddress1"], "zoe@example.com");
    assert_eq!(row["_parentcustomerid_value"], json!(account));
    let row = service.row(&format!("opportunities({opportunity})")).await;
    assert_eq!(row["name"], "Ten bikes");
    assert_eq!(row["_customerid_value"], json!(account));
    assert_eq!(row["_originatingleadid_value"], json!(id));
    assert_eq!(row["estimatedvalue"], json!(99.5));
    let row = service.row(&format!("leads({id})")).await;
    assert_eq!(row["statecode"], 1);
    assert_eq!(row["statuscode"], 3);
    assert_eq!(row["_qualifyingopportunityid_value"], json!(opportunity));
    let again = service.post(&path, &body).await;
    assert_eq!(again.status, 400);
    // Only the lead changes when no rows are requested.
    let other = service.create("leads", &lead).await;
    let path = format!("leads({other})/Microsoft.Dynamics.CRM.QualifyLead");
    let response = service.post(&path, &json!({"Status": -1})).await;
    assert!(response.rows().is_empty(), "{}", response.text);
}

#[tokio::test]
async fn bulk_delete_deletes_the_rows_of_a_query() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for number in 0..4 {
        let body = json!({"name": format!("old {number}"), "numberofemployees": number});
        ids.push(service.create("accounts", &body).await);
    }
    let job = |operator: &str, conditions: Value| {
        json!({
            "JobName": "clear up", "SendEmailNotification": false, "ToRecipients": [],
            "CCRecipients": [], "RecurrencePattern": "", "StartDateTime": "2024-01-01T00:00:00Z",
            "QuerySet": [{
                "@odata.type": "Microsoft.Dynamics.CRM.QueryExpression",
                "EntityName": "account",
                "ColumnSet": {"AllColumns": false, "Columns": []},
                "Criteria": {"FilterOperator": operator, "Conditions": conditions},
            }],
        })
    };
    let by_key = json!([{"AttributeName": "accountid", "Operator": "In", "Values": [
        {"Value": ids[0], "Type": "System.Guid"}, {"Value": ids[1], "Type": "System.Guid"}]}]);
    let response = service.post("BulkDelete", &job("And", by_key)).await;
    assert_eq!(response.status, 200, "{}", response.text);
    let id = response.json()["JobId"].as_str().unwrap().to_owned();
    let row = service
        .row(&format!(
            "asyncoperations({id})?$select=name,operationtype,statecode,statuscode"
        ))
        .await;
    assert_eq!(row["name"], "clear up");
    assert_eq!(
        (&row["statecode"], &row["statuscode"]),
        (&json!(3), &json!(30))
    );
    let names = async || {
        let rows = service
            .get("accounts?$select=name&$orderby=name")
            .await
            .rows();
        rows.iter()
            .map(|row| row["name"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["\"old 2\"", "\"old 3\""]);

    let account = Account::new(&service).await;
    let either = job(
        "Or",
        json!([{"AttributeName": "name", "Operator": "BeginsWith", "Values": [{"Value": "old 2"}]},
               {"AttributeName": "numberofemployees", "Operator": "GreaterThan",
                "Values": [{"Value": 7, "Type": "System.Int32"}]}]),
    );
    account.hold(&[
        ("prvReadAccount", Depth::Global),
        ("prvDeleteAccount", Depth::Basic),
    ]);
    let refused = account.send("POST", "BulkDelete", &either).await;
    assert_eq!(refused.error().0, "0x80040220");
    account.hold(&[
        ("prvBulkDelete", Depth::Global),
        ("prvReadAccount", Depth::Global),
        ("prvDeleteAccount", Depth::Basic),
    ]);
    // Rows of other owners stay.
    let response = account.send("POST", "BulkDelete", &either).await;
    assert_eq!(response.status, 200, "{}", response.text);
    assert_eq!(names().await.len(), 2);
    service.post("BulkDelete", &either).await;
    assert_eq!(names().await, ["\"old 3\""]);
}
