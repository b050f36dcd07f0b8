//! Leads and opportunities.

use super::{
    Cells, Made,
    maker::{JOBS, Maker, PRODUCTS, money},
    text::sentences,
};
use crate::{
    ids,
    seed::names,
    store::{Decimal, Value},
};

impl Maker<'_> {
    pub(super) fn lead(&mut self) -> Cells {
        let (first, last) = self.person();
        let mail = self.mail_name(first, last);
        let (state, status) = match self.random.below(10) {
            0..=3 => (0, 1 + self.random.between(0, 1)),
            4..=6 => (1, 3),
            _ => (2, self.random.between(4, 7)),
        };
        let product = self.random.pick(&PRODUCTS);
        vec![
            ("leadid", self.own_id(Made::Lead)),
            ("sample_externalid", Value::Text(self.key("lead"))),
            ("subject", Value::Text(format!("Interested in {product}"))),
            ("firstname", first.into()),
            ("lastname", last.into()),
            ("companyname", Value::Text(names::company(&mut self.random))),
            ("jobtitle", self.random.pick(&JOBS).into()),
            ("emailaddress1", Value::Text(format!("{mail}@mail.example"))),
            ("leadsourcecode", self.choice(1, 10)),
            ("leadqualitycode", self.choice(1, 3)),
            ("industrycode", self.choice(1, 33)),
            ("estimatedamount", self.amount(1_000, 500_000)),
            ("estimatedclosedate", self.date()),
            ("decisionmaker", Value::Bool(self.random.percent(40))),
            ("ownerid", self.owner()),
            ("statecode", Value::Int(state)),
            ("statuscode", Value::Int(status)),
            ("createdon", self.time()),
        ]
    }

    pub(super) fn opportunity(&mut self) -> Cells {
        let (state, status) = match self.random.below(10) {
            0..=4 => (0, self.random.between(1, 2)),
            5..=7 => (1, 3),
            _ => (2, self.random.between(4, 5)),
        };
        let account = self.any(self.sizes.accounts);
        let contact = self.any(self.sizes.contacts);
        let customer = if self.random.percent(90) || contact.is_none() {
            self.reference(Made::Account, account)
        } else {
            self.reference(Made::Contact, contact)
        };
        let currency = if self.random.percent(30) {
            ids::EURO
        } else {
            ids::BASE_CURRENCY
        };
        let hundredths = self.random.between(100_000, 200_000_000);
        let phase_number = self.random.between(0, 3);
        let phases = ["1-Qualify", "2-Develop", "3-Propose", "4-Close"];
        let phase = usize::try_from(phase_number)
            .ok()
            .and_then(|number| phases.get(number));
        let name = format!(
            "{} {}",
            self.random.between(2, 400),
            self.random.pick(&PRODUCTS)
        );
        let situation = self.sometimes(30, |random| {
            Value::Text(sentences(random.below(12) + 1, random))
        });
        vec![
            ("opportunityid", self.own_id(Made::Opportunity)),
            (
                "transactioncurrencyid",
                Value::lookup("transactioncurrency", currency),
            ),
            ("sample_externalid", Value::Text(self.key("opportunity"))),
            ("name", Value::Text(name)),
            ("customerid", customer),
            ("parentaccountid", self.reference(Made::Account, account)),
            ("parentcontactid", self.reference(Made::Contact, contact)),
            ("estimatedvalue", money(hundredths)),
            ("estimatedclosedate", self.date()),
            (
                "actualvalue",
                if state == 1 {
                    money(hundredths)
                } else {
                    Value::Null
                },
            ),
            (
                "actualclosedate",
                if state == 0 { Value::Null } else { self.date() },
            ),
            (
                "discountpercentage",
                self.sometimes(20, |random| {
                    Value::Decimal(Decimal::new(random.between(0, 3_000), 2))
                }),
            ),
            ("closeprobability", Value::Int(self.random.between(0, 100))),
            ("opportunityratingcode", self.choice(1, 3)),
            ("salesstage", Value::Int(phase_number)),
            (
                "stepname",
                phase.map_or(Value::Null, |phase| (*phase).into()),
            ),
            ("purchasetimeframe", self.choice(0, 4)),
            ("currentsituation", situation),
            ("isrevenuesystemcalculated", Value::Bool(false)),
            ("ownerid", self.owner()),
            ("statecode", Value::Int(state)),
            ("statuscode", Value::Int(status)),
            ("createdon", self.time()),
        ]
    }
}
