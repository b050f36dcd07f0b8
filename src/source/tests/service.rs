//! A small Dataverse: tables whose rows change while they are read, pages, change tracking, and
//! every fault that can occur.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value, json};

use super::random::Random;
use crate::host::{HttpError, Request};
use crate::simulation::{API_ROOT, Reply};

/// How the service finds changes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Change tracking.
    Tracked,
    /// Change tracking, but this account may not use it: 403.
    TrackingForbidden,
    /// The metadata says that it is tracked, but the service rejects it: `0x80072491`.
    TrackingRejected,
    /// The metadata says that it is tracked, but the service rejects it with another code.
    Elastic,
    /// Change tracking without a delta link when annotations are requested.
    NoDeltaLinkWithLabels,
    /// Change tracking without delta links.
    NoDeltaLink,
    /// Change tracking; filters on versions are rejected.
    NoVersionFilter,
    /// Change tracking; rows are never in the order of versions.
    NoVersionOrder,
    /// `modifiedon` only.
    Modified,
    /// `versionnumber` only.
    Versioned,
    /// None.
    Plain,
}

impl Kind {
    pub(super) const ALL: [Self; 11] = [
        Self::Tracked,
        Self::TrackingForbidden,
        Self::TrackingRejected,
        Self::Elastic,
        Self::NoDeltaLinkWithLabels,
        Self::NoDeltaLink,
        Self::NoVersionFilter,
        Self::NoVersionOrder,
        Self::Modified,
        Self::Versioned,
        Self::Plain,
    ];

    fn is_tracked_in_metadata(self) -> bool {
        !matches!(self, Self::Modified | Self::Versioned | Self::Plain)
    }

    /// Whether deletions are visible without a sweep.
    pub(super) fn has_visible_deletions(self) -> bool {
        matches!(
            self,
            Self::Tracked
                | Self::NoDeltaLinkWithLabels
                | Self::NoVersionFilter
                | Self::NoVersionOrder
                | Self::Plain
        )
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
    pub(super) tombstones: BTreeMap<i64, u32>,
    /// Tokens below this version have expired.
    pub(super) oldest_token: i64,
}

/// A fault in every response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageFault {
    CutBody,
    BrokenJson,
    ForeignLink,
    Loop,
    NotUtf8,
}

/// The simulated service: its tables and how it behaves.
pub(super) struct World {
    pub(super) tables: Vec<Table>,
    pub(super) random: Random,
    pub(super) version: i64,
    now: i64,
    /// The most rows of a table.
    pub(super) max_rows: usize,
    /// Whether the service says how many rows tables have.
    pub(super) counts: bool,
    /// Rows change between requests.
    pub(super) is_busy: bool,
    /// Links and bodies are damaged at random.
    pub(super) has_faults: bool,
    /// A fault in every data page from now on.
    pub(super) page_fault: Option<PageFault>,
    /// Larger pages time out.
    pub(super) max_rows_per_page: usize,
    /// Columns that no table has any more.
    pub(super) hidden: BTreeSet<&'static str>,
    /// The type of `statuscode`.
    pub(super) status_type: &'static str,
    /// Columns that field security hides from the account.
    pub(super) secured: Vec<&'static str>,
    /// How large the files in the column `photo` are, if there is that column.
    pub(super) file_size: Option<usize>,
    /// For how many days the environment keeps changes.
    pub(super) keeps_days: i64,
    /// The addresses and preferences of data requests.
    pub(super) log: Vec<(String, String)>,
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
            max_rows: 60,
            counts: true,
            is_busy: false,
            has_faults: false,
            page_fault: None,
            max_rows_per_page: 5_000,
            hidden: BTreeSet::new(),
            status_type: "Status",
            keeps_days: 7,
            secured: Vec::new(),
            file_size: None,
            log: Vec::new(),
        };
        world.change_at_random(0, 40 * u32::try_from(tables.len()).unwrap());
        Rc::new(RefCell::new(world))
    }

    pub(super) fn change_at_random(&mut self, least: u32, most: u32) {
        for _ in 0..least + self.random.below(most - least + 1) {
            let table = self.random.index(self.tables.len());
            let number = self.random.below(600);
            let is_full = self.tables[table].rows.len() >= self.max_rows;
            if self.random.one_in(5) {
                self.delete(table, number);
            } else if !is_full || self.tables[table].rows.contains_key(&number) {
                self.put(table, number);
            }
        }
    }

    pub(super) fn put(&mut self, table: usize, number: u32) {
        // Versions are counted for the whole environment; most are used by other tables.
        self.version += 1 + i64::from(self.random.below(6_000));
        self.now += i64::from(self.random.below(2));
        let row = Row {
            version: self.version,
            modified: self.now,
            name: format!("Zoë \"{}\" \\ {{}}@\u{1F600}", self.random.below(1_000)),
            status: (!self.random.one_in(3)).then(|| self.random.below(3).cast_signed()),
            parent: (!self.random.one_in(3)).then(|| self.random.below(200)),
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

    pub(super) fn respond(&mut self, request: &Request) -> Reply {
        let text = &request.target.path_and_query;
        let root = API_ROOT.split_once(".com").unwrap().1;
        let path = text
            .strip_prefix(root)
            .unwrap_or_else(|| panic!("foreign address {text}"))
            .to_owned();
        if path.starts_with("EntityDefinitions") {
            return self.metadata(&path);
        }
        if path.starts_with("RetrieveTotalRecordCount") {
            return self.count(&path);
        }
        if path.starts_with("organizations?") {
            return Reply::json(&json!({
                "value": [{"expirechangetrackingindays": self.keeps_days}],
            }));
        }
        if let Some((_, column)) = path.split_once(")/") {
            assert_eq!(column, "photo/$value");
            let number = path.split_once('(').unwrap().1.get(..8).unwrap();
            let number = u32::from_str_radix(number, 16).unwrap();
            return self.file(number, request.max_body);
        }
        let prefer = request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("prefer"))
            .map(|header| header.value.clone())
            .unwrap_or_default();
        self.log.push((path.clone(), prefer.clone()));
        if self.is_busy && self.random.one_in(2) {
            self.change_at_random(0, 6);
        }
        if self.has_faults && self.random.one_in(25) {
            self.expire_tokens();
        }
        let set = path.split(['?', '(']).next().unwrap_or_default();
        let Some(index) = self
            .tables
            .iter()
            .position(|table| format!("{}s", table.name) == set)
        else {
            return Reply::fault(404, "0x8006088a", "Resource not found for the segment.");
        };
        let reply = self.rows(index, &path, &prefer);
        self.with_page_fault(reply)
    }

    fn with_page_fault(&mut self, page: Result<Value, Reply>) -> Reply {
        let page = match page {
            Ok(page) => page,
            Err(fault) => return fault,
        };
        let mut page_fault = self.page_fault;
        if self.has_faults && self.random.one_in(12) {
            page_fault = Some([PageFault::CutBody, PageFault::BrokenJson][self.random.index(2)]);
        }
        let text = page.to_string();
        match page_fault {
            None => Reply::json(&page),
            Some(PageFault::CutBody) => {
                let mut cut = text.len() * (1 + self.random.index(98)) / 100;
                while !text.is_char_boundary(cut) {
                    cut -= 1;
                }
                Reply::body(200, &text[..cut])
            }
            Some(PageFault::BrokenJson) => Reply::body(200, text.replacen(':', " ;", 3)),
            Some(PageFault::NotUtf8) => {
                let mut bytes = text.into_bytes();
                bytes[20] = 0xFF;
                Reply::body(200, bytes)
            }
            Some(PageFault::ForeignLink) => {
                let mut page = page;
                page["@odata.nextLink"] = "https://evil.example/api/data/v9.2/alphas".into();
                Reply::json(&page)
            }
            Some(PageFault::Loop) => {
                let mut page = page;
                let link = format!("{API_ROOT}alphas?$skiptoken=all:0:999999999");
                page["@odata.nextLink"] = link.into();
                Reply::json(&page)
            }
        }
    }

    /// A file: a byte order mark and then the row's number, again and again.
    fn file(&self, number: u32, most: usize) -> Reply {
        let size = self.file_size.unwrap();
        match number % 4 {
            1 => Reply::fault(404, "0x80040217", "File not found."),
            _ if size > most => Reply::failure(HttpError::TooLarge(most)),
            _ => Reply::body(200, file_content(number, size)),
        }
    }

    /// How many rows there are, or were yesterday.
    fn count(&mut self, path: &str) -> Reply {
        let names = path.split_once("?@p1=").unwrap().1.replace("%22", "\"");
        let names = names.replace("%5B", "[").replace("%5D", "]");
        let names: Vec<String> = serde_json::from_str(&names).unwrap();
        let mut counts = Vec::new();
        for name in &names {
            let Some(table) = self.tables.iter().find(|table| table.name == name) else {
                return Reply::fault(
                    404,
                    "0x80060888",
                    "Could not find an entity with that name.",
                );
            };
            let factor = if self.has_faults {
                self.random.below(3)
            } else {
                1
            };
            counts.push(table.rows.len() * factor as usize);
        }
        if !self.counts {
            return Reply::fault(501, "0x80060888", "Not implemented.");
        }
        Reply::json(&json!({
            "EntityRecordCountCollection": {
                "Count": names.len(), "IsReadOnly": false, "Keys": names, "Values": counts,
            }
        }))
    }

    fn metadata(&self, path: &str) -> Reply {
        let label = |text: &str| json!({"UserLocalizedLabel": {"Label": text}});
        let column = |name: &str, kind: &str| {
            json!({
                "LogicalName": name, "AttributeType": kind, "AttributeOf": null,
                "AttributeTypeName": {"Value": format!("{kind}Type")},
                "DisplayName": label(name), "ColumnNumber": 1, "IsValidForRead": true,
                "IsValidForCreate": true, "IsValidForUpdate": true, "IsValidODataAttribute": true,
                "IsSecured": self.secured.contains(&name),
            })
        };
        let definition = |table: &Table| {
            let mut columns = vec![
                column(&format!("{}id", table.name), "Uniqueidentifier"),
                column("name", "String"),
                column("statuscode", self.status_type),
                column("parent", "Lookup"),
                column("parentname", "Virtual"),
            ];
            if has_modified(table.kind) {
                columns.push(column("modifiedon", "DateTime"));
            }
            if has_version(table.kind) {
                columns.push(column("versionnumber", "BigInt"));
            }
            if self.file_size.is_some() {
                let mut photo = column("photo", "Virtual");
                photo["AttributeTypeName"]["Value"] = "FileType".into();
                columns.push(photo);
            }
            columns.retain(|column| {
                let name = column["LogicalName"].as_str().unwrap();
                !self.hidden.contains(name)
            });
            json!({
                "LogicalName": table.name,
                "EntitySetName": format!("{}s", table.name),
                "PrimaryIdAttribute": format!("{}id", table.name),
                "PrimaryNameAttribute": "name",
                "DisplayName": {"UserLocalizedLabel": null, "LocalizedLabels": []},
                "IsPrivate": false,
                "ChangeTrackingEnabled": table.kind.is_tracked_in_metadata(),
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
            return Reply::fault(
                404,
                "0x80060888",
                "Could not find an entity with that name.",
            );
        };
        if !rest.contains("/Attributes/") {
            return Reply::json(&definition(table));
        }
        let details = if rest.contains("StatusAttributeMetadata") {
            let options: Vec<Value> = (0..3)
                .map(|code| json!({"Value": code, "Label": label(&format!("Label {code}"))}))
                .collect();
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
}

pub(super) fn file_content(number: u32, size: usize) -> Vec<u8> {
    let mut content = vec![0xEF, 0xBB, 0xBF];
    content.resize(size, number.to_le_bytes()[0]);
    content
}

/// A row as a sink should hold it.
pub(super) fn expected(table: &Table, number: u32, labels: bool) -> Value {
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

pub(super) fn has_modified(kind: Kind) -> bool {
    !matches!(kind, Kind::Versioned | Kind::Plain)
}

pub(super) fn has_version(kind: Kind) -> bool {
    !matches!(kind, Kind::Modified | Kind::Elastic | Kind::Plain)
}

/// Seconds of the day only: the simulation stays within a few days.
pub(super) fn timestamp(seconds: i64) -> String {
    let day = 14 + (seconds - 1_699_920_000) / 86_400;
    let second = seconds % 86_400;
    format!(
        "2023-11-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

pub(super) fn seconds(text: &str) -> i64 {
    let number = |range| {
        text.get(range)
            .and_then(|part: &str| part.parse::<i64>().ok())
            .unwrap()
    };
    let days = if text.starts_with("2023-11-") {
        number(8..10) - 14
    } else {
        panic!("{text}")
    };
    1_699_920_000 + days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19)
}
