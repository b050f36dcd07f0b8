//! Commands about people: who may sign in, and what prevents it.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    ControlError,
    parameters::{parse, role},
};
use crate::{
    entra::Person,
    environment::Environment,
    ids,
    org::{self, Role},
    schema::metadata_id,
    store::{StoreError, layout::parse_guid},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewPerson {
    user_principal_name: String,
    name: Option<String>,
    password: String,
    #[serde(default)]
    administrator: bool,
    role: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PersonChange {
    disabled: Option<bool>,
    blocked: Option<bool>,
    password: Option<String>,
    administrator: Option<bool>,
    /// The empty text removes the requirement.
    verification_code: Option<String>,
}

impl Environment {
    pub(super) fn new_person(&self, body: &[u8]) -> Result<Json, ControlError> {
        let new: NewPerson = parse(body)?;
        let role = new.role.as_deref().map(role).transpose()?;
        let id = metadata_id(&["person", &new.user_principal_name.to_lowercase()]);
        let name = new.name.unwrap_or_else(|| new.user_principal_name.clone());
        let tenant = self.api.current().organization.tenant;
        let mut person = Person::new(id, tenant, new.user_principal_name, name, new.password);
        person.administrator = new.administrator;
        self.add_person(person, role)?;
        Ok(json!({"id": id}))
    }

    /// Adds a person to the directory; with a role they become a user of the organization.
    pub(crate) fn add_person(
        &self,
        person: Person,
        role: Option<Role>,
    ) -> Result<(), ControlError> {
        if let Some(role) = role {
            org::add_person(
                &self.api.current().store,
                person.id,
                &person.user_principal_name,
                &person.name,
                role,
            )?;
        }
        self.entra.add_person(person);
        Ok(())
    }

    pub(super) fn person_command(
        &self,
        method: &str,
        name: &str,
        what: Option<&str>,
        body: &[u8],
    ) -> Option<Result<(), ControlError>> {
        let known = |known| {
            if known {
                Ok(())
            } else {
                Err(ControlError::unknown("person", name))
            }
        };
        Some(match (method, what) {
            ("PATCH", None) => parse(body).and_then(|change: PersonChange| {
                let now = self.api.current().store.clock().now();
                known(self.entra.change_person(name, |person| {
                    let flags = [
                        (change.disabled, &mut person.disabled),
                        (change.blocked, &mut person.blocked),
                        (change.administrator, &mut person.administrator),
                    ];
                    for (change, flag) in flags {
                        *flag = change.unwrap_or(*flag);
                    }
                    if let Some(code) = change.verification_code {
                        person.verification_code = Some(code).filter(|code| !code.is_empty());
                    }
                    if let Some(password) = change.password {
                        person.password = password;
                        person.revoke_grants(now);
                    }
                }))
            }),
            ("POST", Some("revoke")) => {
                let now = self.api.current().store.clock().now();
                known(
                    self.entra
                        .change_person(name, |person| person.revoke_grants(now)),
                )
            }
            ("DELETE", None) => known(self.entra.remove_person(name)),
            _ => return None,
        })
    }

    /// Makes the organization's people known to the directory: each may sign in with the
    /// password of the demonstration.
    pub(crate) fn people_of_the_organization(
        &self,
        password: &str,
    ) -> Result<Vec<Person>, StoreError> {
        let tenant = self.api.current().organization.tenant;
        self.api.current().store.read(|connection: &Connection| {
            let mut statement = connection.prepare(
                "SELECT systemuserid, azureactivedirectoryobjectid, domainname, fullname \
                 FROM systemuser WHERE applicationid IS NULL AND domainname <> '' \
                 AND azureactivedirectoryobjectid IS NOT NULL",
            )?;
            let rows = statement.query_map([], |row| {
                let (user, id): (String, String) = (row.get(0)?, row.get(1)?);
                let (address, name): (String, Option<String>) = (row.get(2)?, row.get(3)?);
                let name = name.unwrap_or_else(|| address.clone());
                let mut person = Person::new(parse_guid(&id), tenant, address, name, password);
                person.administrator = parse_guid(&user) == ids::ADMINISTRATOR;
                Ok(person)
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
