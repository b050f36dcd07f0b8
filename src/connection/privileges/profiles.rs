//! What the named profiles read and write, and what else they require.

use crate::settings::{Profile, WriteOperation};

/// What vendors of one kind of application require.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    /// The tables that are read.
    pub(super) read: &'static [&'static str],
    /// Business process flows, each of them a table, and the tables of the processes and
    /// stages behind them (reference §12.3). They are read, too.
    pub(super) processes: &'static [&'static str],
    /// The tables that are written.
    pub(super) write: &'static [&'static str],
    /// What is done to the rows that are written.
    pub(super) operations: &'static [WriteOperation],
    /// Whether the history of rows is read.
    pub(super) audit: bool,
    /// Whether security roles and team memberships are assigned and removed.
    pub(super) provisioning: bool,
    /// Privileges on something other than rows, and what needs them.
    pub(super) other_privileges: &'static [(&'static str, &'static str)],
}

/// The definition of a profile.
pub(super) fn bundle(profile: Profile) -> Bundle {
    match profile {
        Profile::RevenueIntelligence => Bundle {
            read: &[
                "systemuser",
                "account",
                "contact",
                "team",
                "teammembership",
                "opportunity",
                "opportunitysalesprocess",
                "processstage",
                "connection",
                "connectionrole",
                "transactioncurrency",
                "organization",
                "audit",
            ],
            audit: true,
            ..Bundle::default()
        },
        Profile::SalesAssistant => Bundle {
            read: &["account", "contact", "opportunity", "annotation"],
            processes: &[
                "opportunitysalesprocess",
                "leadtoopportunitysalesprocess",
                "processstage",
                "workflow",
            ],
            write: &["account", "contact", "opportunity", "annotation"],
            operations: &[WriteOperation::Create, WriteOperation::Update],
            ..Bundle::default()
        },
        Profile::AccountBasedMarketing => Bundle {
            read: &[
                "account",
                "activitypointer",
                "contact",
                "lead",
                "opportunity",
                "customeropportunityrole",
                "queue",
                "userquery",
                "campaign",
                "list",
                "transactioncurrency",
                "systemuser",
                "usersettings",
                "attributemap",
                "entitymap",
                "workflow",
                "asyncoperation",
                "savedquery",
            ],
            other_privileges: &[
                ("prvBulkEdit", "editing rows in bulk"),
                ("prvCreateAttribute", "creating columns"),
                ("prvReadRelationship", "reading relationships"),
            ],
            ..Bundle::default()
        },
        Profile::AccessSync => Bundle {
            read: ACCESS,
            ..Bundle::default()
        },
        Profile::AccessProvisioning => Bundle {
            read: ACCESS,
            provisioning: true,
            ..Bundle::default()
        },
    }
}

/// The tables of access rights. Accounts that may read these may read the tables that connect them.
const ACCESS: &[&str] = &["systemuser", "team", "role"];
