//! Tasks, phone calls and notes.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Cells, Made, maker::Maker, text::sentences};
use crate::{seed::names, store::Value};

const ACTIONS: [&str; 8] = [
    "Agree on the delivery date",
    "Ask for the signed offer",
    "Check the credit limit",
    "Plan a visit",
    "Prepare the demonstration",
    "Renew the contract",
    "Send samples",
    "Update the address",
];

impl Maker<'_> {
    pub(super) fn task(&mut self) -> Cells {
        let (state, status) = match self.random.below(10) {
            0..=3 => (0, self.random.pick(&[2, 3, 4, 7])),
            4..=8 => (1, 5),
            _ => (2, 6),
        };
        vec![
            ("activityid", self.own_id(Made::Task)),
            ("sample_externalid", Value::Text(self.key("task"))),
            ("subject", self.random.pick(&ACTIONS).into()),
            (
                "description",
                self.sometimes(50, |random| {
                    Value::Text(sentences(random.below(6) + 1, random))
                }),
            ),
            ("regardingobjectid", self.regarding()),
            ("prioritycode", self.choice(0, 2)),
            (
                "percentcomplete",
                Value::Int(if state == 1 {
                    100
                } else {
                    self.random.between(0, 90)
                }),
            ),
            (
                "actualdurationminutes",
                self.sometimes(60, |random| Value::Int(random.between(1, 480))),
            ),
            ("scheduledend", self.time()),
            ("ownerid", self.owner()),
            ("statecode", Value::Int(state)),
            ("statuscode", Value::Int(status)),
            ("createdon", self.time()),
        ]
    }

    pub(super) fn phone_call(&mut self) -> Cells {
        let (first, last) = self.person();
        let town = names::any_town(&mut self.random);
        let outgoing = self.random.percent(70);
        vec![
            ("activityid", self.own_id(Made::PhoneCall)),
            ("sample_externalid", Value::Text(self.key("phonecall"))),
            ("subject", Value::Text(format!("Call with {first} {last}"))),
            ("phonenumber", self.phone(town)),
            ("directioncode", Value::Bool(outgoing)),
            (
                "leftvoicemail",
                Value::Bool(outgoing && self.random.percent(20)),
            ),
            ("regardingobjectid", self.regarding()),
            (
                "actualdurationminutes",
                Value::Int(self.random.between(1, 60)),
            ),
            ("actualend", self.time()),
            ("ownerid", self.owner()),
            ("statecode", Value::Int(1)),
            ("statuscode", Value::Int(if outgoing { 2 } else { 4 })),
            ("createdon", self.time()),
        ]
    }

    pub(super) fn annotation(&mut self) -> Cells {
        // One note in twenty is as long as a report.
        let length = if self.random.percent(5) { 400 } else { 10 };
        let text = sentences(self.random.below(length) + 1, &mut self.random);
        let object = self.regarding();
        let table = match &object {
            Value::Lookup { table, .. } => Value::Text(table.clone()),
            _ => Value::Null,
        };
        let is_document = self.random.percent(10);
        let file = |value: Value| if is_document { value } else { Value::Null };
        let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
        vec![
            ("annotationid", self.own_id(Made::Annotation)),
            ("subject", Value::Text(format!("Note {}", self.index + 1))),
            ("objectid", object),
            ("objecttypecode", table),
            ("isdocument", Value::Bool(is_document)),
            (
                "filename",
                file(Value::Text(format!("note-{}.txt", self.index + 1))),
            ),
            ("mimetype", file("text/plain".into())),
            ("filesize", file(Value::Int(size))),
            ("documentbody", file(Value::Text(STANDARD.encode(&text)))),
            ("notetext", Value::Text(text)),
            ("ownerid", self.owner()),
            ("createdon", self.time()),
        ]
    }
}
