//! The privileges that the purpose of a connection requires.

use super::permission::{Permission, Permissions};
use super::profiles::bundle;
use super::table::{Guard, Table};
use crate::dataverse::privilege::{Depth, PrivilegeName, Right, RoleEditorEntry};
use crate::ordered::{Map, Set};
use crate::settings::{Profile, Purpose, WriteOperation};

/// What is done with which tables, and the other privileges that are needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::connection) struct Requirements {
    read: Set<String>,
    write: Map<String, Set<WriteOperation>>,
    /// Tables that are read, and that lookups of the written rows are never set to.
    never_referenced: Set<&'static str>,
    /// Whether the history of rows is read.
    pub(in crate::connection) audit: bool,
    /// Privileges on something other than rows, and what needs them.
    other_privileges: Vec<(&'static str, &'static str)>,
}

/// What every connection reads before it reads a row (reference §5.1).
const DISCOVERY: [&str; 1] = ["prvReadEntity"];

/// What the check reads: the organization's properties, and the account's own row, which is in its
/// own business unit.
const CHECK: [(&str, Depth); 2] = [
    ("prvReadOrganization", Depth::Global),
    ("prvReadUser", Depth::Local),
];

/// The privilege without which a history only says that something changed (reference §10).
const HISTORY: (&str, &str) = ("prvReadRecordAuditHistory", "reading the history of rows");

/// What assigning and removing roles and memberships requires (reference §11.2).
const PROVISIONING: [(&str, &str); 7] = [
    ("prvAssignRole", "assigning and removing security roles"),
    ("prvAppendToRole", "assigning and removing security roles"),
    ("prvAppendUser", "assigning security roles to users"),
    ("prvAppendTeam", "assigning security roles to teams"),
    ("prvAppendTeam", "changing the members of teams"),
    ("prvAppendToUser", "changing the members of teams"),
    ("prvWriteTeam", "changing the members of teams"),
];

impl Requirements {
    pub(in crate::connection) fn of(purpose: &Purpose) -> Self {
        let mut requirements = Self {
            read: purpose.read.clone(),
            write: purpose.write.clone(),
            ..Self::default()
        };
        let mut profiles = purpose.profiles.clone();
        if purpose.access_sync {
            profiles.insert(Profile::AccessSync);
        }
        if purpose.access_provisioning {
            profiles.insert(Profile::AccessProvisioning);
        }
        for profile in profiles {
            let bundle = bundle(profile);
            requirements.read(bundle.read);
            requirements.read(bundle.processes);
            requirements
                .never_referenced
                .extend(bundle.processes.iter().copied());
            for table in bundle.write {
                let operations = bundle.operations.iter().copied().collect();
                requirements
                    .write
                    .merge((*table).to_owned(), operations, Set::extend);
            }
            requirements.audit |= bundle.audit;
            requirements
                .other_privileges
                .extend(bundle.other_privileges);
            if bundle.provisioning {
                requirements.other_privileges.extend(PROVISIONING);
            }
        }
        if purpose.audit || requirements.audit {
            requirements.audit = true;
            requirements.read(&["audit"]);
            requirements.other_privileges.push(HISTORY);
        }
        if purpose.views {
            requirements.read(&["savedquery", "userquery"]);
        }
        requirements
    }

    fn read(&mut self, tables: &[&str]) {
        self.read.extend(tables.iter().map(ToString::to_string));
    }

    /// The tables that are read, and those whose history is.
    pub(in crate::connection) fn tables_read(&self) -> impl Iterator<Item = &str> {
        self.read.iter().map(String::as_str)
    }

    /// The tables whose rows are written.
    pub(in crate::connection) fn tables_written(&self) -> impl Iterator<Item = &str> {
        self.write.keys().map(String::as_str)
    }

    /// Every table that is read or written.
    pub(in crate::connection) fn tables(&self) -> Set<&str> {
        self.tables_read().chain(self.tables_written()).collect()
    }

    /// All required permissions, and no others, in the order in which the role editor shows them.
    /// `table` finds a table by its name.
    pub(super) fn permissions<'t>(
        &self,
        table: impl Fn(&str) -> Option<&'t Table>,
    ) -> Vec<Permission> {
        let mut permissions = Permissions::default();
        for name in DISCOVERY {
            permissions.add(without_table(name, "finding out which tables exist", true));
        }
        for (name, depth) in CHECK {
            permissions.add(Permission {
                depth,
                ..without_table(name, "checking the connection", false)
            });
        }
        for (name, reason) in &self.other_privileges {
            permissions.add(without_table(name, reason, true));
        }
        for table in self.read.iter().filter_map(|name| table(name)) {
            // At the depth of the whole organization, because change tracking requires it
            // (reference §6.4).
            add(&mut permissions, table, Right::Read, "reading");
        }
        let present: Vec<&Table> = self
            .tables()
            .into_iter()
            .filter(|name| !self.never_referenced.contains(name))
            .filter_map(&table)
            .collect();
        for (name, operations) in self.write.iter() {
            let Some(table) = table(name) else { continue };
            for operation in operations.iter() {
                let (right, doing) = right_to(*operation);
                add(&mut permissions, table, right, doing);
            }
            let sets_lookups = operations.contains(&WriteOperation::Create)
                || operations.contains(&WriteOperation::Update);
            if sets_lookups {
                add_references(&mut permissions, table, &present);
            }
        }
        permissions.into_sorted()
    }
}

/// Setting a lookup requires a right on either table (reference §11.3).
fn add_references(permissions: &mut Permissions, from: &Table, present: &[&Table]) {
    let targets = present
        .iter()
        .filter(|target| from.references.may_be_to(&target.name));
    for target in targets {
        let reason = format!("setting lookups from {} to {}", from.name, target.name);
        let appended_to = target.guards_of(Right::AppendTo);
        let mut can_be_set = false;
        for guard in appended_to {
            can_be_set = true;
            permissions.add(on_table(target, guard, reason.clone()));
        }
        let appended = from.guards_of(Right::Append).filter(|_| can_be_set);
        for guard in appended {
            permissions.add(on_table(from, guard, reason.clone()));
        }
    }
}

/// The right that an operation requires, and words for it.
fn right_to(operation: WriteOperation) -> (Right, &'static str) {
    match operation {
        WriteOperation::Create => (Right::Create, "creating"),
        WriteOperation::Update => (Right::Write, "updating"),
        WriteOperation::Delete => (Right::Delete, "deleting"),
        WriteOperation::Assign => (Right::Assign, "assigning"),
        WriteOperation::Share => (Right::Share, "sharing"),
    }
}

fn add(permissions: &mut Permissions, table: &Table, right: Right, doing: &str) {
    for guard in table.guards_of(right) {
        permissions.add(on_table(table, guard, format!("{doing} {}", table.name)));
    }
}

fn on_table(table: &Table, guard: &Guard, reason: String) -> Permission {
    Permission {
        entry: RoleEditorEntry::of(&guard.privilege, table.title.as_deref()),
        privilege: guard.privilege.clone(),
        depth: guard.deepest,
        needed_for: vec![reason],
        is_essential: true,
    }
}

/// A privilege that belongs to no table has only the greatest depth.
fn without_table(name: &'static str, reason: &str, is_essential: bool) -> Permission {
    let privilege = PrivilegeName::known(name);
    Permission {
        entry: RoleEditorEntry::of(&privilege, None),
        privilege,
        depth: Depth::Global,
        needed_for: vec![reason.to_owned()],
        is_essential,
    }
}
