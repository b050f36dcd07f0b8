//! Streams of queries: views, queries of the caller, members of lists.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::service::{Kind, World};
use super::*;
use crate::catalog::{self, StreamKind};
use crate::simulation::{self, RandomFaults, Reply, signed_in};

const ACTIVE: &str = "00000000-0000-0000-0000-00000000000a";
const MINE: &str = "00000000-0000-0000-0000-00000000000b";
const LIST: &str = "00000000-0000-0000-0000-00000000000c";
const BROKEN_LIST: &str = "00000000-0000-0000-0000-00000000000d";
const EMPTY_LIST: &str = "00000000-0000-0000-0000-00000000000e";
const INVALID_LIST: &str = "00000000-0000-0000-0000-00000000000f";

/// A service with queries, in addition to the tables of a [`World`].
pub(super) struct Queries {
    pub(super) world: Rc<RefCell<World>>,
    /// The rows of every query but those of lists.
    rows: Vec<Value>,
    gives_cookies: bool,
    /// Larger pages time out.
    max_rows_per_page: usize,
    /// Pages have this many rows at most, and do not say whether there are more.
    unannounced_page_size: usize,
    /// The queries, decoded.
    log: Vec<String>,
}

impl Queries {
    pub(super) fn new(rows: Vec<Value>) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self {
            world: world(Kind::Tracked, 0),
            rows,
            gives_cookies: true,
            max_rows_per_page: 5_000,
            unannounced_page_size: usize::MAX,
            log: Vec::new(),
        }))
    }

    pub(super) fn host(this: &Rc<RefCell<Self>>) -> Rc<Simulation> {
        let this = Rc::clone(this);
        signed_in(move |request| this.borrow_mut().respond(request))
    }

    fn respond(&mut self, request: &crate::host::Request) -> Reply {
        let path = &request.target.path_and_query;
        let (resource, query) = path.split_once('?').unwrap_or((path, ""));
        let options: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let set = resource.rsplit('/').next().unwrap();
        let condition = options.get("$filter").map_or("", String::as_str);
        let view = |key: &str, id: &str, name: &str| {
            json!({
                key: id, "name": name, "returnedtypecode": "alpha",
                "fetchxml": "<fetch><entity name=\"alpha\"><attribute name=\"alphaid\"/>\
                             <attribute name=\"statuscode\"/><attribute name=\"name\"/>\
                             <order attribute=\"name\"/></entity></fetch>",
                "layoutxml": "<grid><row><cell name='name' width='9'/><cell name='statuscode'/>\
                              <cell name='gone'/></row></grid>",
            })
        };
        match set {
            "savedqueries" => {
                let found = condition.contains(ACTIVE)
                    || condition.contains("name eq 'Active'")
                    || condition.contains("name eq 'Of the system'")
                    || condition.contains("'alpha/Of nobody'")
                    || !condition.contains("name eq '");
                let row = view("savedqueryid", ACTIVE, "Active");
                Reply::json(&json!({"value": if found { vec![row] } else { vec![] }}))
            }
            "userqueries" if condition.contains("'Of the system'") => Reply::status(404),
            "userqueries" if condition.contains("'Of nobody'") => Reply::status(403),
            "userqueries" => {
                let mut rows = Vec::new();
                let is_other = condition.contains(ACTIVE) || condition.contains("'Nothing'");
                if !is_other {
                    rows.push(view("userqueryid", MINE, "Active"));
                }
                Reply::json(&json!({ "value": rows }))
            }
            "lists" => Reply::json(&json!({"value": [
                {"listid": LIST, "query": "<fetch><entity name='alpha'>\
                    <attribute name='alphaid'/></entity></fetch>"},
                {"listid": BROKEN_LIST, "query": "<fetch><entity name='alpha'>\
                    <attribute name='nothing'/></entity></fetch>"},
                {"listid": EMPTY_LIST, "query": null},
                {"listid": INVALID_LIST, "query": "<fetch"},
            ]})),
            "EntityDefinitions(LogicalName='listmember')" => Reply::json(&json!({
                "EntitySetName": "listmembers", "PrimaryIdAttribute": "listmemberid",
            })),
            _ => match options.get("fetchXml") {
                Some(fetch) => {
                    let prefer = request
                        .headers
                        .iter()
                        .find(|header| header.name == "Prefer")
                        .map_or("", |header| &*header.value);
                    assert!(
                        prefer.contains("Microsoft.Dynamics.CRM.morerecords"),
                        "{prefer}"
                    );
                    self.page(set, fetch)
                }
                None => self.world.borrow_mut().respond(request),
            },
        }
    }

    fn page(&mut self, set: &str, fetch: &str) -> Reply {
        self.log.push(fetch.to_owned());
        let attribute = |name: &str| {
            let (_, rest) = fetch.split_once(&format!(" {name}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        if fetch.contains("'nothing'") {
            return Reply::fault(400, "0x80041103", "The attribute nothing does not exist.");
        }
        let rows = if set == "listmembers" {
            vec![
                json!({"_listid_value": ACTIVE, "_entityid_value": MINE, "listmemberid": LIST,
                "_entityid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "contact"}),
            ]
        } else {
            self.rows.clone()
        };
        if attribute("top").is_some() {
            assert!(attribute("page").is_none() && attribute("count").is_none());
            return Reply::json(&json!({ "value": rows[..2] }));
        }
        let page: usize = attribute("page").unwrap().parse().unwrap();
        let count: usize = attribute("count").unwrap().parse().unwrap();
        if count > self.max_rows_per_page {
            return Reply::fault(500, "0x80044151", "SQL timeout expired.");
        }
        if self.gives_cookies && page > 1 {
            let cookie = attribute("paging-cookie").unwrap();
            assert_eq!(
                cookie,
                format!("&lt;cookie page=&quot;{}&quot;/&gt;", page - 1)
            );
        }
        let is_unannounced = self.unannounced_page_size < count;
        let count = count.min(self.unannounced_page_size);
        let from = (page - 1) * count;
        let more = rows.len() > from + count;
        let mut body = json!({
            "@odata.context": "c",
            "@Microsoft.Dynamics.CRM.morerecords": more,
            "value": rows.into_iter().skip(from).take(count).collect::<Vec<_>>(),
        });
        if self.gives_cookies && more {
            let inner = format!("<cookie page=\"{page}\"/>");
            let encoded = percent_encoded(&percent_encoded(&inner));
            body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"] = format!(
                "<cookie pagenumber=\"2\" pagingcookie=\"{encoded}\" istracking=\"False\" />"
            )
            .into();
        }
        if is_unannounced {
            let body = body.as_object_mut().unwrap();
            body.remove("@Microsoft.Dynamics.CRM.morerecords");
        }
        Reply::json(&body)
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            other => format!("%{other:02x}"),
        })
        .collect()
}

pub(super) fn query(name: &str, text: &str) -> Selection {
    Selection {
        query: Some(text.to_owned()),
        ..selection(&format!("query:{name}"))
    }
}

fn rows(events: &[Event]) -> Vec<Value> {
    let mut rows = Vec::new();
    for event in events {
        if let Event::Page(page) = event {
            rows.extend(
                page.ndjson
                    .lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
        }
    }
    rows
}

fn schema(events: &[Event]) -> (Vec<String>, Value) {
    let Event::Schema(schema) = &events[0] else {
        panic!("{events:?}")
    };
    let rows = serde_json::from_str(&schema.row_schema).unwrap();
    (schema.primary_key.clone(), rows)
}

pub(super) fn alpha(number: u32) -> Value {
    json!({"@odata.etag": "W/\"1\"", "alphaid": super::service::id(number), "name": "n"})
}

#[test]
fn a_query_is_read_page_by_page_with_cookies() {
    for gives_cookies in [true, false] {
        let service = Queries::new((0..17).map(alpha).collect());
        service.borrow_mut().gives_cookies = gives_cookies;
        let host = Queries::host(&service);
        let selected = query(
            "mine",
            "<fetch><entity name='alpha'><attribute name='name'/>\
             <attribute name='statuscode'/></entity></fetch>",
        );
        let first = run(&host, vec![selected.clone()]).unwrap();
        assert_eq!(
            summary(&first),
            [
                "schema",
                "reset",
                "snapshot 7",
                "snapshot 7",
                "snapshot 3",
                "complete"
            ]
        );
        let (key, shape) = schema(&first);
        assert_eq!(key, ["alphaid"]);
        let names: Vec<&String> = shape["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["alphaid", "name", "statuscode"]);
        // The service omits null values; the connector adds them.
        let found = rows(&first);
        assert_eq!(
            found[16],
            json!({"alphaid": super::service::id(16), "name": "n", "statuscode": null})
        );
        // Between two pages a sync resumes where it stopped; after the end it reads all rows repeated.
        let Event::Page(page) = &first[3] else {
            panic!()
        };
        let resumed = Selection {
            checkpoint: Some(page.checkpoint.clone()),
            ..selected.clone()
        };
        assert_eq!(
            summary(&run(&host, vec![resumed]).unwrap()),
            ["schema", "snapshot 3", "complete"]
        );
        let repeated = Selection {
            checkpoint: Some(last_checkpoint(&first)),
            ..selected
        };
        assert_eq!(rows(&run(&host, vec![repeated]).unwrap()).len(), 17);
    }
}

#[test]
fn a_cookie_means_that_there_is_another_page() {
    let service = Queries::new((0..17).map(alpha).collect());
    service.borrow_mut().unannounced_page_size = 3;
    let host = Queries::host(&service);
    let selected = query("mine", "<fetch><entity name='alpha'/></fetch>");
    let events = run(&host, vec![selected]).unwrap();
    assert_eq!(rows(&events).len(), 17);
}

#[test]
fn rows_without_a_key_are_numbered() {
    let counted = json!({"status": 1, "how_many": 3,
        "status@OData.Community.Display.V1.FormattedValue": "Label 1"});
    let service = Queries::new(vec![counted; 9]);
    let host = Queries::host(&service);
    let selected = Selection {
        labels: true,
        ..query(
            "counts",
            "<fetch aggregate='true'><entity name='alpha'>\
             <attribute name='statuscode' groupby='true' alias='status'/>\
             <attribute name='alphaid' aggregate='count' alias='how_many'/></entity></fetch>",
        )
    };
    let events = run(&host, vec![selected]).unwrap();
    let (key, shape) = schema(&events);
    assert_eq!(key, ["rownumber"]);
    assert_eq!(shape["properties"]["how_many"]["x-data-type"], "integer");
    let found = rows(&events);
    assert_eq!(
        found[8],
        json!({"rownumber": 9, "status": 1, "statusname": "Label 1", "how_many": 3})
    );
    // There is a row for each joined row, so the key of the first table does not identify them.
    let linked = json!({"alphaid": super::service::id(1), "l_x002e_name": "x",
        "l.parent": super::service::id(2),
        "l.parent@OData.Community.Display.V1.FormattedValue": "Row 2",
        "l.parent@Microsoft.Dynamics.CRM.lookuplogicalname": "account"});
    let service = Queries::new(vec![linked; 3]);
    let host = Queries::host(&service);
    for (from, key) in [("parent", "rownumber"), ("alphaid", "alphaid")] {
        let text = format!(
            "<fetch><entity name='alpha'><attribute name='alphaid'/><link-entity name='alpha' \
             from='{from}' to='parent' alias='l'><attribute name='name'/>\
             <attribute name='parent'/></link-entity></entity></fetch>"
        );
        let selected = Selection {
            labels: true,
            ..query("joined", &text)
        };
        let events = run(&host, vec![selected]).unwrap();
        assert_eq!(schema(&events).0, [key]);
        let row = &rows(&events)[0];
        assert_eq!(row["l.name"], "x");
        assert_eq!(row["l.parent"], super::service::id(2));
        assert_eq!(
            (&row["l.parentname"], &row["l.parenttype"]),
            (&json!("Row 2"), &json!("account"))
        );
    }
}

#[test]
fn queries_that_cannot_be_paged_are_rejected_or_read_in_one_page() {
    let service = Queries::new((0..17).map(alpha).collect());
    let host = Queries::host(&service);
    let top = query("top", "<fetch top='2'><entity name='alpha'/></fetch>");
    assert_eq!(rows(&run(&host, vec![top]).unwrap()).len(), 2);
    let unordered = query(
        "distinct",
        "<fetch distinct='true'><entity name='alpha'><attribute name='alphaid'/></entity></fetch>",
    );
    // On one page they can be read.
    let events = run(&host, vec![unordered.clone()]).unwrap();
    assert_eq!(rows(&events).len(), 17);
    service.borrow_mut().rows = vec![json!({"alphaid": ACTIVE}); 5_001];
    let events = run(&host, vec![unordered]).unwrap();
    assert!(
        failure(&events)
            .message
            .contains("add an order to the query")
    );
    let broken = query("broken", "<fetch><entity name='alpha'>");
    let events = run(&host, vec![broken]).unwrap();
    assert_eq!(failure(&events).kind, ErrorKind::InvalidData);
    // Without cookies the service stops at 50,000 rows.
    service.borrow_mut().gives_cookies = false;
    service.borrow_mut().rows = vec![json!({"alphaid": ACTIVE}); 50_001];
    let large = Selection {
        page_size: Some(5_000),
        ..query(
            "large",
            "<fetch><entity name='alpha'><attribute name='alphaid'/></entity></fetch>",
        )
    };
    let events = run(&host, vec![large]).unwrap();
    assert_eq!(rows(&events).len(), 45_000);
    assert!(failure(&events).message.contains("50000 rows can be read"));
}

#[test]
fn a_view_is_found_by_its_key_or_by_its_title() {
    let service = Queries::new((0..3).map(alpha).collect());
    let host = Queries::host(&service);
    let by_key = run(&host, vec![selection(&format!("view:{ACTIVE}"))]).unwrap();
    assert_eq!(rows(&by_key).len(), 3);
    assert_eq!(summary(&by_key).last().unwrap(), "complete");
    // There is a view of the system and one of a user with that title.
    for title in ["view:Active", "view:alpha/Active"] {
        let events = run(&host, vec![selection(title)]).unwrap();
        let message = &failure(&events).message;
        assert!(
            message.contains(ACTIVE) && message.contains(MINE),
            "{message}"
        );
    }
    // Some services have no views of users.
    let events = run(&host, vec![selection("view:Of the system")]).unwrap();
    assert_eq!(rows(&events).len(), 3);
    // Or hide them from the account, which does not matter once one of the system is found.
    let events = run(&host, vec![selection("view:alpha/Of nobody")]).unwrap();
    assert_eq!(rows(&events).len(), 3);
    let events = run(&host, vec![selection("view:Of nobody")]).unwrap();
    assert_eq!(failure(&events).kind, ErrorKind::Forbidden);
    let events = run(&host, vec![selection("view:Nothing")]).unwrap();
    assert_eq!(failure(&events).kind, ErrorKind::NotFound);
    let client = simulation::client(&host, SETTINGS);
    let names = [format!("view:{ACTIVE}")];
    let described = host.block_on(catalog::describe(&client, &names)).unwrap();
    assert_eq!(described[0].kind(), StreamKind::View);
    assert_eq!(described[0].title, "Active");
    let columns: Vec<&str> = described[0]
        .columns
        .iter()
        .map(|column| &*column.name)
        .collect();
    // In the order of the layout, followed by those that are only in the query.
    assert_eq!(columns, ["name", "statuscode", "alphaid"]);
    let views = host
        .block_on(catalog::list_views(&client, Some("alpha")))
        .unwrap();
    let views: Vec<(&str, &str, bool)> = views
        .iter()
        .map(|view| (&*view.name, &*view.stream, view.personal))
        .collect();
    let (active, mine) = (format!("view:{ACTIVE}"), format!("view:{MINE}"));
    assert_eq!(views, [(&*active, "alpha", false), (&*mine, "alpha", true)]);
}

#[test]
fn members_of_static_and_of_dynamic_lists_are_one_stream() {
    let service = Queries::new((0..9).map(alpha).collect());
    let host = Queries::host(&service);
    let events = run(&host, vec![selection("list-members")]).unwrap();
    assert_eq!(
        summary(&events),
        [
            "schema",
            "list-unreadable",
            "reset",
            "snapshot 1",
            "snapshot 7",
            "snapshot 2",
            "list-unreadable",
            "snapshot 0",
            "complete"
        ]
    );
    let (key, shape) = schema(&events);
    assert_eq!(key, ["listid", "entityid"]);
    let found = rows(&events);
    assert_eq!(
        found[0],
        json!({"source": "list", "listid": ACTIVE, "entityid": MINE, "entitytype": "contact"})
    );
    assert_eq!(
        found[9],
        json!({"source": "query", "listid": LIST, "entityid": super::service::id(8),
               "entitytype": "alpha"})
    );
    for row in found {
        for name in row.as_object().unwrap().keys() {
            assert!(shape["properties"].get(name).is_some(), "{name}");
        }
    }
    // Only tables are counted.
    assert_eq!(host.count("RetrieveTotalRecordCount"), 0);
}

#[test]
fn pages_of_unordered_rows_become_smaller_too() {
    let service = Queries::new((0..9).map(|n| json!({ "status": n })).collect());
    service.borrow_mut().max_rows_per_page = 100;
    let host = Queries::host(&service);
    let selected = query(
        "counts",
        "<fetch aggregate='true'><entity name='alpha'>\
         <attribute name='statuscode' groupby='true' alias='status'/></entity></fetch>",
    );
    let events = run(&host, vec![selected]).unwrap();
    assert_eq!(rows(&events).len(), 9);
    // 5,000, 1,250, 312 and then 78.
    let service = service.borrow();
    assert!(service.log.last().unwrap().contains("count=\"78\""));
}

#[test]
fn every_row_of_a_query_is_read_once_despite_failures() {
    for seed in 0..40 {
        let counted = |n: u32| json!({"status": n});
        let service = Queries::new((0..40).map(counted).collect());
        service.borrow_mut().gives_cookies = seed % 2 == 0;
        let host = Queries::host(&service);
        host.set_random_faults(Some(RandomFaults::new(seed, 5)));
        let selected = query(
            "counts",
            "<fetch aggregate='true'><entity name='alpha'>\
             <attribute name='statuscode' groupby='true' alias='status'/>\
             <order alias='status'/></entity></fetch>",
        );
        let mut found: Vec<Value> = Vec::new();
        let mut checkpoint = None;
        let mut is_to_be_killed = seed % 3 == 0;
        // A sync that fails resumes after its last page, in another process.
        for _ in 0..50 {
            let resumed = Selection {
                checkpoint: checkpoint.clone(),
                ..selected.clone()
            };
            let client = simulation::client(&host, SETTINGS);
            let mut sync = Sync::start(&client, vec![resumed]).unwrap();
            while let Ok(Some(event)) = host.block_on(sync.next()) {
                match event {
                    Event::Reset(_) => found.clear(),
                    Event::Page(page) => {
                        let lines = page.ndjson.lines();
                        found
                            .extend(lines.map(|line| serde_json::from_str::<Value>(line).unwrap()));
                        checkpoint = Some(page.checkpoint);
                    }
                    _ => {}
                }
                if found.len() > 20 && is_to_be_killed {
                    is_to_be_killed = false;
                    break;
                }
            }
            if found.len() == 40 {
                break;
            }
        }
        let expected: Vec<Value> = (0..40)
            .map(|n| json!({"rownumber": n + 1, "status": n}))
            .collect();
        assert_eq!(found, expected, "{seed}");
    }
}
