//! Queries (reference §4).

use hyper::Method;
use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn pages_hold_every_row_once_in_order() {
    let service = Service::start().await;
    for (name, revenue) in [
        ("b", json!(2)),
        ("a", json!(null)),
        ("C", json!(2)),
        ("d", json!(1)),
    ] {
        service
            .create("accounts", &json!({"name": name, "revenue": revenue}))
            .await;
    }
    let prefer = "odata.maxpagesize=1";
    for (order, expected) in [
        ("$orderby=revenue desc,name", ["b", "C", "d", "a"]),
        ("$orderby=revenue,name desc", ["a", "d", "C", "b"]),
        ("$orderby=name", ["a", "b", "C", "d"]),
    ] {
        let mut page = service
            .get_preferring(&format!("accounts?$select=name&{order}"), prefer)
            .await;
        let mut names = Vec::new();
        loop {
            names.extend(
                page.rows()
                    .iter()
                    .map(|row| row["name"].as_str().unwrap().to_owned()),
            );
            match page.link("@odata.nextLink") {
                Some(next) => page = service.follow(&next, prefer).await,
                None => break,
            }
        }
        assert_eq!(names, expected, "{order}");
    }
    // $top without a page size has no next link; with one it is ignored.
    let top = service.get("accounts?$select=name&$top=2").await;
    assert_eq!((top.rows().len(), top.link("@odata.nextLink")), (2, None));
    let paged = service
        .get_preferring("accounts?$select=name&$top=1", "odata.maxpagesize=3")
        .await;
    assert_eq!(paged.rows().len(), 3);
    let next = paged.link("@odata.nextLink").unwrap();
    let wrong = next.replace("accountid", "contactid");
    assert_eq!(service.follow(&wrong, "").await.status, 400);
}

#[tokio::test]
async fn filters_find_the_expected_rows() {
    let service = Service::start().await;
    let contact = json!({"firstname": "Zoë", "lastname": "O'Brian", "birthdate": "1990-02-28"});
    service
        .create("accounts", &json!({
            "name": "100% Contoso", "revenue": 922_337_203_685_477.0_f64, "numberofemployees": 5,
            "primarycontactid": contact,
            "Account_Tasks": [{"subject": "call"}, {"subject": "write"}],
        }))
        .await;
    service
        .create("accounts", &json!({"name": "fabrikam", "revenue": 0.0001}))
        .await;
    service
        .create("accounts", &json!({"name": null, "numberofemployees": 7}))
        .await;
    let both = ["100% Contoso", "fabrikam"];
    for (filter, expected) in [
        ("name eq 'FABRIKAM'", &both[1..]),
        ("name ne 'fabrikam' and name ne null", &both[..1]),
        ("contains(name,'100[%]')", &both[..1]),
        ("startswith(name,'_ab')", &both[1..]),
        ("endswith(name,'SO') or name eq 'fabrikam'", &both[..]),
        ("not (numberofemployees gt 5) and name ne null", &both[..]),
        ("revenue gt 0.0001", &both[..1]),
        ("revenue ge 0.0001", &both[..]),
        ("5 eq numberofemployees", &both[..1]),
        ("primarycontactid/lastname eq 'O''Brian'", &both[..1]),
        ("primarycontactid/birthdate lt 1990-03-01", &both[..1]),
        (
            "primarycontactid/createdby/fullname ne null and name ne null",
            &both[..1],
        ),
        ("Account_Tasks/any(t:t/subject eq 'call')", &both[..1]),
        (
            "Account_Tasks/any() and Account_Tasks/all(t:contains(t/subject,'x'))",
            &both[..0],
        ),
        ("not Account_Tasks/any() and name ne null", &both[1..]),
        ("createdon ge 2001-01-01 and name ne null", &both[..]),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[\"fabrikam\",\"x\"])",
            &both[1..],
        ),
        (
            "Microsoft.Dynamics.CRM.Between(PropertyName='numberofemployees',PropertyValues=[\"1\",\"5\"])",
            &both[..1],
        ),
        (
            "Microsoft.Dynamics.CRM.EqualUserId(PropertyName='ownerid') and name ne null",
            &both[..],
        ),
        (
            "Microsoft.Dynamics.CRM.Today(PropertyName='createdon') and name ne null",
            &both[..],
        ),
        ("name eq @n&@n='fabrikam'", &both[1..]),
    ] {
        let response = service
            .get(&format!(
                "accounts?$select=name&$orderby=name&$filter={}",
                filter.replace("100[%]", "100[%25]")
            ))
            .await;
        let names: Vec<_> = response
            .rows()
            .iter()
            .map(|row| row["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(names, expected, "{filter}: {}", response.text);
    }
    // Null differs from every value.
    assert_eq!(
        service
            .get("accounts?$filter=name ne 'x'")
            .await
            .rows()
            .len(),
        3
    );
    for (filter, message) in [
        (
            "Name eq 'a'",
            "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'.",
        ),
        (
            "name eq 1",
            "A binary operator with incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32' for operator kind 'Equal'.",
        ),
        (
            "name eq 'O'Brian'",
            "There is an unterminated literal at position 17 in 'name eq 'O'Brian''.",
        ),
    ] {
        let response = service.get(&format!("accounts?$filter={filter}")).await;
        assert_eq!(response.error(), ("0x0".into(), message.into()));
        assert_eq!(response.status, 400);
    }
}

#[tokio::test]
async fn rows_have_the_documented_form() {
    let service = Service::start().await;
    let id = service
        .create(
            "accounts",
            &json!({"name": "A", "revenue": 20000, "industrycode": 1}),
        )
        .await;
    let all = "odata.include-annotations=\"*\"";
    let path = format!("accounts({id})?$select=name,revenue,_ownerid_value");
    let row = service.get_preferring(&path, all).await;
    let text = &row.text;
    let etag = row.header("etag").to_owned();
    assert!(etag.starts_with("W/\"") && etag.ends_with('"'));
    // Amounts keep their scale, annotations precede their property, the currency is included.
    assert!(text.contains(
        "\"revenue@OData.Community.Display.V1.FormattedValue\":\"$20,000.00\",\"revenue\":20000.0000,"
    ), "{text}");
    assert!(
        text.contains("\"_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname\":\"systemuser\"")
    );
    assert!(text.contains("\"_transactioncurrencyid_value\":"));
    let context = format!(
        "{}$metadata#accounts(name,revenue,_ownerid_value)/$entity",
        service.address("")
    );
    assert_eq!(row.link("@odata.context").unwrap(), context);
    assert_eq!(row.json()["accountid"], json!(id));

    let headers = [("if-none-match", etag.as_str())];
    let path = format!("accounts({id})?$select=name");
    assert_eq!(
        service.send(Method::GET, &path, &headers, "").await.status,
        304
    );

    assert_eq!(
        service.get(&format!("accounts({id})/name")).await.json()["value"],
        "A"
    );
    let value = service.get(&format!("accounts({id})/name/$value")).await;
    assert_eq!(
        (value.text.as_str(), value.header("content-type")),
        ("A", "text/plain")
    );
    assert_eq!(
        service
            .get(&format!("accounts({id})/primarycontactid"))
            .await
            .status,
        204
    );
    assert_eq!(service.get("accounts/$count").await.text, "1");
}

#[tokio::test]
async fn missing_rows_and_tables_are_rejected_with_the_service_messages() {
    let service = Service::start().await;
    let id = service.create("accounts", &json!({"name": "A"})).await;
    let missing = "00000000-0000-0000-0000-000000000001";
    let response = service.get(&format!("accounts({missing})")).await;
    assert_eq!(response.status, 404);
    assert_eq!(
        response.error(),
        (
            "0x80040217".into(),
            format!("account With Id = {missing} Does Not Exist")
        )
    );
    assert!(!response.header("req_id").is_empty());
    let response = service.get("Account").await;
    assert_eq!(
        response.error(),
        (
            "0x8006088a".into(),
            "Resource not found for the segment 'Account'.".into()
        )
    );
    assert_eq!(service.get(&format!("accounts('{id}')")).await.status, 400);
    assert_eq!(
        service
            .get(
                &format!("accounts({{{id}}})")
                    .replace('{', "%7B")
                    .replace('}', "%7D")
            )
            .await
            .status,
        400
    );
    let response = service.get("accounts(accountnumber='a%2Fb')").await;
    assert_eq!(
        response.error(),
        ("0x8006088a".into(), "Error in query syntax.".into())
    );
    let response = service.get("accounts(accountnumber='none')").await;
    assert_eq!(
        (response.status.as_u16(), response.error().0.as_str()),
        (404, "0x80060891")
    );
    let response = service.get("accounts(name='A')").await;
    assert!(response.error().1.starts_with(
        "The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.account'."
    ));
    let user = service
        .get("systemusers?$select=fullname&$top=1")
        .await
        .rows()
        .remove(0);
    assert_eq!(user["systemuserid"], user["ownerid"]);
    let named = format!(
        "systemusers(systemuserid={})",
        user["systemuserid"].as_str().unwrap()
    );
    assert_eq!(service.get(&named).await.status, 400);
}

#[tokio::test]
async fn related_rows_are_expanded() {
    let service = Service::start().await;
    let id = service
        .create(
            "accounts",
            &json!({
                "name": "A",
                "primarycontactid": {"lastname": "P"},
                "Account_Tasks": [{"subject": "one"}, {"subject": "two"}],
            }),
        )
        .await;
    let row = service
        .get(&format!(
            "accounts({id})?$select=name&$expand=primarycontactid($select=fullname;\
             $expand=createdby($select=fullname)),parentaccountid"
        ))
        .await
        .json();
    assert_eq!(row["primarycontactid"]["fullname"], "P");
    assert!(row["primarycontactid"]["createdby"]["fullname"].is_string());
    assert!(row["parentaccountid"].is_null() && row.get("parentaccountid").is_some());

    let list = "accounts?$select=name&$expand=Account_Tasks($select=subject;$orderby=subject desc)";
    let row = service
        .get_preferring(list, "odata.maxpagesize=1")
        .await
        .rows()
        .remove(0);
    let subjects: Vec<_> = row["Account_Tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| &task["subject"])
        .collect();
    assert_eq!(subjects, ["two", "one"]);
    assert_eq!(
        row["Account_Tasks"][0]["_regardingobjectid_value"],
        json!(id)
    );
    let link = row["Account_Tasks@odata.nextLink"].as_str().unwrap();
    assert!(
        link.contains(&format!("/accounts({id})/Account_Tasks?$select=subject")),
        "{link}"
    );
    assert_eq!(service.follow(link, "").await.rows().len(), 2);

    let references = service
        .get("accounts?$expand=primarycontactid/$ref")
        .await
        .rows()
        .remove(0);
    let address = references["primarycontactid"]["@odata.id"]
        .as_str()
        .unwrap();
    assert!(address.starts_with(&service.address("contacts(")));
    for (query, message) in [
        (
            "$expand=Account_Tasks/$ref",
            "Expand with $ref is only supported on lookup type navigation property.",
        ),
        (
            "$expand=Account_Tasks($top=1;$expand=createdby_task)",
            "Only $select and $filter clause can be provided while doing $expand on many-to-one \
          relationship or nested one-to-many relationship.",
        ),
    ] {
        let response = service.get(&format!("accounts?{query}")).await;
        assert_eq!(
            response.error(),
            ("0x80060888".into(), message.into()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn functions_identify_the_caller_and_the_organization() {
    let service = Service::start().await;
    service.create("accounts", &json!({"name": "A"})).await;
    let counts = service
        .get("RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[\"account\",\"contact\"]")
        .await
        .json();
    assert_eq!(
        counts["EntityRecordCountCollection"],
        json!({
            "Count": 2, "IsReadOnly": false, "Keys": ["account", "contact"], "Values": [1, 0],
        })
    );
    assert!(service.get("RetrieveVersion()").await.json()["Version"].is_string());
    let path = "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.\
                EndpointAccessType'Default'";
    let detail = service.get(path).await.json()["Detail"].clone();
    assert_eq!(
        detail["OrganizationId"],
        service.get("WhoAmI()").await.json()["OrganizationId"]
    );
    let posted = service.post("WhoAmI", &json!({})).await;
    assert_eq!(posted.status, 404);
    let expected = format!(
        "No HTTP resource was found that matches the request URI '{}'.",
        service.address("WhoAmI")
    );
    assert_eq!(posted.error(), (String::new(), expected));
    let organization = service
        .get("organizations?$select=expirechangetrackingindays")
        .await;
    assert_eq!(organization.rows()[0]["expirechangetrackingindays"], 7);
}
