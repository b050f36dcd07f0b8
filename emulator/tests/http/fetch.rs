//! `FetchXML` (reference §4.13).

use dataverse_emulator::org::Role;
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Response, Service};

const PAGING: &str = "odata.include-annotations=\"Microsoft.Dynamics.CRM.fetchxmlpagingcookie,\
                      Microsoft.Dynamics.CRM.morerecords\"";

impl Service {
    async fn fetch(&self, set: &str, xml: &str, prefer: &str) -> Response {
        let xml = utf8_percent_encode(xml, NON_ALPHANUMERIC);
        self.get_preferring(&format!("{set}?fetchXml={xml}"), prefer)
            .await
    }

    /// Reads all pages as a client of the documentation does; returns the rows of each.
    async fn fetch_pages(&self, set: &str, attributes: &str, entity: &str) -> Vec<Vec<Value>> {
        let mut pages = Vec::new();
        let mut cookie = String::new();
        for page in 1..100 {
            let xml = format!("<fetch {attributes} page=\"{page}\"{cookie}>{entity}</fetch>");
            let response = self.fetch(set, &xml, PAGING).await;
            assert_eq!(response.status, 200, "{}", response.text);
            pages.push(response.rows());
            let body = response.json();
            if body["@Microsoft.Dynamics.CRM.morerecords"] != json!(true) {
                return pages;
            }
            cookie = match body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].as_str() {
                None => String::new(),
                Some(outer) => format!(" paging-cookie=\"{}\"", inner_cookie(outer)),
            };
        }
        panic!("the pages never end");
    }
}

/// The attribute `pagingcookie`, decoded twice and escaped for XML.
fn inner_cookie(outer: &str) -> String {
    let encoded = outer.split("pagingcookie=\"").nth(1).unwrap();
    let encoded = encoded.split('"').next().unwrap();
    let once = percent_decode_str(encoded)
        .decode_utf8()
        .unwrap()
        .into_owned();
    let twice = percent_decode_str(&once)
        .decode_utf8()
        .unwrap()
        .into_owned();
    twice
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn names(rows: &[Value]) -> Vec<String> {
    rows.iter()
        .map(|row| row["name"].as_str().unwrap_or("null").to_owned())
        .collect()
}

/// Three accounts: the first two with a contact, the first with two tasks.
async fn three_accounts() -> (Service, Vec<String>) {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for (name, revenue, contact, tasks) in [
        ("Adventure & Works", json!(10.5), Some("Zoë"), 2),
        ("Contoso <Ltd>", json!(20), Some("Mei"), 0),
        ("Fabrikam", json!(null), None, 0),
    ] {
        let tasks: Vec<Value> = (0..tasks)
            .map(|n| json!({"subject": format!("task {n}"), "prioritycode": n}))
            .collect();
        let mut body = json!({"name": name, "revenue": revenue, "Account_Tasks": tasks});
        if let Some(first) = contact {
            body["primarycontactid"] = json!({"firstname": first, "lastname": "Smith"});
        }
        ids.push(service.create("accounts", &body).await);
    }
    (service, ids)
}

#[tokio::test]
async fn a_row_has_the_selected_columns_and_no_nulls() {
    let (service, ids) = three_accounts().await;
    let xml = "<fetch><entity name='account'>\
                 <attribute name='name'/><attribute name='revenue'/>\
                 <attribute name='primarycontactid'/><attribute name='accountnumber'/>\
                 <order attribute='name'/>\
                 <link-entity name='contact' from='contactid' to='primarycontactid' alias='c' \
                   link-type='outer'>\
                   <attribute name='lastname'/><attribute name='firstname' alias='given'/>\
                   <attribute name='ownerid'/>\
                 </link-entity></entity></fetch>";
    let response = service
        .fetch("accounts", xml, "odata.include-annotations=\"*\"")
        .await;
    assert_eq!(response.status, 200, "{}", response.text);
    let body = response.json();
    let context = body["@odata.context"].as_str().unwrap();
    assert!(
        context.ends_with(
            "$metadata#accounts(name,revenue,_primarycontactid_value,accountnumber,\
             _transactioncurrencyid_value,accountid)"
        ),
        "{context}"
    );
    assert_eq!(body["@Microsoft.Dynamics.CRM.morerecords"], json!(false));
    let first = &body["value"][0];
    assert_eq!(first["accountid"], json!(ids[0]));
    assert_eq!(first["c.lastname"], "Smith");
    assert_eq!(first["given"], "Zoë");
    assert_eq!(
        first["given@OData.Community.Display.V1.AttributeName"],
        "firstname"
    );
    assert_eq!(
        first["_primarycontactid_value@OData.Community.Display.V1.FormattedValue"],
        "Zoë Smith"
    );
    assert_eq!(
        first["c.ownerid@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "systemuser"
    );
    assert!(first["@odata.etag"].is_string());
    assert!(
        response.text.contains("\"revenue\":10.5000"),
        "{}",
        response.text
    );
    let third = body["value"][2].as_object().unwrap();
    let mut keys: Vec<&str> = third
        .keys()
        .map(String::as_str)
        .filter(|key| !key.contains('@'))
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["_transactioncurrencyid_value", "accountid", "name"],
        "columns without a value are left out"
    );
}

#[tokio::test]
async fn conditions_find_the_expected_rows() {
    let (service, ids) = three_accounts().await;
    let me = service.get("WhoAmI").await.json()["UserId"].clone();
    let braced = format!("{{{}}}", ids[1].to_uppercase());
    let all = ["Adventure & Works", "Contoso <Ltd>", "Fabrikam"];
    let user = me.as_str().unwrap();
    for (condition, expected) in [
        (
            "attribute='name' operator='eq' value='FABRIKAM'".to_owned(),
            &all[2..],
        ),
        (
            "attribute='name' operator='like' value='%o%'".into(),
            &all[..2],
        ),
        (
            "attribute='name' operator='begins-with' value='c'".into(),
            &all[1..2],
        ),
        (
            "attribute='name' operator='not-end-with' value='>'".into(),
            &[all[0], all[2]],
        ),
        ("attribute='revenue' operator='null'".into(), &all[2..]),
        (
            "attribute='revenue' operator='ne' value='20'".into(),
            &[all[0], all[2]],
        ),
        (
            "attribute='revenue' operator='gt' value='10.4999'".into(),
            &all[..2],
        ),
        (
            format!("attribute='accountid' operator='eq' value='{braced}'"),
            &all[1..2],
        ),
        ("attribute='ownerid' operator='eq-userid'".into(), &all[..]),
        ("attribute='ownerid' operator='ne-userid'".into(), &[]),
        (
            format!("attribute='createdby' operator='eq' value='{user}' uiname='x'"),
            &all[..],
        ),
        ("attribute='createdon' operator='today'".into(), &all[..]),
        (
            "attribute='createdon' operator='last-x-days' value='3'".into(),
            &all[..],
        ),
        (
            "attribute='createdon' operator='olderthan-x-months' value='1'".into(),
            &[],
        ),
        (
            "attribute='createdon' operator='on-or-after' value='2020-02-29'".into(),
            &all[..],
        ),
        (
            "attribute='createdon' operator='lt' value='2020-02-29 10:00:00'".into(),
            &[],
        ),
        (
            "attribute='creditonhold' operator='eq' value='0'".into(),
            &all[..],
        ),
        (
            "attribute='statecodename' operator='eq' value='active'".into(),
            &all[..],
        ),
        (
            "attribute='primarycontactidname' operator='like' value='mei%'".into(),
            &all[1..2],
        ),
        (
            "attribute='name' operator='eq' valueof='name'".into(),
            &all[..],
        ),
        (
            "entityname='c' attribute='firstname' operator='not-null'".into(),
            &all[..2],
        ),
        (
            "entityname='c' attribute='firstname' operator='null'".into(),
            &all[2..],
        ),
    ] {
        let xml = format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>\
             <filter><condition {condition}/></filter>\
             <link-entity name='contact' from='contactid' to='primarycontactid' alias='c' \
             link-type='outer'/></entity></fetch>"
        );
        let response = service.fetch("accounts", &xml, "").await;
        assert_eq!(response.status, 200, "{condition}: {}", response.text);
        assert_eq!(names(&response.rows()), expected, "{condition}");
    }
}

#[tokio::test]
async fn filters_nest_and_look_at_related_rows() {
    let (service, _) = three_accounts().await;
    let all = ["Adventure & Works", "Contoso <Ltd>", "Fabrikam"];
    let values = "<value>10.5</value><value>20</value>";
    for (filter, expected) in [
        (
            format!("<condition attribute='revenue' operator='in'>{values}</condition>"),
            &all[..2],
        ),
        (
            format!("<condition attribute='revenue' operator='not-in'>{values}</condition>"),
            &all[2..],
        ),
        (
            format!("<condition attribute='revenue' operator='between'>{values}</condition>"),
            &all[..2],
        ),
        (
            "<filter type='or'><condition attribute='name' operator='eq' value='Fabrikam'/>\
             <condition attribute='revenue' operator='eq' value='20'/></filter>\
             <condition attribute='revenue' operator='not-null'/>"
                .to_owned(),
            &all[1..2],
        ),
        (
            "<link-entity name='task' from='regardingobjectid' to='accountid' link-type='any'>\
             <filter><condition attribute='subject' operator='eq' value='task 1'/></filter>\
             </link-entity>"
                .to_owned(),
            &all[..1],
        ),
        (
            "<link-entity name='task' from='regardingobjectid' to='accountid' \
             link-type='not any'/>"
                .to_owned(),
            &all[1..],
        ),
        (
            "<link-entity name='task' from='regardingobjectid' to='accountid' link-type='all'>\
             <filter><condition attribute='subject' operator='eq' value='other'/></filter>\
             </link-entity>"
                .to_owned(),
            &all[..1],
        ),
    ] {
        let xml = format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>\
             <filter>{filter}</filter></entity></fetch>"
        );
        let response = service.fetch("accounts", &xml, "").await;
        assert_eq!(response.status, 200, "{filter}: {}", response.text);
        assert_eq!(names(&response.rows()), expected, "{filter}");
    }
}

#[tokio::test]
async fn joins_multiply_rows_or_do_not() {
    let (service, _) = three_accounts().await;
    let tasks = |kind: &str| {
        format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>\
             <link-entity name='task' from='regardingobjectid' to='accountid' {kind}>\
             <attribute name='subject'/><order attribute='subject' descending='true'/>\
             </link-entity></entity></fetch>"
        )
    };
    let rows = service.fetch("accounts", &tasks(""), "").await.rows();
    let subjects: Vec<_> = rows
        .iter()
        .map(|row| row["task1.subject"].clone())
        .collect();
    assert_eq!(subjects, [json!("task 1"), json!("task 0")]);
    for (kind, count) in [
        ("link-type='outer'", 4),
        ("link-type='exists'", 1),
        ("link-type='matchfirstrowusingcrossapply'", 1),
    ] {
        let response = service.fetch("accounts", &tasks(kind), "").await;
        assert_eq!(response.rows().len(), count, "{kind}: {}", response.text);
    }
    let distinct = "<fetch distinct='true'><entity name='account'><attribute name='name'/>\
                    <link-entity name='task' from='regardingobjectid' to='accountid'/>\
                    </entity></fetch>";
    let rows = service.fetch("accounts", distinct, "").await.rows();
    assert_eq!(rows, [json!({"name": "Adventure & Works"})]);
    // Through an activity to its regarded account and on to the account's contact.
    let nested = "<fetch><entity name='task'><attribute name='subject'/>\
                  <link-entity name='account' from='accountid' to='regardingobjectid' alias='a'>\
                  <link-entity name='contact' from='contactid' to='primarycontactid' alias='c'>\
                  <attribute name='fullname'/></link-entity></link-entity></entity></fetch>";
    let rows = service.fetch("tasks", nested, "").await.rows();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["c.fullname"] == "Zoë Smith"));
}

#[tokio::test]
async fn pages_by_cookie_hold_every_row_once() {
    let service = Service::start().await;
    for number in 0..23 {
        let contact = json!({"lastname": format!("L{}", number % 3)});
        let tasks = json!([{"subject": "a"}, {"subject": "b"}]);
        let name = format!("A & <{:02}>", number % 5);
        let body = json!({"name": name, "primarycontactid": contact, "Account_Tasks": tasks});
        service.create("accounts", &body).await;
    }
    let contact = "<link-entity name='contact' from='contactid' to='primarycontactid' alias='c'>\
                   <attribute name='lastname'/>";
    for (entity, rows) in [
        (
            "<entity name='account'><attribute name='name'/></entity>".to_owned(),
            23,
        ),
        (
            "<entity name='account'><attribute name='name'/>\
             <order attribute='name' descending='true'/></entity>"
                .to_owned(),
            23,
        ),
        (
            "<entity name='account'><attribute name='name'/><order attribute='revenue'/>\
             <order attribute='primarycontactid'/><order attribute='statecode'/></entity>"
                .to_owned(),
            23,
        ),
        (
            "<entity name='account'><attribute name='name'/><link-entity name='task' \
             from='regardingobjectid' to='accountid'><attribute name='activityid'/></link-entity>\
             </entity>"
                .to_owned(),
            46,
        ),
        (
            format!(
                "<entity name='account'><attribute name='name'/>{contact}\
                 <order attribute='lastname'/></link-entity></entity>"
            ),
            23,
        ),
    ] {
        let pages = service.fetch_pages("accounts", "count='4'", &entity).await;
        assert!(pages.iter().all(|page| page.len() <= 4));
        let all: Vec<Value> = pages.concat();
        assert_eq!(all.len(), rows, "{entity}");
        let whole = format!("<fetch>{entity}</fetch>");
        assert_eq!(service.fetch("accounts", &whole, "").await.rows(), all);
    }
}

#[tokio::test]
async fn a_cookie_belongs_to_its_query() {
    let service = Service::start().await;
    for number in 0..5 {
        let contact = json!({"lastname": format!("L{number}")});
        let body = json!({"name": "A", "primarycontactid": contact});
        service.create("accounts", &body).await;
    }
    let contact = "<link-entity name='contact' from='contactid' to='primarycontactid' alias='c'>\
                   <attribute name='lastname'/>";
    // The cookie is only sent on request, has the documented form and belongs to its query.
    let xml = "<fetch count='4' page='1'><entity name='contact'><attribute name='lastname'/>\
               </entity></fetch>";
    let quiet = service.fetch("contacts", xml, "").await;
    assert!(!quiet.text.contains("cookie") && !quiet.text.contains("morerecords"));
    assert!(!quiet.text.contains("nextLink"));
    let body = service.fetch("contacts", xml, PAGING).await.json();
    let cookie = body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"]
        .as_str()
        .unwrap();
    assert!(
        cookie.starts_with(
            "<cookie pagenumber=\"2\" pagingcookie=\"%253ccookie%2520page%253d%25221%2522%253e\
             %253ccontactid%2520last%253d%2522%257b"
        ) && cookie.ends_with("\" istracking=\"False\" />"),
        "{cookie}"
    );
    for (wrong, set, table) in [
        (inner_cookie(cookie), "accounts", "account"),
        (
            cookie.replace('<', "&lt;").replace('"', "&quot;"),
            "contacts",
            "contact",
        ),
        ("nonsense".to_owned(), "contacts", "contact"),
    ] {
        let xml = format!(
            "<fetch page='2' count='4' paging-cookie=\"{wrong}\"><entity name='{table}'/></fetch>"
        );
        let (code, message) = service.fetch(set, &xml, PAGING).await.error();
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("0x80041129", "Paging Cookie And Query Do Not Match.")
        );
    }
    // Ordered by a joined column there is no cookie, and counting ends at 50,000 rows.
    let linked = format!(
        "<entity name='account'>{contact}<order attribute='lastname'/></link-entity></entity>"
    );
    let first = format!("<fetch count='5000' page='10'>{linked}</fetch>");
    assert_eq!(service.fetch("accounts", &first, PAGING).await.status, 200);
    let beyond = format!("<fetch count='5000' page='11'>{linked}</fetch>");
    let response = service.fetch("accounts", &beyond, PAGING).await;
    assert_eq!(
        (response.status.as_u16(), response.error().0),
        (400, "0x80040203".into())
    );
    let one = format!("<fetch count='2' page='1'>{linked}</fetch>");
    let body = service.fetch("accounts", &one, PAGING).await.json();
    assert_eq!(body["@Microsoft.Dynamics.CRM.morerecords"], json!(true));
    assert!(
        body.get("@Microsoft.Dynamics.CRM.fetchxmlpagingcookie")
            .is_none()
    );
}

#[tokio::test]
async fn totals_and_aggregates_are_exact() {
    let (service, _) = three_accounts().await;
    let total = "<fetch returntotalrecordcount='true' count='1' page='1'>\
                 <entity name='account'><attribute name='name'/></entity></fetch>";
    let body = service
        .fetch(
            "accounts",
            total,
            "odata.include-annotations=\"Microsoft.Dynamics.CRM.*\"",
        )
        .await
        .json();
    assert_eq!(body["@Microsoft.Dynamics.CRM.totalrecordcount"], json!(3));
    assert_eq!(
        body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"],
        json!(false)
    );
    let sums = "<fetch aggregate='true'><entity name='account'>\
                <attribute name='accountid' alias='rows' aggregate='count'/>\
                <attribute name='revenue' alias='valued' aggregate='countcolumn'/>\
                <attribute name='revenue' alias='sum' aggregate='sum'/>\
                <attribute name='revenue' alias='average' aggregate='avg'/>\
                <attribute name='revenue' alias='least' aggregate='min'/>\
                <attribute name='createdon' alias='year' groupby='true' dategrouping='year'/>\
                <attribute name='ownerid' alias='owner' groupby='true'/>\
                <order alias='rows' descending='true'/></entity></fetch>";
    let response = service
        .fetch("accounts", sums, "odata.include-annotations=\"*\"")
        .await;
    assert_eq!(response.status, 200, "{}", response.text);
    let rows = response.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["rows"], &rows[0]["valued"]),
        (&json!(3), &json!(2))
    );
    for exact in [
        "\"sum\":30.5000",
        "\"average\":15.2500",
        "\"least\":10.5000",
        "\"sum@OData.Community.Display.V1.FormattedValue\":\"$30.50\"",
        "\"owner@Microsoft.Dynamics.CRM.lookuplogicalname\":\"systemuser\"",
    ] {
        assert!(response.text.contains(exact), "{exact}: {}", response.text);
    }
    assert!(rows[0].get("@odata.etag").is_none());
    let grouped = "<fetch aggregate='true'><entity name='account'>\
                   <attribute name='accountid' alias='n' aggregate='count'/>\
                   <attribute name='primarycontactid' alias='who' groupby='true'/>\
                   <link-entity name='contact' from='contactid' to='primarycontactid' alias='c' \
                   link-type='outer'><attribute name='lastname' alias='last' groupby='true'/>\
                   </link-entity></entity></fetch>";
    let rows = service.fetch("accounts", grouped, "").await.rows();
    assert_eq!(rows.len(), 3);
    let nobody = rows.iter().find(|row| row.get("who").is_none());
    assert_eq!(
        nobody,
        Some(&json!({"n": 1})),
        "keys without a value are left out"
    );
    for (broken, code) in [
        ("<attribute name='name'/>", "0x8004110B"),
        ("<attribute name='name' alias='n'/>", "0x80041107"),
        (
            "<attribute name='name' alias='n' aggregate='sum'/>",
            "0x80040203",
        ),
        (
            "<attribute name='accountid' alias='n' aggregate='count'/><order alias='m'/>",
            "0x8004110A",
        ),
    ] {
        let xml =
            format!("<fetch aggregate='true'><entity name='account'>{broken}</entity></fetch>");
        assert_eq!(
            service.fetch("accounts", &xml, "").await.error().0,
            code,
            "{broken}"
        );
    }
    let limited = sums.replace("aggregate='true'>", "aggregate='true' aggregatelimit='2'>");
    assert_eq!(
        service.fetch("accounts", &limited, "").await.error().0,
        "0x8004E023"
    );
}

#[tokio::test]
async fn changes_that_do_not_fit_the_schema_are_rejected() {
    let service = Service::start().await;
    for (inner, code) in [
        ("<entity name='accounts'/>", "0x80041102"),
        ("<entity name='contact'/>", "0x80041128"),
        (
            "<entity name='account'><attribute name='Name'/></entity>",
            "0x80041103",
        ),
        (
            "<entity name='account'><order attribute='nothing'/></entity>",
            "0x80041103",
        ),
        (
            "<entity name='account'><link-entity name='nothing' from='a' to='b'/></entity>",
            "0x80041102",
        ),
        (
            "<entity name='account'><filter><condition entityname='x' attribute='name' \
             operator='null'/></filter></entity>",
            "0x80041126",
        ),
        (
            "<entity name='account'><filter><condition attribute='revenue' operator='eq' \
             value='much'/></filter></entity>",
            "0x80040203",
        ),
        (
            "<entity name='account'><filter><condition attribute='name' operator='today'/>\
             </filter></entity>",
            "0x80041106",
        ),
        (
            "<entity name='account'><filter><condition attribute='name' operator='is'/>\
             </filter></entity>",
            "0x80040201",
        ),
        (
            "<entity name='account'><filter><condition attribute='name' operator='eq'/>\
             </filter></entity>",
            "0x80041106",
        ),
    ] {
        let response = service
            .fetch("accounts", &format!("<fetch>{inner}</fetch>"), "")
            .await;
        assert_eq!(
            (response.status.as_u16(), response.error().0.as_str()),
            (400, code),
            "{inner}: {}",
            response.text
        );
    }
    let plain = utf8_percent_encode("<fetch><entity name='account'/></fetch>", NON_ALPHANUMERIC);
    for path in [
        format!("accounts?fetchXml={plain}&$select=name"),
        format!("accounts/$count?fetchXml={plain}"),
    ] {
        assert_eq!(service.get(&path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn privileges_apply_to_joined_tables() {
    let service = Service::start().await;
    let id = Uuid::from_u128(0x61);
    service
        .emulator
        .add_application(id, "s3cret", Some(Role::BasicUser))
        .unwrap();
    let id = id.to_string();
    let token = service
        .request_token(&[("client_id", &id), ("client_secret", "s3cret")])
        .await;
    let token = format!("Bearer {}", token.json()["access_token"].as_str().unwrap());
    let as_basic_user = async |method: Method, path: &str, body: &str| {
        let headers = [("authorization", token.as_str())];
        service.send(method, path, &headers, body).await
    };
    let fetch = async |xml: &str| {
        let xml = utf8_percent_encode(xml, NON_ALPHANUMERIC);
        as_basic_user(Method::GET, &format!("accounts?fetchXml={xml}"), "").await
    };
    let task = json!([{"subject": "not the basic user's"}]);
    service
        .create(
            "accounts",
            &json!({"name": "foreign", "Account_Tasks": task}),
        )
        .await;
    let mine = json!({"name": "mine"}).to_string();
    as_basic_user(Method::POST, "accounts", &mine).await;
    let own = service
        .get("accounts?$select=accountid&$filter=name eq 'mine'")
        .await
        .rows();
    let regarding = format!("/accounts({})", own[0]["accountid"].as_str().unwrap());
    let task = json!({
        "subject": "of the administrator",
        "regardingobjectid_account_task@odata.bind": regarding,
    });
    service.create("tasks", &task).await;

    let plain = "<fetch><entity name='account'><attribute name='name'/></entity></fetch>";
    assert_eq!(names(&fetch(plain).await.rows()), ["mine"]);
    let joined = "<fetch><entity name='account'><attribute name='name'/><link-entity name='task' \
                  from='regardingobjectid' to='accountid' link-type='outer' alias='a'>\
                  <attribute name='subject'/></link-entity></entity></fetch>";
    let rows = fetch(joined).await.rows();
    assert_eq!(
        (names(&rows), rows[0].get("a.subject")),
        (vec!["mine".to_owned()], None)
    );
    service
        .emulator
        .revoke(Role::BasicUser, "prvReadActivity")
        .unwrap();
    let refused = fetch(joined).await;
    assert_eq!(
        (refused.status.as_u16(), refused.error().0),
        (403, "0x80040220".to_owned())
    );
    assert!(refused.error().1.contains("prvReadActivity"));
}
