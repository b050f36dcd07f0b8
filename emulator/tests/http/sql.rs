//! `?sql=` (reference §4.13).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::{Response, Service};

impl Service {
    async fn sql(&self, set: &str, text: &str) -> Response {
        let text = utf8_percent_encode(text, NON_ALPHANUMERIC);
        self.get_preferring(&format!("{set}?sql={text}"), "odata.maxpagesize=2")
            .await
    }
}

async fn names(service: &Service, condition: &str) -> Vec<String> {
    let text = format!("SELECT TOP 10 a.name FROM account AS a {condition} ORDER BY a.name");
    let response = service.sql("accounts", &text).await;
    assert_eq!(response.status, 200, "{condition}: {}", response.text);
    let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
    response.rows().iter().map(name).collect()
}

#[tokio::test]
async fn statements_select_rows() {
    let service = Service::start().await;
    for (name, employees, contact) in [
        ("A", json!(1), Some("Smith")),
        ("B's", json!(2), None),
        ("C", json!(null), Some("Glynn")),
    ] {
        let mut body = json!({"name": name, "numberofemployees": employees});
        if let Some(last) = contact {
            body["primarycontactid"] = json!({"lastname": last});
        }
        service.create("accounts", &body).await;
    }
    for (condition, expected) in [
        ("WHERE name = 'B''s'", vec!["B's"]),
        (
            "WHERE numberofemployees >= 1 AND (a.name LIKE 'A%' OR name LIKE 'C%')",
            vec!["A"],
        ),
        (
            "where numberofemployees is null or numberofemployees in (2, 7)",
            vec!["B's", "C"],
        ),
        // As in the other queries of the service, null is outside of every range.
        (
            "WHERE numberofemployees NOT BETWEEN 2 AND 3",
            vec!["A", "C"],
        ),
        ("WHERE name NOT IN ('A', 'C')", vec!["B's"]),
        (
            "LEFT JOIN contact c ON a.primarycontactid = c.contactid WHERE c.contactid IS NULL",
            vec!["B's"],
        ),
        (
            "JOIN contact c ON c.contactid = a.primarycontactid WHERE c.lastname <> 'Smith'",
            vec!["C"],
        ),
    ] {
        assert_eq!(names(&service, condition).await, expected, "{condition}");
    }

    // Without TOP there are pages, with links to the next.
    let first = service
        .sql("accounts", "SELECT name FROM account ORDER BY name DESC")
        .await;
    assert_eq!(first.rows().len(), 2);
    let next = first.link("@odata.nextLink").unwrap();
    let last = service.follow(&next, "odata.maxpagesize=2").await;
    assert_eq!(last.rows()[0]["name"], "A");
    assert_eq!(last.link("@odata.nextLink"), None);

    let numbers = "SELECT statecode, COUNT(*) AS n, SUM(numberofemployees) AS total, \
                   COUNT(DISTINCT name) AS names FROM account GROUP BY statecode ORDER BY n DESC";
    let row = service.sql("accounts", numbers).await.rows().remove(0);
    assert_eq!(row, json!({"statecode": 0, "n": 3, "total": 3, "names": 3}));
}

#[tokio::test]
async fn unsupported_statements_are_rejected() {
    let service = Service::start().await;
    for text in [
        "SELECT * FROM account",
        "SELECT name FROM account WHERE accountid IN (SELECT parentcustomerid FROM contact)",
        "SELECT name FROM account UNION SELECT fullname FROM contact",
        "SELECT name FROM account; DELETE FROM account",
        "DELETE FROM account",
        "SELECT UPPER(name) AS n FROM account",
        "SELECT COUNT(*) FROM account",
        "SELECT name, COUNT(*) AS n FROM account GROUP BY statecode",
        "SELECT name FROM account WHERE name = 'A",
        "SELECT name FROM account RIGHT JOIN contact c ON c.contactid = account.primarycontactid",
        "SELECT nope FROM account",
        "SELECT fullname FROM contact",
        "",
        &format!(
            "SELECT name FROM account WHERE {}name = 'A'",
            "(".repeat(5_000)
        ),
    ] {
        let response = service.sql("accounts", text).await;
        assert_eq!(response.status, 400, "{text}: {}", response.text);
    }
}
