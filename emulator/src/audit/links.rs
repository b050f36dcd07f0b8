//! Changes of links between rows: associations, members, roles, privileges, shares.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    action::{Action, Operation},
    data::{Data, Granted, reference},
    entry::Entry,
};
use crate::{
    schema::{Relationship, Schema},
    store::{Change, Layout, StoreError, Value, Writer},
};

/// The intersect tables whose rows the log has its own names for: which column's row the entry is
/// about, and its action when a row is added and when it is removed.
const NAMED: [(&str, &str, Action, Action); 4] = [
    (
        "systemuserroles",
        "systemuserid",
        Action::AssignRoleToUser,
        Action::RemoveRoleFromUser,
    ),
    (
        "teamroles",
        "teamid",
        Action::AssignRoleToTeam,
        Action::RemoveRoleFromTeam,
    ),
    (
        "teammembership",
        "teamid",
        Action::AddMembers,
        Action::RemoveMembers,
    ),
    (
        "listmember",
        "listid",
        Action::AddMember,
        Action::RemoveMember,
    ),
];

/// The entries about links.
pub(super) fn entries(writer: &Writer<'_>, journal: &[Change]) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for change in journal {
        let layout = writer.store().layout(&change.table)?;
        let is_link = writer.store().table(&change.table)?.is_intersect;
        let privileges = change.table == "roleprivileges";
        if (is_link && !privileges) || change.table == "listmember" {
            entries.extend(of_link(writer, layout, change));
        }
    }
    entries.extend(of_shares(writer, journal)?);
    entries.extend(of_role_privileges(writer, journal)?);
    Ok(entries)
}

/// One of the rows that a link connects.
#[derive(Clone, Copy)]
struct End<'a> {
    table: &'a str,
    /// The link's column with the row's key.
    column: &'a str,
    id: Uuid,
}

/// The name of the relationship that a link belongs to, and the rows it connects.
fn ends<'a>(
    schema: &'a Schema,
    layout: &'a Layout,
    row: &[Value],
) -> Option<(&'a str, [End<'a>; 2])> {
    schema.relationships().iter().find_map(|relationship| {
        let Relationship::ManyToMany {
            schema_name,
            intersect_table,
            table1,
            intersect_column1,
            table2,
            intersect_column2,
            ..
        } = relationship
        else {
            return None;
        };
        let end = |table: &'a str, column: &'a str| match layout.get(row, column) {
            // A column may refer to rows of several tables, each with a relationship of its own.
            Value::Lookup { table: found, .. } if found != table => None,
            value => Some(End {
                table,
                column,
                id: value.id()?,
            }),
        };
        (*intersect_table == layout.table).then_some(())?;
        let one = end(table1, intersect_column1)?;
        let other = end(table2, intersect_column2)?;
        Some((schema_name.as_str(), [one, other]))
    })
}

fn of_link(writer: &Writer<'_>, layout: &Layout, change: &Change) -> Vec<Entry> {
    let schema = writer.store().schema();
    let audited = |table: &str| schema.table(table).is_some_and(|table| table.audit_enabled);
    let row = change.after.as_deref().or(change.before.as_deref());
    let Some((name, ends)) = row.and_then(|row| ends(schema, layout, row)) else {
        return Vec::new();
    };
    let came = change.before.is_none();
    let named = NAMED.iter().find(|(table, ..)| *table == change.table);
    let [one, other] = ends;
    [(one, other), (other, one)]
        .into_iter()
        .filter(|(near, _)| audited(near.table))
        .filter_map(|(near, far)| {
            let action = match named {
                // The other row has no entry of its own.
                Some((_, about, ..)) if *about != near.column => return None,
                Some((_, _, action, _)) if came => *action,
                Some((_, _, _, action)) => *action,
                None if came => Action::Associate,
                None => Action::Disassociate,
            };
            let data = Data::Relationship {
                relationship_name: name.to_owned(),
                targets: vec![reference(far.table, far.id)],
            };
            let about = (near.table, near.id);
            Some(Entry::about(action, Operation::Update, about, &data))
        })
        .collect()
}

/// A share as it was and as it is.
type Share<'j> = (Option<&'j [Value]>, Option<&'j [Value]>);

/// A share that was revoked and granted again has been modified.
fn of_shares(writer: &Writer<'_>, journal: &[Change]) -> Result<Vec<Entry>, StoreError> {
    let table = "principalobjectaccess";
    let mut shares: BTreeMap<Uuid, Share<'_>> = BTreeMap::new();
    for change in journal.iter().filter(|change| change.table == table) {
        let known = shares
            .entry(change.id)
            .or_insert((change.before.as_deref(), None));
        known.1 = change.after.as_deref();
    }
    if shares.is_empty() {
        return Ok(Vec::new());
    }
    let layout = writer.store().layout(table)?;
    let entry = |(before, after): Share<'_>| {
        let row = after.or(before)?;
        let text = |column: &str| match layout.get(row, column) {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let object = text("objecttypecode")?;
        let audited = writer.store().table(&object).ok()?.audit_enabled;
        let mask = |row: Option<&[Value]>| match row.map(|r| layout.get(r, "accessrightsmask")) {
            Some(Value::Int(mask)) => *mask,
            _ => 0,
        };
        let action = match (before, after) {
            (None, _) => Action::Share,
            (_, None) => Action::Unshare,
            _ => Action::ModifyShare,
        };
        let principal = layout.get(row, "principalid").id()?;
        let data = Data::Share {
            principal: reference(&text("principaltypecode")?, principal),
            old_privileges: mask(before),
            new_privileges: mask(after),
        };
        let id = layout.get(row, "objectid").id()?;
        audited.then(|| Entry::about(action, Operation::Update, (&object, id), &data))
    };
    Ok(shares.into_values().filter_map(entry).collect())
}

/// All privileges of one role are one entry. Copies of a role follow it without entries.
fn of_role_privileges(writer: &Writer<'_>, journal: &[Change]) -> Result<Vec<Entry>, StoreError> {
    let table = "roleprivileges";
    let mut roles: BTreeMap<Uuid, (Vec<Granted>, Vec<Granted>)> = BTreeMap::new();
    for change in journal.iter().filter(|change| change.table == table) {
        let layout = writer.store().layout(table)?;
        let granted = |row: &[Value]| {
            let depth = match layout.get(row, "privilegedepthmask") {
                Value::Int(mask) => *mask,
                _ => 0,
            };
            let role = layout.get(row, "roleid").id()?;
            let privilege_id = layout.get(row, "privilegeid").id()?;
            Some((
                role,
                Granted {
                    privilege_id,
                    depth,
                },
            ))
        };
        if let Some((role, old)) = change.before.as_deref().and_then(granted) {
            roles.entry(role).or_default().0.push(old);
        }
        if let Some((role, new)) = change.after.as_deref().and_then(granted) {
            roles.entry(role).or_default().1.push(new);
        }
    }
    let mut entries = Vec::new();
    for (id, (removed, added)) in roles {
        let role = writer.row("role", id)?;
        let layout = writer.store().layout("role")?;
        let root = role.is_some_and(|row| layout.get(&row.values, "parentroleid").id().is_none());
        if !root || !writer.store().table("role")?.audit_enabled {
            continue;
        }
        let action = match (removed.is_empty(), added.is_empty()) {
            (true, _) => Action::AddPrivilegesToRole,
            (_, true) => Action::RemovePrivilegesFromRole,
            _ => Action::ReplacePrivilegesInRole,
        };
        let data = Data::RolePrivileges { removed, added };
        entries.push(Entry::about(action, Operation::Update, ("role", id), &data));
    }
    Ok(entries)
}
