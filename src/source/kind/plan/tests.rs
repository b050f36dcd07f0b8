use super::*;
use crate::catalog::{AlternateKey, ChangeDetection};
use crate::error::ErrorKind;
use crate::source::position::Method;

fn column(name: &str, data_type: DataType, max_length: Option<u32>) -> Column {
    Column {
        max_length,
        ..Column::new(name.to_owned(), name.to_owned(), data_type)
    }
}

fn listing(columns: Vec<Column>, selected: Option<&[&str]>, page_size: Option<u32>) -> Rc<Listing> {
    listing_of("accountid", columns, selected, page_size).unwrap()
}

fn listing_of(
    primary_key: &str,
    columns: Vec<Column>,
    selected: Option<&[&str]>,
    page_size: Option<u32>,
) -> Result<Rc<Listing>, Error> {
    let table = Table {
        name: "account".to_owned(),
        entity_set: "accounts".to_owned(),
        title: "Account".to_owned(),
        change_detection: ChangeDetection::Watermark,
        primary_key: primary_key.to_owned(),
        second_key: None,
        name_column: None,
        columns,
        alternate_keys: Vec::<AlternateKey>::new(),
        relationships: Vec::new(),
        can_be_tracked: false,
    };
    let binding = Binding {
        table: "account".to_owned(),
        columns: selected.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        ..Binding::default()
    };
    let selection = Selection {
        page_size,
        ..Selection::default()
    };
    let rows = Rows::Listed(Listed {
        max_page_rows: MAX_PAGE_SIZE,
        condition: None,
        watermark: None,
        columns: None,
        expansion: Expansion::FileContent,
    });
    match Plan::new(table, rows, binding, &selection, MAX_PAGE_SIZE, None)?.1 {
        Source::Listing(listing) => Ok(listing),
        Source::Queries(queries) => panic!("{queries:?}"),
    }
}

fn ordinary() -> Vec<Column> {
    vec![
        column("accountid", DataType::Identifier, None),
        column("name", DataType::Text, Some(160)),
        column("ownerid", DataType::Reference, None),
        column("modifiedon", DataType::Timestamp, None),
    ]
}

#[test]
fn columns_are_requested_by_their_wire_names() {
    let all = listing(ordinary(), None, None);
    assert_eq!(all.snapshot(Method::Full).as_str(), "accounts");
    let some = listing(ordinary(), Some(&["name", "ownerid"]), None);
    assert_eq!(
        some.snapshot(Method::Tracked { plain: false }).as_str(),
        "accounts?$select=name,_ownerid_value"
    );
    assert_eq!(
        some.snapshot(some.method()).as_str(),
        "accounts?$select=name,_ownerid_value,modifiedon&$orderby=modifiedon%20asc,accountid%20asc"
    );
    let Method::Watermark { column, .. } = some.method() else {
        panic!();
    };
    let since = column.mark("\"2024-03-01T00:01:00Z\"").unwrap();
    assert_eq!(
        some.changes_since(column, since).as_str(),
        "accounts?$select=name,_ownerid_value,modifiedon\
         &$filter=modifiedon%20ge%202024-02-29T23:59:00Z\
         &$orderby=modifiedon%20asc,accountid%20asc"
    );
}

#[test]
fn too_many_columns_for_an_address_are_not_named() {
    let names: Vec<String> = (0..1_200).map(|n| format!("{n:0>60}")).collect();
    let columns = names
        .iter()
        .map(|name| column(name, DataType::Integer, None))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let many = listing(columns, Some(&names), None);
    assert_eq!(many.snapshot(Method::Full).as_str(), "accounts");
}

fn page_size(columns: Vec<Column>, selected: Option<&[&str]>, page_size: Option<u32>) -> u32 {
    listing(columns, selected, page_size).plan.page_size()
}

#[test]
fn pages_hold_as_many_rows_as_fit() {
    assert_eq!(page_size(ordinary(), None, None), 5_000);
    assert_eq!(page_size(ordinary(), None, Some(7)), 7);
    assert_eq!(page_size(ordinary(), None, Some(9_999)), 5_000);
    let mut notes = ordinary();
    notes.push(column("documentbody", DataType::Text, Some(1_073_741_823)));
    let with_documents = page_size(notes.clone(), None, None);
    assert!((100..1_000).contains(&with_documents), "{with_documents}");
    assert_eq!(page_size(notes, Some(&["name"]), None), 5_000);
}

#[test]
fn the_error_for_an_unknown_column_says_its_name_in_rows() {
    for (name, advice) in [
        ("_ownerid_value", "; write ownerid"),
        ("nam", "; did you mean name"),
        ("to", "rows of the stream activityparty"),
    ] {
        let error = listing_of("activityid", ordinary(), Some(&[name]), None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert!(error.message.contains(advice), "{error}");
    }
    let error = listing_of("accountid", ordinary(), Some(&["to"]), None).unwrap_err();
    assert!(!error.message.contains("activityparty"), "{error}");
}
