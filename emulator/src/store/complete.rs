//! The columns that the platform fills itself.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use super::{
    Decimal, MONEY_SCALE, StoreError, Value,
    compose::{Address, Customer, Note},
    layout::{Layout, parse_guid},
};
use crate::{
    ids,
    schema::{ColumnKind, Table},
};

/// Columns that every new row gets, where its table has them.
const AUTOMATIC: [&str; 19] = [
    "createdon",
    "modifiedon",
    "createdby",
    "modifiedby",
    "createdonbehalfby",
    "modifiedonbehalfby",
    "ownerid",
    "owninguser",
    "owningteam",
    "owningbusinessunit",
    "statecode",
    "statuscode",
    "transactioncurrencyid",
    "exchangerate",
    "fullname",
    "yomifullname",
    "activitytypecode",
    "organizationid",
    "isregularactivity",
];

/// The author and time of a write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Author {
    /// Key of the `systemuser` row.
    pub(crate) user: Uuid,
    /// The impersonating user, if any.
    pub(crate) behind: Option<Uuid>,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// Fills in rows of one table.
#[derive(Debug)]
pub(crate) struct Completer<'a> {
    connection: &'a Connection,
    layout: &'a Layout,
    author: Author,
    is_activity: bool,
    booleans: Vec<(usize, bool)>,
    /// Each amount with its amount in base currency.
    amounts: Vec<(usize, usize)>,
    customers: Vec<Customer>,
    addresses: Vec<Address>,
    note: Option<Note>,
    default_state: Option<i32>,
    statuses: Vec<(i32, Option<i32>)>,
    units: HashMap<Uuid, Option<Uuid>>,
    rates: HashMap<Uuid, Option<Decimal>>,
}

impl Author {
    /// A user who writes in person.
    pub(crate) fn in_person(user: Uuid, now: i64) -> Self {
        Self {
            user,
            behind: None,
            now,
        }
    }

    /// Notes in a row who changes it, and when.
    pub(crate) fn sign(self, layout: &Layout, row: &mut [Value]) {
        let user = |id| Value::lookup("systemuser", id);
        let behind = self.behind.map_or(Value::Null, user);
        layout.set(row, "modifiedon", Value::DateTime(self.now));
        layout.set(row, "modifiedby", user(self.user));
        layout.set(row, "modifiedonbehalfby", behind);
    }
}

impl<'a> Completer<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        layout: &'a Layout,
        table: &Table,
        author: Author,
    ) -> Self {
        let mut completer = Self {
            connection,
            layout,
            author,
            is_activity: table.is_activity,
            booleans: Vec::new(),
            amounts: Vec::new(),
            customers: Customer::of(layout, table),
            addresses: (1..=3).filter_map(|n| Address::of(layout, n)).collect(),
            note: Note::of(layout),
            default_state: None,
            statuses: Vec::new(),
            units: HashMap::new(),
            rates: HashMap::new(),
        };
        for column in &table.columns {
            let Some(at) = layout.position(&column.logical_name) else {
                continue;
            };
            match &column.kind {
                ColumnKind::Boolean { default, .. } => completer.booleans.push((at, *default)),
                ColumnKind::Money { .. } => {
                    let base = format!("{}_base", column.logical_name);
                    if let Some(base) = layout.position(&base) {
                        completer.amounts.push((at, base));
                    }
                }
                ColumnKind::State { options } => {
                    completer.default_state = options.first().map(|option| option.value);
                }
                ColumnKind::Status { options } => {
                    completer.statuses = options.iter().map(|o| (o.value, o.state)).collect();
                }
                _ => {}
            }
        }
        completer
    }

    /// The given positions and all those that a completed row may fill, in order.
    pub(super) fn positions(&self, given: &[usize]) -> Vec<usize> {
        let mut positions: Vec<usize> = given.to_vec();
        positions.extend(
            AUTOMATIC
                .iter()
                .filter_map(|name| self.layout.position(name)),
        );
        positions.extend(self.addresses.iter().map(Address::fills));
        positions.extend(self.booleans.iter().map(|(at, _)| *at));
        positions.extend(self.amounts.iter().map(|(_, base)| *base));
        positions.extend(self.note.iter().flat_map(Note::fills));
        positions.extend(self.customers.iter().flat_map(Customer::fills));
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// Fills the empty automatic columns of a new row.
    pub(crate) fn complete(&mut self, row: &mut [Value]) -> Result<(), StoreError> {
        let layout = self.layout;
        let now = Value::DateTime(self.author.now);
        let author = Value::lookup("systemuser", self.author.user);
        let created = match layout.get(row, "overriddencreatedon") {
            Value::DateTime(earlier) => Value::DateTime(*earlier),
            _ => now,
        };
        default(layout, row, "createdon", created);
        let created = layout.get(row, "createdon").clone();
        default(layout, row, "modifiedon", created);
        default(layout, row, "createdby", author.clone());
        default(layout, row, "modifiedby", author.clone());
        default(layout, row, "ownerid", author);
        if let Some(behind) = self.author.behind {
            let behind = Value::lookup("systemuser", behind);
            default(layout, row, "createdonbehalfby", behind.clone());
            default(layout, row, "modifiedonbehalfby", behind);
        }
        if layout.table != "organization" {
            let organization = Value::lookup("organization", ids::ORGANIZATION);
            default(layout, row, "organizationid", organization);
        }
        if self.is_activity {
            default(
                layout,
                row,
                "activitytypecode",
                Value::Text(layout.table.clone()),
            );
            default(layout, row, "isregularactivity", Value::Bool(true));
        }
        for &(at, flag) in &self.booleans {
            if let Some(cell @ Value::Null) = row.get_mut(at) {
                *cell = Value::Bool(flag);
            }
        }
        if let Some(state) = self.default_state {
            default(layout, row, "statecode", Value::Int(state.into()));
        }
        if let (Value::Null, Value::Int(state)) =
            (layout.get(row, "statuscode"), layout.get(row, "statecode"))
            && let Some(status) = self.default_status(*state)
        {
            layout.set(row, "statuscode", Value::Int(status));
        }
        if layout.table != "transactioncurrency" {
            if !self.amounts.is_empty() || layout.position("exchangerate").is_some() {
                let currency = Value::lookup("transactioncurrency", ids::BASE_CURRENCY);
                default(layout, row, "transactioncurrencyid", currency);
            }
            self.set_rate(row)?;
        }
        self.derive(row)
    }

    /// The default status of a state.
    pub(crate) fn default_status(&self, state: i64) -> Option<i64> {
        self.statuses
            .iter()
            .find(|(_, of)| of.is_none_or(|of| i64::from(of) == state))
            .map(|(value, _)| i64::from(*value))
    }

    /// Recomputes derived columns.
    pub(crate) fn derive(&mut self, row: &mut [Value]) -> Result<(), StoreError> {
        self.set_owner_parts(row)?;
        let layout = self.layout;
        if layout.position("fullname").is_some() {
            for (full, first, last) in [
                ("fullname", "firstname", "lastname"),
                ("yomifullname", "yomifirstname", "yomilastname"),
            ] {
                let parts = [text(layout, row, first), text(layout, row, last)];
                let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                if !name.is_empty() {
                    layout.set(row, full, Value::Text(name));
                }
            }
        }
        for address in &self.addresses {
            address.compose(row);
        }
        for customer in &self.customers {
            customer.repeat(row);
        }
        if let Some(note) = &self.note {
            note.describe(row);
        }
        let Value::Decimal(rate) = *layout.get(row, "exchangerate") else {
            return Ok(());
        };
        for &(amount, base) in &self.amounts {
            let in_base = match row.get(amount) {
                Some(Value::Decimal(amount)) => amount.divided_by(rate, MONEY_SCALE),
                Some(Value::Int(amount)) => Decimal::new(*amount, 0).divided_by(rate, MONEY_SCALE),
                _ => None,
            };
            if let Some(cell) = row.get_mut(base) {
                *cell = in_base.map_or(Value::Null, Value::Decimal);
            }
        }
        Ok(())
    }

    /// Takes the exchange rate from the row's currency.
    pub(crate) fn set_rate(&mut self, row: &mut [Value]) -> Result<(), StoreError> {
        if self.layout.position("exchangerate").is_none() {
            return Ok(());
        }
        let Some(currency) = self.layout.get(row, "transactioncurrencyid").id() else {
            return Ok(());
        };
        let rate = if let Some(rate) = self.rates.get(&currency) {
            *rate
        } else {
            let rate = self.rate_of(currency)?;
            self.rates.insert(currency, rate);
            rate
        };
        if let Some(rate) = rate {
            self.layout.set(row, "exchangerate", Value::Decimal(rate));
        }
        Ok(())
    }

    fn rate_of(&self, currency: Uuid) -> Result<Option<Decimal>, StoreError> {
        let sql = "SELECT \"exchangerate\" FROM \"transactioncurrency\" \
                   WHERE \"transactioncurrencyid\" = ?1";
        let units: Option<Option<i64>> = self
            .connection
            .prepare_cached(sql)?
            .query_row([currency.to_string()], |row| row.get(0))
            .optional()?;
        Ok(units
            .flatten()
            .map(|units| Decimal::new(units, self.rate_scale())))
    }

    fn rate_scale(&self) -> u8 {
        let slot = self
            .layout
            .position("exchangerate")
            .and_then(|at| self.layout.slots.get(at));
        match slot.map(|slot| slot.stored) {
            Some(super::Stored::Scaled(scale)) => scale,
            _ => MONEY_SCALE,
        }
    }

    /// `owninguser` or `owningteam`, and the owner's business unit.
    fn set_owner_parts(&mut self, row: &mut [Value]) -> Result<(), StoreError> {
        let layout = self.layout;
        if layout.position("ownerid").is_none() || layout.position("owningbusinessunit").is_none() {
            return Ok(());
        }
        let Value::Lookup { table, id } = layout.get(row, "ownerid").clone() else {
            return Ok(());
        };
        let team = table == "team";
        let (mine, other) = if team {
            ("owningteam", "owninguser")
        } else {
            ("owninguser", "owningteam")
        };
        layout.set(row, other, Value::Null);
        set_reference(layout, row, mine, Value::Lookup { table, id });
        let unit = if let Some(unit) = self.units.get(&id) {
            *unit
        } else {
            let unit = self.unit_of(id, team)?;
            self.units.insert(id, unit);
            unit
        };
        let unit = Value::lookup("businessunit", unit.unwrap_or(ids::ROOT_BUSINESS_UNIT));
        set_reference(layout, row, "owningbusinessunit", unit);
        Ok(())
    }

    fn unit_of(&self, owner: Uuid, team: bool) -> Result<Option<Uuid>, StoreError> {
        let sql = if team {
            "SELECT \"businessunitid\" FROM \"team\" WHERE \"teamid\" = ?1"
        } else {
            "SELECT \"businessunitid\" FROM \"systemuser\" WHERE \"systemuserid\" = ?1"
        };
        let unit: Option<Option<String>> = self
            .connection
            .prepare_cached(sql)?
            .query_row([owner.to_string()], |row| row.get(0))
            .optional()?;
        Ok(unit.flatten().map(|text| parse_guid(&text)))
    }
}

fn default(layout: &Layout, row: &mut [Value], column: &str, value: Value) {
    if let Some(at) = layout.position(column)
        && row.get(at) == Some(&Value::Null)
    {
        place(layout, row, at, value);
    }
}

fn set_reference(layout: &Layout, row: &mut [Value], column: &str, value: Value) {
    if let Some(at) = layout.position(column) {
        place(layout, row, at, value);
    }
}

/// Fills a cell; some tables keep a reference as a bare key.
fn place(layout: &Layout, row: &mut [Value], at: usize, value: Value) {
    let bare = layout
        .slots
        .get(at)
        .is_some_and(|slot| slot.stored == super::Stored::Guid);
    if let Some(cell) = row.get_mut(at) {
        *cell = match value {
            Value::Lookup { id, .. } if bare => Value::Guid(id),
            value => value,
        };
    }
}

fn text<'r>(layout: &Layout, row: &'r [Value], column: &str) -> Option<&'r str> {
    match layout.get(row, column) {
        Value::Text(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}
