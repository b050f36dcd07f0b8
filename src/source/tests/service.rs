//! A small Dataverse: tables whose rows change while they are read, pages, change tracking,
//! and every way in which reading can go wrong.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};

use super::random::Random;
use crate::host::Request;
use crate::simulation::{API_ROOT, Reply};

/// How the service finds changes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Change tracking.
    Tracked,
    /// Change tracking, but this account may not use it: 403.
    NotDeepEnough,
    /// The metadata says that it is tracked, the service says no: `0x80072491`.
    Contradictory,
    /// Change tracking whose delta link is lost beside annotations.
    Forgetful,
    /// Change tracking without delta links.
    Amnesiac,
    /// `modifiedon` only.
    Modified,
    /// `versionnumber` only.
    Versioned,
    /// None.
    Plain,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Tracked,
        Self::NotDeepEnough,
        Self::Contradictory,
        Self::Forgetful,
        Self::Amnesiac,
        Self::Modified,
        Self::Versioned,
        Self::Plain,
    ];

    fn claims_tracking(self) -> bool {
        !matches!(self, Self::Modified | Self::Versioned | Self::Plain)
    }

    /// Whether a sink learns of deletions without a full read.
    pub(super) fn shows_deletions(self) -> bool {
        matches!(self, Self::Tracked | Self::Forgetful | Self::Plain)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) version: i64,
    pub(super) modified: i64,
    pub(super) name: String,
    pub(super) status: Option<i32>,
    pub(super) parent: Option<u32>,
}

pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) rows: BTreeMap<u32, Row>,
    tombstones: BTreeMap<i64, u32>,
    /// Tokens below this version have expired.
    oldest_token: i64,
}

/// What can be done to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trick {
    CutBody,
    BrokenJson,
    ForeignLink,
    Loop,
    NotUtf8,
}

pub(super) struct World {
    pub(super) tables: Vec<Table>,
    pub(super) random: Random,
    version: i64,
    now: i64,
    /// Rows change between requests.
    pub(super) is_busy: bool,
    /// Links and bodies go wrong by chance.
    pub(super) is_hostile: bool,
    /// What happens to every data page from now on.
    pub(super) trick: Option<Trick>,
    /// The addresses and preferences of data requests.
    pub(super) log: Vec<(String, String)>,
    pub(super) max_rows: usize,
}

pub(super) fn id(number: u32) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

impl World {
    pub(super) fn new(seed: u64, tables: &[(&'static str, Kind)]) -> Rc<RefCell<Self>> {
        let mut world = Self {
            tables: tables
                .iter()
                .map(|(name, kind)| Table {
                    name,
                    kind: *kind,
                    rows: BTreeMap::new(),
                    tombstones: BTreeMap::new(),
                    oldest_token: 0,
                })
                .collect(),
            random: Random::new(seed),
            version: 1_000_000,
            now: 1_700_000_000,
            is_busy: false,
            is_hostile: false,
            trick: None,
            log: Vec::new(),
            max_rows: 60,
        };
        world.change_by_chance(0, 40 * tables.len() as u64);
        Rc::new(RefCell::new(world))
    }

    pub(super) fn change_by_chance(&mut self, least: u64, most: u64) {
        for _ in 0..least + self.random.below(most - least + 1) {
            let table = self.random.below(self.tables.len() as u64) as usize;
            match self.random.below(10) {
                0..2 => {
                    let number = self.random.below(200) as u32;
                    self.delete(table, number);
                }
                _ => {
                    let number = self.random.below(200) as u32;
                    let full = self.tables[table].rows.len() >= self.max_rows;
                    if !full || self.tables[table].rows.contains_key(&number) {
                        self.put(table, number);
                    }
                }
            }
        }
    }

    pub(super) fn put(&mut self, table: usize, number: u32) {
        self.version += 1 + self.random.below(3) as i64;
        self.now += self.random.below(2) as i64;
        let row = Row {
            version: self.version,
            modified: self.now,
            name: format!("Zoë \"{}\" \\ {{}}@\u{1F600}", self.random.below(1_000)),
            status: (!self.random.one_in(3)).then(|| self.random.below(3) as i32),
            parent: (!self.random.one_in(3)).then(|| self.random.below(200) as u32),
        };
        let table = &mut self.tables[table];
        table.tombstones.retain(|_, deleted| *deleted != number);
        table.rows.insert(number, row);
    }

    pub(super) fn delete(&mut self, table: usize, number: u32) {
        self.version += 1;
        if self.tables[table].rows.remove(&number).is_some() {
            self.tables[table].tombstones.insert(self.version, number);
        }
    }

    pub(super) fn expire_tokens(&mut self) {
        for table in &mut self.tables {
            table.oldest_token = self.version + 1;
        }
        self.version += 1;
    }

    /// A row as a sink should hold it.
    pub(super) fn expected(&self, table: &Table, number: u32, labels: bool) -> Value {
        let row = &table.rows[&number];
        let mut value = json!({
            format!("{}id", table.name): id(number),
            "name": row.name,
            "statuscode": row.status,
            "parent": row.parent.map(id),
        });
        if has_modified(table.kind) {
            value["modifiedon"] = timestamp(row.modified).into();
        }
        if has_version(table.kind) {
            value["versionnumber"] = row.version.into();
        }
        if labels {
            value["statuscodename"] = row.status.map(|code| format!("Label {code}")).into();
            value["parentname"] = row.parent.map(|parent| format!("Row {parent}")).into();
            value["parenttype"] = row.parent.map(|_| "account").into();
        }
        value
    }

    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        let text = &request.target.path_and_query;
        let root = API_ROOT.split_once(".com").unwrap().1;
        let path = text.strip_prefix(root).unwrap_or_else(|| panic!("foreign address {text}")).to_owned();
        if path.starts_with("EntityDefinitions") {
            return self.metadata(&path);
        }
        let prefer = request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("prefer"))
            .map(|header| header.value.clone())
            .unwrap_or_default();
        self.log.push((path.clone(), prefer.clone()));
        if self.is_busy && self.random.one_in(2) {
            self.change_by_chance(0, 6);
        }
        if self.is_hostile && self.random.one_in(25) {
            self.expire_tokens();
        }
        let set = path.split(['?', '(']).next().unwrap_or_default();
        let Some(index) = self.tables.iter().position(|table| format!("{}s", table.name) == set)
        else {
            return Reply::fault(404, "0x8006088a", "Resource not found for the segment.");
        };
        let reply = self.rows(index, &path, &prefer);
        self.play(reply)
    }

    fn play(&mut self, page: Result<Value, Reply>) -> Reply {
        let page = match page {
            Ok(page) => page,
            Err(fault) => return fault,
        };
        let mut trick = self.trick;
        if self.is_hostile && self.random.one_in(12) {
            trick = Some([Trick::CutBody, Trick::BrokenJson][self.random.below(2) as usize]);
        }
        let text = page.to_string();
        match trick {
            None => Reply::json(&page),
            Some(Trick::CutBody) => {
                let mut cut = text.len() * (1 + self.random.below(98) as usize) / 100;
                while !text.is_char_boundary(cut) {
                    cut -= 1;
                }
                Reply::body(200, &text[..cut])
            }
            Some(Trick::BrokenJson) => Reply::body(200, text.replacen(':', " ;", 3)),
            Some(Trick::NotUtf8) => {
                let mut bytes = text.into_bytes();
                bytes[20] = 0xFF;
                Reply::body(200, bytes)
            }
            Some(Trick::ForeignLink) => {
                let mut page = page;
                page["@odata.nextLink"] = "https://evil.example/api/data/v9.2/alphas".into();
                Reply::json(&page)
            }
            Some(Trick::Loop) => {
                let mut page = page;
                let link = format!("{API_ROOT}alphas?$skiptoken=all:0:999999999");
                page["@odata.nextLink"] = link.into();
                Reply::json(&page)
            }
        }
    }

    fn metadata(&self, path: &str) -> Reply {
        let label = |text: &str| json!({"UserLocalizedLabel": {"Label": text}});
        let column = |name: &str, kind: &str| {
            json!({
                "LogicalName": name, "AttributeType": kind, "AttributeOf": null,
                "AttributeTypeName": {"Value": format!("{kind}Type")},
                "DisplayName": label(name), "ColumnNumber": 1, "IsValidForRead": true,
                "IsValidForCreate": true, "IsValidForUpdate": true, "IsValidODataAttribute": true,
            })
        };
        let definition = |table: &Table| {
            let mut columns = vec![
                column(&format!("{}id", table.name), "Uniqueidentifier"),
                column("name", "String"),
                column("statuscode", "Status"),
                column("parent", "Lookup"),
                column("parentname", "Virtual"),
            ];
            if has_modified(table.kind) {
                columns.push(column("modifiedon", "DateTime"));
            }
            if has_version(table.kind) {
                columns.push(column("versionnumber", "BigInt"));
            }
            json!({
                "LogicalName": table.name,
                "EntitySetName": format!("{}s", table.name),
                "PrimaryIdAttribute": format!("{}id", table.name),
                "PrimaryNameAttribute": "name",
                "DisplayName": {"UserLocalizedLabel": null, "LocalizedLabels": []},
                "IsPrivate": false,
                "ChangeTrackingEnabled": table.kind.claims_tracking(),
                "Attributes": columns,
                "Keys": [],
            })
        };
        let Some((_, rest)) = path.split_once("(LogicalName='") else {
            let all: Vec<Value> = self.tables.iter().map(definition).collect();
            return Reply::json(&json!({ "value": all }));
        };
        let (name, rest) = rest.split_once("')").unwrap();
        let Some(table) = self.tables.iter().find(|table| table.name == name) else {
            return Reply::fault(404, "0x80060888", "Could not find an entity with that name.");
        };
        if !rest.contains("/Attributes/") {
            return Reply::json(&definition(table));
        }
        let details = if rest.contains("StatusAttributeMetadata") {
            let options: Vec<Value> =
                (0..3).map(|code| json!({"Value": code, "Label": label(&format!("Label {code}"))})).collect();
            json!([{"LogicalName": "statuscode", "OptionSet": {"Options": options}}])
        } else if rest.contains("LookupAttributeMetadata") {
            json!([{"LogicalName": "parent", "Targets": ["account"]}])
        } else if rest.contains("StringAttributeMetadata") {
            json!([{"LogicalName": "name", "MaxLength": 100}])
        } else {
            json!([])
        };
        Reply::json(&json!({ "value": details }))
    }

    /// A page of rows. Tokens: `all:{last id}:{version at the start}` in the order of keys,
    /// `mark:{modified or version}:{last id}` in the order of changes, and
    /// `delta:{from}:{to}:{row or gone}:{last version}`.
    fn rows(&mut self, index: usize, path: &str, prefer: &str) -> Result<Value, Reply> {
        let version = self.version;
        let table = &self.tables[index];
        let options: BTreeMap<&str, &str> = path
            .split_once('?')
            .map(|(_, query)| query.split('&').filter_map(|option| option.split_once('=')).collect())
            .unwrap_or_default();
        let tracks = prefer.contains("odata.track-changes");
        if tracks {
            match table.kind {
                Kind::NotDeepEnough => {
                    return Err(Reply::fault(403, "0x80040220", "Principal lacks prvReadThing."));
                }
                Kind::Contradictory | Kind::Modified | Kind::Versioned | Kind::Plain => {
                    return Err(Reply::fault(400, "0x80072491", "Entity isn't enabled for change tracking."));
                }
                _ => {}
            }
            for option in ["$filter", "$orderby", "$top", "$expand"] {
                assert!(!options.contains_key(option), "{option} with change tracking");
            }
        }
        let size: usize = prefer
            .split(',')
            .find_map(|part| part.trim().strip_prefix("odata.maxpagesize="))
            .map_or(5_000, |size| size.parse().unwrap());
        let labels = prefer.contains("odata.include-annotations");
        let number = |text: &str| text.parse::<i64>().unwrap_or_else(|_| panic!("token {text}"));
        let token = options.get("$skiptoken").or(options.get("$deltatoken")).copied().unwrap_or("");
        let parts: Vec<&str> = token.split(':').collect();
        let select = options.get("$select").copied();
        let link = |option: &str, token: String| {
            let kept: Vec<String> = options
                .iter()
                .filter(|(name, _)| !name.ends_with("token"))
                .map(|(name, value)| format!("{name}={value}&"))
                .collect();
            format!("{API_ROOT}{}s?{}{option}={token}", table.name, kept.concat())
        };
        let mut expired = false;
        let mut page = json!({"@odata.context": format!("{API_ROOT}$metadata#{}s", table.name)});
        let mut value = Vec::new();
        match parts.as_slice() {
            ["delta", from, to, part, last] => {
                let (from, to, last) = (number(from), number(to), number(last));
                expired = from < table.oldest_token;
                // As of the beginning of these pages.
                let mut rows: Vec<(i64, u32)> = table
                    .rows
                    .iter()
                    .map(|(id, row)| (row.version, *id))
                    .filter(|(version, _)| *version > last && *version <= to)
                    .collect();
                rows.sort_unstable();
                if *part == "gone" {
                    rows.clear();
                }
                let mut gone: Vec<(i64, u32)> = table
                    .tombstones
                    .iter()
                    .map(|(version, id)| (*version, *id))
                    .filter(|(version, _)| *version <= to)
                    .filter(|(version, _)| *version > if *part == "gone" { last } else { from })
                    .collect();
                gone.sort_unstable();
                let mut next = None;
                for (is_gone, version, id) in rows
                    .into_iter()
                    .map(|(version, id)| (false, version, id))
                    .chain(gone.into_iter().map(|(version, id)| (true, version, id)))
                {
                    if value.len() == size {
                        next = Some(());
                        break;
                    }
                    value.push((is_gone, version, id));
                }
                page["@odata.context"] = format!("{API_ROOT}$metadata#{}s/$delta", table.name).into();
                if let (Some(()), Some((is_gone, version, _))) = (next, value.last()) {
                    let token = if *is_gone {
                        format!("delta:{from}:{to}:gone:{version}")
                    } else {
                        format!("delta:{from}:{to}:row:{version}")
                    };
                    page["@odata.nextLink"] = link("$skiptoken", token).into();
                } else {
                    let token = format!("{to}");
                    page["@odata.deltaLink"] = link("$deltatoken", token).into();
                }
            }
            [from] if !from.is_empty() => {
                let path = link("$deltatoken", format!("delta:{from}:{version}:row:{from}"));
                let path = path.strip_prefix(API_ROOT).unwrap().to_owned();
                return self.rows(index, &path, prefer);
            }
            _ if options.contains_key("$orderby") => {
                let by_time = options["$orderby"].starts_with("modifiedon");
                let key = |row: &Row| if by_time { row.modified } else { row.version };
                let least = options.get("$filter").map_or(i64::MIN, |filter| {
                    let mark = filter.rsplit("%20").next().unwrap();
                    if by_time { seconds(mark) } else { number(mark) }
                });
                let after = match parts.as_slice() {
                    ["mark", mark, id] => {
                        expired = self.is_hostile && self.random.one_in(20);
                        (number(mark), number(id))
                    }
                    _ => (i64::MIN, 0),
                };
                let table = &self.tables[index];
                let mut rows: Vec<(i64, u32)> = table
                    .rows
                    .iter()
                    .map(|(id, row)| (key(row), *id))
                    .filter(|(mark, id)| *mark >= least && (*mark, i64::from(*id)) > after)
                    .collect();
                rows.sort_unstable();
                let more = rows.len() > size;
                rows.truncate(size);
                if let (true, Some((mark, id))) = (more, rows.last()) {
                    page["@odata.nextLink"] = link("$skiptoken", format!("mark:{mark}:{id}")).into();
                }
                value.extend(rows.into_iter().map(|(_, id)| (false, 0, id)));
            }
            _ => {
                let (last, started) = match parts.as_slice() {
                    ["all", last, started] => (number(last), number(started)),
                    _ => (-1, version),
                };
                expired = parts.len() > 1 && started < table.oldest_token;
                let rows: Vec<u32> =
                    table.rows.keys().copied().filter(|id| i64::from(*id) > last).collect();
                value.extend(rows.iter().take(size).map(|id| (false, 0, *id)));
                if let (true, Some(last)) = (rows.len() > size, value.last()) {
                    let token = format!("all:{}:{started}", last.2);
                    page["@odata.nextLink"] = link("$skiptoken", token).into();
                } else if tracks
                    && table.kind != Kind::Amnesiac
                    && !(table.kind == Kind::Forgetful && labels)
                {
                    page["@odata.deltaLink"] = link("$deltatoken", started.to_string()).into();
                }
            }
        }
        if expired {
            return Err(match self.random.below(4) {
                0 => Reply::fault(400, "0x80044352", "Version stamp has expired. Please perform a full sync."),
                1 => Reply::fault(410, "0x80044352", "Version stamp has expired."),
                2 => Reply::fault(404, "", "Not found."),
                _ => Reply::fault(400, "0x0", "Malformed token."),
            });
        }
        let table = &self.tables[index];
        let rows: Vec<Value> = value
            .into_iter()
            .map(|(is_gone, _, id)| if is_gone { gone(table, id) } else { row(table, id, select, labels) })
            .collect();
        page["value"] = rows.into();
        Ok(page)
    }
}

fn gone(table: &Table, number: u32) -> Value {
    json!({
        "@odata.context": format!("{API_ROOT}$metadata#{}s/$deletedEntity", table.name),
        "id": id(number),
        "reason": "deleted",
    })
}

fn row(table: &Table, number: u32, select: Option<&str>, labels: bool) -> Value {
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
    let is_selected = |name: &str| select.is_none_or(|select| select.split(',').any(|one| one == name));
    let object = value.as_object_mut().unwrap();
    if !has_modified(table.kind) {
        object.remove("modifiedon");
    }
    if !has_version(table.kind) {
        object.remove("versionnumber");
    }
    object.retain(|name, _| *name == key || name.starts_with('@') || is_selected(name));
    if labels {
        let formatted = "OData.Community.Display.V1.FormattedValue";
        if let Some(code) = row.status.filter(|_| is_selected("statuscode")) {
            object.insert(format!("statuscode@{formatted}"), format!("Label {code}").into());
        }
        if let Some(parent) = row.parent.filter(|_| is_selected("_parent_value")) {
            object.insert(format!("_parent_value@{formatted}"), format!("Row {parent}").into());
            object.insert("_parent_value@Microsoft.Dynamics.CRM.lookuplogicalname".into(), "account".into());
        }
        if object.contains_key("modifiedon") {
            object.insert(format!("modifiedon@{formatted}"), "14/11/2023 22:13".into());
        }
    }
    value
}

fn has_modified(kind: Kind) -> bool {
    !matches!(kind, Kind::Versioned | Kind::Plain)
}

fn has_version(kind: Kind) -> bool {
    kind == Kind::Versioned
}

/// Seconds of the day only: the simulation stays within a few days.
fn timestamp(seconds: i64) -> String {
    let day = 14 + (seconds - 1_699_920_000) / 86_400;
    let second = seconds % 86_400;
    format!("2023-11-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

fn seconds(text: &str) -> i64 {
    let number = |range| text.get(range).and_then(|part: &str| part.parse::<i64>().ok()).unwrap();
    let days = if text.starts_with("2023-11-") { number(8..10) - 14 } else { panic!("{text}") };
    1_699_920_000 + days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19)
}
