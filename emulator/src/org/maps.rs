//! The columns that a new row takes over from the row it is made from (reference §12.3).

use super::new_rows::NewOrganization;
use crate::{
    schema::metadata_id,
    store::{StoreError, Value},
};

const ADDRESS: [&str; 6] = [
    "address1_line1",
    "address1_line2",
    "address1_city",
    "address1_stateorprovince",
    "address1_postalcode",
    "address1_country",
];

/// Pairs of tables, with the columns that have other names in the second.
type Renamed = &'static [(&'static str, &'static str)];

/// Pairs of tables: columns of other names, columns of the same, whether the address is copied.
const MAPS: [(&str, &str, Renamed, &[&str], bool); 7] = [
    (
        "account",
        "account",
        &[("accountid", "parentaccountid")],
        &["transactioncurrencyid"],
        true,
    ),
    (
        "account",
        "contact",
        &[("accountid", "parentcustomerid")],
        &["telephone1", "transactioncurrencyid"],
        true,
    ),
    (
        "account",
        "opportunity",
        &[("accountid", "parentaccountid")],
        &["transactioncurrencyid"],
        false,
    ),
    (
        "contact",
        "opportunity",
        &[("contactid", "parentcontactid")],
        &["transactioncurrencyid"],
        false,
    ),
    (
        "lead",
        "account",
        &[("companyname", "name"), ("leadid", "originatingleadid")],
        &["telephone1", "emailaddress1", "websiteurl", "industrycode"],
        true,
    ),
    (
        "lead",
        "contact",
        &[("leadid", "originatingleadid")],
        &[
            "firstname",
            "lastname",
            "jobtitle",
            "emailaddress1",
            "telephone1",
            "mobilephone",
        ],
        true,
    ),
    (
        "lead",
        "opportunity",
        &[
            ("subject", "name"),
            ("leadid", "originatingleadid"),
            ("estimatedamount", "estimatedvalue"),
        ],
        &[
            "description",
            "estimatedclosedate",
            "campaignid",
            "transactioncurrencyid",
        ],
        false,
    ),
];

impl NewOrganization<'_> {
    pub(super) fn maps(&self) -> Result<(), StoreError> {
        for (source, target, renamed, same, address) in MAPS {
            let map = metadata_id(&["entitymap", source, target]);
            self.put(
                "entitymap",
                &[
                    ("entitymapid", Value::Guid(map)),
                    ("sourceentityname", source.into()),
                    ("targetentityname", target.into()),
                ],
            )?;
            let address: &[&str] = if address { &ADDRESS } else { &[] };
            let same = same.iter().chain(address).map(|&name| (name, name));
            for (from, to) in renamed.iter().copied().chain(same) {
                let id = metadata_id(&["attributemap", source, target, from, to]);
                self.put(
                    "attributemap",
                    &[
                        ("attributemapid", Value::Guid(id)),
                        ("entitymapid", Value::lookup("entitymap", map)),
                        ("sourceattributename", from.into()),
                        ("targetattributename", to.into()),
                        ("issystem", Value::Bool(true)),
                    ],
                )?;
            }
        }
        Ok(())
    }
}
