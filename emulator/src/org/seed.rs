//! The rows of a new organization.

use uuid::Uuid;

use super::{
    ADMINISTRATOR, BASE_CURRENCY, DEFAULT_TEAM, EURO, INTEGRATION, ORGANIZATION,
    ROOT_BUSINESS_UNIT, Role, SALES_BUSINESS_UNIT, SELLERS, SYSTEM, roles,
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
        new.team(name)?;
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
            Role::SystemAdministrator,
            ROOT_BUSINESS_UNIT,
        )?;
        for seller in SELLERS {
            assign_role(
                writer,
                author,
                seller,
                Role::Salesperson,
                SALES_BUSINESS_UNIT,
            )?;
        }
        Ok(())
    })
}

/// Adds an application user of the root business unit with a role.
pub(crate) fn add_application_user(
    store: &Store,
    client_id: Uuid,
    object_id: Uuid,
    name: &str,
    role: Option<Role>,
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
        if let Some(role) = role {
            assign_role(writer, author, id, role, ROOT_BUSINESS_UNIT)?;
        }
        Ok(id)
    })
}

/// Gives a user a role of a business unit.
pub(crate) fn assign_role(
    writer: &Writer<'_>,
    author: Author,
    user: Uuid,
    role: Role,
    unit: Uuid,
) -> Result<(), StoreError> {
    let role = role.id(unit);
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

    fn team(&self, name: &str) -> Result<(), StoreError> {
        self.put(
            "team",
            &[
                ("teamid", Value::Guid(DEFAULT_TEAM)),
                ("name", name.into()),
                ("teamtype", Value::Int(0)),
                ("isdefault", Value::Bool(true)),
                (
                    "businessunitid",
                    Value::lookup("businessunit", ROOT_BUSINESS_UNIT),
                ),
                (
                    "administratorid",
                    Value::lookup("systemuser", ADMINISTRATOR),
                ),
            ],
        )?;
        let id = metadata_id(&["teammembership", "default", "administrator"]);
        self.put(
            "teammembership",
            &[
                ("teammembershipid", Value::Guid(id)),
                ("teamid", Value::lookup("team", DEFAULT_TEAM)),
                ("systemuserid", Value::lookup("systemuser", ADMINISTRATOR)),
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
