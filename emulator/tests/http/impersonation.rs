//! Impersonation (reference §7.5).

use dataverse_emulator::org::{ADMINISTRATOR, Depth, SELLERS};
use hyper::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    privileges::Account,
    support::{Response, Service},
};

impl Service {
    async fn as_user(&self, header: &str, user: &str, method: Method, path: &str) -> Response {
        let body = if method == Method::GET {
            ""
        } else {
            "{\"name\":\"Contoso\"}"
        };
        self.send(method, path, &[(header, user)], body).await
    }
}

#[tokio::test]
async fn a_row_records_the_impersonating_user() {
    let service = Service::start().await;
    let me = service.get("WhoAmI").await.json()["UserId"].clone();
    let seller = SELLERS[0].to_string();
    let header = "mscrmcallerid";
    let who = service
        .as_user(header, &seller, Method::GET, "WhoAmI")
        .await
        .json();
    assert_eq!(who["UserId"], json!(seller));

    let made = service
        .as_user(header, &seller, Method::POST, "accounts")
        .await;
    assert_eq!(made.status, 204, "{}", made.text);
    let path = made.header("odata-entityid").rsplit('/').next().unwrap();
    let columns = "_createdby_value,_createdonbehalfby_value,_modifiedby_value,\
                   _modifiedonbehalfby_value,_ownerid_value";
    let read = async || {
        service
            .get(&format!("{path}?$select={columns}"))
            .await
            .json()
    };
    let row = read().await;
    for column in ["_createdby_value", "_modifiedby_value", "_ownerid_value"] {
        assert_eq!(row[column], json!(seller), "{column}");
    }
    for column in ["_createdonbehalfby_value", "_modifiedonbehalfby_value"] {
        assert_eq!(row[column], me, "{column}");
    }
    // The log records both users; a later change without impersonation clears the delegate.
    let id = path.split(['(', ')']).nth(1).unwrap();
    let log = format!(
        "audits?$select=_userid_value,_callinguserid_value&$filter=_objectid_value eq {id}"
    );
    let entry = service.get(&log).await.rows().remove(0);
    assert_eq!(entry["_userid_value"], json!(seller));
    assert_eq!(entry["_callinguserid_value"], me);
    service.patch(path, &json!({"name": "Fabrikam"})).await;
    let row = read().await;
    assert_eq!(row["_modifiedby_value"], me);
    assert_eq!(row["_modifiedonbehalfby_value"], json!(null));
    assert_eq!(row["_createdonbehalfby_value"], me);
}

#[tokio::test]
async fn a_user_is_named_by_either_id_and_each_part_of_a_batch_may_name_one() {
    let service = Service::start().await;
    let query = "systemusers?$select=azureactivedirectoryobjectid&$filter=\
                 azureactivedirectoryobjectid ne null and domainname eq 'jonas@example.com'";
    let jonas = service.get(query).await.rows().remove(0);
    let object = jonas["azureactivedirectoryobjectid"].as_str().unwrap();
    let who = service
        .as_user("callerobjectid", object, Method::GET, "WhoAmI")
        .await;
    assert_eq!(who.json()["UserId"], jonas["systemuserid"]);

    let part = |headers: &str| {
        format!(
            "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             GET /api/data/v9.2/WhoAmI HTTP/1.1\r\n{headers}\r\n\r\n"
        )
    };
    let named = format!("CallerObjectId: {object}\r\n");
    let body = format!("{}{}--b--\r\n", part(&named), part(""));
    let headers = [("content-type", "multipart/mixed; boundary=b")];
    let response = service.send(Method::POST, "$batch", &headers, &body).await;
    let id = jonas["systemuserid"].as_str().unwrap();
    assert_eq!(response.text.matches(id).count(), 1, "{}", response.text);
}

#[tokio::test]
async fn impersonation_needs_a_privilege_and_grants_what_both_users_hold() {
    let service = Service::start().await;
    let account = Account::new(&service).await;
    let administrator = ADMINISTRATOR.to_string();
    let read = async |path: &str| account.send_as(&administrator, "GET", path).await;
    account.hold(&[("prvReadAccount", Depth::Global)]);
    let refused = read("accounts").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.error().0, "0x8004A110");

    account.hold(&[
        ("prvReadAccount", Depth::Basic),
        ("prvActOnBehalfOfAnotherUser", Depth::Global),
    ]);
    service
        .create("accounts", &json!({"name": "Contoso"}))
        .await;
    // The administrator sees every account; impersonating, only those of the user.
    assert_eq!(service.get("accounts").await.rows().len(), 1);
    assert_eq!(read("accounts").await.rows().len(), 0);
    assert_eq!(read("contacts").await.error().0, "0x80040220");

    let nobody = Uuid::from_u128(9).to_string();
    for (header, code, status) in [
        ("mscrmcallerid", "0x80040217", 404),
        ("callerobjectid", "0x80072560", 403),
    ] {
        let response = service
            .as_user(header, &nobody, Method::GET, "WhoAmI")
            .await;
        assert_eq!(
            (response.error().0.as_str(), response.status.as_u16()),
            (code, status)
        );
    }
    let malformed = service
        .as_user("mscrmcallerid", "jonas", Method::GET, "WhoAmI")
        .await;
    assert_eq!(malformed.status, 400);
}
