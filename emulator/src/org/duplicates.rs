//! The duplicate detection rules of a new organization.

use super::new_rows::NewOrganization;
use crate::{
    schema::metadata_id,
    store::{StoreError, Value},
};

/// Name, table and columns of each rule.
const RULES: [(&str, &str, &[&str]); 4] = [
    ("Accounts with the same Account Name", "account", &["name"]),
    (
        "Contacts with the same e-mail address",
        "contact",
        &["emailaddress1"],
    ),
    (
        "Contacts with the same first name and last name",
        "contact",
        &["firstname", "lastname"],
    ),
    (
        "Leads with the same e-mail address",
        "lead",
        &["emailaddress1"],
    ),
];

impl NewOrganization<'_> {
    /// Rules that compare active rows and are in force.
    pub(super) fn duplicate_rules(&self) -> Result<(), StoreError> {
        for (name, table, columns) in RULES {
            let rule = metadata_id(&["duplicaterule", name]);
            self.put(
                "duplicaterule",
                &[
                    ("duplicateruleid", Value::Guid(rule)),
                    ("name", name.into()),
                    ("baseentityname", table.into()),
                    ("matchingentityname", table.into()),
                    ("excludeinactiverecords", Value::Bool(true)),
                    ("statecode", Value::Int(1)),
                    ("statuscode", Value::Int(2)),
                ],
            )?;
            for column in columns {
                let id = metadata_id(&["duplicaterulecondition", name, column]);
                self.put(
                    "duplicaterulecondition",
                    &[
                        ("duplicateruleconditionid", Value::Guid(id)),
                        ("regardingobjectid", Value::lookup("duplicaterule", rule)),
                        ("baseattributename", (*column).into()),
                        ("matchingattributename", (*column).into()),
                        ("operatorcode", Value::Int(0)),
                        ("ignoreblankvalues", Value::Bool(true)),
                    ],
                )?;
            }
        }
        Ok(())
    }
}
