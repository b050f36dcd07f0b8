//! Secured columns (reference §7.6).

use dataverse_emulator::org::Depth;
use hyper::Method;
use serde_json::{Value, json};

use crate::{
    privileges::Account,
    support::{Response, Service},
};

const READER: &[(&str, Depth)] = &[
    ("prvReadAccount", Depth::Global),
    ("prvWriteAccount", Depth::Global),
    ("prvCreateAccount", Depth::Global),
    ("prvReadEntity", Depth::Global),
];

fn code(response: &Response) -> (u16, String) {
    (response.status.as_u16(), response.error().0)
}

#[tokio::test]
async fn secured_columns_are_null_without_permission() {
    let service = Service::start().await;
    let emulator = &service.emulator;
    emulator
        .secure_column("account", "telephone1", true)
        .unwrap();
    emulator.secure_column("account", "revenue", true).unwrap();
    let row = json!({"name": "A", "telephone1": "0123", "revenue": 5});
    let id = service.create("accounts", &row).await;
    let one = format!("accounts({id})?$select=name,telephone1,revenue,revenue_base");
    let open = service.get(&one).await.json();
    assert_eq!(open["telephone1"], "0123");

    let account = Account::new(&service).await;
    account.hold(READER);
    let hidden = account.get(&one).await.json();
    assert_eq!(hidden["name"], "A");
    for column in ["telephone1", "revenue", "revenue_base"] {
        assert_eq!(hidden[column], Value::Null, "{column}");
    }
    let fetch = "accounts?fetchXml=%3Cfetch%3E%3Centity name='account'%3E%3Cattribute \
                 name='telephone1'/%3E%3C/entity%3E%3C/fetch%3E";
    assert!(
        account.get(fetch).await.rows()[0]
            .get("telephone1")
            .is_none()
    );
    let property = account.get(&format!("accounts({id})/telephone1")).await;
    assert_eq!(property.status, 204);
    for query in ["$filter=telephone1 eq '0123'", "$orderby=telephone1"] {
        let refused = account.get(&format!("accounts?{query}")).await;
        assert_eq!(code(&refused), (403, "0x8004f504".to_owned()), "{query}");
    }
    let path = format!("accounts({id})");
    let refused = account
        .send("PATCH", &path, &json!({"telephone1": "9"}))
        .await;
    assert_eq!(code(&refused), (403, "0x8004f507".to_owned()));
    let refused = account
        .send("POST", "accounts", &json!({"telephone1": "9"}))
        .await;
    assert_eq!(code(&refused), (403, "0x8004f502".to_owned()));
    let other = account.send("PATCH", &path, &json!({"name": "B"})).await;
    assert_eq!(other.status, 204);

    let profile = service
        .create("fieldsecurityprofiles", &json!({"name": "Phones"}))
        .await;
    let permission = |column: &str| {
        json!({"entityname": "account", "attributelogicalname": column, "canread": 4,
               "cancreate": 0, "canupdate": 4, "fieldsecurityprofileid@odata.bind":
               format!("/fieldsecurityprofiles({profile})")})
    };
    service
        .create("fieldpermissions", &permission("telephone1"))
        .await;
    let unguarded = service.post("fieldpermissions", &permission("fax")).await;
    assert_eq!(code(&unguarded), (400, "0x8004f508".to_owned()));
    let member = json!({"@odata.id": service.address(&format!("systemusers({})", account.user))});
    let path_of_members =
        format!("fieldsecurityprofiles({profile})/systemuserprofiles_association/$ref");
    let joined = service.post(&path_of_members, &member).await;
    assert_eq!(joined.status, 204, "{}", joined.text);
    let seen = account.get(&one).await.json();
    assert_eq!(
        (&seen["telephone1"], &seen["revenue"]),
        (&json!("0123"), &Value::Null)
    );
    let changed = account
        .send("PATCH", &path, &json!({"telephone1": "9"}))
        .await;
    assert_eq!(changed.status, 204, "{}", changed.text);
    let refused = account
        .send("POST", "accounts", &json!({"telephone1": "9"}))
        .await;
    assert_eq!(code(&refused), (403, "0x8004f502".to_owned()));

    let definition = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='telephone1')\
                      ?$select=IsSecured,CanBeSecuredForRead";
    let definition = account.get(definition).await.json();
    assert_eq!(definition["IsSecured"], true);
    assert_eq!(definition["CanBeSecuredForRead"], true);
    let id_column = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='accountid')\
                     ?$select=CanBeSecuredForRead";
    assert_eq!(
        account.get(id_column).await.json()["CanBeSecuredForRead"],
        false
    );
}

#[tokio::test]
async fn changes_of_secured_columns_are_not_in_the_history() {
    let service = Service::start().await;
    service
        .emulator
        .secure_column("account", "telephone1", true)
        .unwrap();
    let id = service
        .create("accounts", &json!({"name": "A", "telephone1": "0123"}))
        .await;
    let account = Account::new(&service).await;
    let mut privileges = READER.to_vec();
    privileges.push(("prvReadAuditSummary", Depth::Global));
    privileges.push(("prvReadRecordAuditHistory", Depth::Global));
    account.hold(&privileges);
    let path = format!(
        "RetrieveRecordChangeHistory(Target=@t,PagingInfo=@p)?@t={{'@odata.id':'accounts({id})'}}\
         &@p={{\"PageNumber\":1,\"Count\":10}}"
    );
    let path = path.replace('{', "%7B").replace('}', "%7D");
    let told = service.send(Method::GET, &path, &[], "").await;
    assert!(told.text.contains("0123"), "{}", told.text);
    let told = account.get(&path).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert!(told.text.contains("AttributeAuditDetail") && !told.text.contains("0123"));
}
