//! The rows of a new organization.

use super::{Role, new_rows::NewOrganization, principals::assign_role, roles};
use crate::{
    ids::{
        ADMINISTRATOR, ADMINISTRATOR_PROFILE, BASE_CURRENCY, EURO, KEY_ACCOUNTS_TEAM, ORGANIZATION,
        ROOT_BUSINESS_UNIT, SALES_BUSINESS_UNIT, SELLERS, SYSTEM,
    },
    processes,
    schema::metadata_id,
    store::{Author, Decimal, Store, StoreError, Value},
    views,
};

/// How many days a delta token is valid in a new organization (reference §6.5).
const CHANGE_TRACKING_DAYS: i64 = 7;

/// Fills an empty database with a new organization. Columns that the schema does not have are left
/// out.
pub(crate) fn seed(store: &Store, name: &str) -> Result<(), StoreError> {
    let author = Author::in_person(SYSTEM, store.clock().now());
    store.write(|writer| -> Result<(), StoreError> {
        let new = NewOrganization { writer, author };
        new.currencies()?;
        new.organization(name)?;
        new.business_units(name)?;
        new.users()?;
        new.teams(name)?;
        new.solutions()?;
        new.profile()?;
        new.maps()?;
        new.duplicate_rules()?;
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
    })?;
    views::seed(store)?;
    processes::seed(store)
}

impl NewOrganization<'_> {
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
                ("isauditenabled", Value::Bool(true)),
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

    /// The profile of administrators, which needs no permissions column by column.
    fn profile(&self) -> Result<(), StoreError> {
        self.put(
            "fieldsecurityprofile",
            &[
                ("fieldsecurityprofileid", Value::Guid(ADMINISTRATOR_PROFILE)),
                ("name", "System Administrator".into()),
                ("ismanaged", Value::Bool(true)),
            ],
        )
    }

    /// Two publishers with their prefixes, each with a solution.
    fn solutions(&self) -> Result<(), StoreError> {
        let default = (
            "Default Publisher for Contoso",
            "Default",
            "Default Solution",
        );
        let sample = ("Sample", "SampleCustomizations", "Sample Customizations");
        for (unique_name, prefix, option, (publisher_name, solution, solution_name)) in [
            ("DefaultPublisher", "new", 10_000, default),
            ("sample", "sample", 20_000, sample),
        ] {
            let publisher = metadata_id(&["publisher", unique_name]);
            self.put(
                "publisher",
                &[
                    ("publisherid", Value::Guid(publisher)),
                    ("uniquename", unique_name.into()),
                    ("friendlyname", publisher_name.into()),
                    ("customizationprefix", prefix.into()),
                    ("customizationoptionvalueprefix", Value::Int(option)),
                    ("isreadonly", Value::Bool(false)),
                ],
            )?;
            self.put(
                "solution",
                &[
                    (
                        "solutionid",
                        Value::Guid(metadata_id(&["solution", solution])),
                    ),
                    ("uniquename", solution.into()),
                    ("friendlyname", solution_name.into()),
                    ("version", "1.0".into()),
                    ("publisherid", Value::lookup("publisher", publisher)),
                    ("ismanaged", Value::Bool(false)),
                    ("isvisible", Value::Bool(true)),
                ],
            )?;
        }
        Ok(())
    }
}
