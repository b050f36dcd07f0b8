use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::members::Column;

fn account() -> Vec<Column<'static>> {
    let column = |name, labels: &[&str]| Column {
        name,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    vec![
        column("accountid", &[]),
        column("name", &[]),
        column("revenue", &[]),
        column("statuscode", &["statuscodename"]),
        column(
            "primarycontactid",
            &["primarycontactidname", "primarycontactidtype"],
        ),
        column("modifiedon", &[]),
    ]
}

fn members(labels: bool) -> Members {
    Members::new("accountid", &account(), None, labels, None)
}

fn lines(body: &str, members: &mut Members) -> String {
    let walked = walk(members, body.as_bytes()).unwrap();
    walked
        .pieces
        .into_iter()
        .map(|piece| piece.ndjson)
        .collect()
}

#[test]
fn values_pass_through_as_they_were_written() {
    let body = r#"{"@odata.context":"c","value":[
        {"@odata.etag":"W/\"1\"","accountid":"a","revenue":20000.0000,"big":9007199254740993,
         "tiny":1E-400,"name":"A \u00e9\/\ud83d\ude00 \"q\"","_primarycontactid_value":null,
         "new_thing":{"@odata.etag":"x","list":[1, 2]},"": 1, "_value": 2, "__value": 3}],
        "@odata.nextLink":"https://o/n?$skiptoken=%3C","@odata.deltaLink":null}"#;
    let walked = walk(&mut members(false), body.as_bytes()).unwrap();
    assert_eq!(
        walked.next_link.as_deref(),
        Some("https://o/n?$skiptoken=%3C")
    );
    assert_eq!(walked.delta_link, None);
    assert_eq!(walked.pieces.len(), 1);
    assert_eq!(
        walked.pieces[0].ndjson,
        concat!(
            r#"{"accountid":"a","revenue":20000.0000,"big":9007199254740993,"tiny":1E-400,"#,
            r#""name":"A \u00e9\/\ud83d\ude00 \"q\"","primarycontactid":null,"#,
            r#""new_thing":{"@odata.etag":"x","list":[1, 2]},"":1,"_value":2,"__value":3}"#,
            "\n"
        )
    );
}

#[test]
fn unpaired_surrogates_are_replaced() {
    for (text, expected) in [
        (r"\ud83d\ude00", r"\ud83d\ude00"),
        (r"a\ud83d", r"a\ufffd"),
        (r"\ud83dz\uDE00", r"\ufffdz\ufffd"),
        (r"\uDE00\uD83D\uD83D\uDE00\n", r"\ufffd\ufffd\uD83D\uDE00\n"),
        // An escaped backslash before letters that look like a surrogate.
        (r"\\ud83d\\\ud83d", r"\\ud83d\\\ufffd"),
        (r"\u00e9ä\ud83dä", r"\u00e9ä\ufffdä"),
    ] {
        let body = format!(r#"{{"value":[{{"accountid":"a","name":"{text}"}}]}}"#);
        let line = lines(&body, &mut members(false));
        assert_eq!(
            line,
            format!("{{\"accountid\":\"a\",\"name\":\"{expected}\"}}\n")
        );
        serde_json::from_str::<Value>(&line).unwrap();
    }
}

#[test]
fn pieces_are_little_larger_than_their_rows() {
    let row = format!(r#"{{"accountid":"a","name":"{}"}}"#, "x".repeat(1_000));
    let body = format!("{{\"value\":[{}]}}", vec![row; 12_000].join(","));
    let walked = walk(&mut members(false), body.as_bytes()).unwrap();
    assert_eq!(walked.pieces.len(), 3);
    let room: usize = walked
        .pieces
        .iter()
        .map(|piece| piece.ndjson.capacity())
        .sum();
    assert!(
        room < body.len() + body.len() / 4,
        "{room} for {}",
        body.len()
    );
}

#[test]
fn links_may_come_before_the_rows() {
    let body = r#"{"@odata.deltaLink":"d","value":[]}"#;
    let walked = walk(&mut members(false), body.as_bytes()).unwrap();
    assert_eq!(walked.delta_link.as_deref(), Some("d"));
    assert!(walked.pieces.is_empty());
}

#[test]
fn labels_are_columns_that_are_null_without_a_value() {
    let body = r#"{"value":[
        {"accountid":"a","statuscode@OData.Community.Display.V1.FormattedValue":"Active",
         "statuscode":1,"revenue@OData.Community.Display.V1.FormattedValue":"$1.00","revenue":1.0,
         "_primarycontactid_value@OData.Community.Display.V1.FormattedValue":"Ann",
         "_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"contact",
         "_primarycontactid_value":"c",
         "_new_value@OData.Community.Display.V1.FormattedValue":"N","_new_value":"n"},
        {"accountid":"b","statuscode":null,"_primarycontactid_value":null}]}"#;
    assert_eq!(
        lines(body, &mut members(true)),
        concat!(
            r#"{"accountid":"a","statuscodename":"Active","statuscode":1,"revenue":1.0,"#,
            r#""primarycontactidname":"Ann","primarycontactidtype":"contact","#,
            r#""primarycontactid":"c","newname":"N","new":"n"}"#,
            "\n",
            r#"{"accountid":"b","statuscode":null,"primarycontactid":null,"#,
            r#""statuscodename":null,"primarycontactidname":null,"primarycontactidtype":null}"#,
            "\n"
        )
    );
    assert!(!lines(body, &mut members(false)).contains("Active"));
}

#[test]
fn the_first_of_two_members_with_one_name_counts() {
    let body = r#"{"value":[{"accountid":"a","primarycontactid":"1","_primarycontactid_value":"2","name":"x","name":"y"}]}"#;
    assert_eq!(
        lines(body, &mut members(false)),
        "{\"accountid\":\"a\",\"primarycontactid\":\"1\",\"name\":\"x\"}\n"
    );
}

#[test]
fn deletions_are_separate_pieces_in_order() {
    let deleted = |id| {
        format!(
            r#"{{"id":"{id}","reason":"deleted","@odata.context":"https://o/$metadata#accounts/$deletedEntity"}}"#
        )
    };
    let body = format!(
        r#"{{"value":[{{"accountid":"a","id":7}},{},{},{{"accountid":"d"}}]}}"#,
        deleted("b"),
        deleted("c")
    );
    let walked = walk(&mut members(true), body.as_bytes()).unwrap();
    let pieces: Vec<(bool, u32)> = walked
        .pieces
        .iter()
        .map(|piece| (piece.deleted, piece.count))
        .collect();
    assert_eq!(pieces, [(false, 1), (true, 2), (false, 1)]);
    assert!(
        walked.pieces[0]
            .ndjson
            .starts_with(r#"{"accountid":"a","id":7,"#)
    );
    assert_eq!(
        walked.pieces[1].ndjson,
        "{\"accountid\":\"b\"}\n{\"accountid\":\"c\"}\n"
    );
}

#[test]
fn deletions_are_recognized_in_every_form() {
    for deletion in [
        r#"{"@removed":{"reason":"deleted"},"id":"b"}"#,
        r#"{"@removed":{"reason":"deleted"},"@odata.id":"https://o/api/data/v9.2/accounts(b)"}"#,
        r#"{"@id":"accounts(b)","@odata.removed":{"reason":"changed"}}"#,
        r#"{"accountid":"b","@removed":{}}"#,
        r#"{"id":"accounts(accountid=b)","reason":"deleted"}"#,
        r#"{"reason":"deleted","id":"b"}"#,
        r#"{"reason":"deleted","id":"{B}"}"#,
        r#"{"@removed":{},"@odata.id":"https://o/api/data/v9.2/Accounts({B})"}"#,
    ] {
        let body = format!(r#"{{"value":[{{"id":"x","reason":"y","accountid":"a"}},{deletion}]}}"#);
        let walked = walk(&mut members(false), body.as_bytes()).unwrap();
        let [row, gone] = &*walked.pieces else {
            panic!("{deletion}: {:?}", walked.pieces)
        };
        assert!(!row.deleted && row.ndjson.contains("\"reason\":\"y\""));
        assert!(gone.deleted);
        assert_eq!(gone.ndjson, "{\"accountid\":\"b\"}\n", "{deletion}");
    }
}

#[test]
fn a_list_that_is_null_is_empty() {
    let walked = walk(
        &mut members(false),
        br#"{"value":null,"@odata.deltaLink":"d"}"#,
    )
    .unwrap();
    assert_eq!(walked.pieces, []);
    assert_eq!(walked.delta_link.as_deref(), Some("d"));
}

#[test]
fn columns_outside_the_selection_are_left_out() {
    let names = ["name".to_owned(), "primarycontactid".to_owned()];
    let mut members = Members::new(
        "accountid",
        &account(),
        Some(&names),
        true,
        Some("modifiedon"),
    );
    let body = r#"{"value":[{"accountid":"a","name":"n","revenue":1,"_primarycontactid_value":null,
        "modifiedon":"2024-01-01T00:00:00Z","statuscode@OData.Community.Display.V1.FormattedValue":"x"},
        {"accountid":"b","modifiedon":"2024-01-02T00:00:00Z"}]}"#;
    let walked = walk(&mut members, body.as_bytes()).unwrap();
    assert_eq!(walked.watched.as_deref(), Some("\"2024-01-02T00:00:00Z\""));
    assert_eq!(
        walked.pieces[0].ndjson.lines().next().unwrap(),
        r#"{"accountid":"a","name":"n","primarycontactid":null,"primarycontactidname":null,"primarycontactidtype":null}"#
    );
}

#[test]
fn invalid_pages_are_rejected_with_the_position() {
    let rejection = |body: &[u8]| walk(&mut members(false), body).unwrap_err().to_string();
    assert_eq!(
        rejection(b"{\"value\":\xFF}"),
        "it is not UTF-8 text at byte 9"
    );
    assert_eq!(
        rejection(br#"{"value":[{"accountid":"a""#),
        "it is cut off after 26 bytes"
    );
    assert_eq!(rejection(b""), "it is cut off after 0 bytes");
    for (body, offset, reason) in [
        (
            &br#"{"value":[{"accountid":"a",}]}"#[..],
            27,
            "trailing comma",
        ),
        (
            b"{\n\"value\":[{\n\"accountid\" \"a\"}]}",
            24,
            "expected `:`",
        ),
        (b"<html>", 0, "expected value"),
        (br#"{"value":[]} x"#, 13, "trailing characters"),
        (br#"{"value":[7]}"#, 10, "a row"),
        (br#"{"value":{}}"#, 8, "an array of rows"),
        (br#"{"rows":[]}"#, 10, "missing field `value`"),
        (br#"{"value":[],"value":[]}"#, 12, "duplicate field `value`"),
        (
            br#"{"value":[{"name":"a"}]}"#,
            21,
            "without its primary key",
        ),
        (
            br#"{"value":[{"accountid":null,"name":"a"}]}"#,
            38,
            "without its primary key",
        ),
        (
            br#"{"value":[{"id":null,"@removed":{}}]}"#,
            34,
            "a deletion without an id",
        ),
        (
            br#"{"value":[{"accountid":"a","n":01}]}"#,
            32,
            "invalid number",
        ),
    ] {
        match walk(&mut members(false), body).unwrap_err() {
            Malformed::Syntax {
                offset: at,
                reason: why,
            } => {
                assert!(why.contains(reason), "{why}");
                assert!(at.abs_diff(offset) <= 1, "{reason}: {at}, not {offset}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn large_pages_are_split_between_rows() {
    let text = "x".repeat(700_000);
    let rows: Vec<Value> = (0..20)
        .map(|n| json!({"accountid": n.to_string(), "name": text}))
        .collect();
    let walked = walk(
        &mut members(false),
        json!({"value": rows}).to_string().as_bytes(),
    )
    .unwrap();
    assert!(
        walked
            .pieces
            .iter()
            .all(|piece| piece.ndjson.len() <= MAX_PIECE)
    );
    assert_eq!(walked.pieces.len(), 4);
    assert_eq!(
        walked.pieces.iter().map(|piece| piece.count).sum::<u32>(),
        20
    );
    let all: String = walked
        .pieces
        .into_iter()
        .map(|piece| piece.ndjson)
        .collect();
    assert_eq!(all.lines().count(), 20);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no other", |f| f.is_finite())
            .prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]*", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Rows of compact pages and of pages with line breaks are written unchanged, one per line.
    #[test]
    fn rows_are_written_unchanged(
        rows in prop::collection::vec(
            prop::collection::btree_map("[a-z]{1,4}|\\PC{1,3}", value(), 0..6), 0..6),
        pretty: bool,
    ) {
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|mut row| {
                row.retain(|name, _| !name.contains('@'));
                row.insert("accountid".to_owned(), "a".into());
                Value::Object(row.into_iter().collect())
            })
            .collect();
        let page = json!({"value": rows});
        let body = if pretty {
            serde_json::to_string_pretty(&page).unwrap().replace('\n', "\r\n")
        } else {
            page.to_string()
        };
        let text = lines(&body, &mut members(false));
        let left: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Read from the same text, because reading a number and writing it may change it.
        let came: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(Value::from(left), came["value"].clone());
    }

    /// No input makes the walker panic.
    #[test]
    fn the_walker_never_panics(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = walk(&mut members(true), &body);
    }

    /// A page with one wrong byte is rejected or is another page; no line is invalid JSON.
    #[test]
    fn one_wrong_byte_never_results_in_an_invalid_line(at in 0..150_usize, byte: u8) {
        let mut body = br#"{"value":[{"accountid":"a","revenue":1.50,"_primarycontactid_value":null},{"@odata.context":"x/$deletedEntity","id":"b"}],"@odata.nextLink":"n"}"#.to_vec();
        if let Some(place) = body.get_mut(at) {
            *place = byte;
        }
        if let Ok(walked) = walk(&mut members(false), &body) {
            for line in walked.pieces.iter().flat_map(|piece| piece.ndjson.lines()) {
                prop_assert!(serde_json::from_str::<Value>(line).is_ok(), "{}", line);
            }
        }
    }
}

#[test]
fn rows_of_queries_get_nulls_and_row_numbers() {
    let columns = [
        Column {
            name: "total",
            labels: Vec::new(),
        },
        Column {
            name: "o.ownerid",
            labels: vec!["o.owneridname".to_owned(), "o.owneridtype".to_owned()],
        },
    ];
    let mut members = Members::new("row", &columns, None, true, None)
        .with_nulls(&columns)
        .numbered_after(9);
    let body = r#"{"@Microsoft.Dynamics.CRM.morerecords":"true","value":[
        {"o_x002e_ownerid":"a","o_x002e_ownerid@OData.Community.Display.V1.FormattedValue":"Ann",
         "o_x002e_ownerid@Microsoft.Dynamics.CRM.lookuplogicalname":"systemuser"},
        {"total":1.50}],
        "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie":"<cookie a=\"b\"/>"}"#;
    let walked = walk(&mut members, body.as_bytes()).unwrap();
    assert_eq!(walked.more, Some(true));
    assert_eq!(walked.paging_cookie.as_deref(), Some("<cookie a=\"b\"/>"));
    let rows: Vec<Value> = walked.pieces[0]
        .ndjson
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        rows,
        [
            json!({"row": 10, "total": null, "o.ownerid": "a", "o.owneridname": "Ann",
                   "o.owneridtype": "systemuser"}),
            json!({"row": 11, "total": 1.50, "o.ownerid": null, "o.owneridname": null,
                   "o.owneridtype": null}),
        ]
    );
}
