//! The privileges on a table, and the tables that its rows refer to.
//!
//! An environment's metadata decides. Without it, the standard tables are known here
//! (reference §11.3, §12.1), and any other table is assumed to have privileges of its own
//! name.

use crate::dataverse::privilege::{Depth, PrivilegeName, Right};
use crate::ordered::Set;

/// The privileges on a table, and the tables that its rows refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connection) struct Table {
    /// The logical name.
    pub(in crate::connection) name: String,
    /// The title in the account's language, if metadata has it.
    pub(in crate::connection) title: Option<String>,
    /// The privileges for the rights on its rows.
    pub(super) guards: Vec<Guard>,
    /// The tables that lookups of a row can be set to point to.
    pub(super) references: References,
}

/// A privilege that a right on a table's rows requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) right: Right,
    pub(super) privilege: PrivilegeName,
    /// The greatest depth at which it can be granted.
    pub(super) deepest: Depth,
}

/// The tables that lookups can be set to point to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum References {
    /// These.
    To(Set<String>),
    /// Unknown, so it may be any.
    Unknown,
}

impl References {
    pub(super) fn may_be_to(&self, table: &str) -> bool {
        match self {
            Self::To(tables) => tables.contains(table),
            Self::Unknown => true,
        }
    }
}

impl Table {
    /// The built-in knowledge of a table, without metadata.
    pub(in crate::connection) fn offline(name: &str) -> Self {
        let references = match REFERENCES.iter().find(|(table, _)| *table == name) {
            Some((_, targets)) => References::To(targets.iter().map(ToString::to_string).collect()),
            // The lookups of standard tables without an entry are not relevant.
            None if is_standard(name) => References::To(Set::default()),
            None => References::Unknown,
        };
        Self {
            name: name.to_owned(),
            title: None,
            guards: offline_guards(name),
            references,
        }
    }

    /// The table by its metadata. The privileges on tables of a relationship, and on the audit
    /// log, are those of something else, which metadata does not say.
    pub(super) fn with_privileges(name: &str, title: Option<String>, guards: Vec<Guard>) -> Self {
        let guards = if PROTECTED_BY_OTHERS.iter().any(|(table, _)| *table == name) {
            offline_guards(name)
        } else {
            guards
        };
        Self {
            name: name.to_owned(),
            title,
            guards,
            references: References::To(Set::default()),
        }
    }

    /// Sets the tables that its lookups can point to.
    pub(super) fn refer_to(&mut self, targets: Set<String>) {
        self.references = References::To(targets);
    }

    pub(super) fn guards_of(&self, right: Right) -> impl Iterator<Item = &Guard> {
        self.guards.iter().filter(move |guard| guard.right == right)
    }
}

fn is_standard(name: &str) -> bool {
    let known = STANDARD.iter().map(|(table, _)| *table);
    let protected = PROTECTED_BY_OTHERS.iter().map(|(table, _)| *table);
    known.chain(protected).any(|table| table == name)
}

fn offline_guards(name: &str) -> Vec<Guard> {
    let guard = |right, subject: &str| Guard {
        right,
        privilege: PrivilegeName::of(right, subject),
        deepest: Depth::Global,
    };
    if let Some((_, subjects)) = PROTECTED_BY_OTHERS.iter().find(|(table, _)| *table == name) {
        return subjects
            .iter()
            .map(|subject| guard(Right::Read, subject))
            .collect();
    }
    let (subject, owned) = STANDARD
        .iter()
        .find(|(table, _)| *table == name)
        .map_or((name, true), |(_, (subject, owned))| (*subject, *owned));
    let mut rights = vec![
        Right::Create,
        Right::Read,
        Right::Write,
        Right::Delete,
        Right::Append,
        Right::AppendTo,
    ];
    if owned {
        rights.extend([Right::Assign, Right::Share]);
    }
    rights
        .into_iter()
        .map(|right| guard(right, subject))
        .collect()
}

/// Tables whose rows are protected by privileges on other tables.
const PROTECTED_BY_OTHERS: [(&str, &[&str]); 6] = [
    ("audit", &["AuditSummary"]),
    ("roleprivileges", &["Role"]),
    ("systemuserroles", &["Role"]),
    ("teammembership", &["Team", "User"]),
    ("teamroles", &["Role"]),
    ("privilege", &[]),
];

/// What the privileges on the standard tables are named after, and whether their rows have
/// owners and can therefore be assigned and shared.
const STANDARD: [(&str, (&str, bool)); 63] = [
    ("account", ("Account", true)),
    ("activityparty", ("Activity", true)),
    ("activitypointer", ("Activity", true)),
    ("annotation", ("Note", true)),
    ("appointment", ("Activity", true)),
    ("asyncoperation", ("AsyncOperation", true)),
    ("attributemap", ("AttributeMap", false)),
    ("businessunit", ("BusinessUnit", false)),
    ("campaign", ("Campaign", true)),
    ("campaignresponse", ("Activity", true)),
    ("competitor", ("Competitor", false)),
    ("connection", ("Connection", true)),
    ("connectionrole", ("ConnectionRole", false)),
    ("contact", ("Contact", true)),
    ("customeropportunityrole", ("CustomerOpportunityRole", true)),
    ("duplicaterule", ("DuplicateRule", true)),
    ("email", ("Activity", true)),
    ("emailserverprofile", ("EmailServerProfile", true)),
    ("entitymap", ("EntityMap", false)),
    ("fax", ("Activity", true)),
    ("fieldsecurityprofile", ("FieldSecurityProfile", false)),
    ("goal", ("Goal", true)),
    ("importmap", ("ImportMap", true)),
    ("incident", ("Incident", true)),
    ("invoice", ("Invoice", true)),
    ("lead", ("Lead", true)),
    (
        "leadtoopportunitysalesprocess",
        ("LeadToOpportunitySalesProcess", false),
    ),
    ("letter", ("Activity", true)),
    ("list", ("List", true)),
    ("listmember", ("List", true)),
    ("mailbox", ("Mailbox", true)),
    ("opportunity", ("Opportunity", true)),
    ("opportunityclose", ("Activity", true)),
    ("opportunityproduct", ("Opportunity", true)),
    (
        "opportunitysalesprocess",
        ("OpportunitySalesProcess", false),
    ),
    ("organization", ("Organization", false)),
    ("phonecall", ("Activity", true)),
    ("position", ("Position", false)),
    ("pricelevel", ("Product", false)),
    ("processstage", ("ProcessStage", false)),
    ("product", ("Product", false)),
    ("publisher", ("Publisher", false)),
    ("queue", ("Queue", true)),
    ("queueitem", ("Queue", true)),
    ("quote", ("Quote", true)),
    ("recurringappointmentmaster", ("Activity", true)),
    ("role", ("Role", false)),
    ("salesorder", ("Order", true)),
    ("savedquery", ("Query", false)),
    ("sdkmessage", ("SdkMessage", false)),
    ("sdkmessagefilter", ("SdkMessage", false)),
    ("sla", ("SLA", true)),
    ("socialactivity", ("Activity", true)),
    ("solution", ("Solution", false)),
    ("subject", ("Subject", false)),
    ("systemuser", ("User", false)),
    ("task", ("Activity", true)),
    ("team", ("Team", false)),
    ("territory", ("Territory", false)),
    ("transactioncurrency", ("TransactionCurrency", false)),
    ("userquery", ("UserQuery", true)),
    ("usersettings", ("UserSettings", false)),
    ("workflow", ("Workflow", true)),
];

/// The standard tables that lookups of the standard tables can be set to point to, besides their
/// owner. Tables without relevant lookups have no entry.
const REFERENCES: [(&str, &[&str]); 16] = [
    (
        "account",
        &[
            "account",
            "contact",
            "lead",
            "pricelevel",
            "sla",
            "systemuser",
            "territory",
            "transactioncurrency",
        ],
    ),
    ("annotation", NOTE_REFERENCES),
    ("appointment", ACTIVITY_REFERENCES),
    ("campaign", &["pricelevel", "transactioncurrency"]),
    (
        "connection",
        &[
            "account",
            "activitypointer",
            "appointment",
            "connectionrole",
            "contact",
            "email",
            "fax",
            "goal",
            "lead",
            "letter",
            "opportunity",
            "phonecall",
            "position",
            "systemuser",
            "task",
            "team",
            "territory",
            "transactioncurrency",
        ],
    ),
    (
        "contact",
        &[
            "account",
            "contact",
            "lead",
            "pricelevel",
            "sla",
            "systemuser",
            "transactioncurrency",
        ],
    ),
    ("email", ACTIVITY_REFERENCES),
    ("fax", ACTIVITY_REFERENCES),
    (
        "lead",
        &[
            "account",
            "campaign",
            "campaignresponse",
            "contact",
            "incident",
            "opportunity",
            "sla",
            "transactioncurrency",
        ],
    ),
    ("letter", ACTIVITY_REFERENCES),
    ("list", &["transactioncurrency"]),
    (
        "opportunity",
        &[
            "account",
            "campaign",
            "contact",
            "lead",
            "pricelevel",
            "sla",
            "transactioncurrency",
        ],
    ),
    (
        "opportunityproduct",
        &["opportunity", "product", "transactioncurrency"],
    ),
    ("phonecall", ACTIVITY_REFERENCES),
    (
        "queueitem",
        &[
            "activitypointer",
            "appointment",
            "email",
            "fax",
            "letter",
            "phonecall",
            "queue",
            "systemuser",
            "task",
            "team",
            "transactioncurrency",
        ],
    ),
    ("task", ACTIVITY_REFERENCES),
];

/// The tables that notes can be about.
const NOTE_REFERENCES: &[&str] = &[
    "account",
    "appointment",
    "campaign",
    "competitor",
    "contact",
    "duplicaterule",
    "email",
    "emailserverprofile",
    "fax",
    "goal",
    "incident",
    "invoice",
    "lead",
    "letter",
    "list",
    "mailbox",
    "opportunity",
    "phonecall",
    "product",
    "quote",
    "salesorder",
    "sla",
    "task",
    "workflow",
];

/// The tables that activities can be about, and those of their other lookups.
const ACTIVITY_REFERENCES: &[&str] = &[
    "account",
    "campaign",
    "contact",
    "incident",
    "invoice",
    "lead",
    "opportunity",
    "quote",
    "salesorder",
    "sla",
    "transactioncurrency",
];
