//! The lines above `columns`: the table itself.

use super::{
    super::{
        AlternateKey, ChangeTracking, KeyIndex, Ownership, Privilege, PrivilegeDepth,
        PrivilegeType, Relationship, Table, TableType, metadata_id,
    },
    words::Words,
};

/// The header: the lines above `columns`.
#[derive(Default)]
pub(super) struct Header {
    schema_name: Option<String>,
    entity_set_name: Option<String>,
    labels: Option<(String, String)>,
    object_type_code: Option<i32>,
    ownership: Option<Ownership>,
    primary_id: Option<String>,
    primary_name: Option<String>,
    change_tracking: Option<ChangeTracking>,
    privileges: PrivilegeNames,
    read_with: Vec<String>,
    flags: Vec<String>,
    keys: Vec<(String, String, Vec<String>)>,
    /// The relationships that an intersect table stands for.
    pub(super) associations: Vec<Relationship>,
}

impl Header {
    /// Takes in one line.
    pub(super) fn read(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words(line);
        match words.expect("a keyword")? {
            "table" => self.schema_name = Some(words.name()?),
            "rows" => self.entity_set_name = Some(words.name()?),
            "labels" => self.labels = Some((words.quoted()?, words.quoted()?)),
            "code" => self.object_type_code = Some(words.number()?),
            "id" => self.primary_id = Some(words.name()?),
            "name" => self.primary_name = Some(words.name()?),
            "owned-by" => {
                self.ownership = Some(match words.expect("an owner")? {
                    "user" => Ownership::UserOwned,
                    "organization" => Ownership::OrganizationOwned,
                    "business" => Ownership::BusinessOwned,
                    "nobody" => Ownership::None,
                    other => {
                        return Err(format!(
                            "`{other}` is not an ownership; write user, organization, business or nobody"
                        ));
                    }
                });
            }
            "change-tracking" => {
                self.change_tracking = Some(match words.expect("a state")? {
                    "enabled" => ChangeTracking::Enabled,
                    "available" => ChangeTracking::Available,
                    "unavailable" => ChangeTracking::Unavailable,
                    other => {
                        return Err(format!(
                            "`{other}` is not a state of change tracking; write enabled, available or unavailable"
                        ));
                    }
                });
            }
            "privileges" => self.privileges = PrivilegeNames::read(&mut words)?,
            "read-with" => self.read_with = words.rest(),
            "flags" => {
                while let Some(flag) = words.next() {
                    if !FLAGS.contains(&flag) {
                        return Err(format!("`{flag}` is not a flag; use one of {FLAGS:?}"));
                    }
                    self.flags.push(flag.to_owned());
                }
            }
            "key" => {
                let key = (words.name()?, words.quoted()?, words.rest());
                if key.2.is_empty() {
                    return Err("a key needs at least one column".into());
                }
                self.keys.push(key);
            }
            "associates" => self.associations.push(Relationship::ManyToMany {
                intersect_table: self
                    .schema_name
                    .as_deref()
                    .unwrap_or_default()
                    .to_lowercase(),
                schema_name: words.name()?,
                table1: words.name()?,
                intersect_column1: words.name()?,
                navigation1: words.name()?,
                table2: words.name()?,
                intersect_column2: words.name()?,
                navigation2: words.name()?,
            }),
            other => {
                return Err(format!(
                    "`{other}` is not a header line; is `columns` missing?"
                ));
            }
        }
        words.end()
    }

    /// The table without its columns.
    pub(super) fn finish(&mut self) -> Result<Table, String> {
        let schema_name = needed(self.schema_name.take(), "table")?;
        let logical_name = schema_name.to_lowercase();
        let entity_set_name = needed(self.entity_set_name.take(), "rows")?;
        let (display_name, display_collection_name) = needed(self.labels.take(), "labels")?;
        let ownership = needed(self.ownership, "owned-by")?;
        let has = |flag: &str| self.flags.iter().any(|present| present == flag);
        let keys = self
            .keys
            .drain(..)
            .map(|(schema_name, display_name, columns)| AlternateKey {
                logical_name: schema_name.to_lowercase(),
                metadata_id: metadata_id(&["key", &logical_name, &schema_name]),
                schema_name,
                display_name,
                columns,
                index: KeyIndex::Active,
            });
        Ok(Table {
            logical_collection_name: entity_set_name.clone(),
            entity_set_name,
            display_name: display_name.into(),
            display_collection_name: display_collection_name.into(),
            object_type_code: needed(self.object_type_code, "code")?,
            primary_id: needed(self.primary_id.take(), "id")?,
            primary_name: self.primary_name.take(),
            ownership,
            table_type: if has("activity") {
                TableType::Activity
            } else if has("elastic") {
                TableType::Elastic
            } else {
                TableType::Standard
            },
            is_activity: has("activity"),
            is_activity_party: has("activity-party"),
            is_intersect: has("intersect"),
            is_custom: has("custom"),
            change_tracking: needed(self.change_tracking, "change-tracking")?,
            audit_enabled: has("audited"),
            optimistic_concurrency: !has("no-concurrency"),
            has_notes: has("notes"),
            has_activities: has("activities"),
            columns: Vec::new(),
            keys: keys.collect(),
            privileges: self.privileges.resolve(&schema_name, ownership),
            read_with: std::mem::take(&mut self.read_with),
            on_demand: has("on-demand"),
            is_read_only: has("read-only") || has("intersect"),
            metadata_id: metadata_id(&["table", &logical_name]),
            schema_name,
            logical_name,
        })
    }
}

/// The line `privileges`.
#[derive(Default)]
enum PrivilegeNames {
    /// Nothing: the privileges are named after the table.
    #[default]
    Own,
    /// Access needs no privilege of the table's own.
    None,
    Named {
        suffix: String,
        /// Rows are assigned, although no user or team owns them.
        assign: bool,
        /// The organization's rows, whatever their owner.
        organization: bool,
    },
}

impl PrivilegeNames {
    fn read(words: &mut Words<'_>) -> Result<Self, String> {
        let suffix = words.name()?;
        if suffix == "none" {
            return Ok(Self::None);
        }
        let (mut assign, mut organization) = (false, false);
        while let Some(word) = words.next() {
            match word {
                "assign" => assign = true,
                "organization" => organization = true,
                other => return Err(format!("`{other}` is not allowed in the line `privileges`")),
            }
        }
        Ok(Self::Named {
            suffix,
            assign,
            organization,
        })
    }

    fn resolve(&self, schema_name: &str, ownership: Ownership) -> Vec<Privilege> {
        let (suffix, assign, organization) = match self {
            Self::None => return Vec::new(),
            Self::Own => (schema_name, false, false),
            Self::Named {
                suffix,
                assign,
                organization,
            } => (suffix.as_str(), *assign, *organization),
        };
        let depth = if organization {
            PrivilegeDepth::OrganizationOnly
        } else {
            ownership.privilege_depth()
        };
        let owned = ownership == Ownership::UserOwned;
        PrivilegeType::ACCESS
            .into_iter()
            .filter(|kind| match kind {
                PrivilegeType::Assign => owned || assign,
                PrivilegeType::Share => owned,
                _ => true,
            })
            .map(|kind| Privilege::on(suffix, kind, depth))
            .collect()
    }
}

const FLAGS: [&str; 11] = [
    "activities",
    "activity",
    "activity-party",
    "audited",
    "custom",
    "elastic",
    "intersect",
    "no-concurrency",
    "notes",
    "on-demand",
    "read-only",
];

fn needed<T>(value: Option<T>, keyword: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("the header has no line `{keyword} …`"))
}
