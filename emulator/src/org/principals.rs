//! The business units, users and teams of a new organization.

use uuid::Uuid;

use super::new_rows::{NewOrganization, put};
use crate::{
    ids::{
        ADMINISTRATOR, DEFAULT_TEAM, GROUP_TEAM, INTEGRATION, KEY_ACCOUNTS_TEAM,
        ROOT_BUSINESS_UNIT, SALES_BUSINESS_UNIT, SALES_TEAM, SELLERS, SYSTEM,
    },
    schema::metadata_id,
    store::{Author, StoreError, Value, Writer},
};

/// Gives a user a role of the user's business unit.
pub(super) fn assign_role(
    writer: &Writer<'_>,
    author: Author,
    user: Uuid,
    role: Uuid,
) -> Result<(), StoreError> {
    let id = metadata_id(&["systemuserrole", &user.to_string(), &role.to_string()]);
    put(
        writer,
        author,
        "systemuserroles",
        &[
            ("systemuserroleid", Value::Guid(id)),
            ("systemuserid", Value::lookup("systemuser", user)),
            ("roleid", Value::lookup("role", role)),
        ],
    )
}

impl NewOrganization<'_> {
    pub(super) fn business_units(&self, name: &str) -> Result<(), StoreError> {
        self.put(
            "businessunit",
            &[
                ("businessunitid", Value::Guid(ROOT_BUSINESS_UNIT)),
                ("name", name.into()),
            ],
        )?;
        self.put(
            "businessunit",
            &[
                ("businessunitid", Value::Guid(SALES_BUSINESS_UNIT)),
                ("name", "Sales".into()),
                (
                    "parentbusinessunitid",
                    Value::lookup("businessunit", ROOT_BUSINESS_UNIT),
                ),
            ],
        )
    }

    pub(super) fn users(&self) -> Result<(), StoreError> {
        let off = [
            ("isdisabled", Value::Bool(true)),
            ("accessmode", Value::Int(3)),
        ];
        self.user(SYSTEM, "", "SYSTEM", ROOT_BUSINESS_UNIT, &off)?;
        let integration = [
            ("isintegrationuser", Value::Bool(true)),
            ("accessmode", Value::Int(4)),
        ];
        self.user(
            INTEGRATION,
            "",
            "INTEGRATION",
            ROOT_BUSINESS_UNIT,
            &integration,
        )?;
        self.person(
            ADMINISTRATOR,
            "Ada",
            "Brandt",
            "Administrator",
            ROOT_BUSINESS_UNIT,
        )?;
        let people = [
            ("Jonas", "Lindqvist"),
            ("Mei", "Tanaka"),
            ("Zoë", "O'Connor"),
        ];
        for (id, (first, last)) in SELLERS.into_iter().zip(people) {
            self.person(id, first, last, "Account manager", SALES_BUSINESS_UNIT)?;
        }
        Ok(())
    }

    fn person(
        &self,
        id: Uuid,
        first: &str,
        last: &str,
        title: &str,
        unit: Uuid,
    ) -> Result<(), StoreError> {
        let account: String = first.chars().filter(char::is_ascii_alphabetic).collect();
        let address = format!("{}@example.com", account.to_lowercase());
        let object = metadata_id(&["entra user", &id.to_string()]);
        self.user(
            id,
            first,
            last,
            unit,
            &[
                ("domainname", Value::Text(address.clone())),
                ("internalemailaddress", Value::Text(address)),
                ("azureactivedirectoryobjectid", Value::Guid(object)),
                ("title", title.into()),
                ("accessmode", Value::Int(0)),
                ("islicensed", Value::Bool(true)),
            ],
        )
    }

    pub(super) fn user(
        &self,
        id: Uuid,
        first: &str,
        last: &str,
        unit: Uuid,
        more: &[(&str, Value)],
    ) -> Result<(), StoreError> {
        let mut values = vec![
            ("systemuserid", Value::Guid(id)),
            (
                "firstname",
                if first.is_empty() {
                    Value::Null
                } else {
                    first.into()
                },
            ),
            ("lastname", last.into()),
            (
                "fullname",
                Value::Text(format!("{first} {last}").trim().to_owned()),
            ),
            ("businessunitid", Value::lookup("businessunit", unit)),
            ("caltype", Value::Int(0)),
        ];
        values.extend(more.iter().cloned());
        self.put("systemuser", &values)?;
        self.put(
            "usersettings",
            &[
                ("systemuserid", Value::Guid(id)),
                ("businessunitid", Value::Guid(unit)),
                ("uilanguageid", Value::Int(1033)),
                ("localeid", Value::Int(1033)),
                // 92 is Coordinated Universal Time.
                ("timezonecode", Value::Int(92)),
            ],
        )
    }

    /// The default teams with their members, a team with a role of its own, and one whose members
    /// are those of an Entra group.
    pub(super) fn teams(&self, name: &str) -> Result<(), StoreError> {
        let (root, sales) = (ROOT_BUSINESS_UNIT, SALES_BUSINESS_UNIT);
        let default = [("isdefault", Value::Bool(true))];
        self.team(DEFAULT_TEAM, name, root, &default)?;
        self.team(SALES_TEAM, "Sales", sales, &default)?;
        self.team(KEY_ACCOUNTS_TEAM, "Key Accounts", root, &[])?;
        let group = metadata_id(&["entra group", "finance"]);
        let of_group = [
            ("teamtype", Value::Int(2)),
            ("membershiptype", Value::Int(0)),
            ("azureactivedirectoryobjectid", Value::Guid(group)),
        ];
        self.team(GROUP_TEAM, "Finance", root, &of_group)?;
        self.member(DEFAULT_TEAM, ADMINISTRATOR)?;
        self.member(GROUP_TEAM, ADMINISTRATOR)?;
        for seller in SELLERS {
            self.member(SALES_TEAM, seller)?;
        }
        let [first, ..] = SELLERS;
        self.member(KEY_ACCOUNTS_TEAM, first)
    }

    fn team(
        &self,
        id: Uuid,
        name: &str,
        unit: Uuid,
        more: &[(&str, Value)],
    ) -> Result<(), StoreError> {
        let administrator = Value::lookup("systemuser", ADMINISTRATOR);
        let mut values = vec![
            ("teamid", Value::Guid(id)),
            ("name", name.into()),
            ("businessunitid", Value::lookup("businessunit", unit)),
            ("administratorid", administrator),
        ];
        if more.iter().all(|(column, _)| *column != "teamtype") {
            values.push(("teamtype", Value::Int(0)));
        }
        values.extend(more.iter().cloned());
        self.put("team", &values)
    }

    pub(super) fn member(&self, team: Uuid, user: Uuid) -> Result<(), StoreError> {
        let id = metadata_id(&["teammembership", &team.to_string(), &user.to_string()]);
        self.put(
            "teammembership",
            &[
                ("teammembershipid", Value::Guid(id)),
                ("teamid", Value::lookup("team", team)),
                ("systemuserid", Value::lookup("systemuser", user)),
            ],
        )
    }

    pub(super) fn team_role(&self, team: Uuid, role: Uuid) -> Result<(), StoreError> {
        let id = metadata_id(&["teamrole", &team.to_string(), &role.to_string()]);
        self.put(
            "teamroles",
            &[
                ("teamroleid", Value::Guid(id)),
                ("teamid", Value::lookup("team", team)),
                ("roleid", Value::lookup("role", role)),
            ],
        )
    }
}
