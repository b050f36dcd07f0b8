//! What applications and users may do: applications with a role of their own, grants, disabled
//! users.

use uuid::Uuid;

use super::ControlError;
use crate::{
    entra::{Application, ClientSecret},
    environment::Environment,
    ids::{ROOT_BUSINESS_UNIT, SYSTEM},
    org::{self, Depth, Role},
    store::{Author, Value},
};

impl Environment {
    pub(crate) fn add_application(
        &self,
        client_id: Uuid,
        secret: &str,
        name: &str,
        role: Option<Role>,
    ) -> Result<(), ControlError> {
        let mut application =
            Application::new(client_id, self.api.current().organization.tenant, name);
        application.secrets.push(ClientSecret::new(secret));
        self.register(application, role)
    }

    pub(crate) fn disable_user(&self, user: Uuid, disabled: bool) -> Result<(), ControlError> {
        self.api.current().store.write(|writer| {
            let before = writer
                .row("systemuser", user)?
                .ok_or_else(|| ControlError::unknown("user", user))?;
            let layout = writer.store().layout("systemuser")?;
            let mut after = before.values.clone();
            layout.set(&mut after, "isdisabled", Value::Bool(disabled));
            writer.update("systemuser", &before, &after)?;
            Ok(())
        })
    }

    /// Registers an application whose user has one role: exactly these privileges. For an
    /// application that has its role from here already, the role is made to grant these instead.
    pub(crate) fn add_application_with(
        &self,
        client_id: Uuid,
        secret: &str,
        privileges: &[(&str, Depth)],
    ) -> Result<Uuid, ControlError> {
        let tenant = self.api.current().organization.tenant;
        let mut application = Application::new(client_id, tenant, "Registered application");
        application.secrets.push(ClientSecret::new(secret));
        self.register_with(application, privileges)
    }

    /// As [`Self::add_application_with`], with the application described.
    pub(super) fn register_with(
        &self,
        application: Application,
        privileges: &[(&str, Depth)],
    ) -> Result<Uuid, ControlError> {
        let store = &self.api.current().store;
        let granted = privileges
            .iter()
            .map(|&(name, depth)| Ok((self.privilege(name)?, depth)))
            .collect::<Result<Vec<_>, ControlError>>()?;
        let client_id = application.client_id;
        let role = org::add_role(store, &format!("Application {client_id}"), &granted)?;
        let (object_id, name) = (application.object_id, application.name.clone());
        self.entra.register(application);
        let user = org::add_application_user(store, client_id, object_id, &name, &[role])?;
        Ok(user)
    }

    /// Key of the privilege of this name.
    fn privilege(&self, name: &str) -> Result<Uuid, ControlError> {
        let api = self.api.current();
        let found = api
            .store
            .schema()
            .privileges()
            .find(|known| known.name == name);
        found
            .map(|privilege| privilege.id)
            .ok_or_else(|| ControlError::unknown("privilege", name))
    }

    /// Grants a privilege to a role of the root business unit and its copies, or with no depth
    /// revokes it.
    pub(crate) fn grant(
        &self,
        role: Role,
        privilege: &str,
        depth: Option<Depth>,
    ) -> Result<(), ControlError> {
        let store = &self.api.current().store;
        let role = role.id(ROOT_BUSINESS_UNIT);
        let privilege = self.privilege(privilege)?;
        let author = Author::in_person(SYSTEM, store.clock().now());
        store.write(|writer| org::role::set_privilege(writer, author, role, privilege, depth))?;
        Ok(())
    }
}
