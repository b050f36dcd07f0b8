//! Saved views (reference §4.14).

use dataverse_emulator::org::{ADMINISTRATOR, Role, SELLERS};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Service;

impl Service {
    async fn view(&self, set: &str, name: &str) -> String {
        let key = if set == "savedqueries" {
            "savedqueryid"
        } else {
            "userqueryid"
        };
        let rows = self
            .get(&format!("{set}?$select={key}&$filter=name eq '{name}'"))
            .await
            .rows();
        assert_eq!(rows.len(), 1, "{name}");
        rows[0][key].as_str().unwrap().to_owned()
    }
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn every_view_of_a_new_organization_runs() {
    let service = Service::start().await;
    let views = service
        .get("savedqueries?$select=name,returnedtypecode,querytype,isdefault,fetchxml,layoutxml")
        .await
        .rows();
    assert!(views.len() > 25);
    let sets = service
        .get("EntityDefinitions?$select=LogicalName,EntitySetName")
        .await
        .rows();
    for view in &views {
        let table = &view["returnedtypecode"];
        let set = sets
            .iter()
            .find(|set| set["LogicalName"] == *table)
            .unwrap();
        let set = set["EntitySetName"].as_str().unwrap();
        let id = view["savedqueryid"].as_str().unwrap();
        let response = service.get(&format!("{set}?savedQuery={id}")).await;
        assert_eq!(response.status, 200, "{}: {}", view["name"], response.text);
        assert!(
            view["layoutxml"]
                .as_str()
                .unwrap()
                .starts_with("<grid name=\"resultset\"")
        );
    }
    let default = views
        .iter()
        .filter(|view| view["returnedtypecode"] == "account" && view["isdefault"] == json!(true));
    assert_eq!(default.count(), 1);
    let personal = service.get("userqueries?$select=name").await.rows();
    assert_eq!(names(&personal), ["Accounts with open opportunities"]);
}

#[tokio::test]
async fn a_view_is_paged_narrowed_and_limited_to_the_caller() {
    let service = Service::start().await;
    let seller = format!("/systemusers({})", SELLERS[0]);
    let parent = service.create("accounts", &json!({"name": "parent"})).await;
    for number in 0..7 {
        let mut body = json!({"name": format!("o{number}"), "estimatedvalue": number});
        if number % 2 == 0 {
            body["ownerid@odata.bind"] = json!(seller);
            body["parentaccountid@odata.bind"] = json!(format!("/accounts({parent})"));
        }
        service.create("opportunities", &body).await;
    }
    let open = service.view("savedqueries", "Open Opportunities").await;
    let prefer = "odata.maxpagesize=3,odata.include-annotations=\"*\"";
    let mut page = service
        .get_preferring(&format!("opportunities?savedQuery={open}"), prefer)
        .await;
    assert_eq!(
        page.header("preference-applied"),
        "odata.include-annotations=\"*\""
    );
    assert!(
        page.text
            .contains("ownerid_value@OData.Community.Display.V1.FormattedValue")
    );
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        pages += 1;
        found.extend(page.rows());
        let Some(next) = page.link("@odata.nextLink") else {
            break;
        };
        page = service.follow(&next, prefer).await;
    }
    assert_eq!(pages, 3);
    assert_eq!(names(&found), ["o0", "o1", "o2", "o3", "o4", "o5", "o6"]);
    assert!(
        found
            .iter()
            .all(|row| row.get("estimatedclosedate").is_none())
    );

    let narrowed = service
        .get(&format!(
            "opportunities?savedQuery={open}&$select=name&$filter=estimatedvalue ge 5&$count=true"
        ))
        .await;
    assert_eq!(names(&narrowed.rows()), ["o5", "o6"]);
    assert_eq!(narrowed.json()["@odata.count"], 2);
    assert!(narrowed.rows()[0].get("estimatedvalue").is_none());
    let below = service
        .get(&format!(
            "accounts({parent})/opportunity_parent_account?savedQuery={open}"
        ))
        .await;
    assert_eq!(names(&below.rows()), ["o0", "o2", "o4", "o6"]);

    let mine = service.view("savedqueries", "My Open Opportunities").await;
    let mine = service
        .get(&format!("opportunities?savedQuery={mine}"))
        .await;
    let mut mine = names(&mine.rows())
        .iter()
        .map(|&n| n.to_owned())
        .collect::<Vec<_>>();
    mine.sort_unstable();
    assert_eq!(mine, ["o1", "o3", "o5"]);

    // A view of several opportunities to an account lists it once, page by page too.
    for name in ["a", "b"] {
        let account = service.create("accounts", &json!({"name": name})).await;
        for _ in 0..2 {
            let parent = format!("/accounts({account})");
            let body = json!({"name": "x", "parentaccountid@odata.bind": parent});
            service.create("opportunities", &body).await;
        }
    }
    let personal = service
        .view("userqueries", "Accounts with open opportunities")
        .await;
    let first = service
        .get_preferring(
            &format!("accounts?userQuery={personal}"),
            "odata.maxpagesize=2",
        )
        .await;
    assert_eq!(names(&first.rows()), ["a", "b"]);
    let next = first.link("@odata.nextLink").unwrap();
    let second = service.follow(&next, "odata.maxpagesize=2").await;
    assert_eq!(names(&second.rows()), ["parent"]);
    assert_eq!(second.link("@odata.nextLink"), None);
}

#[tokio::test]
async fn personal_views_are_visible_to_owner_and_sharees() {
    let service = Service::start().await;
    let query = "<fetch><entity name='account'><attribute name='name'/></entity></fetch>";
    let body = json!({"name": "mine", "returnedtypecode": "account", "querytype": 0,
                      "fetchxml": query, "layoutxml": "<grid/>"});
    let view = service.create("userqueries", &body).await;
    let colleague = Uuid::from_u128(0x71);
    service
        .emulator
        .add_application(colleague, "s3cret", Some(Role::SystemAdministrator))
        .unwrap();
    let colleague = colleague.to_string();
    let token = service
        .request_token(&[("client_id", &colleague), ("client_secret", "s3cret")])
        .await;
    let token = format!("Bearer {}", token.json()["access_token"].as_str().unwrap());
    let get = async |path: &str| {
        let headers = [("authorization", token.as_str())];
        service.send(Method::GET, path, &headers, "").await
    };
    let visible = async || {
        let rows = get("userqueries?$select=name&$filter=name eq 'mine'")
            .await
            .rows();
        rows.len()
    };
    let run = format!("accounts?userQuery={view}");
    assert_eq!((visible().await, get(&run).await.status.as_u16()), (0, 403));
    let user = get("WhoAmI").await.json()["UserId"].clone();
    let grant = json!({
        "Target": {"userqueryid": view, "@odata.type": "Microsoft.Dynamics.CRM.userquery"},
        "PrincipalAccess": {
            "AccessMask": "ReadAccess",
            "Principal": {"systemuserid": user,
                          "@odata.type": "Microsoft.Dynamics.CRM.systemuser"},
        },
    });
    let response = service.post("GrantAccess", &grant).await;
    assert_eq!(response.status, 204, "{}", response.text);
    assert_eq!((visible().await, get(&run).await.status.as_u16()), (1, 200));

    let owner = service
        .get("userqueries?$select=_ownerid_value&$filter=name eq 'Accounts without a phone number'")
        .await;
    assert_eq!(owner.rows().len(), 0, "the view of {ADMINISTRATOR}");
    let accounts = service.view("savedqueries", "Active Accounts").await;
    for (path, status) in [
        (format!("contacts?savedQuery={accounts}"), 400),
        (format!("accounts?userQuery={accounts}"), 404),
        (
            format!("accounts?savedQuery={accounts}&$expand=primarycontactid"),
            400,
        ),
        (
            format!("accounts?savedQuery={accounts}&userQuery={view}"),
            400,
        ),
        ("accounts?savedQuery=x".to_owned(), 400),
    ] {
        assert_eq!(service.get(&path).await.status, status, "{path}");
    }
}
