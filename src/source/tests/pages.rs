//! Pages of the simulated service.
//!
//! Its tokens: `all:{last row}:{version at the start}` in the order of keys,
//! `mark:{time or version}:{last row}` in the order of changes, `delta:{from}:{to}:{last
//! version}:{row or gone}` among changes, and in a delta link the version alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::service::{Kind, Row, Table, World, has_modified, has_version, id, seconds, timestamp};
use crate::simulation::{API_ROOT, Reply};

/// A request.
struct Query<'a> {
    options: BTreeMap<&'a str, &'a str>,
    /// The parts of the token.
    token: Vec<&'a str>,
    tracks: bool,
    labels: bool,
    page_size: usize,
}

/// One row of a page.
#[derive(Clone, Copy)]
struct Entry {
    /// Its place in the order of the pages.
    place: i64,
    row: u32,
    is_gone: bool,
}

/// What follows the rows.
enum Link {
    Next(String),
    Delta(i64),
    Nothing,
}

impl<'a> Query<'a> {
    fn parse(path: &'a str, prefer: &str) -> Self {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let options: BTreeMap<&str, &str> = query
            .split('&')
            .filter_map(|option| option.split_once('='))
            .collect();
        let token = options
            .get("$skiptoken")
            .or(options.get("$deltatoken"))
            .copied();
        Self {
            token: token
                .map(|token| token.split(':').collect())
                .unwrap_or_default(),
            options,
            tracks: prefer.contains("odata.track-changes"),
            labels: prefer.contains("odata.include-annotations"),
            page_size: prefer
                .split(',')
                .find_map(|part| part.trim().strip_prefix("odata.maxpagesize="))
                .map_or(5_000, |size| size.parse().unwrap()),
        }
    }

    fn link(&self, table: &Table, option: &str, token: &str) -> String {
        let kept: Vec<String> = self
            .options
            .iter()
            .filter(|(name, _)| !name.ends_with("token"))
            .map(|(name, value)| format!("{name}={value}&"))
            .collect();
        format!(
            "{API_ROOT}{}s?{}{option}={token}",
            table.name,
            kept.concat()
        )
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("token {text}"))
}

impl World {
    pub(super) fn rows(&mut self, index: usize, path: &str, prefer: &str) -> Result<Value, Reply> {
        let query = Query::parse(path, prefer);
        if query.page_size > self.max_rows_per_page && !query.options.contains_key("$top") {
            return Err(Reply::fault(500, "0x80044151", "SQL timeout expired."));
        }
        let table = &self.tables[index];
        check_tracking(table, &query)?;
        let filter = query.options.get("$filter").copied().unwrap_or_default();
        if self.secured.iter().any(|name| filter.contains(*name)) {
            let message = "The user does not have read permission.";
            return Err(Reply::fault(400, "0x8004F504", message));
        }
        let select = query.options.get("$select").copied().unwrap_or_default();
        if let Some(name) = select.split(',').find(|name| self.hidden.contains(name)) {
            let message = format!("Could not find a property named '{name}' on type 'x'.");
            return Err(Reply::fault(400, "0x0", &message));
        }
        let is_delta =
            query.options.contains_key("$deltatoken") || query.token.first() == Some(&"delta");
        let is_expired = match query.token.as_slice() {
            ["delta", from, ..] | ["all", _, from] | [from] => number(from) < table.oldest_token,
            ["mark", ..] => self.has_faults && self.random.one_in(20),
            _ => false,
        };
        if is_expired {
            return Err(self.rejection());
        }
        let table = &self.tables[index];
        let filters_versions = query
            .options
            .get("$filter")
            .is_some_and(|filter| filter.contains("versionnumber%20gt"));
        if filters_versions && table.kind == Kind::NoVersionFilter {
            return Err(Reply::fault(501, "0x80060888", "Not supported."));
        }
        let (entries, link) = if is_delta {
            changes(table, &query, self.version)
        } else if query.options.contains_key("$orderby") {
            in_order_of_change(table, &query)
        } else {
            in_order_of_key(table, &query, self.version)
        };
        let rows: Vec<Value> = entries
            .into_iter()
            .map(|entry| {
                if entry.is_gone {
                    gone(table, entry.row)
                } else {
                    let mut row = row(table, entry.row, &query);
                    let members = row.as_object_mut().unwrap();
                    members.retain(|name, _| !self.hidden.contains(name.as_str()));
                    for name in &self.secured {
                        if let Some(value) = members.get_mut(*name) {
                            *value = Value::Null;
                        }
                    }
                    if self.file_size.is_some() {
                        let file = (entry.row % 4 > 0).then(|| id(entry.row));
                        members.insert("photo".to_owned(), file.into());
                    }
                    row
                }
            })
            .collect();
        let suffix = if is_delta { "/$delta" } else { "" };
        let mut page = json!({
            "@odata.context": format!("{API_ROOT}$metadata#{}s{suffix}", table.name),
            "value": rows,
        });
        match link {
            Link::Next(token) => {
                page["@odata.nextLink"] = query.link(table, "$skiptoken", &token).into();
            }
            Link::Delta(version) => {
                let link = query.link(table, "$deltatoken", &version.to_string());
                page["@odata.deltaLink"] = link.into();
            }
            Link::Nothing => {}
        }
        Ok(page)
    }

    fn rejection(&mut self) -> Reply {
        match self.random.below(4) {
            0 => Reply::fault(
                400,
                "0x80044352",
                "Version stamp has expired. Please perform a full sync.",
            ),
            1 => Reply::fault(410, "0x80044352", "Version stamp has expired."),
            2 => Reply::fault(404, "", "Not found."),
            _ => Reply::fault(400, "0x0", "Malformed token."),
        }
    }
}

fn check_tracking(table: &Table, query: &Query<'_>) -> Result<(), Reply> {
    if !query.tracks {
        return Ok(());
    }
    for option in ["$filter", "$orderby", "$top", "$expand"] {
        assert!(
            !query.options.contains_key(option),
            "{option} with change tracking"
        );
    }
    match table.kind {
        Kind::TrackingForbidden => Err(Reply::fault(
            403,
            "0x80040220",
            "Principal lacks prvReadThing.",
        )),
        Kind::TrackingRejected | Kind::Modified | Kind::Versioned | Kind::Plain => {
            Err(Reply::fault(
                400,
                "0x80072491",
                "Entity isn't enabled for change tracking.",
            ))
        }
        Kind::Elastic => Err(Reply::fault(400, "0x80048d19", "Not for elastic tables.")),
        Kind::Tracked
        | Kind::NoDeltaLinkWithLabels
        | Kind::NoDeltaLink
        | Kind::NoVersionFilter
        | Kind::NoVersionOrder => Ok(()),
    }
}

/// Changed rows, then deletions, as of the first of these pages.
fn changes(table: &Table, query: &Query<'_>, now: i64) -> (Vec<Entry>, Link) {
    let (from, to, last, in_rows) = match query.token.as_slice() {
        ["delta", from, to, last, part] => (number(from), number(to), number(last), *part == "row"),
        [from] => (number(from), now, number(from), true),
        other => panic!("{other:?}"),
    };
    let after = |least: i64| move |entry: &Entry| entry.place > least && entry.place <= to;
    let changed = table.rows.iter().map(|(id, row)| Entry {
        place: row.version,
        row: *id,
        is_gone: false,
    });
    let deleted = table.tombstones.iter().map(|(version, id)| Entry {
        place: *version,
        row: *id,
        is_gone: true,
    });
    let mut entries: Vec<Entry> = if in_rows {
        changed.filter(after(last)).collect()
    } else {
        Vec::new()
    };
    entries.extend(deleted.filter(after(if in_rows { from } else { last })));
    entries.sort_by_key(|entry| (entry.is_gone, entry.place));
    let link = cut(&mut entries, query.page_size).map_or(Link::Delta(to), |last| {
        let part = if last.is_gone { "gone" } else { "row" };
        Link::Next(format!("delta:{from}:{to}:{}:{part}", last.place))
    });
    (entries, link)
}

/// Whether a row matches a condition such as `(statuscode%20eq%201)`.
fn matches_condition(row: &Row, condition: &str) -> bool {
    let condition = condition.trim_matches(['(', ')']);
    let [column, operator, value] = condition.split("%20").collect::<Vec<_>>()[..] else {
        panic!("{condition}");
    };
    let (place, mark) = match column {
        "modifiedon" => (row.modified, seconds(value)),
        "versionnumber" => (row.version, number(value)),
        "statuscode" => (row.status.map_or(-1, i64::from), number(value)),
        other => panic!("{other}"),
    };
    match operator {
        "ge" => place >= mark,
        "gt" => place > mark,
        "le" => place <= mark,
        "eq" => place == mark,
        other => panic!("{other}"),
    }
}

fn matches_filter(row: &Row, query: &Query<'_>) -> bool {
    query.options.get("$filter").is_none_or(|filter| {
        filter
            .split("%20and%20")
            .all(|condition| matches_condition(row, condition))
    })
}

fn in_order_of_change(table: &Table, query: &Query<'_>) -> (Vec<Entry>, Link) {
    let order = query.options["$orderby"];
    let by_time = order.starts_with("modifiedon");
    let after = match query.token.as_slice() {
        ["mark", mark, id] => (number(mark), number(id)),
        _ => (i64::MIN, 0),
    };
    let mut entries: Vec<Entry> = table
        .rows
        .iter()
        .filter(|(_, row)| matches_filter(row, query))
        .map(|(id, row)| Entry {
            place: if by_time { row.modified } else { row.version },
            row: *id,
            is_gone: false,
        })
        .filter(|entry| (entry.place, i64::from(entry.row)) > after)
        .collect();
    entries.sort_by_key(|entry| (entry.place, entry.row));
    if order.ends_with("desc") || (table.kind == Kind::NoVersionOrder && !order.contains(',')) {
        entries.reverse();
    }
    if let Some(top) = query.options.get("$top") {
        entries.truncate(top.parse().unwrap());
        return (entries, Link::Nothing);
    }
    let link = cut(&mut entries, query.page_size).map_or(Link::Nothing, |last| {
        Link::Next(format!("mark:{}:{}", last.place, last.row))
    });
    (entries, link)
}

fn in_order_of_key(table: &Table, query: &Query<'_>, now: i64) -> (Vec<Entry>, Link) {
    let (last, started) = match query.token.as_slice() {
        ["all", last, started] => (number(last), number(started)),
        _ => (-1, now),
    };
    let mut entries: Vec<Entry> = table
        .rows
        .iter()
        .filter(|(_, row)| matches_filter(row, query))
        .map(|(id, _)| Entry {
            place: i64::from(*id),
            row: *id,
            is_gone: false,
        })
        .filter(|entry| entry.place > last)
        .collect();
    let has_no_delta_link = match table.kind {
        Kind::NoDeltaLink => true,
        Kind::NoDeltaLinkWithLabels => query.labels,
        _ => !query.tracks,
    };
    let link = match cut(&mut entries, query.page_size) {
        Some(last) => Link::Next(format!("all:{}:{started}", last.place)),
        None if has_no_delta_link => Link::Nothing,
        None => Link::Delta(started),
    };
    (entries, link)
}

/// Removes the rows that do not fit on the page. Returns the last row on it, if any were removed.
fn cut(entries: &mut Vec<Entry>, page_size: usize) -> Option<Entry> {
    if entries.len() <= page_size {
        return None;
    }
    entries.truncate(page_size);
    entries.last().copied()
}

fn gone(table: &Table, number: u32) -> Value {
    json!({
        "@odata.context": format!("{API_ROOT}$metadata#{}s/$deletedEntity", table.name),
        "id": id(number),
        "reason": "deleted",
    })
}

fn row(table: &Table, number: u32, query: &Query<'_>) -> Value {
    let select = query.options.get("$select");
    let row = &table.rows[&number];
    let key = format!("{}id", table.name);
    let mut value = json!({
        "@odata.etag": format!("W/\"{}\"", row.version),
        &key: id(number),
        "name": row.name,
        "statuscode": row.status,
        "_parent_value": row.parent.map(id),
        "modifiedon": timestamp(row.modified),
        "versionnumber": row.version,
    });
    let is_selected =
        |name: &str| select.is_none_or(|select| select.split(',').any(|one| one == name));
    let object = value.as_object_mut().unwrap();
    if !has_modified(table.kind) {
        object.remove("modifiedon");
    }
    if !has_version(table.kind) {
        object.remove("versionnumber");
    }
    object.retain(|name, _| *name == key || name.starts_with('@') || is_selected(name));
    if query.labels {
        let formatted = "OData.Community.Display.V1.FormattedValue";
        let target = "_parent_value@Microsoft.Dynamics.CRM.lookuplogicalname";
        if let Some(code) = row.status.filter(|_| is_selected("statuscode")) {
            object.insert(
                format!("statuscode@{formatted}"),
                format!("Label {code}").into(),
            );
        }
        if let Some(parent) = row.parent.filter(|_| is_selected("_parent_value")) {
            object.insert(
                format!("_parent_value@{formatted}"),
                format!("Row {parent}").into(),
            );
            object.insert(target.to_owned(), "account".into());
        }
        if object.contains_key("modifiedon") {
            object.insert(format!("modifiedon@{formatted}"), "14/11/2023 22:13".into());
        }
    }
    value
}
