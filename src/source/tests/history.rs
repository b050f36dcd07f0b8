//! The history of rows, against a small audit log.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::service::{Kind, World, id, timestamp};
use super::*;
use crate::host::Request;
use crate::simulation::{API_ROOT, Reply, signed_in};

const NOW: i64 = 1_700_000_000;

/// An audit log.
pub(super) struct Log {
    world: Rc<RefCell<World>>,
    /// Entries by their time, with their number and table.
    entries: Vec<(i64, u32, &'static str)>,
    denies_details: bool,
    /// Entries whose details are lost.
    lost: Vec<u32>,
    /// Entries whose details make the service fail.
    fails_on: Vec<u32>,
    /// How large a value of an entry is.
    size: usize,
}

impl Log {
    pub(super) fn new(entries: u32) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            world: world(Kind::Tracked, 0),
            entries: (0..entries)
                .map(|number| (NOW + i64::from(number) * 60, number, "alpha"))
                .collect(),
            denies_details: false,
            lost: Vec::new(),
            fails_on: Vec::new(),
            size: 1,
        }))
    }

    pub(super) fn host(this: &Rc<RefCell<Self>>) -> Rc<Simulation> {
        let this = Rc::clone(this);
        signed_in(move |request| this.borrow().respond(request))
    }

    fn respond(&self, request: &Request) -> Reply {
        let path = &request.target.path_and_query;
        let (resource, query) = path.split_once('?').unwrap_or((path, ""));
        let resource = resource.rsplit_once("/v9.2/").unwrap().1;
        if resource.starts_with("EntityDefinitions(LogicalName='audit')") {
            return definition(resource);
        }
        if let Some(entry) = resource.strip_prefix("audits(") {
            let number = u32::from_str_radix(&entry[..8], 16).unwrap();
            return self.details(number);
        }
        if resource != "audits" {
            return self.world.borrow_mut().respond(request);
        }
        let options: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        assert_eq!(options["$orderby"], "createdon asc,auditid asc");
        let filter = options.get("$filter").map_or("", String::as_str);
        let least = filter
            .split_once("createdon ge ")
            .map_or(i64::MIN, |(_, time)| super::service::seconds(time));
        let prefer = &request
            .headers
            .iter()
            .find(|it| it.name == "Prefer")
            .unwrap()
            .value;
        let size = prefer
            .split_once("maxpagesize=")
            .unwrap()
            .1
            .split(',')
            .next()
            .unwrap();
        let size: usize = size.parse().unwrap();
        let from: usize = options
            .get("$skiptoken")
            .map_or(0, |from| from.parse().unwrap());
        let found: Vec<Value> = self
            .entries
            .iter()
            .filter(|(time, _, table)| {
                *time >= least
                    && (!filter.contains("objecttypecode")
                        || filter.contains(&format!("objecttypecode eq '{table}'")))
            })
            .map(|(time, number, table)| {
                json!({
                    "auditid": id(*number), "createdon": timestamp(*time), "operation": 2,
                    "operation@OData.Community.Display.V1.FormattedValue": "Update",
                    "action": 2, "objecttypecode": table, "_objectid_value": id(7),
                    "_userid_value": id(9), "attributemask": "1,2",
                    "changedata": format!("{{\"changedAttributes\":[{{\"logicalName\":\"name\",\
                        \"oldValue\":\"kept {number}\",\"newValue\":null}}]}}"),
                })
            })
            .collect();
        let more = found.len() > from + size;
        let page: Vec<Value> = found.into_iter().skip(from).take(size).collect();
        let mut body = json!({"@odata.context": "c", "value": page});
        if more {
            let query = query.split("&$skiptoken").next().unwrap();
            let next = format!("{API_ROOT}audits?{query}&$skiptoken={}", from + size);
            body["@odata.nextLink"] = next.into();
        }
        Reply::json(&body)
    }

    fn details(&self, number: u32) -> Reply {
        if self.denies_details {
            return Reply::fault(
                403,
                "0x80040220",
                "Principal lacks the privilege prvReadRecordAuditHistory.",
            );
        }
        if self.lost.contains(&number) {
            return Reply::fault(404, "0x80040217", "alpha Does Not Exist");
        }
        if self.fails_on.contains(&number) {
            return Reply::fault(500, "0x80040216", "An unexpected error occurred.");
        }
        Reply::json(&json!({"AuditDetail": {
            "@odata.type": "#Microsoft.Dynamics.CRM.AttributeAuditDetail",
            "OldValue": {"name": format!("old {number}")},
            "NewValue": {"name": "x".repeat(self.size), "revenue": 20.5},
        }}))
    }
}

fn definition(resource: &str) -> Reply {
    let column = |name: &str, kind: &str| {
        json!({
            "LogicalName": name, "AttributeType": kind, "AttributeOf": null,
            "AttributeTypeName": {"Value": format!("{kind}Type")}, "ColumnNumber": 1,
            "IsValidForRead": true, "IsValidODataAttribute": true,
        })
    };
    if resource.contains("/Attributes/") {
        return Reply::json(&json!({"value": []}));
    }
    Reply::json(&json!({
        "LogicalName": "audit", "EntitySetName": "audits", "PrimaryIdAttribute": "auditid",
        "IsPrivate": false, "ChangeTrackingEnabled": false, "Keys": [],
        "Attributes": [
            column("auditid", "Uniqueidentifier"), column("createdon", "DateTime"),
            column("operation", "Picklist"), column("action", "Picklist"),
            column("objecttypecode", "EntityName"), column("objectid", "Lookup"),
            column("userid", "Lookup"), column("attributemask", "Memo"),
            column("changedata", "Memo"),
        ],
    }))
}

fn rows(events: &[Event]) -> Vec<Value> {
    let mut rows = Vec::new();
    for event in events {
        if let Event::Page(page) = event {
            let lines = page.ndjson.lines();
            rows.extend(lines.map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
    }
    rows
}

#[test]
fn an_entry_is_a_row_for_each_column_that_changed() {
    let log = Log::new(10);
    log.borrow_mut().lost.push(3);
    let host = Log::host(&log);
    let labelled = Selection {
        labels: true,
        ..selection("audit-history")
    };
    let events = run(&host, vec![labelled]).unwrap();
    assert_eq!(
        summary(&events),
        ["schema", "reset", "snapshot 13", "snapshot 6", "complete"]
    );
    let Event::Schema(schema) = &events[0] else {
        panic!()
    };
    assert_eq!(schema.primary_key, ["auditid", "column"]);
    let shape: Value = serde_json::from_str(&schema.row_schema).unwrap();
    let found = rows(&events);
    assert_eq!(
        found[0],
        json!({
            "auditid": id(0), "createdon": timestamp(NOW), "operation": 2, "action": 2,
            "objecttypecode": "alpha", "objectid": id(7), "userid": id(9),
            "operationname": "Update", "actionname": null, "objectidname": null,
            "objectidtype": null, "useridname": null, "useridtype": null,
            "column": "name", "oldvalue": "old 0", "newvalue": "x", "oldvaluename": null,
            "newvaluename": null, "detail": null, "truncated": null,
        })
    );
    assert_eq!(
        (&found[1]["column"], &found[1]["newvalue"]),
        (&json!("revenue"), &json!("20.5"))
    );
    // What the log stores replaces details that are lost.
    assert_eq!(found[6]["oldvalue"], "kept 3");
    for row in &found {
        for name in row.as_object().unwrap().keys() {
            assert!(shape["properties"].get(name).is_some(), "{name}");
        }
    }
    // One batch for the columns of the log, and one for the details of each page.
    assert_eq!(host.count("$batch"), 3);
}

#[test]
fn the_next_sync_reads_only_new_entries() {
    let log = Log::new(10);
    let host = Log::host(&log);
    let mut checkpoint = None;
    for (new, expected) in [(0, 20), (0, 0), (1, 2), (0, 0), (3, 6)] {
        for _ in 0..new {
            let mut log = log.borrow_mut();
            // In the same second as the last one, but for its number.
            let (time, number, _) = *log.entries.last().unwrap();
            log.entries.push((time, number + 1, "alpha"));
        }
        let resumed = Selection {
            checkpoint: checkpoint.clone(),
            ..selection("audit-history")
        };
        let events = run(&host, vec![resumed]).unwrap();
        assert_eq!(rows(&events).len(), expected, "{:?}", summary(&events));
        for event in events {
            if let Event::Page(page) = event {
                checkpoint = Some(page.checkpoint);
            }
        }
    }
}

#[test]
fn the_history_of_one_table_is_a_stream_of_its_own() {
    let log = Log::new(4);
    log.borrow_mut().entries.push((NOW + 999, 44, "beta"));
    let host = Log::host(&log);
    let some = Selection {
        columns: vec!["newvalue".to_owned(), "objecttypecode".to_owned()],
        ..selection("audit-history:alpha")
    };
    let events = run(&host, vec![some]).unwrap();
    let found = rows(&events);
    assert_eq!(found.len(), 8);
    assert_eq!(
        found[0],
        json!({"auditid": id(0), "column": "name", "newvalue": "x", "objecttypecode": "alpha"})
    );
    let events = run(&host, vec![selection("audit-history:nothing")]).unwrap();
    assert_eq!(failure(&events).kind, ErrorKind::NotFound);
}

#[test]
fn without_the_privilege_for_details_stored_changes_are_read() {
    let log = Log::new(4);
    log.borrow_mut().denies_details = true;
    let host = Log::host(&log);
    let events = run(&host, vec![selection("audit-history")]).unwrap();
    assert_eq!(
        summary(&events),
        [
            "schema",
            "reset",
            "details-unreadable",
            "snapshot 4",
            "complete"
        ]
    );
    let warned = events.iter().any(|event| {
        matches!(event, Event::Warning(warning)
            if warning.message.contains("prvReadRecordAuditHistory"))
    });
    assert!(warned);
    assert_eq!(rows(&events)[2]["oldvalue"], "kept 2");
}

#[test]
fn one_failing_entry_does_not_fail_the_others() {
    let log = Log::new(3);
    log.borrow_mut().fails_on = vec![1];
    let host = Log::host(&log);
    let events = run(&host, vec![selection("audit-history")]).unwrap();
    let found = rows(&events);
    let has = |entry: &str| {
        let mut of_entry = found.iter().filter(|row| row["oldvalue"] == entry);
        of_entry.any(|row| row["column"] == "name")
    };
    assert!(has("old 0") && has("kept 1") && has("old 2"), "{found:?}");
    // If all entries fail, the service itself has failed.
    log.borrow_mut().fails_on = vec![0, 1, 2];
    let events = run(&host, vec![selection("audit-history")]).unwrap();
    assert_eq!(failure(&events).kind, ErrorKind::Unavailable);
}

#[test]
fn entries_too_large_together_are_read_in_smaller_pages() {
    let log = Log::new(30);
    log.borrow_mut().size = 600_000;
    let host = Log::host(&log);
    let large = Selection {
        page_size: Some(200),
        ..selection("audit-history")
    };
    let events = run(&host, vec![large]).unwrap();
    assert_eq!(rows(&events).len(), 60);
    assert_eq!(summary(&events).last().unwrap(), "complete");
    for event in &events {
        if let Event::Page(page) = event {
            assert!(page.ndjson.len() < 6 << 20, "{}", page.ndjson.len());
        }
    }
}
