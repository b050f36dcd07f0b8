//! `$apply` (reference §4.9).

use serde_json::{Value, json};

use crate::support::{Response, Service};

const FORMATTED: &str = "odata.include-annotations=\"OData.Community.Display.V1.FormattedValue\"";

/// Five accounts, one of them inactive and one without a contact.
async fn accounts() -> Service {
    let service = Service::start().await;
    let mut contacts = Vec::new();
    for name in ["Glynn", "Campbell"] {
        let contact = json!({"firstname": "Jim", "lastname": name});
        contacts.push(service.create("contacts", &contact).await);
    }
    for (name, revenue, contact, status) in [
        ("A", json!(10.25), Some(0), 1),
        ("B", json!(20), Some(1), 1),
        ("C", json!(30.5), Some(1), 1),
        ("D", json!(null), None, 1),
        ("E", json!(40), Some(0), 2),
    ] {
        let mut body = json!({"name": name, "revenue": revenue});
        if let Some(at) = contact {
            let id: &String = &contacts[at];
            body["primarycontactid@odata.bind"] = json!(format!("/contacts({id})"));
        }
        if status == 2 {
            body["statecode"] = json!(1);
            body["statuscode"] = json!(2);
        }
        service.create("accounts", &body).await;
    }
    service
}

impl Service {
    async fn apply(&self, query: &str) -> Response {
        let response = self
            .get_preferring(&format!("accounts?$apply={query}"), FORMATTED)
            .await;
        assert_eq!(response.status, 200, "{query}: {}", response.text);
        response
    }
}

fn column<'r>(rows: &'r [Value], name: &str) -> Vec<Option<&'r Value>> {
    rows.iter().map(|row| row.get(name)).collect()
}

#[tokio::test]
async fn groups_are_aggregated() {
    let service = accounts().await;
    let response = service
        .apply("groupby((statuscode),aggregate($count as count,revenue with average as mean))")
        .await;
    let context = response.json()["@odata.context"].clone();
    assert!(context.as_str().unwrap().ends_with("$metadata#accounts"));
    let rows = response.rows();
    assert_eq!(
        column(&rows, "statuscode"),
        [Some(&json!(1)), Some(&json!(2))]
    );
    assert_eq!(column(&rows, "count"), [Some(&json!(4)), Some(&json!(1))]);
    assert_eq!(
        rows[0]["statuscode@OData.Community.Display.V1.FormattedValue"],
        "Active"
    );
    assert_eq!(
        rows[0]["count@OData.Community.Display.V1.FormattedValue"],
        "4"
    );
    // Rows without a value do not count: (10.25 + 20 + 30.5) / 3.
    assert!(
        response.text.contains("\"mean\":20.2500"),
        "{}",
        response.text
    );

    let all = "aggregate(revenue with sum as total,revenue with min as least,createdon with max \
               as last,statuscode with countdistinct as kinds)";
    let row = service.apply(all).await.rows().remove(0);
    assert_eq!(row["total"], json!(100.75));
    assert_eq!(row["least"], json!(10.25));
    assert_eq!(row["kinds"], 2);
    assert!(row["last"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn rows_are_filtered_and_grouped_by_what_they_refer_to() {
    let service = accounts().await;
    let query = "filter(statecode eq 0 and name ne 'A/B')/\
                 groupby((primarycontactid/fullname),aggregate(revenue with sum as total))";
    let rows = service.apply(query).await.rows();
    let names = column(&rows, "contact_fullname");
    // The rows without a contact are a group whose key is left out.
    assert_eq!(
        names,
        [
            None,
            Some(&json!("Jim Campbell")),
            Some(&json!("Jim Glynn"))
        ]
    );
    assert_eq!(rows[1]["total"], json!(50.5));
    assert_eq!(rows[2]["total"], json!(10.25));

    let ordered = service
        .apply("groupby((name,_primarycontactid_value))&$orderby=name desc&$top=2")
        .await
        .rows();
    assert_eq!(
        column(&ordered, "name"),
        [Some(&json!("E")), Some(&json!("D"))]
    );
    assert_eq!(ordered[1].get("_primarycontactid_value"), None);
    let paged = service
        .get_preferring("accounts?$apply=groupby((name))", "odata.maxpagesize=2")
        .await;
    assert_eq!(paged.rows().len(), 2);
    let next = paged.link("@odata.nextLink").unwrap();
    let second = service.follow(&next, "odata.maxpagesize=2").await;
    assert_eq!(
        column(&second.rows(), "name"),
        [Some(&json!("C")), Some(&json!("D"))]
    );
}

#[tokio::test]
async fn unsupported_aggregations_are_rejected() {
    let service = accounts().await;
    for query in [
        "accounts?$apply=groupby((createdon))",
        "accounts?$apply=groupby((nope))",
        "accounts?$apply=groupby(name)",
        "accounts?$apply=filter(name eq 'A')",
        "accounts?$apply=aggregate(name with sum as total)",
        "accounts?$apply=aggregate(revenue with median as total)",
        "accounts?$apply=aggregate(revenue as total)",
        "accounts?$apply=compute(revenue as total)",
        "accounts?$apply=groupby((name))&$filter=name eq 'A'",
        "accounts?$apply=groupby((contact_customer_accounts/fullname))",
        "accounts/$count?$apply=groupby((name))",
        "EntityDefinitions?$apply=groupby((LogicalName))",
    ] {
        let response = service.get(query).await;
        assert_eq!(response.status, 400, "{query}: {}", response.text);
    }
    let ordered = "accounts?$apply=groupby((name),aggregate($count as n))&$orderby=n";
    assert_eq!(
        service.get(ordered).await.error().1,
        "The query node SingleValueOpenPropertyAccess is not supported."
    );
    let tracked = service
        .get_preferring("accounts?$apply=groupby((name))", "odata.track-changes")
        .await;
    assert_eq!(tracked.status, 400);
}
