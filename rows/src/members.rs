//! Maps members of the service's rows to columns of outgoing rows. Members without a column are
//! left out.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The label of a value for people, in the signed-in account's language (reference §4.3).
const LABEL: &str = "OData.Community.Display.V1.FormattedValue";
/// The table that a lookup points to (reference §4.3).
const TARGET: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// A column of a table, with its names in outgoing rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column<'t> {
    /// As it appears in outgoing rows.
    pub name: &'t str,
    /// The outgoing columns that hold its labels; empty if its values have none.
    pub labels: Vec<String>,
}

/// What a member means besides its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing.
    Value,
    /// `@odata.context`: in a deletion it ends with `/$deletedEntity`.
    Context,
    /// `@removed`, the mark that later OData versions give a deletion.
    Removed,
    /// The primary key, `id` or `@odata.id`: in a deletion the key of the row or its address.
    Id,
    /// `reason`: with an `id` and without the primary key it marks a deletion.
    Reason,
    /// The column by which changes are found.
    Watched,
}

/// One member of the service's rows.
#[derive(Debug)]
struct Member {
    /// Its name as JSON text with its colon.
    wire_key: Box<str>,
    role: Role,
    /// The outgoing column, if there is one.
    slot: Option<usize>,
    /// Whether the outgoing column has the same name.
    is_unchanged: bool,
    /// The member that followed this one in the last row: the service keeps the same order in all
    /// rows, so names are rarely looked up.
    successor: usize,
}

/// An outgoing column.
#[derive(Debug)]
struct Slot {
    /// The name as JSON text with its colon.
    key: Box<str>,
    /// The last row that has it. Prevents duplicate names in one row.
    last_row: u64,
}

/// The name of a member in the outgoing row.
#[derive(Debug)]
pub(crate) struct Outgoing<'m> {
    /// The name as JSON text with its colon.
    pub(crate) key: &'m str,
    /// Whether it has the same name in the service's row.
    pub(crate) is_unchanged: bool,
}

/// The members of the service's rows, and the columns of outgoing rows. Names are added as they are
/// read: a column that is not in the metadata passes through like any other.
#[derive(Debug)]
pub struct Members {
    /// In the order in which they were first seen.
    seen: Vec<Member>,
    by_wire_name: HashMap<Box<str>, usize>,
    slots: Vec<Slot>,
    by_name: HashMap<Box<str>, usize>,
    /// Outgoing columns that every row has. A row without a label gets null, so that a sink that
    /// updates the row removes the old label.
    always: Vec<usize>,
    /// The selected columns; `None` for all.
    selected: Option<HashSet<Box<str>>>,
    /// Columns of the table, which a label never replaces.
    known: HashSet<Box<str>>,
    labelled: HashSet<Box<str>>,
    labels: bool,
    watched: Option<Box<str>>,
    primary_key: usize,
    row: u64,
    /// How many rows there were before, if the primary key is the row's number.
    before: Option<u64>,
}

impl Members {
    /// Members of the rows of a table with these columns. `selected` are the names of the columns
    /// to read, `None` for all; the primary key is always read. With `labels` the labels of values
    /// are read too. `watched` is the column by which changes are found.
    pub fn new(
        primary_key: &str,
        columns: &[Column<'_>],
        selected: Option<&[String]>,
        labels: bool,
        watched: Option<&str>,
    ) -> Self {
        let mut selected: Option<HashSet<Box<str>>> =
            selected.map(|names| names.iter().map(|name| name.as_str().into()).collect());
        if let Some(selected) = &mut selected {
            selected.insert(primary_key.into());
        }
        let known = columns.iter().map(|column| column.name.into()).collect();
        let mut this = Self {
            seen: Vec::new(),
            by_wire_name: HashMap::new(),
            slots: Vec::new(),
            by_name: HashMap::new(),
            always: Vec::new(),
            selected,
            known,
            labelled: HashSet::new(),
            labels,
            watched: watched.map(Into::into),
            primary_key: 0,
            row: 0,
            before: None,
        };
        this.primary_key = this.slot(primary_key);
        if labels {
            for column in columns.iter().filter(|column| !column.labels.is_empty()) {
                this.labelled.insert(column.name.into());
                if !this.is_selected(column.name) {
                    continue;
                }
                for name in &column.labels {
                    if !this.known.contains(name.as_str()) {
                        let slot = this.slot(name);
                        this.always.push(slot);
                    }
                }
            }
        }
        this
    }

    /// Writes null for each of these columns that a row does not have, because the service leaves
    /// out null values in the rows of queries (reference §4.13).
    #[must_use]
    pub fn with_nulls(mut self, columns: &[Column<'_>]) -> Self {
        for column in columns {
            if self.is_selected(column.name) {
                let slot = self.slot(column.name);
                self.always.push(slot);
            }
        }
        self
    }

    /// Numbers the rows, which have no key of their own: the primary key is the row's number,
    /// counted from `before` + 1.
    #[must_use]
    pub fn numbered_after(mut self, before: u64) -> Self {
        self.before = Some(before);
        self
    }

    /// The number of the row, if that is its key.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let number = self.before? + self.row;
        let key = self.slots.get_mut(self.primary_key)?;
        key.last_row = self.row;
        Some(number)
    }

    /// The primary key as JSON text with its colon.
    pub(crate) fn primary_key(&self) -> &str {
        self.slots
            .get(self.primary_key)
            .map_or("", |slot| &slot.key)
    }

    /// Whether the row has its primary key by now.
    pub(crate) fn has_primary_key(&self) -> bool {
        self.slots
            .get(self.primary_key)
            .is_some_and(|slot| slot.last_row == self.row)
    }

    /// Whether the member is the primary key.
    pub(crate) fn is_primary_key(&self, member: usize) -> bool {
        let slot = self.seen.get(member).and_then(|member| member.slot);
        slot == Some(self.primary_key)
    }

    /// Begins the next row.
    pub(crate) fn begin_row(&mut self) {
        self.row += 1;
    }

    /// The member that most likely follows `previous`, and its name as JSON text with its
    /// colon.
    pub(crate) fn guess(&self, previous: Option<usize>) -> Option<(usize, &str)> {
        let guess = match previous {
            None => 0,
            Some(previous) => self.seen.get(previous)?.successor,
        };
        Some((guess, &self.seen.get(guess)?.wire_key))
    }

    /// The member of that name. `previous` is the one before it in this row.
    pub(crate) fn find(&mut self, wire_name: &str, previous: Option<usize>) -> usize {
        let found = match self.by_wire_name.get(wire_name) {
            Some(found) => *found,
            None => self.add(wire_name),
        };
        if let Some(previous) = previous.and_then(|previous| self.seen.get_mut(previous)) {
            previous.successor = found;
        }
        found
    }

    /// What the member means besides its value.
    pub(crate) fn role(&self, member: usize) -> Role {
        self.seen
            .get(member)
            .map_or(Role::Value, |member| member.role)
    }

    /// The name of the member in the outgoing row. `None` if it is left out, or if a member of that
    /// name is in the row already: the first one counts.
    pub(crate) fn emit(&mut self, member: usize) -> Option<Outgoing<'_>> {
        let member = self.seen.get(member)?;
        let row = self.row;
        let slot = self.slots.get_mut(member.slot?)?;
        if slot.last_row == row {
            return None;
        }
        slot.last_row = row;
        Some(Outgoing {
            key: &slot.key,
            is_unchanged: member.is_unchanged,
        })
    }

    /// The names, as JSON text with their colons, of the columns that every row has and this row
    /// does not have yet.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &str> {
        self.always
            .iter()
            .filter_map(|slot| self.slots.get(*slot))
            .filter(|slot| slot.last_row != self.row)
            .map(|slot| &*slot.key)
    }

    fn add(&mut self, wire_name: &str) -> usize {
        let role = match wire_name {
            "@odata.context" | "@context" => Role::Context,
            "@odata.removed" | "@removed" => Role::Removed,
            "id" | "@odata.id" | "@id" => Role::Id,
            "reason" => Role::Reason,
            name if self.watched.as_deref() == Some(name) => Role::Watched,
            _ => Role::Value,
        };
        let name = self.outgoing_name(wire_name);
        let slot = name.as_deref().map(|name| self.slot(name));
        let role = match slot {
            Some(slot) if slot == self.primary_key => Role::Id,
            _ => role,
        };
        let index = self.seen.len();
        self.seen.push(Member {
            wire_key: json_key(wire_name),
            role,
            slot,
            is_unchanged: name.as_deref() == Some(wire_name),
            successor: index + 1,
        });
        self.by_wire_name.insert(wire_name.into(), index);
        index
    }

    fn outgoing_name(&self, wire_name: &str) -> Option<String> {
        let Some((target, annotation)) = wire_name.split_once('@') else {
            let name = column_name(wire_name);
            return self.is_selected(&name).then(|| name.into_owned());
        };
        let name = &*column_name(target);
        // A lookup of a linked table has its plain name, so the metadata decides.
        let is_lookup = target.starts_with('_') || self.labelled.contains(name);
        if !self.labels || !self.is_selected(name) {
            return None;
        }
        let label = match annotation {
            // Numbers and dates have formatted values too, but those are text in the format of a
            // locale, not labels.
            LABEL if is_lookup => format!("{name}name"),
            TARGET if is_lookup => format!("{name}type"),
            _ => return None,
        };
        (!self.known.contains(label.as_str())).then_some(label)
    }

    fn is_selected(&self, name: &str) -> bool {
        self.selected
            .as_ref()
            .is_none_or(|selected| selected.contains(name))
    }

    fn slot(&mut self, name: &str) -> usize {
        if let Some(slot) = self.by_name.get(name) {
            return *slot;
        }
        let index = self.slots.len();
        self.slots.push(Slot {
            key: json_key(name),
            last_row: 0,
        });
        self.by_name.insert(name.into(), index);
        index
    }
}

/// The row name of a property: `_primarycontactid_value` is the column `primarycontactid`, and
/// `owner_x002e_fullname` is `owner.fullname`, a column of a linked table (reference §4.13).
/// No column's own name begins with an underscore.
pub fn column_name(wire_name: &str) -> Cow<'_, str> {
    let name = wire_name
        .strip_prefix('_')
        .and_then(|rest| rest.strip_suffix("_value"))
        .filter(|name| !name.is_empty())
        .unwrap_or(wire_name);
    if name.contains("_x002e_") {
        Cow::Owned(name.replacen("_x002e_", ".", 1))
    } else {
        Cow::Borrowed(name)
    }
}

/// A member's name as JSON text with its colon.
fn json_key(name: &str) -> Box<str> {
    format!("{}:", serde_json::Value::from(name)).into()
}
