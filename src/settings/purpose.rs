//! What a connection is for: the privileges that its account needs follow from it.

use std::fmt;

use super::document::Fields;
use crate::ordered::{Map, Set};

/// What a connection is for. If it is empty, the purpose is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the settings, and none depends on another"
)]
pub struct Purpose {
    /// What vendors of one kind of application require.
    pub profiles: Set<Profile>,
    /// The tables that are read, by logical name.
    pub read: Set<String>,
    /// The tables that are written, by logical name, and what is done to their rows.
    pub write: Map<String, Set<WriteOperation>>,
    /// Whether the history of rows is read.
    pub audit: bool,
    /// Whether saved views are read.
    pub views: bool,
    /// Whether users, teams and their security roles are read.
    pub access_sync: bool,
    /// Whether security roles and team memberships are assigned and removed.
    pub access_provisioning: bool,
}

impl Purpose {
    /// Whether it is unknown what the connection is for.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// What vendors of one kind of application require.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// Reads the sales pipeline and its history.
    RevenueIntelligence,
    /// Reads and writes accounts, contacts, opportunities and notes.
    SalesAssistant,
    /// Reads accounts, people, activities and campaigns, and adds columns.
    AccountBasedMarketing,
    /// Reads users, teams and security roles.
    AccessSync,
    /// Assigns and removes security roles and team memberships.
    AccessProvisioning,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 5] = [
        Self::RevenueIntelligence,
        Self::SalesAssistant,
        Self::AccountBasedMarketing,
        Self::AccessSync,
        Self::AccessProvisioning,
    ];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RevenueIntelligence => "revenue-intelligence",
            Self::SalesAssistant => "sales-assistant",
            Self::AccountBasedMarketing => "account-based-marketing",
            Self::AccessSync => "access-sync",
            Self::AccessProvisioning => "access-provisioning",
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        one_of(Self::ALL, Self::as_str, text)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is done to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WriteOperation {
    /// Rows are added.
    Create,
    /// Rows are changed.
    Update,
    /// Rows are removed.
    Delete,
    /// Rows are assigned to another owner.
    Assign,
    /// Rows are shared.
    Share,
}

impl WriteOperation {
    /// All operations.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Assign,
        Self::Share,
    ];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Assign => "assign",
            Self::Share => "share",
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        one_of(Self::ALL, Self::as_str, text)
    }
}

/// Reads `purpose`.
pub(super) fn read(fields: &mut Fields<'_>) -> Purpose {
    Purpose {
        profiles: fields
            .texts("profiles", Profile::parse)
            .into_iter()
            .collect(),
        read: fields.texts("read", table).into_iter().collect(),
        write: writes(fields),
        audit: fields.flag("audit"),
        views: fields.flag("views"),
        access_sync: fields.flag("accessSync"),
        access_provisioning: fields.flag("accessProvisioning"),
    }
}

fn writes(fields: &mut Fields<'_>) -> Map<String, Set<WriteOperation>> {
    let mut writes: Map<String, Set<WriteOperation>> = Map::default();
    for (name, operations) in fields.objects("write", write).into_iter().flatten() {
        writes.merge(name, operations.into_iter().collect(), Set::extend);
    }
    writes
}

fn write(fields: &mut Fields<'_>) -> Option<(String, Vec<WriteOperation>)> {
    let name = fields.required_text("table", table);
    let operations = fields.texts("operations", WriteOperation::parse);
    if operations.is_empty() {
        fields.reject("operations", "must name at least one operation");
    }
    Some((name?, operations))
}

/// A logical name, never a title or the name of an entity set.
fn table(text: &str) -> Result<String, String> {
    let is_name = (1..=128).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err("must be the logical name of a table, such as account or new_project".to_owned())
    }
}

fn one_of<T: Copy>(
    all: impl IntoIterator<Item = T>,
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Result<T, String> {
    let all: Vec<T> = all.into_iter().collect();
    let found = all.iter().copied().find(|item| name(*item) == text);
    found.ok_or_else(|| {
        let known: Vec<String> = all
            .iter()
            .map(|item| format!("\"{}\"", name(*item)))
            .collect();
        format!("must be one of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::settings::Settings;

    fn settings(purpose: &Value) -> String {
        json!({
            "environment": "https://contoso.crm.dynamics.com",
            "auth": {
                "type": "client-secret",
                "clientId": "00001111-aaaa-2222-bbbb-3333cccc4444",
                "secret": "dataverse-secret",
            },
            "purpose": purpose,
        })
        .to_string()
    }

    #[test]
    fn a_purpose_is_read() {
        let parse = |purpose: Value| Settings::parse(&settings(&purpose)).unwrap().purpose;
        assert!(parse(Value::Null).is_unknown());
        assert!(parse(json!({})).is_unknown());
        let purpose = parse(json!({
            "profiles": ["access-sync", "sales-assistant", "access-sync"],
            "read": ["new_tour", "account"],
            "write": [
                {"table": "new_tour", "operations": ["update", "create"]},
                {"table": "new_tour", "operations": ["delete"]},
            ],
            "audit": true,
        }));
        assert_eq!(
            purpose,
            Purpose {
                profiles: [Profile::SalesAssistant, Profile::AccessSync].into(),
                read: ["account".to_owned(), "new_tour".to_owned()].into(),
                write: [(
                    "new_tour".to_owned(),
                    [
                        WriteOperation::Create,
                        WriteOperation::Update,
                        WriteOperation::Delete,
                    ]
                    .into(),
                )]
                .into(),
                audit: true,
                ..Purpose::default()
            }
        );
        assert!(!purpose.is_unknown());
    }

    #[test]
    fn every_fault_is_named() {
        for (purpose, expected) in [
            (json!([]), "\"purpose\" must be an object, not an array"),
            (
                json!({"profiles": "access-sync"}),
                "\"purpose.profiles\" must be an array, not text",
            ),
            (
                json!({"profiles": ["access-sync", "MARKER"]}),
                "\"purpose.profiles[1]\" must be one of \"revenue-intelligence\", \"sales",
            ),
            (
                json!({"profiles": [null]}),
                "\"purpose.profiles[0]\" must be text, not null",
            ),
            (
                json!({"read": ["Accounts"]}),
                "\"purpose.read[0]\" must be the logical name of a table",
            ),
            (
                json!({"write": [{"table": "account", "operations": ["MARKER"]}]}),
                "\"purpose.write[0].operations[0]\" must be one of \"create\"",
            ),
            (
                json!({"write": [{"table": "account"}]}),
                "\"purpose.write[0].operations\" must name at least one",
            ),
            (
                json!({"write": [{"operations": ["create"]}]}),
                "\"purpose.write[0].table\" is missing",
            ),
            (
                json!({"write": ["account"]}),
                "\"purpose.write[0]\" must be an object, not text",
            ),
            (
                json!({"write": [{"table": "account", "operation": ["create"]}]}),
                "did you mean \"purpose.write[0].operations\"?",
            ),
            (
                json!({"audit": "yes"}),
                "\"purpose.audit\" must be true or false, not text",
            ),
            (
                json!({"acessSync": true}),
                "did you mean \"purpose.accessSync\"?",
            ),
        ] {
            let error = Settings::parse(&settings(&purpose)).unwrap_err();
            assert!(error.message.contains(expected), "{purpose}: {error}");
            assert!(!error.message.contains("MARKER"), "{error}");
        }
    }
}
