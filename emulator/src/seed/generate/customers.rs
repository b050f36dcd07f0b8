//! Users, accounts and contacts.

use super::{
    Cells, Made,
    maker::{DAY, DAYS, FIRST_MOMENT, JOBS, Maker, money},
    text::sentences,
};
use crate::{
    ids,
    seed::names,
    store::{Decimal, Value},
};

const DEPARTMENTS: [&str; 6] = [
    "Finance",
    "IT",
    "Logistics",
    "Operations",
    "Procurement",
    "Sales",
];

impl Maker<'_> {
    pub(super) fn user(&mut self) -> Cells {
        let (first, last) = self.person();
        let mail = format!("{}@sales.example", self.mail_name(first, last));
        vec![
            ("systemuserid", self.own_id(Made::SystemUser)),
            ("firstname", first.into()),
            ("lastname", last.into()),
            ("domainname", Value::Text(mail.clone())),
            ("internalemailaddress", Value::Text(mail)),
            ("employeeid", Value::Text(self.key("user"))),
            ("jobtitle", "Account Executive".into()),
            (
                "businessunitid",
                Value::lookup("businessunit", ids::ROOT_BUSINESS_UNIT),
            ),
            ("accessmode", Value::Int(0)),
            ("isdisabled", Value::Bool(false)),
            ("islicensed", Value::Bool(true)),
            ("createdon", Value::DateTime(FIRST_MOMENT)),
        ]
    }

    pub(super) fn account(&mut self) -> Cells {
        let name = names::company(&mut self.random);
        let town = names::any_town(&mut self.random);
        let domain = self.domain(&name);
        let active = self.random.percent(94);
        let employees = 1_i64 << self.random.between(1, 14);
        let employees = employees + self.random.between(0, employees);
        let created = self.moment();
        let sentence_count = self.random.below(8) + 1;
        let parent = self.random.below(self.index.max(1));
        let parent = (self.index > 0 && self.random.percent(15)).then_some(parent);
        let contact = (self.index < self.sizes.contacts).then_some(self.index);
        let mut cells = vec![
            ("accountid", self.own_id(Made::Account)),
            ("name", Value::Text(name)),
            ("accountnumber", Value::Text(self.number())),
            ("sample_externalid", Value::Text(self.key("account"))),
            ("websiteurl", Value::Text(format!("https://www.{domain}"))),
            ("emailaddress1", Value::Text(format!("info@{domain}"))),
            ("telephone1", self.phone(town)),
            (
                "fax",
                self.sometimes(30, |random| Value::Text(names::phone(town.dial, random))),
            ),
            ("industrycode", self.choice(1, 33)),
            ("customertypecode", self.choice(1, 12)),
            (
                "accountcategorycode",
                self.sometimes(70, |random| Value::Int(random.between(1, 2))),
            ),
            ("ownershipcode", self.choice(1, 4)),
            ("paymenttermscode", self.choice(1, 4)),
            ("preferredcontactmethodcode", self.choice(1, 5)),
            ("sample_segments", self.segments()),
            ("numberofemployees", Value::Int(employees)),
            ("revenue", self.amount(50_000, 900_000_000)),
            (
                "creditlimit",
                self.sometimes(60, |random| money(random.between(1_000, 250_000) * 100)),
            ),
            ("creditonhold", Value::Bool(self.random.percent(4))),
            ("donotemail", Value::Bool(self.random.percent(8))),
            ("sample_satisfactionscore", {
                let thousandths = self.random.between(0, 5_000);
                Value::Decimal(Decimal::new(thousandths, 3))
            }),
            (
                "sample_foundedon",
                Value::DateTime(self.random.between(-25_000, 18_000) * DAY),
            ),
            (
                "sample_orderdeadline",
                Value::DateTime(created - created % DAY + 16 * 3_600),
            ),
            (
                "sample_customersince",
                Value::DateTime(created - created % DAY),
            ),
            (
                "tickersymbol",
                self.sometimes(10, |random| {
                    let letter = || char::from(b'A' + u8::try_from(random.below(26)).unwrap_or(0));
                    Value::Text(std::iter::repeat_with(letter).take(4).collect())
                }),
            ),
            (
                "sic",
                Value::Text(format!("{:04}", self.random.between(100, 9_999))),
            ),
            (
                "description",
                Value::Text(sentences(sentence_count, &mut self.random)),
            ),
            (
                "lastusedincampaign",
                self.sometimes(25, |random| {
                    Value::DateTime(FIRST_MOMENT + random.between(0, DAYS) * DAY)
                }),
            ),
            ("primarycontactid", self.reference(Made::Contact, contact)),
            ("parentaccountid", self.reference(Made::Account, parent)),
            ("ownerid", self.owner()),
            ("statecode", Value::Int(i64::from(!active))),
            ("statuscode", Value::Int(if active { 1 } else { 2 })),
            ("createdon", Value::DateTime(created)),
        ];
        cells.extend(self.address(town));
        cells
    }

    pub(super) fn contact(&mut self) -> Cells {
        let (first, last) = self.person();
        let mail = self.mail_name(first, last);
        let town = names::any_town(&mut self.random);
        // The first contacts are the primary contacts of the accounts of their numbers.
        let account = self.index.checked_rem(self.sizes.accounts);
        let birthday = self.sometimes(55, |random| {
            Value::DateTime(random.between(-8_000, 13_000) * DAY)
        });
        let description = self.sometimes(20, |random| {
            Value::Text(sentences(random.below(5) + 1, random))
        });
        let mut cells = vec![
            ("contactid", self.own_id(Made::Contact)),
            ("sample_externalid", Value::Text(self.key("contact"))),
            ("firstname", first.into()),
            ("lastname", last.into()),
            ("jobtitle", self.random.pick(&JOBS).into()),
            ("department", self.random.pick(&DEPARTMENTS).into()),
            (
                "emailaddress1",
                self.sometimes(90, |_| Value::Text(format!("{mail}@mail.example"))),
            ),
            ("telephone1", self.phone(town)),
            (
                "mobilephone",
                self.sometimes(60, |random| Value::Text(names::phone(town.dial, random))),
            ),
            ("birthdate", birthday),
            (
                "gendercode",
                self.sometimes(40, |random| Value::Int(random.between(1, 2))),
            ),
            ("preferredcontactmethodcode", self.choice(1, 5)),
            (
                "numberofchildren",
                self.sometimes(30, |random| Value::Int(random.between(0, 5))),
            ),
            (
                "annualincome",
                self.sometimes(10, |random| money(random.between(1_800_000, 40_000_000))),
            ),
            ("donotbulkemail", Value::Bool(self.random.percent(25))),
            ("description", description),
            ("parentcustomerid", self.reference(Made::Account, account)),
            ("ownerid", self.owner()),
            ("createdon", self.time()),
        ];
        cells.extend(self.address(town));
        cells
    }
}
