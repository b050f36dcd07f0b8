//! The standard schema as a whole.

use std::collections::{BTreeSet, HashSet};

use super::*;

fn schema() -> Schema {
    Schema::standard().unwrap()
}

#[test]
fn every_file_is_part_of_the_schema() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/schema");
    let files: BTreeSet<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let listed = standard::TABLES
        .iter()
        .map(|(file, _)| (*file).to_owned())
        .collect();
    assert_eq!(files, listed);
    for (file, text) in standard::TABLES {
        let (table, _) = parse::table(file, text).unwrap();
        assert_eq!(*file, format!("{}.table", table.logical_name));
    }
}

#[test]
fn every_table_is_complete() {
    let schema = schema();
    let mut codes = HashSet::new();
    for table in schema.tables() {
        let name = &table.logical_name;
        assert!(
            codes.insert(table.object_type_code),
            "{name} shares its type code"
        );
        let id = table.column(&table.primary_id).unwrap();
        assert_eq!(id.kind, ColumnKind::Uniqueidentifier, "{name}");
        assert_eq!(schema.table_by_set(&table.entity_set_name).unwrap(), table);
        for column in &table.columns {
            for target in column.targets() {
                assert!(
                    schema.table(target).is_some(),
                    "{name}.{}",
                    column.logical_name
                );
            }
            let mut values = HashSet::new();
            for choice in column.choices() {
                assert!(
                    values.insert(choice.value),
                    "{name}.{}",
                    column.logical_name
                );
            }
        }
        let states = table
            .column("statecode")
            .map(Column::choices)
            .unwrap_or_default();
        let statuses = table
            .column("statuscode")
            .map(Column::choices)
            .unwrap_or_default();
        assert_eq!(states.is_empty(), statuses.is_empty(), "{name}");
        for state in states {
            let has_status = statuses
                .iter()
                .any(|status| status.state == Some(state.value));
            assert!(
                has_status,
                "{name} has no status in state {}",
                state.label.text
            );
        }
        if table.ownership == Ownership::UserOwned {
            for column in [
                "ownerid",
                "owninguser",
                "owningbusinessunit",
                "versionnumber",
            ] {
                assert!(table.column(column).is_some(), "{name} lacks {column}");
            }
        }
        let has_money = table
            .columns
            .iter()
            .any(|column| matches!(column.kind, ColumnKind::Money { .. }));
        if has_money {
            for column in ["transactioncurrencyid", "exchangerate"] {
                let present = table.column(column).is_some();
                assert!(present || name == "organization", "{name} lacks {column}");
            }
        }
    }
}

#[test]
fn relationships_and_navigation_names_are_unambiguous() {
    let schema = schema();
    let mut names = HashSet::new();
    let mut navigations = HashSet::new();
    for relationship in schema.relationships() {
        let to_many = matches!(relationship, Relationship::ManyToMany { .. });
        assert!(
            names.insert(relationship.schema_name()),
            "{}",
            relationship.schema_name()
        );
        match relationship {
            Relationship::OneToMany {
                referenced_table,
                referencing_table,
                referencing_navigation,
                referenced_navigation,
                ..
            } => {
                let to_one = (referencing_table, referencing_navigation);
                assert!(
                    navigations.insert((to_one.0.clone(), to_one.1.clone())),
                    "{to_one:?}"
                );
                if let Some(navigation) = referenced_navigation {
                    let back = (referenced_table.clone(), navigation.clone());
                    assert!(navigations.insert(back.clone()), "{back:?}");
                }
            }
            Relationship::ManyToMany {
                table1,
                navigation1,
                table2,
                navigation2,
                ..
            } => {
                for end in [(table1, navigation1), (table2, navigation2)] {
                    let end = (end.0.clone(), end.1.clone());
                    assert!(navigations.insert(end.clone()), "{end:?} {to_many}");
                }
            }
        }
    }
}

#[test]
fn names_are_those_of_the_real_service() {
    let schema = schema();
    for (set, table, id) in [
        ("accounts", "account", "accountid"),
        ("opportunities", "opportunity", "opportunityid"),
        ("faxes", "fax", "activityid"),
        ("activityparties", "activityparty", "activitypartyid"),
        ("usersettingscollection", "usersettings", "systemuserid"),
        (
            "roleprivilegescollection",
            "roleprivileges",
            "roleprivilegeid",
        ),
        (
            "systemuserrolescollection",
            "systemuserroles",
            "systemuserroleid",
        ),
        (
            "principalobjectaccessset",
            "principalobjectaccess",
            "principalobjectaccessid",
        ),
        (
            "opportunitysalesprocesses",
            "opportunitysalesprocess",
            "businessprocessflowinstanceid",
        ),
        ("entitymaps", "entitymap", "entitymapid"),
        (
            "customeropportunityroles",
            "customeropportunityrole",
            "customeropportunityroleid",
        ),
    ] {
        let found = schema.table_by_set(set).unwrap();
        assert_eq!(
            (found.logical_name.as_str(), found.primary_id.as_str()),
            (table, id)
        );
    }
    assert!(
        schema.table_by_set("Accounts").is_none(),
        "entity sets are case-sensitive"
    );
    let navigation = |table: &str, column: &str, target: &str| {
        schema
            .relationships()
            .iter()
            .find_map(|relationship| match relationship {
                Relationship::OneToMany {
                    referencing_table,
                    referencing_column,
                    referenced_table,
                    referencing_navigation,
                    ..
                } if referencing_table == table
                    && referencing_column == column
                    && referenced_table == target =>
                {
                    Some(referencing_navigation.as_str())
                }
                _ => None,
            })
    };
    assert_eq!(
        navigation("task", "regardingobjectid", "account"),
        Some("regardingobjectid_account_task")
    );
    assert_eq!(navigation("task", "ownerid", OWNER), Some("ownerid_task"));
    assert_eq!(
        navigation("contact", "parentcustomerid", "account"),
        Some("parentcustomerid_account")
    );
    let contact = schema.table("contact").unwrap();
    assert!(matches!(
        contact.column("birthdate").unwrap().kind,
        ColumnKind::DateTime {
            behavior: DateTimeBehavior::DateOnly,
            ..
        }
    ));
    assert!(!contact.column("fullname").unwrap().creatable);
    assert!(!contact.column("owneridname").unwrap().is_selectable());
}

#[test]
fn privileges_are_those_of_the_real_service() {
    let schema = schema();
    let privilege = |table: &str, kind| {
        let table = schema.table(table).unwrap();
        table.privilege(kind).map(|found| found.name.as_str())
    };
    let read = |table: &str| privilege(table, PrivilegeType::Read);
    for (table, expected) in [
        ("account", "prvReadAccount"),
        ("task", "prvReadActivity"),
        ("activityparty", "prvReadActivity"),
        ("annotation", "prvReadNote"),
        ("systemuser", "prvReadUser"),
        ("savedquery", "prvReadQuery"),
        ("userquery", "prvReadUserQuery"),
        ("listmember", "prvReadList"),
        ("queueitem", "prvReadQueue"),
        ("attributemap", "prvReadAttributeMap"),
        ("entitymap", "prvReadEntityMap"),
        ("customeropportunityrole", "prvReadCustomerOpportunityRole"),
        ("processstage", "prvReadProcessStage"),
        ("transactioncurrency", "prvReadTransactionCurrency"),
        ("usersettings", "prvReadUserSettings"),
        ("opportunitysalesprocess", "prvReadOpportunitySalesProcess"),
    ] {
        assert_eq!(read(table), Some(expected));
    }
    assert_eq!(read("systemuserroles"), None);
    let roles = schema.table("systemuserroles").unwrap();
    assert_eq!(roles.read_with, ["prvReadRole"]);
    let assign = PrivilegeType::Assign;
    assert_eq!(privilege("product", assign), None, "products have no owner");
    assert_eq!(privilege("role", assign), Some("prvAssignRole"));
    let known: std::collections::HashMap<String, Privilege> = schema
        .privileges()
        .map(|privilege| (privilege.name.clone(), privilege))
        .collect();
    for table in schema.tables() {
        for privilege in &table.privileges {
            let first = &known[&privilege.name];
            assert_eq!(first, privilege, "one name, one privilege");
        }
        for name in &table.read_with {
            assert!(known.contains_key(name), "{name}");
        }
    }
    assert_eq!(known["prvBulkEdit"].kind, PrivilegeType::None);
    assert_eq!(known["prvReadEntity"].kind, PrivilegeType::Read);
}
