//! Names that only one user, team or business unit can have.

use super::rules::required;
use crate::{
    api::Call,
    schema::Table,
    store::{Value, Writer},
    wire::ODataError,
};

/// Columns whose values together are those of one row only, with the refusal of another.
struct Unique {
    table: &'static str,
    columns: &'static [&'static str],
    code: &'static str,
    message: &'static str,
}

const TAKEN: &str = "An object with the specified name already exists.";
const KNOWN_USER: &str =
    "The specified Active Directory user already exists as a Dynamics 365 user.";

const UNIQUE: [Unique; 5] = [
    Unique {
        table: "businessunit",
        columns: &["name"],
        code: "0x8004022A",
        message: TAKEN,
    },
    Unique {
        table: "team",
        columns: &["name", "businessunitid"],
        code: "0x8004022A",
        message: TAKEN,
    },
    Unique {
        table: "team",
        columns: &["azureactivedirectoryobjectid", "membershiptype"],
        code: "0x80040237",
        message: "A team for this group and kind of membership already exists.",
    },
    Unique {
        table: "systemuser",
        columns: &["domainname"],
        code: "0x80041D2C",
        message: KNOWN_USER,
    },
    Unique {
        table: "systemuser",
        columns: &["applicationid"],
        code: "0x80041D2C",
        message: KNOWN_USER,
    },
];

impl Call<'_> {
    /// Rejects a name that another row has. Unchanged columns are not checked.
    pub(super) fn require_own_name(
        writer: &Writer<'_>,
        table: &Table,
        before: Option<&[Value]>,
        after: &[Value],
    ) -> Result<(), ODataError> {
        let name = &table.logical_name;
        let layout = writer.store().layout(name)?;
        let own = layout.get(after, &table.primary_id).id();
        for unique in UNIQUE.iter().filter(|unique| unique.table == name) {
            let changes =
                |column: &&str| before.is_none_or(|before| layout.differs(before, after, column));
            if unique.columns.iter().any(changes)
                && writer.is_shared(name, unique.columns, after, own.unwrap_or_default())?
            {
                return Err(match unique.code {
                    "0x80040237" => ODataError::precondition(unique.code, unique.message),
                    code => ODataError::bad_request(code, unique.message),
                });
            }
        }
        Ok(())
    }

    /// A new user gets the identity that the directory has for the sign-in name or client id.
    pub(super) fn identify(
        &self,
        writer: &Writer<'_>,
        table: &Table,
        row: &mut [Value],
    ) -> Result<(), ODataError> {
        let layout = writer.store().layout(&table.logical_name)?;
        let object = if let Some(client) = layout.get(row, "applicationid").id() {
            layout.default(row, "accessmode", Value::Int(4));
            let domain = crate::ids::TENANT_DOMAIN;
            let address = Value::Text(format!("{client}@{domain}"));
            layout.default(row, "domainname", address.clone());
            layout.default(row, "internalemailaddress", address);
            let known = self.api.directory.principal_of(client);
            let name = known
                .as_ref()
                .map_or_else(|| client.to_string(), |(_, name)| name.clone());
            layout.default(row, "firstname", "#".into());
            layout.default(row, "lastname", Value::Text(name));
            known.map(|(object, _)| object)
        } else {
            let Value::Text(name) = layout.get(row, "domainname").clone() else {
                return Err(required("domainname", table));
            };
            layout.default(row, "accessmode", Value::Int(0));
            let person = self.api.directory.person_named(&name);
            layout.default(row, "islicensed", Value::Bool(person.is_some()));
            person
        };
        if let Some(object) = object {
            layout.set(row, "azureactivedirectoryobjectid", Value::Guid(object));
        }
        Ok(())
    }
}
