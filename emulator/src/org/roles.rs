//! Privileges, and the roles that grant them (reference §11).

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{ROOT_BUSINESS_UNIT, Role};
use crate::{
    schema::{Ownership, Privilege, PrivilegeDepth, PrivilegeType, Schema, Table, metadata_id},
    store::{Store, StoreError, Value},
};

/// `privilegedepthmask` values.
const BASIC: i64 = 1;
const LOCAL: i64 = 2;
const GLOBAL: i64 = 8;

/// Loads every privilege of the schema's tables, and for each business unit every role.
pub(super) fn seed(store: &Store, schema: &Schema, units: &[Uuid]) -> Result<(), StoreError> {
    let privileges = &privileges(schema);
    seed_privileges(store, schema, privileges)?;
    let Some(roles) = schema.table("role") else {
        return Ok(());
    };
    let rows = units.iter().flat_map(|&unit| {
        Role::ALL.map(|role| {
            let root = Value::lookup("role", role.id(ROOT_BUSINESS_UNIT));
            vec![
                Value::Guid(role.id(unit)),
                Value::from(role.name()),
                Value::lookup("businessunit", unit),
                if unit == ROOT_BUSINESS_UNIT {
                    Value::Null
                } else {
                    root.clone()
                },
                root,
            ]
        })
    });
    let columns = [
        "roleid",
        "name",
        "businessunitid",
        "parentroleid",
        "parentrootroleid",
    ];
    store.load(roles, &columns, rows)?;
    let Some(grants) = schema.table("roleprivileges") else {
        return Ok(());
    };
    let rows = units.iter().flat_map(|&unit| {
        Role::ALL.into_iter().flat_map(move |role| {
            privileges.iter().filter_map(move |(privilege, table)| {
                let depth = depth(role, table, privilege.kind)?;
                let id = role.id(unit);
                let key = ["roleprivilege", &id.to_string(), &privilege.name];
                Some(vec![
                    Value::Guid(metadata_id(&key)),
                    Value::lookup("role", id),
                    Value::lookup("privilege", privilege.id),
                    Value::Int(depth),
                ])
            })
        })
    });
    let columns = [
        "roleprivilegeid",
        "roleid",
        "privilegeid",
        "privilegedepthmask",
    ];
    store.load(grants, &columns, rows)?;
    Ok(())
}

/// Every privilege once, with a table it is for: all activities share theirs.
fn privileges(schema: &Schema) -> Vec<(Privilege, &Table)> {
    let mut known = BTreeMap::new();
    for table in schema.tables() {
        for privilege in table.privileges() {
            known.insert(privilege.name.clone(), (privilege, table));
        }
    }
    known.into_values().collect()
}

fn seed_privileges(
    store: &Store,
    schema: &Schema,
    privileges: &[(Privilege, &Table)],
) -> Result<(), StoreError> {
    let Some(table) = schema.table("privilege") else {
        return Ok(());
    };
    let rows = privileges.iter().map(|(privilege, _)| {
        let below_global = privilege.depth != PrivilegeDepth::OrganizationOnly;
        vec![
            Value::Guid(privilege.id),
            Value::Text(privilege.name.clone()),
            Value::Int(privilege.kind.access_right().into()),
            Value::Bool(privilege.depth == PrivilegeDepth::UserToOrganization),
            Value::Bool(below_global),
            Value::Bool(below_global),
            Value::Bool(true),
        ]
    });
    let columns = [
        "privilegeid",
        "name",
        "accessright",
        "canbebasic",
        "canbelocal",
        "canbedeep",
        "canbeglobal",
    ];
    store.load(table, &columns, rows)?;
    Ok(())
}

/// How far a role's privilege on a table reaches; `None` if the role lacks it.
fn depth(role: Role, table: &Table, kind: PrivilegeType) -> Option<i64> {
    let owned = table.ownership == Ownership::UserOwned;
    let reading = kind == PrivilegeType::Read;
    match role {
        Role::SystemAdministrator => Some(GLOBAL),
        Role::IntegrationReader => reading.then_some(GLOBAL),
        Role::Salesperson if owned => Some(LOCAL),
        Role::SystemCustomizer | Role::BasicUser if owned => Some(BASIC),
        Role::SystemCustomizer | Role::BasicUser | Role::Salesperson => {
            (reading || kind == PrivilegeType::AppendTo).then_some(GLOBAL)
        }
    }
}
