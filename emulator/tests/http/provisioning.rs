//! Users, teams and business units as provisioning creates and changes them
//! (reference §11).

use dataverse_emulator::org::{
    ADMINISTRATOR, DEFAULT_TEAM, INTEGRATION, KEY_ACCOUNTS_TEAM, ROOT_BUSINESS_UNIT, SELLERS,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Response, Service};

fn unit(id: impl std::fmt::Display) -> String {
    format!("/businessunits({id})")
}

async fn new_unit(service: &Service, name: &str, parent: impl std::fmt::Display) -> String {
    let body = json!({"name": name, "parentbusinessunitid@odata.bind": unit(parent)});
    service.create("businessunits", &body).await
}

fn refused(response: &Response, status: u16, code: &str) {
    let (found, message) = response.error();
    assert_eq!(
        (response.status.as_u16(), found.as_str()),
        (status, code),
        "{message}"
    );
}

#[tokio::test]
async fn new_users_get_their_directory_identity() {
    let service = Service::start().await;
    let object = Uuid::from_u128(7);
    service
        .emulator
        .add_application(object, "s3cret", None)
        .unwrap();
    let body =
        json!({"applicationid": object, "businessunitid@odata.bind": unit(ROOT_BUSINESS_UNIT)});
    let user = service.create("systemusers", &body).await;
    let row = service.get(&format!("systemusers({user})")).await.json();
    assert_eq!(row["fullname"], "# Registered application");
    assert_eq!(
        (&row["accessmode"], &row["isdisabled"]),
        (&json!(4), &json!(false))
    );
    assert!(row["azureactivedirectoryobjectid"].is_string());
    let roles = format!(
        "RetrieveAadUserRoles(DirectoryObjectId={})?$select=name",
        row["azureactivedirectoryobjectid"].as_str().unwrap()
    );
    assert!(service.get(&roles).await.rows().is_empty());
    let settings = service
        .get(&format!("usersettingscollection({user})"))
        .await;
    assert_eq!(settings.json()["uilanguageid"], 1033);
    refused(&service.post("systemusers", &body).await, 400, "0x80041D2C");

    let person = json!({"firstname": "Neu", "lastname": "Mann", "domainname": "n@example.com",
        "businessunitid@odata.bind": unit(ROOT_BUSINESS_UNIT)});
    let person_id = service.create("systemusers", &person).await;
    let row = service
        .get(&format!("systemusers({person_id})"))
        .await
        .json();
    assert_eq!(
        (&row["accessmode"], &row["azureactivedirectoryobjectid"]),
        (&json!(0), &Value::Null)
    );
    refused(
        &service.post("systemusers", &person).await,
        400,
        "0x80041D2C",
    );
    let nameless = json!({"lastname": "None"});
    refused(
        &service.post("systemusers", &nameless).await,
        400,
        "0x80040203",
    );

    let path = format!("systemusers({person_id})");
    let own = json!({"parentsystemuserid@odata.bind": format!("/{path}")});
    refused(&service.patch(&path, &own).await, 400, "0x80041D25");
    refused(&service.delete(&path).await, 400, "0x80040203");
    assert_eq!(
        service
            .patch(&path, &json!({"isdisabled": true}))
            .await
            .status,
        204
    );
    assert_eq!(service.delete(&path).await.status, 204);
}

#[tokio::test]
async fn rows_are_assigned_only_to_owners_who_can_read_them() {
    let service = Service::start().await;
    let row = service.create("accounts", &json!({"name": "Owned"})).await;
    let path = format!("accounts({row})");
    let give = async |owner: String| {
        let body = json!({"ownerid@odata.bind": owner});
        service.patch(&path, &body).await
    };
    let access = json!({"name": "Access", "teamtype": 1,
        "businessunitid@odata.bind": unit(ROOT_BUSINESS_UNIT)});
    let access = service.create("teams", &access).await;
    refused(&give(format!("/teams({access})")).await, 400, "0x80048340");
    refused(
        &give(format!("/teams({DEFAULT_TEAM})")).await,
        403,
        "0x80042F09",
    );
    refused(
        &give(format!("/systemusers({INTEGRATION})")).await,
        403,
        "0x80042F09",
    );
    let body = json!({"name": "New", "ownerid@odata.bind": format!("/teams({DEFAULT_TEAM})")});
    refused(&service.post("accounts", &body).await, 403, "0x80042F09");
    let seller = format!("systemusers({})", SELLERS[0]);
    assert_eq!(
        service
            .patch(&seller, &json!({"isdisabled": true}))
            .await
            .status,
        204
    );
    refused(&give(format!("/{seller}")).await, 400, "0x8004022B");
    assert_eq!(
        give(format!("/teams({KEY_ACCOUNTS_TEAM})")).await.status,
        204
    );

    let team = format!("teams({KEY_ACCOUNTS_TEAM})");
    refused(&service.delete(&team).await, 400, "0x8004830E");
    refused(
        &service.patch(&team, &json!({"teamtype": 1})).await,
        400,
        "0x80048336",
    );
    assert_eq!(
        give(format!("/systemusers({ADMINISTRATOR})")).await.status,
        204
    );
    assert_eq!(service.delete(&team).await.status, 204);
}

#[tokio::test]
async fn business_units_are_deleted_only_when_empty() {
    let service = Service::start().await;
    let upper = new_unit(&service, "Upper", ROOT_BUSINESS_UNIT).await;
    let lower = new_unit(&service, "Lower", &upper).await;
    let taken = json!({"name": "lower", "parentbusinessunitid@odata.bind": unit(&upper)});
    refused(
        &service.post("businessunits", &taken).await,
        400,
        "0x8004022A",
    );
    let path = |id: &str| format!("businessunits({id})");
    let loops = json!({"parentbusinessunitid@odata.bind": unit(&lower)});
    refused(
        &service.patch(&path(&upper), &loops).await,
        400,
        "0x80041D21",
    );
    let disabled = json!({"isdisabled": true});
    let root = path(&ROOT_BUSINESS_UNIT.to_string());
    refused(&service.patch(&root, &disabled).await, 400, "0x80041D59");

    let me = service.get("WhoAmI").await.json()["UserId"].clone();
    let me = format!("systemusers({})", me.as_str().unwrap());
    let other = format!("systemusers({ADMINISTRATOR})");
    assert_eq!(service.patch(&other, &disabled).await.status, 204);
    refused(&service.patch(&me, &disabled).await, 400, "0x80041D2F");

    refused(&service.delete(&path(&upper)).await, 400, "0x80041D60");
    for unit in [&upper, &lower] {
        assert_eq!(service.patch(&path(unit), &disabled).await.status, 204);
    }
    refused(&service.delete(&path(&upper)).await, 400, "0x80041D61");
    let team = json!({"name": "Team", "businessunitid@odata.bind": unit(ROOT_BUSINESS_UNIT)});
    assert_eq!(service.post("teams", &team).await.status, 204);
    refused(&service.post("teams", &team).await, 400, "0x8004022A");
    for unit in [&lower, &upper] {
        assert_eq!(service.delete(&path(unit)).await.status, 204);
    }
}

#[tokio::test]
async fn a_role_belongs_to_the_business_unit_of_its_holder() {
    let service = Service::start().await;
    let elsewhere = new_unit(&service, "Elsewhere", ROOT_BUSINESS_UNIT).await;
    let found = format!(
        "roles?$select=roleid&$filter=name eq 'Salesperson' and _businessunitid_value eq {elsewhere}"
    );
    let role = service.get(&found).await.rows().remove(0)["roleid"].clone();
    let reference = json!({"@odata.id": format!("roles({})", role.as_str().unwrap())});
    let path = format!("systemusers({ADMINISTRATOR})/systemuserroles_association/$ref");
    let response = service.post(&path, &reference).await;
    refused(&response, 400, "0x80041409");
    let message = response.error().1;
    assert!(message.contains(&elsewhere) && message.contains(&ROOT_BUSINESS_UNIT.to_string()));
}

#[tokio::test]
async fn rows_follow_their_owner_into_another_business_unit() {
    let service = Service::start().await;
    let elsewhere = new_unit(&service, "Elsewhere", ROOT_BUSINESS_UNIT).await;
    let owner = format!("/systemusers({})", SELLERS[0]);
    let body = json!({"name": "Follows", "ownerid@odata.bind": owner});
    let account = service.create("accounts", &body).await;
    let move_to = json!({"businessunitid@odata.bind": unit(&elsewhere)});
    let path = format!("systemusers({})", SELLERS[0]);
    assert_eq!(service.patch(&path, &move_to).await.status, 204);
    let row = service.get(&format!("accounts({account})")).await.json();
    assert_eq!(row["_owningbusinessunit_value"], elsewhere.as_str());
    let roles = format!("{path}/systemuserroles_association");
    assert!(service.get(&roles).await.rows().is_empty());

    let team = format!("teams({KEY_ACCOUNTS_TEAM})");
    assert_eq!(service.patch(&team, &move_to).await.status, 204);
    let roles = format!("{team}/teamroles_association");
    assert!(service.get(&roles).await.rows().is_empty());
}
