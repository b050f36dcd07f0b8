//! Roles as rows: what they grant, and their copies in business units (reference §11.1).
//!
//! A role belongs to a business unit and is copied into every unit below it. The copies grant what
//! the first of them, the root, grants; only the root is edited.

use uuid::Uuid;

use super::Depth;
use crate::{
    schema::metadata_id,
    store::{Author, StoreError, Value, Writer},
};

/// What a role grants: keys of privileges with their depths.
pub(crate) type Granted = Vec<(Uuid, Depth)>;

/// Grants a privilege to a role and its copies, or takes it away if no depth is given.
pub(crate) fn set_privilege(
    writer: &Writer<'_>,
    author: Author,
    role: Uuid,
    privilege: Uuid,
    depth: Option<Depth>,
) -> Result<(), StoreError> {
    for role in std::iter::once(role).chain(copies(writer, role)?) {
        writer.delete("roleprivileges", grant_id(role, privilege))?;
        if let Some(depth) = depth {
            grant(writer, author, role, privilege, depth)?;
        }
    }
    Ok(())
}

/// What a role grants.
pub(crate) fn privileges(writer: &Writer<'_>, role: Uuid) -> Result<Granted, StoreError> {
    let layout = writer.store().layout("roleprivileges")?;
    let mut granted = Granted::new();
    for id in writer.referring("roleprivileges", "roleid", role)? {
        let Some(row) = writer.row("roleprivileges", id)? else {
            continue;
        };
        let depth = match layout.get(&row.values, "privilegedepthmask") {
            Value::Int(mask) => Depth::from_mask(*mask),
            _ => None,
        };
        let privilege = layout.get(&row.values, "privilegeid").id();
        granted.extend(privilege.zip(depth));
    }
    Ok(granted)
}

/// The copies of a root role in other business units.
pub(crate) fn copies(writer: &Writer<'_>, root: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let mut copies = writer.referring("role", "parentrootroleid", root)?;
    copies.retain(|&copy| copy != root);
    Ok(copies)
}

/// Copies a role into the business units below its own.
pub(crate) fn spread(writer: &Writer<'_>, author: Author, role: Uuid) -> Result<(), StoreError> {
    let Some(row) = writer.row("role", role)? else {
        return Ok(());
    };
    let layout = writer.store().layout("role")?;
    let Some(unit) = layout.get(&row.values, "businessunitid").id() else {
        return Ok(());
    };
    for below in writer.referring("businessunit", "parentbusinessunitid", unit)? {
        copy_into(writer, author, role, below)?;
    }
    Ok(())
}

/// Copies the roles of a business unit into a new one below it.
pub(crate) fn inherit(
    writer: &Writer<'_>,
    author: Author,
    parent: Uuid,
    unit: Uuid,
) -> Result<(), StoreError> {
    for role in writer.referring("role", "businessunitid", parent)? {
        copy_into(writer, author, role, unit)?;
    }
    Ok(())
}

fn copy_into(
    writer: &Writer<'_>,
    author: Author,
    role: Uuid,
    unit: Uuid,
) -> Result<(), StoreError> {
    let Some(row) = writer.row("role", role)? else {
        return Ok(());
    };
    let layout = writer.store().layout("role")?;
    let mut values = vec![
        ("businessunitid", Value::lookup("businessunit", unit)),
        ("parentroleid", Value::lookup("role", role)),
    ];
    for column in ["name", "isinherited", "parentrootroleid", "roletemplateid"] {
        values.push((column, layout.get(&row.values, column).clone()));
    }
    let copy = writer.create("role", author, &values)?;
    for (privilege, depth) in privileges(writer, role)? {
        grant(writer, author, copy, privilege, depth)?;
    }
    spread(writer, author, copy)
}

fn grant(
    writer: &Writer<'_>,
    author: Author,
    role: Uuid,
    privilege: Uuid,
    depth: Depth,
) -> Result<(), StoreError> {
    writer.create(
        "roleprivileges",
        author,
        &[
            ("roleprivilegeid", Value::Guid(grant_id(role, privilege))),
            ("roleid", Value::lookup("role", role)),
            ("privilegeid", Value::lookup("privilege", privilege)),
            ("privilegedepthmask", Value::Int(depth.mask())),
        ],
    )?;
    Ok(())
}

/// Key of the row that grants a privilege to a role.
pub(super) fn grant_id(role: Uuid, privilege: Uuid) -> Uuid {
    metadata_id(&["roleprivilege", &role.to_string(), &privilege.to_string()])
}
