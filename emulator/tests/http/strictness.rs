//! Strict behaviour that clients of other makers and the reference require.

use hyper::Method;
use serde_json::json;

use crate::support::Service;

/// Reference §4.1: below a collection a key names one row, and paths go on below lookups.
#[tokio::test]
async fn a_key_below_a_collection_names_one_of_its_rows() {
    let service = Service::start().await;
    let mine = service.create("accounts", &json!({"name": "mine"})).await;
    let other = service.create("accounts", &json!({"name": "other"})).await;
    let customer = format!("accounts({mine})");
    let deal = json!({"name": "deal", "customerid_account@odata.bind": customer});
    let deal = service.create("opportunities", &deal).await;
    let path = |account: &str| {
        format!("accounts({account})/opportunity_customer_accounts({deal})?$select=name")
    };
    let found = service.get(&path(&mine)).await;
    assert_eq!(found.json()["name"], "deal", "{}", found.text);
    assert_eq!(service.get(&path(&other)).await.status, 404);
    let name = format!("opportunities({deal})/customerid_account/name");
    assert_eq!(service.get(&name).await.json()["value"], "mine");
    let unlink =
        |account: &str| format!("accounts({account})/opportunity_customer_accounts({deal})/$ref");
    assert_eq!(service.delete(&unlink(&other)).await.status, 404);
    assert_eq!(service.delete(&unlink(&mine)).await.status, 204);
    assert_eq!(service.get(&path(&mine)).await.status, 404);
}

/// Reference §4.1, §4.4, §4.7, §4.12: unsupported parameters are errors.
#[tokio::test]
async fn misplaced_options_are_rejected() {
    let service = Service::start().await;
    let id = service.create("accounts", &json!({"name": "a"})).await;
    let fixed = [
        "accounts?filter=x",
        "accounts?$expand=primarycontactid,primarycontactid",
        "accounts?$expand=opportunity_customer_accounts($filter=name eq @p)&@p='x'",
        "systemusers?$expand=systemuserroles_association,businessunitid",
        "accounts?$filter=Microsoft.Dynamics.CRM.ContainValues(PropertyName='name',PropertyValues=['1'])",
        "accounts?$filter=Microsoft.Dynamics.CRM.Today(PropertyName='createdon',Zone='x')",
        "EntityDefinitions?$expand=Attributes($top=1)",
        "EntityDefinitions?$filter=OwnershipType eq 'Mine'",
        "EntityDefinitions?$filter=OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'Mine'",
        "EntityDefinitions?$filter=DisplayName/UserLocalizedLabel/Label eq 'Account'",
        "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Any')",
    ];
    let single = [
        "$filter=name eq 'a'",
        "$orderby=name",
        "$top=1",
        "$count=true",
    ]
    .map(|option| format!("accounts({id})?{option}"));
    for path in fixed.map(str::to_owned).into_iter().chain(single) {
        let response = service.get(&path).await;
        assert_eq!(response.status, 400, "{path}: {}", response.text);
    }
    // Microsoft's Python SDK uses bare names of enumeration members.
    let bare = "EntityDefinitions?$select=LogicalName&$filter=OwnershipType eq 'UserOwned'";
    assert!(!service.get(bare).await.rows().is_empty());
    let long = format!("accounts?$filter=name eq '{}'", "x".repeat(33_000));
    assert_eq!(service.get(&long).await.status, 414);
}

/// Reference §1.1, §7.2, §7.4, §12.3.
#[tokio::test]
async fn misplaced_writes_are_rejected() {
    let service = Service::start().await;
    let account = service.create("accounts", &json!({"name": "a"})).await;
    let path = format!("accounts({account})");
    let plain = [("content-type", "text/plain")];
    let response = service.send(Method::POST, "accounts", &plain, "{}").await;
    assert_eq!(response.status, 415);
    for body in [
        json!({"ownerid": null}),
        json!({"revenue": 1e20}),
        json!({"parentaccountid@odata.bind": format!("https://elsewhere.example/api/data/v9.2/{path}")}),
    ] {
        let response = service.patch(&path, &body).await;
        assert_eq!(response.status, 400, "{body}: {}", response.text);
        assert!(!response.text.contains("units"), "{}", response.text);
    }
    let party = service
        .post("activityparties", &json!({"participationtypemask": 2}))
        .await;
    assert_eq!(party.error().0, "0x80040800");
}

/// Reference §12.3: read-only lookups repeat which account or contact the customer is.
#[tokio::test]
async fn the_customer_is_repeated_by_kind() {
    let service = Service::start().await;
    let account = service.create("accounts", &json!({"name": "a"})).await;
    let contact = service
        .create(
            "contacts",
            &json!({"lastname": "c", "parentcustomerid_account@odata.bind": format!("accounts({account})")}),
        )
        .await;
    let path = format!("contacts({contact})?$select=_accountid_value");
    assert_eq!(
        service.get(&path).await.json()["_accountid_value"],
        account.as_str()
    );
    let deal =
        json!({"name": "o", "customerid_account@odata.bind": format!("accounts({account})")});
    let deal = service.create("opportunities", &deal).await;
    let change = json!({"customerid_contact@odata.bind": format!("contacts({contact})")});
    let deal = format!("opportunities({deal})");
    assert_eq!(service.patch(&deal, &change).await.status, 204);
    let row = service
        .get(&format!("{deal}?$select=_accountid_value,_contactid_value"))
        .await
        .json();
    assert!(row["_accountid_value"].is_null(), "{row}");
    assert_eq!(row["_contactid_value"], contact.as_str());
}

/// Reference §3, §8.3: rows that clients read first.
#[tokio::test]
async fn settings_and_messages_exist() {
    let service = Service::start().await;
    let user = service.get("WhoAmI").await.json()["UserId"].clone();
    let user = user.as_str().unwrap();
    let settings = format!("usersettingscollection({user})?$select=localeid,timezonecode");
    assert_eq!(service.get(&settings).await.json()["localeid"], 1033);
    let organization = service.get("organizations?$select=localeid").await.rows();
    assert_eq!(organization[0]["localeid"], 1033);
    let supported = |message: &str| {
        format!(
            "sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name eq @message \
             and primaryobjecttypecode eq @table&@message='{message}'&@table='account'"
        )
    };
    assert_eq!(
        service.get(&supported("CreateMultiple")).await.rows().len(),
        1
    );
    assert!(
        service
            .get(&supported("DeleteMultiple"))
            .await
            .rows()
            .is_empty()
    );
}

/// Reference §7.4: activity parties come with their activity.
#[tokio::test]
async fn an_email_is_created_with_its_parties() {
    let service = Service::start().await;
    let contact = service.create("contacts", &json!({"lastname": "c"})).await;
    let email = service
        .create(
            "emails",
            &json!({"subject": "hello", "email_activity_parties": [
                {"partyid_contact@odata.bind": format!("/contacts({contact})"),
                 "participationtypemask": 2},
            ]}),
        )
        .await;
    let path = format!(
        "emails({email})?$select=subject&$expand=email_activity_parties\
         ($select=_partyid_value,participationtypemask)"
    );
    let parties = service.get(&path).await.json()["email_activity_parties"].clone();
    assert_eq!(parties[0]["_partyid_value"], contact.as_str());
    assert_eq!(parties[0]["participationtypemask"], 2);
}

/// Reference §5.1: a referential constraint names a property that exists.
#[tokio::test]
async fn constraints_in_the_metadata_document_name_properties() {
    let service = Service::start().await;
    let document = service.get("$metadata").await.text;
    let task = document.split("<EntityType Name=\"task\"").nth(1).unwrap();
    let task = task.split("</EntityType>").next().unwrap();
    for constraint in task.split("<ReferentialConstraint Property=\"").skip(1) {
        let (property, _) = constraint.split_once('"').unwrap();
        let declared = format!("<Property Name=\"{property}\"");
        assert!(task.contains(&declared), "{property}");
    }
}

/// Reference §4.7, §5.1: context addresses list the selected columns at every depth.
#[tokio::test]
async fn the_context_lists_the_selected_columns() {
    let service = Service::start().await;
    let context = async |path: &str| {
        let json = service.get(path).await.json();
        let context = json["@odata.context"].as_str().unwrap().to_owned();
        context.split_once('#').unwrap().1.to_owned()
    };
    assert_eq!(
        context("accounts?$select=name&$expand=primarycontactid($select=fullname;$expand=createdby($select=fullname))").await,
        "accounts(name,primarycontactid(fullname,createdby(fullname)))"
    );
    assert_eq!(
        context("EntityDefinitions(LogicalName='account')?$select=LogicalName").await,
        "EntityDefinitions(LogicalName)/$entity"
    );
}

#[tokio::test]
async fn an_error_has_the_requested_annotations() {
    let service = Service::start().await;
    let plain = service.get("accounts?$select=nope").await.json();
    assert_eq!(plain["error"].as_object().unwrap().len(), 2);
    let asked = service
        .get_preferring("accounts(name='x')", "odata.include-annotations=\"*\"")
        .await
        .json();
    let error = &asked["error"];
    assert_eq!(
        error["@Microsoft.PowerApps.CDS.InnerError.Message"],
        error["message"]
    );
    let code = error["code"].as_str().unwrap().trim_start_matches("0x");
    let help = error["@Microsoft.PowerApps.CDS.HelpLink"].as_str().unwrap();
    assert!(help.contains(&format!("CrmException%3a{code}&")), "{help}");
}
