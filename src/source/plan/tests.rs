use super::*;
use crate::catalog::AlternateKey;

fn column(name: &str, data_type: DataType, max_length: Option<u32>) -> Column {
    Column {
        max_length,
        ..Column::new(name.to_owned(), name.to_owned(), data_type)
    }
}

fn plan(columns: Vec<Column>, selected: Option<&[&str]>, page_size: Option<u32>) -> Plan {
    let table = Table {
        name: "account".to_owned(),
        entity_set: "accounts".to_owned(),
        title: "Account".to_owned(),
        change_detection: ChangeDetection::Watermark,
        primary_key: "accountid".to_owned(),
        also_key: None,
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
    Plan::new(table, binding, &selection, MAX_PAGE_SIZE, None).unwrap()
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
fn columns_are_asked_for_by_their_names_on_the_wire() {
    let all = plan(ordinary(), None, None);
    assert_eq!(all.snapshot(Method::Full).as_str(), "accounts");
    let some = plan(ordinary(), Some(&["name", "ownerid"]), None);
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
        watermark::changes(&some, column, since).as_str(),
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
    let many = plan(columns, Some(&names), None);
    assert_eq!(many.query(None, None).as_str(), "accounts");
}

#[test]
fn pages_hold_as_many_rows_as_fit() {
    assert_eq!(plan(ordinary(), None, None).page_size(), 5_000);
    assert_eq!(plan(ordinary(), None, Some(7)).page_size(), 7);
    assert_eq!(plan(ordinary(), None, Some(9_999)).page_size(), 5_000);
    let mut notes = ordinary();
    notes.push(column("documentbody", DataType::Text, Some(1_073_741_823)));
    let with_documents = plan(notes.clone(), None, None).page_size();
    assert!((100..1_000).contains(&with_documents), "{with_documents}");
    assert_eq!(plan(notes, Some(&["name"]), None).page_size(), 5_000);
}
