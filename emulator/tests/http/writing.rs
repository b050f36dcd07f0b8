//! Writes (reference §7).

use hyper::Method;
use serde_json::json;

use crate::support::Service;

const MISSING: &str = "00000000-0000-0000-0000-000000000001";

#[tokio::test]
async fn a_patch_is_an_upsert_unless_headers_say_otherwise() {
    let service = Service::start().await;
    let path = format!("accounts({MISSING})");
    let send = async |condition: &[(&str, &str)], body: &str| {
        service.send(Method::PATCH, &path, condition, body).await
    };
    let only_update = send(&[("if-match", "*")], "{\"name\":\"x\"}").await;
    assert_eq!(only_update.status, 404);
    assert_eq!(only_update.error().0, "0x80040217");
    let created = send(&[("prefer", "return=representation")], "{\"name\":\"x\"}").await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("odata-entityid"), "");
    let etag = created.header("etag").to_owned();
    let updated = send(&[("prefer", "return=representation")], "{\"name\":\"y\"}").await;
    assert_eq!(updated.status, 200);
    assert_eq!(
        updated.header("preference-applied"),
        "return=representation"
    );
    let only_insert = send(&[("if-none-match", "*")], "{\"name\":\"z\"}").await;
    assert_eq!(only_insert.status, 412);
    assert_eq!(
        only_insert.error().1,
        "A record with matching key values already exists."
    );
    let stale = send(&[("if-match", &etag)], "{\"name\":\"z\"}").await;
    assert_eq!(
        stale.error(),
        (
            "0x80060882".into(),
            "The version of the existing record doesn't match the RowVersion property provided."
                .into()
        )
    );
    assert_eq!(stale.status, 412);
    let fresh = send(&[("if-match", updated.header("etag"))], "{\"name\":\"z\"}").await;
    assert_eq!(fresh.status, 204);
    assert_eq!(fresh.header("odata-entityid"), service.address(&path));

    // By alternate key the response repeats the key; on create the body takes precedence.
    let by_key = "accounts(accountnumber='K1')";
    let response = service.patch(by_key, &json!({"name": "keyed"})).await;
    assert_eq!(response.header("odata-entityid"), service.address(by_key));
    assert_eq!(
        service.get(&format!("{by_key}?$select=name")).await.json()["name"],
        "keyed"
    );
    let duplicate = service
        .post("accounts", &json!({"accountnumber": "k1"}))
        .await;
    assert_eq!(
        (duplicate.status.as_u16(), duplicate.error().0.as_str()),
        (412, "0x80060892")
    );
    let duplicate = service
        .post("accounts", &json!({"accountid": MISSING}))
        .await;
    assert_eq!(
        (duplicate.status.as_u16(), duplicate.error().0.as_str()),
        (412, "0x80040237")
    );
}

#[tokio::test]
async fn invalid_values_are_rejected_with_the_service_messages() {
    let service = Service::start().await;
    for (set, body, code, message) in [
        (
            "tasks",
            json!({"subject": "x".repeat(201)}),
            "0x80044331",
            "A validation error occurred.  The length of the 'subject' attribute of the 'task' entity \
          exceeded the maximum allowed length of '200'.",
        ),
        (
            "accounts",
            json!({"Name": "x"}),
            "0x80048d19",
            "Invalid property 'Name' was found in entity 'Microsoft.Dynamics.CRM.account'.",
        ),
        (
            "contacts",
            json!({"lastname": "x", "parentcustomerid@odata.bind": "/accounts(1)"}),
            "0x80048d19",
            "Error identified in Payload provided by the user for Entity :'contacts' ----> \
          InnerException : Microsoft.OData.ODataException: An undeclared property \
          'parentcustomerid' which only has property annotations in the payload but no property \
          value was found in the payload",
        ),
        (
            "accounts",
            json!({"numberofemployees": "five"}),
            "0x80048d19",
            "Error identified in Payload provided by the user for Entity :'accounts'",
        ),
        (
            "accounts",
            json!({"customertypecode": 999}),
            "0x8004431a",
            "A validation error occurred.",
        ),
        (
            "accounts",
            json!({"statecode": 0, "statuscode": 2}),
            "0x80048408",
            "2 is not a valid status code for state code AccountState.Active on account with Id",
        ),
        (
            "contacts",
            json!({"birthdate": "2023-02-29"}),
            "0x80048d19",
            "Error identified",
        ),
        (
            "activitypointers",
            json!({"subject": "x"}),
            "0x80040800",
            "The 'Create' method",
        ),
    ] {
        let response = service.post(set, &body).await;
        assert_eq!(response.status, 400, "{body}");
        let (found, text) = response.error();
        assert_eq!(found, code, "{body}: {text}");
        assert!(text.starts_with(message), "{text}");
    }
    let bound = json!({"primarycontactid@odata.bind": format!("/contacts({MISSING})")});
    assert_eq!(service.post("accounts", &bound).await.status, 404);
    assert_eq!(service.get("accounts/$count").await.text, "0");
}

#[tokio::test]
async fn lookups_are_bound_and_released() {
    let service = Service::start().await;
    let contact = service.create("contacts", &json!({"lastname": "C"})).await;
    let mut accounts = Vec::new();
    for address in [
        format!("/contacts({contact})"),
        format!("contacts({contact})"),
        service.address(&format!("contacts({contact})")),
    ] {
        let body = json!({"name": "A", "primarycontactid@odata.bind": address});
        accounts.push(service.create("accounts", &body).await);
    }
    let filter = format!("accounts?$filter=_primarycontactid_value eq {contact}");
    assert_eq!(service.get(&filter).await.rows().len(), 3);
    let reference = format!("accounts({})/primarycontactid/$ref", accounts[0]);
    assert_eq!(service.delete(&reference).await.status, 204);
    let body = json!({"@odata.id": format!("contacts({contact})")}).to_string();
    assert_eq!(
        service
            .send(Method::PUT, &reference, &[], &body)
            .await
            .status,
        204
    );
    let clear = json!({"primarycontactid@odata.bind": null});
    assert_eq!(
        service
            .patch(&format!("accounts({})", accounts[1]), &clear)
            .await
            .status,
        204
    );
    assert_eq!(service.get(&filter).await.rows().len(), 2);
    // Deleting the contact empties the lookups that refer to it.
    assert_eq!(
        service.delete(&format!("contacts({contact})")).await.status,
        204
    );
    assert_eq!(service.get(&filter).await.rows().len(), 0);
    assert_eq!(service.get("accounts/$count").await.text, "3");
    assert_eq!(
        service.delete(&format!("contacts({contact})")).await.status,
        404
    );

    let user = service
        .get("systemusers?$select=fullname&$filter=fullname eq 'Mei Tanaka'")
        .await;
    let user = user.rows()[0]["systemuserid"].as_str().unwrap().to_owned();
    let owner = json!({"ownerid@odata.bind": format!("/systemusers({user})")});
    let path = format!("accounts({})", accounts[0]);
    assert_eq!(service.patch(&path, &owner).await.status, 204);
    let row = service
        .get(&format!("{path}?$select=_ownerid_value,_owninguser_value"))
        .await
        .json();
    assert_eq!(
        (&row["_ownerid_value"], &row["_owninguser_value"]),
        (&json!(user), &json!(user))
    );
}

#[tokio::test]
async fn computed_columns_follow() {
    let service = Service::start().await;
    let euro = service
        .get("transactioncurrencies?$filter=isocurrencycode eq 'EUR'")
        .await
        .rows();
    let euro = euro[0]["transactioncurrencyid"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = service
        .create("accounts", &json!({
            "name": "A", "revenue": 92.1234, "address1_city": "Oslo", "address1_country": "Norway",
            "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({euro})"),
        }))
        .await;
    let select =
        "$select=revenue,revenue_base,exchangerate,address1_composite,statecode,statuscode";
    let row = service.get(&format!("accounts({id})?{select}")).await;
    assert!(
        row.text
            .contains("\"revenue\":92.1234,\"revenue_base\":100.1341,\"exchangerate\":0.92"),
        "{}",
        row.text
    );
    assert_eq!(row.json()["address1_composite"], "Oslo\r\nNorway");
    assert_eq!(
        (&row.json()["statecode"], &row.json()["statuscode"]),
        (&json!(0), &json!(1))
    );
    let path = format!("accounts({id})");
    assert_eq!(
        service.patch(&path, &json!({"statecode": 1})).await.status,
        204
    );
    let row = service
        .get(&format!("accounts({id})?$select=statuscode"))
        .await
        .json();
    assert_eq!(row["statuscode"], 2);
    let put = json!({"value": "B"}).to_string();
    let property = format!("{path}/name");
    assert_eq!(
        service.send(Method::PUT, &property, &[], &put).await.status,
        204
    );
    assert_eq!(service.get(&property).await.json()["value"], "B");
    assert_eq!(service.delete(&property).await.status, 204);
    assert_eq!(service.get(&property).await.status, 204);

    let task = service.create("tasks", &json!({"subject": "do"})).await;
    let pointer = service
        .get(&format!(
            "activitypointers({task})?$select=activitytypecode"
        ))
        .await;
    assert_eq!(pointer.json()["activitytypecode"], "task");
    service.delete(&format!("tasks({task})")).await;
    assert_eq!(
        service
            .get(&format!("activitypointers({task})"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_note_describes_its_file_and_its_row() {
    let service = Service::start().await;
    let account = service
        .create("accounts", &json!({"name": "Contoso"}))
        .await;
    let note = service
        .create(
            "annotations",
            &json!({"subject": "offer", "filename": "a.txt", "documentbody": "aGVsbG8=",
                    "objectid_account@odata.bind": format!("/accounts({account})")}),
        )
        .await;
    let path = format!("annotations({note})");
    let row = service
        .get(&format!(
            "{path}?$select=isdocument,filesize,objecttypecode"
        ))
        .await
        .json();
    assert_eq!(row["isdocument"], true);
    assert_eq!(row["filesize"], 5);
    assert_eq!(row["objecttypecode"], "account");
    service
        .patch(&path, &json!({"documentbody": "aGVsbG8gd29ybGQ="}))
        .await;
    let size = service.get(&format!("{path}?$select=filesize")).await;
    assert_eq!(size.json()["filesize"], 11);
    let plain = service
        .create("annotations", &json!({"notetext": "call back"}))
        .await;
    let row = service
        .get(&format!(
            "annotations({plain})?$select=isdocument,filesize,objecttypecode"
        ))
        .await
        .json();
    assert_eq!(row["isdocument"], false);
    assert_eq!(row["filesize"], json!(null));
}
