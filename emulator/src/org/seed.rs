//! The rows of a new organization.

use uuid::Uuid;

use super::{
    ADMINISTRATOR, BASE_CURRENCY, DEFAULT_TEAM, Depth, EURO, GROUP_TEAM, INTEGRATION,
    KEY_ACCOUNTS_TEAM, ORGANIZATION, ROOT_BUSINESS_UNIT, Role, SALES_BUSINESS_UNIT, SALES_TEAM,
    SELLERS, SYSTEM, role, roles,
};
use crate::{
    schema::metadata_id,
    store::{Author, Decimal, Store, StoreError, Value, Writer},
};

/// The days for which a delta token is valid in a new organization (reference §6.5).
const CHANGE_TRACKING_DAYS: i64 = 7;

/// Makes an empty database an organization. Columns that a schema lacks are left out.
pub(crate) fn seed(store: &Store, name: &str) -> Result<(), StoreError> {
    let author = Author {
        user: SYSTEM,
        now: store.clock().now(),
    };
    store.write(|writer| -> Result<(), StoreError> {
        let new = NewOrganization { writer, author };
        new.currencies()?;
        new.organization(name)?;
        new.business_units(name)?;
        new.users()?;
        new.teams(name)?;
        new.solution()?;
        new.messages()
    })?;
    roles::seed(
        store,
        store.schema(),
        &[ROOT_BUSINESS_UNIT, SALES_BUSINESS_UNIT],
    )?;
    store.write(|writer| -> Result<(), StoreError> {
        assign_role(
            writer,
            author,
            ADMINISTRATOR,
            Role::SystemAdministrator.id(ROOT_BUSINESS_UNIT),
        )?;
        for seller in SELLERS {
            let role = Role::Salesperson.id(SALES_BUSINESS_UNIT);
            assign_role(writer, author, seller, role)?;
        }
        let new = NewOrganization { writer, author };
        new.team_role(KEY_ACCOUNTS_TEAM, Role::Salesperson.id(ROOT_BUSINESS_UNIT))
    })
}

/// Adds an application user of the root business unit with these roles of that unit.
pub(crate) fn add_application_user(
    store: &Store,
    client_id: Uuid,
    object_id: Uuid,
    name: &str,
    roles: &[Uuid],
) -> Result<Uuid, StoreError> {
    let author = Author {
        user: SYSTEM,
        now: store.clock().now(),
    };
    let id = metadata_id(&["application user", &client_id.to_string()]);
    store.write(|writer| -> Result<Uuid, StoreError> {
        if writer.row("systemuser", id)?.is_some() {
            return Ok(id);
        }
        let new = NewOrganization { writer, author };
        new.user(
            id,
            "#",
            name,
            ROOT_BUSINESS_UNIT,
            &[
                ("applicationid", Value::Guid(client_id)),
                ("azureactivedirectoryobjectid", Value::Guid(object_id)),
                ("accessmode", Value::Int(4)),
                ("islicensed", Value::Bool(false)),
            ],
        )?;
        new.member(DEFAULT_TEAM, id)?;
        for &role in roles {
            assign_role(writer, author, id, role)?;
        }
        Ok(id)
    })
}

/// Adds a person as a user of the root business unit with a role; one who is known stays.
pub(crate) fn add_person(
    store: &Store,
    object_id: Uuid,
    address: &str,
    name: &str,
    role: Role,
) -> Result<Uuid, StoreError> {
    let author = Author {
        user: SYSTEM,
        now: store.clock().now(),
    };
    let id = metadata_id(&["user of a person", &object_id.to_string()]);
    store.write(|writer| -> Result<Uuid, StoreError> {
        if writer.row("systemuser", id)?.is_some() {
            return Ok(id);
        }
        let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
        let new = NewOrganization { writer, author };
        new.user(
            id,
            first,
            last,
            ROOT_BUSINESS_UNIT,
            &[
                ("domainname", Value::Text(address.to_owned())),
                ("internalemailaddress", Value::Text(address.to_owned())),
                ("azureactivedirectoryobjectid", Value::Guid(object_id)),
                ("accessmode", Value::Int(0)),
                ("islicensed", Value::Bool(true)),
            ],
        )?;
        new.member(DEFAULT_TEAM, id)?;
        assign_role(writer, author, id, role.id(ROOT_BUSINESS_UNIT))?;
        Ok(id)
    })
}

/// Adds a role to the root business unit, copied into those below; a role that this made before
/// grants afterwards what is given, and nothing else.
pub(crate) fn add_role(
    store: &Store,
    name: &str,
    privileges: &[(Uuid, Depth)],
) -> Result<Uuid, StoreError> {
    let author = Author {
        user: SYSTEM,
        now: store.clock().now(),
    };
    let id = metadata_id(&["added role", name]);
    store.write(|writer| -> Result<Uuid, StoreError> {
        if writer.row("role", id)?.is_none() {
            writer.create(
                "role",
                author,
                &[
                    ("roleid", Value::Guid(id)),
                    ("name", name.into()),
                    (
                        "businessunitid",
                        Value::lookup("businessunit", ROOT_BUSINESS_UNIT),
                    ),
                    ("parentrootroleid", Value::lookup("role", id)),
                    ("isinherited", Value::Int(1)),
                ],
            )?;
            role::spread(writer, author, id)?;
        }
        for (privilege, _) in role::privileges(writer, id)? {
            role::set_privilege(writer, author, id, privilege, None)?;
        }
        for &(privilege, depth) in privileges {
            role::set_privilege(writer, author, id, privilege, Some(depth))?;
        }
        Ok(id)
    })
}

/// Gives a user a role of the user's business unit.
pub(crate) fn assign_role(
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

/// Adds a row, leaving out what the schema lacks.
fn put(
    writer: &Writer<'_>,
    author: Author,
    table: &str,
    values: &[(&str, Value)],
) -> Result<(), StoreError> {
    let Ok(layout) = writer.store().layout(table) else {
        return Ok(());
    };
    let known: Vec<(&str, Value)> = values
        .iter()
        .filter(|(column, _)| layout.position(column).is_some())
        .cloned()
        .collect();
    writer.create(table, author, &known)?;
    Ok(())
}

struct NewOrganization<'a> {
    writer: &'a Writer<'a>,
    author: Author,
}

impl NewOrganization<'_> {
    fn put(&self, table: &str, values: &[(&str, Value)]) -> Result<(), StoreError> {
        put(self.writer, self.author, table, values)
    }

    fn currencies(&self) -> Result<(), StoreError> {
        for (id, name, code, symbol, rate) in [
            (BASE_CURRENCY, "US Dollar", "USD", "$", Decimal::new(1, 0)),
            (EURO, "Euro", "EUR", "€", Decimal::new(92, 2)),
        ] {
            self.put(
                "transactioncurrency",
                &[
                    ("transactioncurrencyid", Value::Guid(id)),
                    ("currencyname", name.into()),
                    ("isocurrencycode", code.into()),
                    ("currencysymbol", symbol.into()),
                    ("currencyprecision", Value::Int(2)),
                    ("exchangerate", Value::Decimal(rate)),
                ],
            )?;
        }
        Ok(())
    }

    fn organization(&self, name: &str) -> Result<(), StoreError> {
        self.put(
            "organization",
            &[
                ("organizationid", Value::Guid(ORGANIZATION)),
                ("name", name.into()),
                (
                    "basecurrencyid",
                    Value::lookup("transactioncurrency", BASE_CURRENCY),
                ),
                ("basecurrencyprecision", Value::Int(2)),
                ("basecurrencysymbol", "$".into()),
                ("languagecode", Value::Int(1033)),
                ("localeid", Value::Int(1033)),
                ("isauditenabled", Value::Bool(false)),
                ("auditretentionperiodv2", Value::Int(30)),
                (
                    "expirechangetrackingindays",
                    Value::Int(CHANGE_TRACKING_DAYS),
                ),
                ("expiresubscriptionsindays", Value::Int(90)),
                ("maxrecordsforexporttoexcel", Value::Int(100_000)),
                ("weekstartdaycode", Value::Int(0)),
                ("fiscalperiodtype", Value::Int(2002)),
            ],
        )
    }

    fn business_units(&self, name: &str) -> Result<(), StoreError> {
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

    fn users(&self) -> Result<(), StoreError> {
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

    fn user(
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
    fn teams(&self, name: &str) -> Result<(), StoreError> {
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

    fn member(&self, team: Uuid, user: Uuid) -> Result<(), StoreError> {
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

    fn team_role(&self, team: Uuid, role: Uuid) -> Result<(), StoreError> {
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

    /// The bulk actions, and the tables they work on (reference §8.3).
    fn messages(&self) -> Result<(), StoreError> {
        for name in ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"] {
            let message = metadata_id(&["sdkmessage", name]);
            self.put(
                "sdkmessage",
                &[
                    ("sdkmessageid", Value::Guid(message)),
                    ("name", name.into()),
                ],
            )?;
            for table in self.writer.store().schema().tables() {
                let table = &table.logical_name;
                if table == "activitypointer" || table == "activityparty" {
                    continue;
                }
                self.put(
                    "sdkmessagefilter",
                    &[
                        (
                            "sdkmessagefilterid",
                            Value::Guid(metadata_id(&["sdkmessagefilter", name, table])),
                        ),
                        ("sdkmessageid", Value::lookup("sdkmessage", message)),
                        ("primaryobjecttypecode", Value::Text(table.clone())),
                    ],
                )?;
            }
        }
        Ok(())
    }

    fn solution(&self) -> Result<(), StoreError> {
        let publisher = metadata_id(&["publisher", "default"]);
        self.put(
            "publisher",
            &[
                ("publisherid", Value::Guid(publisher)),
                ("uniquename", "DefaultPublisher".into()),
                ("friendlyname", "Default Publisher".into()),
                ("customizationprefix", "sample".into()),
                ("customizationoptionvalueprefix", Value::Int(10_000)),
            ],
        )?;
        self.put(
            "solution",
            &[
                (
                    "solutionid",
                    Value::Guid(metadata_id(&["solution", "default"])),
                ),
                ("uniquename", "Default".into()),
                ("friendlyname", "Default Solution".into()),
                ("version", "1.0".into()),
                ("publisherid", Value::lookup("publisher", publisher)),
                ("ismanaged", Value::Bool(false)),
                ("isvisible", Value::Bool(true)),
            ],
        )
    }
}
