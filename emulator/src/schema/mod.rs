//! The tables of the emulated organization: columns, choices, keys, relationships, privileges.
//!
//! Each table is described in a text file of its own under `emulator/schema/`; the module `parse`
//! explains the format.

mod column;
mod derived;
mod parse;
mod privilege;
mod relationship;
mod standard;
mod table;

use std::collections::{BTreeMap, HashMap};

use thiserror::Error;
use uuid::Uuid;

pub use column::{
    Choice, Column, ColumnKind, DateTimeBehavior, DateTimeFormat, RequiredLevel, SourceType,
    StringFormat,
};
pub use privilege::{Privilege, PrivilegeDepth, PrivilegeType};
pub use relationship::{Cascade, Relationship};
pub use table::{AlternateKey, ChangeTracking, Ownership, Table, TableType};

/// The referenced table of every `ownerid` relationship: a user or a team, found by its id in
/// either table. It is no table of its own in [`Schema::tables`].
pub const OWNER: &str = "owner";

/// The tables of an organization and the relationships between them.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    tables: BTreeMap<String, Table>,
    logical_name_by_set: HashMap<String, String>,
    relationships: Vec<Relationship>,
}

impl Schema {
    /// The schema every emulated organization starts with.
    pub fn standard() -> Result<Self, SchemaError> {
        Self::parse(standard::TABLES)
    }

    /// Reads a schema from the names and texts of its tables' files.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, SchemaError> {
        let mut schema = Self::default();
        let mut declared = Vec::new();
        for (file, text) in files {
            let (table, relationships) = parse::table(file, text)?;
            declared.extend(
                relationships
                    .into_iter()
                    .map(|(line, it)| (*file, line, it)),
            );
            let problem = |problem| SchemaError {
                file: (*file).to_owned(),
                line: 1,
                problem,
            };
            let (set, name) = (table.entity_set_name.clone(), table.logical_name.clone());
            if let Some(other) = schema.logical_name_by_set.insert(set, name.clone()) {
                return Err(problem(format!("table {other} has the same entity set")));
            }
            if schema.tables.insert(name, table).is_some() {
                return Err(problem("another file describes the same table".to_owned()));
            }
        }
        for (file, line, relationship) in declared {
            let relationship = schema
                .resolve(relationship)
                .map_err(|problem| SchemaError {
                    file: file.to_owned(),
                    line,
                    problem,
                })?;
            schema.relationships.push(relationship);
        }
        schema
            .relationships
            .sort_by(|a, b| a.schema_name().cmp(b.schema_name()));
        Ok(schema)
    }

    /// Fills in what a relationship takes from the tables at its ends.
    fn resolve(&self, mut relationship: Relationship) -> Result<Relationship, String> {
        let find = |name: &str| {
            self.table(name)
                .ok_or_else(|| format!("there is no table {name}"))
        };
        match &mut relationship {
            Relationship::OneToMany {
                referenced_table,
                referenced_column,
                ..
            } => {
                *referenced_column = if referenced_table == OWNER {
                    "ownerid".to_owned()
                } else {
                    find(referenced_table)?.primary_id.clone()
                };
            }
            Relationship::ManyToMany {
                intersect_table,
                table1,
                intersect_column1,
                table2,
                intersect_column2,
                ..
            } => {
                let intersect = find(intersect_table)?;
                for (table, column) in [(table1, intersect_column1), (table2, intersect_column2)] {
                    find(table)?;
                    if intersect.column(column).is_none() {
                        return Err(format!("there is no column {column}"));
                    }
                }
            }
        }
        Ok(relationship)
    }

    /// The table of this logical name (case matters).
    pub fn table(&self, logical_name: &str) -> Option<&Table> {
        self.tables.get(logical_name)
    }

    /// The table whose rows are reached through this entity set (case matters).
    pub fn table_by_set(&self, entity_set: &str) -> Option<&Table> {
        self.table(self.logical_name_by_set.get(entity_set)?)
    }

    /// Every table, sorted by logical name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    /// Every privilege of the organization once, sorted by name.
    pub fn privileges(&self) -> impl Iterator<Item = Privilege> {
        let of_tables = self.tables().flat_map(|table| table.privileges.clone());
        let all: BTreeMap<String, Privilege> = of_tables
            .chain(privilege::without_table())
            .map(|privilege| (privilege.name.clone(), privilege))
            .collect();
        all.into_values()
    }

    /// Every relationship, sorted by schema name.
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }
}

/// The schema cannot be used as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {problem}")]
pub struct SchemaError {
    /// The file with the fault.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub problem: String,
}

/// A stable identifier for the definition at this path, the same in every run and organization.
pub fn metadata_id(path: &[&str]) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_1d3a_52b7_4c8e_9a41_d07e_83f5_b216);
    Uuid::new_v5(&NAMESPACE, path.join("/").as_bytes())
}

#[cfg(test)]
mod tests {
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
    fn every_table_is_whole() {
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
                assert!(has_status, "{name} has no status in state {}", state.label);
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
}
