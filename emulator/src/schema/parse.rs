//! The text format of `emulator/schema/*.table`, one file per table.
//!
//! ```text
//! # A line that starts with `#` is a comment.
//! table Account
//! rows accounts
//! labels "Account" "Accounts"
//! code 1
//! owned-by user
//! id accountid
//! name name
//! change-tracking enabled
//! flags audited notes activities
//! key sample_ExternalId "External Id" sample_externalid
//!
//! columns
//! AccountId         id           "Account"  system
//! Name              text(160)    "Account Name"  required
//! CustomerTypeCode  choice       "Relationship Type"
//!     1  Competitor
//!     2  Consultant
//! PrimaryContactId  lookup       "Primary Contact"
//!     -> contact  primarycontactid  account_primary_contact
//! StatusCode        status       "Status Reason"
//!     1 in 0  Active
//!     2 in 1  Inactive
//! ```
//!
//! A column line holds the schema name, the type, the label, and flags: `required`, `recommended`,
//! `system` (required by the platform), `read-only`, `create-only`, `update-only`, `unreadable`,
//! `calculated`, `rollup`, `custom`, `secured`, `default-yes`, `of COLUMN` (describes that column).
//!
//! Indented lines belong to the column above. `-> TABLE NAVIGATION RELATIONSHIP` names a table the
//! column refers to, with the navigation property and the relationship; the relationship's name is
//! also that of the collection on the other side unless `reverse NAME` or `no-reverse` follows, and
//! a last word `cascade` or `restrict` says what deleting the referenced row does. A lookup whose
//! relationship is not public names its tables itself: `lookup(account)`. Other indented
//! lines are choices: number and label, for a status with `in STATE`, for yes-no with `yes`/`no`.
//!
//! An intersect table says what it associates in its header, table, column, navigation twice:
//! `associates RELATIONSHIP  role roleid NAVIGATION  team teamid NAVIGATION`.
//!
//! Labels of lookups and choices (`owneridname`, `statuscodename`) are not written down: they
//! follow from their columns, see [`super::derived`].

use std::str::FromStr;

use super::{
    AlternateKey, Cascade, ChangeTracking, Choice, Column, ColumnKind, DateTimeBehavior,
    DateTimeFormat, Ownership, Relationship, RequiredLevel, SchemaError, SourceType, StringFormat,
    Table, TableType, derived, metadata_id,
};

/// A relationship, with the line that declares it.
pub(super) type Declared = (usize, Relationship);

/// Reads one table and the relationships its file declares.
pub(super) fn table(file: &str, text: &str) -> Result<(Table, Vec<Declared>), SchemaError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, text)| Line {
            number: index + 1,
            text,
        })
        .filter(|line| !line.text.trim().is_empty() && !line.text.starts_with('#'));
    let mut header = Header::default();
    let located = |line: usize| {
        move |problem: String| SchemaError {
            file: file.to_owned(),
            line,
            problem,
        }
    };

    for line in lines.by_ref() {
        if line.text.trim_end() == "columns" {
            break;
        }
        header.read(line.text).map_err(located(line.number))?;
    }
    let mut table = header.finish().map_err(located(1))?;

    let mut relationships: Vec<Declared> = header
        .associations
        .into_iter()
        .map(|relationship| (1, relationship))
        .collect();
    let mut last_line = 1;
    for line in lines {
        last_line = line.number;
        if line.text.starts_with(' ') {
            let Some(column) = table.columns.last_mut() else {
                return Err(located(line.number)(
                    "an indented line needs a column above it".into(),
                ));
            };
            read_detail(&table.logical_name, column, line.text).map(|relationship| {
                relationships.extend(relationship.map(|it| (line.number, it)));
            })
        } else {
            read_column(&table.logical_name, line.text).map(|mut column| {
                column.column_number = i32::try_from(table.columns.len() + 1).unwrap_or(i32::MAX);
                table.columns.push(column);
            })
        }
        .map_err(located(line.number))?;
    }
    derived::add_label_columns(&mut table);
    table
        .columns
        .sort_by(|a, b| a.logical_name.cmp(&b.logical_name));
    check(&table).map_err(located(last_line))?;
    Ok((table, relationships))
}

struct Line<'a> {
    number: usize,
    text: &'a str,
}

/// What stands above `columns`.
#[derive(Default)]
struct Header {
    schema_name: Option<String>,
    entity_set_name: Option<String>,
    labels: Option<(String, String)>,
    object_type_code: Option<i32>,
    ownership: Option<Ownership>,
    primary_id: Option<String>,
    primary_name: Option<String>,
    change_tracking: Option<ChangeTracking>,
    privileges: Option<Option<String>>,
    flags: Vec<String>,
    keys: Vec<(String, String, Vec<String>)>,
    associations: Vec<Relationship>,
}

impl Header {
    fn read(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words(line);
        match words.expect("a keyword")? {
            "table" => self.schema_name = Some(words.name()?),
            "rows" => self.entity_set_name = Some(words.name()?),
            "labels" => self.labels = Some((words.quoted()?, words.quoted()?)),
            "code" => self.object_type_code = Some(words.number()?),
            "id" => self.primary_id = Some(words.name()?),
            "name" => self.primary_name = Some(words.name()?),
            "owned-by" => {
                self.ownership = Some(match words.expect("an owner")? {
                    "user" => Ownership::UserOwned,
                    "organization" => Ownership::OrganizationOwned,
                    "business" => Ownership::BusinessOwned,
                    "nobody" => Ownership::None,
                    other => {
                        return Err(format!(
                            "`{other}` owns no rows; write user, organization, business or nobody"
                        ));
                    }
                });
            }
            "change-tracking" => {
                self.change_tracking = Some(match words.expect("a state")? {
                    "enabled" => ChangeTracking::Enabled,
                    "available" => ChangeTracking::Available,
                    "unavailable" => ChangeTracking::Unavailable,
                    other => {
                        return Err(format!(
                            "change tracking cannot be `{other}`; write enabled, available or unavailable"
                        ));
                    }
                });
            }
            "privileges" => {
                self.privileges = Some(match words.expect("a name or none")? {
                    "none" => None,
                    name => Some(name.to_owned()),
                });
            }
            "flags" => {
                while let Some(flag) = words.next() {
                    if !FLAGS.contains(&flag) {
                        return Err(format!("`{flag}` is no flag; the flags are {FLAGS:?}"));
                    }
                    self.flags.push(flag.to_owned());
                }
            }
            "key" => {
                let key = (words.name()?, words.quoted()?, words.rest());
                if key.2.is_empty() {
                    return Err("a key needs at least one column".into());
                }
                self.keys.push(key);
            }
            "associates" => self.associations.push(Relationship::ManyToMany {
                intersect_table: self
                    .schema_name
                    .as_deref()
                    .unwrap_or_default()
                    .to_lowercase(),
                schema_name: words.name()?,
                table1: words.name()?,
                intersect_column1: words.name()?,
                navigation1: words.name()?,
                table2: words.name()?,
                intersect_column2: words.name()?,
                navigation2: words.name()?,
            }),
            other => {
                return Err(format!(
                    "`{other}` is no header line; is `columns` missing?"
                ));
            }
        }
        words.end()
    }

    fn finish(&mut self) -> Result<Table, String> {
        let schema_name = needed(self.schema_name.take(), "table")?;
        let logical_name = schema_name.to_lowercase();
        let entity_set_name = needed(self.entity_set_name.take(), "rows")?;
        let (display_name, display_collection_name) = needed(self.labels.take(), "labels")?;
        let has = |flag: &str| self.flags.iter().any(|present| present == flag);
        let keys = self
            .keys
            .drain(..)
            .map(|(schema_name, display_name, columns)| AlternateKey {
                logical_name: schema_name.to_lowercase(),
                metadata_id: metadata_id(&["key", &logical_name, &schema_name]),
                schema_name,
                display_name,
                columns,
            });
        Ok(Table {
            logical_collection_name: entity_set_name.clone(),
            entity_set_name,
            display_name,
            display_collection_name,
            object_type_code: needed(self.object_type_code, "code")?,
            primary_id: needed(self.primary_id.take(), "id")?,
            primary_name: self.primary_name.take(),
            ownership: needed(self.ownership, "owned-by")?,
            table_type: if has("activity") {
                TableType::Activity
            } else {
                TableType::Standard
            },
            is_activity: has("activity"),
            is_activity_party: has("activity-party"),
            is_intersect: has("intersect"),
            is_custom: has("custom"),
            change_tracking: needed(self.change_tracking, "change-tracking")?,
            audit_enabled: has("audited"),
            optimistic_concurrency: !has("no-concurrency"),
            has_notes: has("notes"),
            has_activities: has("activities"),
            columns: Vec::new(),
            keys: keys.collect(),
            privilege_name: self
                .privileges
                .take()
                .unwrap_or_else(|| Some(schema_name.clone())),
            metadata_id: metadata_id(&["table", &logical_name]),
            schema_name,
            logical_name,
        })
    }
}

const FLAGS: [&str; 8] = [
    "activities",
    "activity",
    "activity-party",
    "audited",
    "custom",
    "intersect",
    "no-concurrency",
    "notes",
];

fn needed<T>(value: Option<T>, keyword: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("the header lacks the line `{keyword} …`"))
}

fn read_column(table: &str, line: &str) -> Result<Column, String> {
    let mut words = Words(line);
    let schema_name = words.name()?;
    let kind = column_kind(words.expect("a type")?)?;
    let logical_name = schema_name.to_lowercase();
    let mut column = Column {
        metadata_id: metadata_id(&["column", table, &logical_name]),
        logical_name,
        schema_name,
        kind,
        display_name: words.optional_quoted()?,
        required: RequiredLevel::None,
        readable: true,
        creatable: true,
        updatable: true,
        attribute_of: None,
        source: SourceType::Simple,
        column_number: 0,
        is_custom: false,
        secured: false,
    };
    while let Some(flag) = words.next() {
        match flag {
            "required" => column.required = RequiredLevel::ApplicationRequired,
            "recommended" => column.required = RequiredLevel::Recommended,
            "system" => column.required = RequiredLevel::SystemRequired,
            "read-only" => (column.creatable, column.updatable) = (false, false),
            "create-only" => column.updatable = false,
            "update-only" => column.creatable = false,
            "unreadable" => column.readable = false,
            "calculated" => column.source = SourceType::Calculated,
            "rollup" => column.source = SourceType::Rollup,
            "custom" => column.is_custom = true,
            "secured" => column.secured = true,
            "of" => column.attribute_of = Some(words.name()?),
            "default-yes" => match &mut column.kind {
                ColumnKind::Boolean { default, .. } => *default = true,
                _ => return Err("only a yes-no column can be `default-yes`".into()),
            },
            other => return Err(format!("`{other}` is no column flag")),
        }
    }
    Ok(column)
}

/// Reads a type such as `text(100,email)`.
fn column_kind(word: &str) -> Result<ColumnKind, String> {
    let (name, arguments) = match word.split_once('(') {
        Some((name, rest)) => (
            name,
            rest.strip_suffix(')')
                .ok_or_else(|| format!("`{word}` lacks its closing bracket"))?,
        ),
        None => (word, ""),
    };
    let mut arguments = arguments
        .split(',')
        .map(str::trim)
        .filter(|argument| !argument.is_empty());
    let kind = match name {
        "id" => ColumnKind::Uniqueidentifier,
        "text" => ColumnKind::String {
            max_length: argument(arguments.next(), name)?,
            format: match arguments.next() {
                None => StringFormat::Text,
                Some("area") => StringFormat::TextArea,
                Some("email") => StringFormat::Email,
                Some("phone") => StringFormat::Phone,
                Some("url") => StringFormat::Url,
                Some("ticker") => StringFormat::TickerSymbol,
                Some("phonetic") => StringFormat::PhoneticGuide,
                Some("version") => StringFormat::VersionNumber,
                Some(other) => return Err(format!("`{other}` is no format of text")),
            },
        },
        "memo" => ColumnKind::Memo {
            max_length: argument(arguments.next(), name)?,
        },
        "integer" => match arguments.next() {
            None => ColumnKind::Integer {
                min: i32::MIN,
                max: i32::MAX,
            },
            Some(range) => {
                let (min, max) = range
                    .split_once("..")
                    .ok_or_else(|| format!("`{range}` is no range such as 0..100"))?;
                ColumnKind::Integer {
                    min: parsed(min)?,
                    max: parsed(max)?,
                }
            }
        },
        "bigint" => ColumnKind::BigInt,
        "decimal" => ColumnKind::Decimal {
            precision: argument(arguments.next(), name)?,
        },
        "float" => ColumnKind::Double {
            precision: argument(arguments.next(), name)?,
        },
        "money" => ColumnKind::Money {
            precision: argument(arguments.next(), name)?,
        },
        "yes-no" => ColumnKind::Boolean {
            true_label: "Yes".into(),
            false_label: "No".into(),
            default: false,
        },
        "choice" => ColumnKind::Picklist {
            options: Vec::new(),
        },
        "choices" => ColumnKind::MultiSelectPicklist {
            options: Vec::new(),
        },
        "state" => ColumnKind::State {
            options: Vec::new(),
        },
        "status" => ColumnKind::Status {
            options: Vec::new(),
        },
        "date" => ColumnKind::DateTime {
            behavior: DateTimeBehavior::DateOnly,
            format: DateTimeFormat::DateOnly,
        },
        "datetime" => match arguments.next() {
            None => ColumnKind::DateTime {
                behavior: DateTimeBehavior::UserLocal,
                format: DateTimeFormat::DateAndTime,
            },
            Some("shown-as-date") => ColumnKind::DateTime {
                behavior: DateTimeBehavior::UserLocal,
                format: DateTimeFormat::DateOnly,
            },
            Some("zoneless") => ColumnKind::DateTime {
                behavior: DateTimeBehavior::TimeZoneIndependent,
                format: DateTimeFormat::DateAndTime,
            },
            Some(other) => return Err(format!("`{other}` is no kind of datetime")),
        },
        "lookup" => ColumnKind::Lookup {
            targets: arguments.by_ref().map(str::to_owned).collect(),
        },
        "customer" => ColumnKind::Customer {
            targets: Vec::new(),
        },
        "owner" => ColumnKind::Owner,
        "parties" => ColumnKind::PartyList,
        "table-name" => ColumnKind::EntityName,
        "file" => ColumnKind::File,
        "image" => ColumnKind::Image,
        "virtual" => ColumnKind::Virtual,
        "managed-property" => ColumnKind::ManagedProperty,
        "calendar-rules" => ColumnKind::CalendarRules,
        other => return Err(format!("`{other}` is no column type")),
    };
    match arguments.next() {
        None => Ok(kind),
        Some(extra) => Err(format!("`{name}` takes no argument `{extra}`")),
    }
}

fn argument<T: FromStr>(argument: Option<&str>, name: &str) -> Result<T, String> {
    parsed(argument.ok_or_else(|| format!("`{name}` needs a number, as in {name}(2)"))?)
}

fn parsed<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number that fits here"))
}

/// Reads an indented line: a reference to another table, or a choice.
fn read_detail(
    table: &str,
    column: &mut Column,
    line: &str,
) -> Result<Option<Relationship>, String> {
    let mut words = Words(line);
    let first = words.expect("a choice or ->")?;
    if first == "->" {
        return read_reference(table, column, words).map(Some);
    }
    match &mut column.kind {
        ColumnKind::Boolean {
            true_label,
            false_label,
            ..
        } => match first {
            "yes" => *true_label = words.tail()?,
            "no" => *false_label = words.tail()?,
            _ => return Err("the choices of a yes-no column are `yes` and `no`".into()),
        },
        ColumnKind::Picklist { options }
        | ColumnKind::State { options }
        | ColumnKind::MultiSelectPicklist { options } => {
            options.push(Choice {
                value: parsed(first)?,
                label: words.tail()?,
                state: None,
            });
        }
        ColumnKind::Status { options } => {
            if words.expect("`in`")? != "in" {
                return Err("a status names its state, as in `1 in 0  Active`".into());
            }
            let state = Some(words.number()?);
            options.push(Choice {
                value: parsed(first)?,
                label: words.tail()?,
                state,
            });
        }
        _ => return Err(format!("column {} takes no choices", column.schema_name)),
    }
    Ok(None)
}

fn read_reference(
    table: &str,
    column: &mut Column,
    mut words: Words<'_>,
) -> Result<Relationship, String> {
    let referenced_table = words.name()?;
    let referencing_navigation = words.name()?;
    let schema_name = words.name()?;
    let mut referenced_navigation = Some(schema_name.clone());
    let mut cascade_delete = Cascade::RemoveLink;
    while let Some(word) = words.next() {
        match word {
            "reverse" => referenced_navigation = Some(words.name()?),
            "no-reverse" => referenced_navigation = None,
            "cascade" => cascade_delete = Cascade::Cascade,
            "restrict" => cascade_delete = Cascade::Restrict,
            other => return Err(format!("`{other}` says nothing about a reference")),
        }
    }
    match &mut column.kind {
        ColumnKind::Lookup { targets } | ColumnKind::Customer { targets } => {
            targets.push(referenced_table.clone());
        }
        ColumnKind::Owner | ColumnKind::Uniqueidentifier => {}
        _ => {
            return Err(format!(
                "column {} cannot refer to a table",
                column.schema_name
            ));
        }
    }
    Ok(Relationship::OneToMany {
        schema_name,
        referenced_table,
        // The key of the referenced table is known once all tables are read.
        referenced_column: String::new(),
        referencing_table: table.to_owned(),
        referencing_column: column.logical_name.clone(),
        referencing_navigation,
        referenced_navigation,
        cascade_delete,
    })
}

/// What must hold within one table.
fn check(table: &Table) -> Result<(), String> {
    if let Some(twice) = table
        .columns
        .iter()
        .zip(table.columns.iter().skip(1))
        .find(|(a, b)| a.logical_name == b.logical_name)
    {
        return Err(format!("column {} is there twice", twice.0.schema_name));
    }
    let named = [Some(&table.primary_id), table.primary_name.as_ref()];
    let in_keys = table.keys.iter().flat_map(|key| &key.columns);
    let described = table
        .columns
        .iter()
        .filter_map(|column| column.attribute_of.as_ref());
    for name in named.into_iter().flatten().chain(in_keys).chain(described) {
        if table.column(name).is_none() {
            return Err(format!("there is no column {name}"));
        }
    }
    let states: Vec<i32> = table
        .columns
        .iter()
        .filter_map(|column| match &column.kind {
            ColumnKind::State { options } => Some(options),
            _ => None,
        })
        .flatten()
        .map(|choice| choice.value)
        .collect();
    for column in &table.columns {
        for choice in column.choices() {
            if choice.state.is_some_and(|state| !states.contains(&state)) {
                return Err(format!(
                    "{} {} names no state",
                    column.schema_name, choice.value
                ));
            }
        }
    }
    Ok(())
}

/// The words of a line.
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        if text.is_empty() {
            return None;
        }
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        self.0 = rest;
        Some(word)
    }

    fn expect(&mut self, what: &str) -> Result<&'a str, String> {
        self.next()
            .ok_or_else(|| format!("the line ends where {what} should be"))
    }

    fn name(&mut self) -> Result<String, String> {
        let word = self.expect("a name")?;
        if word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            Ok(word.to_owned())
        } else {
            Err(format!(
                "`{word}` is no name: letters, digits and underscores only"
            ))
        }
    }

    fn number(&mut self) -> Result<i32, String> {
        parsed(self.expect("a number")?)
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.optional_quoted()?
            .ok_or_else(|| "a label in \"double quotes\" is missing".to_owned())
    }

    fn optional_quoted(&mut self) -> Result<Option<String>, String> {
        let Some(text) = self.0.trim_start().strip_prefix('"') else {
            return Ok(None);
        };
        let (label, rest) = text
            .split_once('"')
            .ok_or_else(|| "a label lacks its closing quote".to_owned())?;
        self.0 = rest;
        Ok(Some(label.to_owned()))
    }

    /// Everything up to the end of the line.
    fn tail(&mut self) -> Result<String, String> {
        let tail = std::mem::take(&mut self.0).trim();
        if tail.is_empty() {
            Err("a choice needs a label".into())
        } else {
            Ok(tail.to_owned())
        }
    }

    fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next().map(str::to_owned)).collect()
    }

    fn end(&mut self) -> Result<(), String> {
        match self.next() {
            None => Ok(()),
            Some(extra) => Err(format!("`{extra}` is one word too many")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"# A table for tests.
table Visit
rows visits
labels "Visit" "Visits"
code 10001
owned-by user
id visitid
name name
change-tracking enabled
flags audited custom
key visit_Number "Number" number

columns
VisitId     id          "Visit"  system create-only
Name        text(100)   "Name"   required
Number      text(20)
Billed      yes-no
    yes  Billed
    no   Open
AccountId   lookup      "Account"
    -> account  AccountId  account_visits  cascade
StateCode   state
    0  Open
    1  Closed
StatusCode  status
    1 in 0  New
    2 in 1  Done
"#;

    #[test]
    fn a_table_is_read_with_its_relationship() {
        let (table, relationships) = table("visit.table", SMALL).unwrap();
        assert_eq!(table.logical_name, "visit");
        assert_eq!(table.change_tracking, ChangeTracking::Enabled);
        assert_eq!(
            table.key_over(&["number"]).unwrap().schema_name,
            "visit_Number"
        );
        let billed = table.column("billed").unwrap();
        assert_eq!(
            billed.kind,
            ColumnKind::Boolean {
                true_label: "Billed".into(),
                false_label: "Open".into(),
                default: false
            }
        );
        assert_eq!(table.column("accountid").unwrap().targets(), ["account"]);
        assert_eq!(
            table.column("statuscode").unwrap().choices()[1].state,
            Some(1)
        );
        assert!(!table.column("visitid").unwrap().updatable);
        let [
            (
                21,
                Relationship::OneToMany {
                    referenced_navigation,
                    cascade_delete,
                    ..
                },
            ),
        ] = relationships.as_slice()
        else {
            panic!("one relationship expected: {relationships:?}");
        };
        assert_eq!(referenced_navigation.as_deref(), Some("account_visits"));
        assert_eq!(*cascade_delete, Cascade::Cascade);
    }

    #[test]
    fn faults_are_reported_with_their_line() {
        for (from, to, line, says) in [
            ("text(20)", "text", 16, "needs a number"),
            ("text(20)", "string(20)", 16, "no column type"),
            ("2 in 1  Done", "2  Done", 27, "names its state"),
            ("2 in 1  Done", "2 in 7  Done", 27, "names no state"),
            ("id visitid", "id visitno", 27, "no column visitno"),
            ("flags audited", "flags audit", 10, "no flag"),
            ("rows visits\n", "", 1, "rows"),
            ("\ncolumns\n", "\n", 13, "is `columns` missing?"),
        ] {
            let text = SMALL.replacen(from, to, 1);
            assert_ne!(text, SMALL);
            let error = table("visit.table", &text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
