//! Users added to an organization, and roles made for them.

use uuid::Uuid;

use super::{Depth, Role, new_rows::NewOrganization, principals::assign_role, role};
use crate::{
    ids::{DEFAULT_TEAM, ROOT_BUSINESS_UNIT, SYSTEM},
    schema::metadata_id,
    store::{Author, Store, StoreError, Value},
};

/// Adds an application user of the root business unit with these roles of that unit.
pub(crate) fn add_application_user(
    store: &Store,
    client_id: Uuid,
    object_id: Uuid,
    name: &str,
    roles: &[Uuid],
) -> Result<Uuid, StoreError> {
    let author = Author::in_person(SYSTEM, store.clock().now());
    let id = metadata_id(&["application user", &client_id.to_string()]);
    store.write(|writer| -> Result<Uuid, StoreError> {
        if writer.row("systemuser", id)?.is_some() {
            return Ok(id);
        }
        let new = NewOrganization { writer, author };
        new.user(
            id,
            "#",
            name,
            ROOT_BUSINESS_UNIT,
            &[
                ("applicationid", Value::Guid(client_id)),
                ("azureactivedirectoryobjectid", Value::Guid(object_id)),
                ("accessmode", Value::Int(4)),
                ("islicensed", Value::Bool(false)),
            ],
        )?;
        new.member(DEFAULT_TEAM, id)?;
        for &role in roles {
            assign_role(writer, author, id, role)?;
        }
        Ok(id)
    })
}

/// Adds a person as a user of the root business unit with a role; one who is known stays.
pub(crate) fn add_person(
    store: &Store,
    object_id: Uuid,
    address: &str,
    name: &str,
    role: Role,
) -> Result<Uuid, StoreError> {
    let author = Author::in_person(SYSTEM, store.clock().now());
    let id = metadata_id(&["user of a person", &object_id.to_string()]);
    store.write(|writer| -> Result<Uuid, StoreError> {
        if writer.row("systemuser", id)?.is_some() {
            return Ok(id);
        }
        let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
        let new = NewOrganization { writer, author };
        new.user(
            id,
            first,
            last,
            ROOT_BUSINESS_UNIT,
            &[
                ("domainname", Value::Text(address.to_owned())),
                ("internalemailaddress", Value::Text(address.to_owned())),
                ("azureactivedirectoryobjectid", Value::Guid(object_id)),
                ("accessmode", Value::Int(0)),
                ("islicensed", Value::Bool(true)),
            ],
        )?;
        new.member(DEFAULT_TEAM, id)?;
        assign_role(writer, author, id, role.id(ROOT_BUSINESS_UNIT))?;
        Ok(id)
    })
}

/// Adds a role to the root business unit, copied into those below; a role that this function
/// created before grants afterwards what is given, and nothing else.
pub(crate) fn add_role(
    store: &Store,
    name: &str,
    privileges: &[(Uuid, Depth)],
) -> Result<Uuid, StoreError> {
    let author = Author::in_person(SYSTEM, store.clock().now());
    let id = metadata_id(&["added role", name]);
    store.write(|writer| -> Result<Uuid, StoreError> {
        if writer.row("role", id)?.is_none() {
            writer.create(
                "role",
                author,
                &[
                    ("roleid", Value::Guid(id)),
                    ("name", name.into()),
                    (
                        "businessunitid",
                        Value::lookup("businessunit", ROOT_BUSINESS_UNIT),
                    ),
                    ("parentrootroleid", Value::lookup("role", id)),
                    ("isinherited", Value::Int(1)),
                ],
            )?;
            role::spread(writer, author, id)?;
        }
        for (privilege, _) in role::privileges(writer, id)? {
            role::set_privilege(writer, author, id, privilege, None)?;
        }
        for &(privilege, depth) in privileges {
            role::set_privilege(writer, author, id, privilege, Some(depth))?;
        }
        Ok(id)
    })
}

/// Makes users of the root business unit members of its default team, with the role of those who
/// sell.
pub(crate) fn admit_sellers(
    store: &Store,
    users: impl Iterator<Item = Uuid>,
) -> Result<(), StoreError> {
    let author = Author::in_person(SYSTEM, store.clock().now());
    store.write(|writer| -> Result<(), StoreError> {
        let new = NewOrganization { writer, author };
        for user in users {
            new.member(DEFAULT_TEAM, user)?;
            assign_role(
                writer,
                author,
                user,
                Role::Salesperson.id(ROOT_BUSINESS_UNIT),
            )?;
        }
        Ok(())
    })
}
