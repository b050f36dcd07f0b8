//! What the rows of every table are made with.

use uuid::Uuid;

use super::{Made, Sizes, id};
use crate::{
    ids,
    seed::{
        names::{self, Town},
        random::Random,
    },
    store::{Decimal, Value},
};

/// 1 January 2020, 00:00:00 UTC: when the generated organization began.
pub(super) const FIRST_MOMENT: i64 = 1_577_836_800;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// How many days the organization has been at work.
pub(super) const DAYS: i64 = 2_000;

/// What people do.
pub(super) const JOBS: [&str; 12] = [
    "Buyer",
    "Chief Executive",
    "Chief Financial Officer",
    "Geschäftsführer",
    "Head of IT",
    "Head of Operations",
    "Leiterin Einkauf",
    "Office Manager",
    "Plant Manager",
    "Project Lead",
    "Responsable Achats",
    "Sales Director",
];

/// What people buy.
pub(super) const PRODUCTS: [&str; 8] = [
    "annual maintenance",
    "cold storage",
    "fleet renewal",
    "invoice automation",
    "licences",
    "packing line",
    "spare parts",
    "warehouse extension",
];

/// Makes one row.
pub(super) struct Maker<'a> {
    pub(super) seed: u64,
    pub(super) sizes: &'a Sizes,
    pub(super) index: u64,
    pub(super) random: Random,
}

impl Maker<'_> {
    pub(super) fn own_id(&self, table: Made) -> Value {
        Value::Guid(id(self.seed, table, self.index))
    }

    /// The text key that the alternate key finds the row by.
    pub(super) fn key(&self, table: &str) -> String {
        format!("{table}-{}-{:07}", self.seed, self.index + 1)
    }

    /// A customer number: short, and unique among the seeds in use.
    pub(super) fn number(&self) -> String {
        format!("G{:x}-{:07}", self.seed & 0xffff_ffff, self.index + 1)
    }

    pub(super) fn person(&mut self) -> (&'static str, &'static str) {
        (
            names::first_name(&mut self.random),
            names::last_name(&mut self.random),
        )
    }

    pub(super) fn mail_name(&self, first: &str, last: &str) -> String {
        let (first, last) = (names::address_part(first), names::address_part(last));
        format!("{first}.{last}{}", self.index + 1)
    }

    pub(super) fn domain(&self, company: &str) -> String {
        let word = company.split(' ').next().unwrap_or(company);
        format!("{}{}.example", names::address_part(word), self.index + 1)
    }

    pub(super) fn owner(&mut self) -> Value {
        let user = self.any(self.sizes.users);
        let id = user.map_or(ids::ADMINISTRATOR, |user| {
            id(self.seed, Made::SystemUser, user)
        });
        Value::lookup("systemuser", id)
    }

    /// An account, contact or opportunity.
    pub(super) fn regarding(&mut self) -> Value {
        let (table, count) = match self.random.below(10) {
            0..=4 => (Made::Account, self.sizes.accounts),
            5..=7 => (Made::Contact, self.sizes.contacts),
            _ => (Made::Opportunity, self.sizes.opportunities),
        };
        let row = self.any(count);
        self.reference(table, row)
    }

    /// The number of one of this many rows; none if there are none.
    pub(super) fn any(&mut self, count: u64) -> Option<u64> {
        (count > 0).then(|| self.random.below(count))
    }

    pub(super) fn reference(&self, table: Made, row: Option<u64>) -> Value {
        let id: Option<Uuid> = row.map(|row| id(self.seed, table, row));
        id.map_or(Value::Null, |id| Value::lookup(table.logical_name(), id))
    }

    /// A value in this percentage of rows.
    pub(super) fn sometimes(
        &mut self,
        percent: u64,
        value: impl FnOnce(&mut Random) -> Value,
    ) -> Value {
        if self.random.percent(percent) {
            value(&mut self.random)
        } else {
            Value::Null
        }
    }

    pub(super) fn choice(&mut self, first: i64, last: i64) -> Value {
        Value::Int(self.random.between(first, last))
    }

    /// Between one and three of the five segments, in order.
    pub(super) fn segments(&mut self) -> Value {
        let chosen = self.random.between(1, 31);
        let list: Vec<String> = (1..=5)
            .filter(|segment| chosen >> (segment - 1) & 1 == 1)
            .take(3)
            .map(|segment: i64| segment.to_string())
            .collect();
        Value::Text(list.join(","))
    }

    /// A whole number of cents between two amounts.
    pub(super) fn amount(&mut self, low: i64, high: i64) -> Value {
        money(self.random.between(low * 100, high * 100))
    }

    /// The columns of an address in this town.
    pub(super) fn address(&mut self, town: Town) -> [(&'static str, Value); 7] {
        let (north, east) = town.position;
        [
            (
                "address1_line1",
                Value::Text(names::street(&mut self.random)),
            ),
            (
                "address1_postalcode",
                Value::Text(format!("{:05}", self.random.below(100_000))),
            ),
            ("address1_city", town.city.into()),
            ("address1_stateorprovince", some_text(town.region)),
            ("address1_country", town.country.into()),
            ("address1_latitude", Value::Double(north)),
            ("address1_longitude", Value::Double(east)),
        ]
    }

    /// A telephone number in this town.
    pub(super) fn phone(&mut self, town: Town) -> Value {
        Value::Text(names::phone(town.dial, &mut self.random))
    }

    pub(super) fn moment(&mut self) -> i64 {
        FIRST_MOMENT + self.random.between(0, DAYS * DAY)
    }

    pub(super) fn time(&mut self) -> Value {
        Value::DateTime(self.moment())
    }

    pub(super) fn date(&mut self) -> Value {
        Value::DateTime(FIRST_MOMENT + self.random.between(0, DAYS) * DAY)
    }
}

/// An amount in hundredths.
pub(super) fn money(hundredths: i64) -> Value {
    Value::Decimal(Decimal::new(hundredths, 2))
}

/// The text, or null if it is empty.
fn some_text(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        text.into()
    }
}
