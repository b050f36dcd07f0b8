//! A privilege that is needed, its depth, and the reason.

use crate::dataverse::privilege::{Depth, PrivilegeName, RoleEditorEntry};
use crate::ordered::{self, Map};

/// A privilege that is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name.
    pub privilege: PrivilegeName,
    /// How far it must reach.
    pub depth: Depth,
    /// The privilege as the role editor shows it.
    pub entry: RoleEditorEntry,
    /// What needs it, such as `reading account`. Never empty.
    pub needed_for: Vec<String>,
    /// Whether something fails without it. Otherwise it only lets the check report more.
    pub is_essential: bool,
}

impl Permission {
    /// The id of findings about it, such as `privilege/prvReadAccount`.
    pub fn id(&self) -> String {
        format!("privilege/{}", self.privilege)
    }
}

/// Permissions, each privilege once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Permissions(Map<PrivilegeName, Permission>);

impl Permissions {
    /// Adds a permission. A privilege that is needed twice must reach as far as either use
    /// needs it to.
    pub(super) fn add(&mut self, permission: Permission) {
        let privilege = permission.privilege.clone();
        self.0.merge(privilege, permission, |known, permission| {
            known.depth = known.depth.max(permission.depth);
            known.is_essential |= permission.is_essential;
            for reason in permission.needed_for {
                if !known.needed_for.contains(&reason) {
                    known.needed_for.push(reason);
                }
            }
        });
    }

    /// In the order in which the role editor shows them.
    pub(super) fn into_sorted(self) -> Vec<Permission> {
        let mut permissions: Vec<Permission> = self.0.into_values().collect();
        ordered::sort_by(&mut permissions, |a, b| {
            (&a.entry, &a.privilege).cmp(&(&b.entry, &b.privilege))
        });
        permissions
    }
}
