//! Organizations of many tables.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::super::describe::{GROUP, MAX_BYTES, MAX_NAMES, MAX_RUNNING};
use super::super::*;
use super::organization::{attribute, label, open};
use crate::error::ErrorKind;
use crate::host::Request;
use crate::simulation::{Reply, Simulation, batch, signed_in_with_batches};

/// An organization of any number of tables with that many columns each, of many types. It
/// notes the size of its largest response.
fn large_organization(columns: usize, largest: Rc<Cell<usize>>) -> Rc<Simulation> {
    const KINDS: [&str; 6] = [
        "String", "Money", "Picklist", "Lookup", "DateTime", "Boolean",
    ];
    let of_kind = move |kind| (1..=columns).filter(move |number| number % KINDS.len() == kind);
    let name = |number| format!("new_column{number}");
    let attributes: Vec<Value> = (0..KINDS.len())
        .flat_map(|kind| of_kind(kind).map(move |number| attribute(&name(number), KINDS[kind], 1)))
        .collect();
    let table = json!({
        "LogicalName": "NAME", "EntitySetName": "NAMEs", "PrimaryIdAttribute": "new_column6",
        "Attributes": attributes,
    });
    let table = table.to_string();
    let options: Vec<Value> = (0..8)
        .map(|value| json!({"Value": value, "Label": label("An option")}))
        .collect();
    let casts = [0, 1, 2, 3, 4, 5].map(|kind| {
        let details: Vec<Value> = of_kind(kind)
            .map(|number| {
                json!({"LogicalName": name(number), "MaxLength": 100, "Targets": ["account"],
                    "MinValue": 0, "OptionSet": {"Options": options, "FalseOption": options[0]}})
            })
            .collect();
        json!({ "value": details }).to_string()
    });
    let mut respond = move |request: &Request| {
        let path = &request.target.path_and_query;
        let Some((_, cast)) = path.split_once("/Attributes/Microsoft.Dynamics.CRM.") else {
            let name = path.split('\'').nth(1).unwrap();
            return Reply::body(200, table.replace("NAME", name));
        };
        let kind = KINDS.iter().position(|kind| cast.starts_with(kind));
        Reply::body(200, casts[kind.unwrap()].clone())
    };
    signed_in_with_batches(move |request| {
        let reply = match request.body {
            Some(_) => batch(request, &mut respond),
            None => respond(request),
        };
        largest.set(largest.get().max(reply.size()));
        reply
    })
}

#[test]
fn a_large_organization_is_described_in_bounded_memory() {
    let largest = Rc::new(Cell::new(0));
    let host = large_organization(120, Rc::clone(&largest));
    let session = open(&host);
    let names: Vec<String> = (0..MAX_NAMES).map(|n| format!("new_table{n}")).collect();
    let described = host.block_on(describe(&session, &names)).unwrap();
    assert_eq!(described.len(), names.len());
    assert_eq!(described[99].name, "new_table99");
    assert_eq!(described[0].columns.len(), 120);
    // The streams, the data of one of them for the host, and the batches in flight fit into 64 MiB.
    let kept: usize = described.iter().map(Table::size).sum();
    assert!(kept < MAX_BYTES, "{kept}");
    assert!(largest.get() < 4 << 20, "{}", largest.get());
    assert!(host.most_at_once() <= MAX_RUNNING);
    // Two batches for ten tables.
    assert_eq!(host.count("$batch"), 2 * names.len() / GROUP);
    assert_eq!(host.count("$metadata"), 0);
}

#[test]
fn more_streams_than_one_call_can_hold_are_rejected() {
    let host = large_organization(1_500, Rc::default());
    let session = open(&host);
    let names: Vec<String> = (0..=MAX_NAMES).map(|n| format!("new_table{n}")).collect();
    for (names, sends) in [(&names[..], false), (&names[..40], true)] {
        let error = host.block_on(describe(&session, names)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(
            error.message.ends_with("if they have many columns"),
            "{error}"
        );
        assert_eq!(host.count("$batch") > 0, sends);
    }
}
