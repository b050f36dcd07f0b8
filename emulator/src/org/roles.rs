//! The privileges and roles of a new organization (reference §11).

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    Depth, Role,
    role::{grant_id, set_privilege},
};
use crate::{
    ids::ROOT_BUSINESS_UNIT,
    schema::{Privilege, PrivilegeType, Schema},
    store::{Author, Store, StoreError, Value, Writer},
};

/// Loads every privilege, and for each business unit every role.
pub(super) fn seed(store: &Store, schema: &Schema, units: &[Uuid]) -> Result<(), StoreError> {
    let privileges: Vec<Privilege> = schema.privileges().collect();
    seed_privileges(store, schema, &privileges)?;
    seed_templates(store, schema)?;
    let Some(roles) = schema.table("role") else {
        return Ok(());
    };
    let rows = units.iter().flat_map(|&unit| {
        Role::ALL.map(|role| {
            let root = Value::lookup("role", role.id(ROOT_BUSINESS_UNIT));
            let template = role.template();
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
                Value::Int(1),
                template.map_or(Value::Null, |id| Value::lookup("roletemplate", id)),
            ]
        })
    });
    let columns = [
        "roleid",
        "name",
        "businessunitid",
        "parentroleid",
        "parentrootroleid",
        "isinherited",
        "roletemplateid",
    ];
    store.load(roles, &columns, rows)?;
    let custom: HashSet<Uuid> = schema
        .tables()
        .filter(|table| table.on_demand)
        .flat_map(|table| table.privileges.iter().map(|privilege| privilege.id))
        .collect();
    let Some(grants) = schema.table("roleprivileges") else {
        return Ok(());
    };
    let (privileges, custom) = (&privileges, &custom);
    let rows = units.iter().flat_map(|&unit| {
        Role::ALL.into_iter().flat_map(move |role| {
            privileges.iter().filter_map(move |privilege| {
                let depth = if custom.contains(&privilege.id) {
                    depth_on_custom(role, privilege)?
                } else {
                    depth(role, privilege)?
                };
                let id = role.id(unit);
                Some(vec![
                    Value::Guid(grant_id(id, privilege.id)),
                    Value::lookup("role", id),
                    Value::lookup("privilege", privilege.id),
                    Value::Int(depth.mask()),
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

fn seed_privileges(
    store: &Store,
    schema: &Schema,
    privileges: &[Privilege],
) -> Result<(), StoreError> {
    let Some(table) = schema.table("privilege") else {
        return Ok(());
    };
    let rows = privileges.iter().map(|privilege| {
        let local = Value::Bool(privilege.depth.can_be_local());
        vec![
            Value::Guid(privilege.id),
            Value::Text(privilege.name.clone()),
            Value::Int(privilege.kind.access_right()),
            Value::Bool(privilege.depth.can_be_basic()),
            local.clone(),
            local,
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

/// Adds privileges, and grants them to those who administer the organization.
pub(super) fn add_privileges(
    writer: &Writer<'_>,
    author: Author,
    privileges: &[Privilege],
) -> Result<(), StoreError> {
    for privilege in privileges {
        let local = Value::Bool(privilege.depth.can_be_local());
        writer.create(
            "privilege",
            author,
            &[
                ("privilegeid", Value::Guid(privilege.id)),
                ("name", Value::Text(privilege.name.clone())),
                ("accessright", Value::Int(privilege.kind.access_right())),
                ("canbebasic", Value::Bool(privilege.depth.can_be_basic())),
                ("canbelocal", local.clone()),
                ("canbedeep", local),
                ("canbeglobal", Value::Bool(true)),
            ],
        )?;
        for role in [Role::SystemAdministrator, Role::IntegrationReader] {
            if let Some(depth) = depth_on_custom(role, privilege) {
                let role = role.id(ROOT_BUSINESS_UNIT);
                set_privilege(writer, author, role, privilege.id, Some(depth))?;
            }
        }
    }
    Ok(())
}

/// Removes privileges, and takes them from every role.
pub(super) fn remove_privileges(
    writer: &Writer<'_>,
    privileges: &[Privilege],
) -> Result<(), StoreError> {
    for privilege in privileges {
        for grant in writer.referring("roleprivileges", "privilegeid", privilege.id)? {
            writer.delete("roleprivileges", grant)?;
        }
        writer.delete("privilege", privilege.id)?;
    }
    Ok(())
}

/// The templates by which the service knows its own roles, whatever their names.
fn seed_templates(store: &Store, schema: &Schema) -> Result<(), StoreError> {
    let Some(table) = schema.table("roletemplate") else {
        return Ok(());
    };
    let rows = Role::ALL.into_iter().filter_map(|role| {
        let id = role.template()?;
        Some(vec![Value::Guid(id), Value::from(role.name())])
    });
    store.load(table, &["roletemplateid", "name"], rows)?;
    Ok(())
}

/// The same for a table that was added by a customization: roles of the platform know nothing of
/// it, apart from those that may do or read everything.
fn depth_on_custom(role: Role, privilege: &Privilege) -> Option<Depth> {
    match role {
        Role::SystemAdministrator | Role::IntegrationReader => depth(role, privilege),
        Role::SystemCustomizer | Role::BasicUser | Role::Salesperson => None,
    }
}

/// How far a role's privilege reaches; `None` if the role does not have it.
fn depth(role: Role, privilege: &Privilege) -> Option<Depth> {
    let owned = privilege.depth.can_be_basic();
    let reading = privilege.kind == PrivilegeType::Read;
    let audit = matches!(
        privilege.name.as_str(),
        "prvReadAuditSummary" | "prvReadRecordAuditHistory"
    );
    match role {
        Role::SystemAdministrator => Some(Depth::Global),
        Role::IntegrationReader => (reading || audit).then_some(Depth::Global),
        Role::Salesperson if owned => Some(Depth::Local),
        Role::SystemCustomizer | Role::BasicUser if owned => Some(Depth::Basic),
        Role::SystemCustomizer
            if privilege.is_for_definitions() || privilege.name == "prvPublishCustomization" =>
        {
            Some(Depth::Global)
        }
        Role::SystemCustomizer | Role::BasicUser | Role::Salesperson => {
            (reading || privilege.kind == PrivilegeType::AppendTo).then_some(Depth::Global)
        }
    }
}
