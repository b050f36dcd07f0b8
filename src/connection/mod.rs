//! One connection, its check, and its security role.

mod check;
mod create_role;
mod privileges;
mod report;
mod role;

use std::rc::Rc;

pub use create_role::RoleChange;
pub use privileges::Permission;
pub use report::{Finding, Report, Verdict};
pub use role::{Call, Role, required_role};

pub use crate::auth::interactive::{
    Consent, DeviceCode, Interactive, PageRequest, Progress, complete_admin_consent,
};
use crate::dataverse::Client;
use crate::error::Error;
use crate::host::Host;
use crate::settings::Settings;

/// One connection. Its tokens are dropped with it.
pub struct Session<H> {
    client: Client<H>,
}

impl<H: Host> Session<H> {
    /// Reads only the settings: the network and secrets are first used by the calls that need them.
    ///
    /// # Errors
    /// `InvalidSettings`.
    pub fn open(host: Rc<H>, settings: &str) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(host, Settings::parse(settings)?),
        })
    }

    /// The client of the environment's Web API.
    pub fn client(&self) -> &Client<H> {
        &self.client
    }

    /// Interactive sign-in.
    pub fn authorization(&self) -> Interactive<H> {
        let client = &self.client;
        let api_root = client.environment().api_root().clone();
        Interactive::new(Rc::clone(client.host()), client.settings(), api_root)
    }

    /// Tests the connection end to end: whether the environment can be reached, whether the
    /// application can sign in, whether the application is a user of the environment, what the
    /// environment is, and whether the account has the privileges for the purpose in the settings.
    pub async fn check(&self) -> Report {
        check::check(&self.client).await
    }

    /// Creates the role that the settings require, or adds the missing privileges to the role of
    /// that name in the root business unit. No privilege is removed from a role, and the role is
    /// not assigned to anyone. Calling it again changes nothing.
    ///
    /// # Errors
    /// `InvalidSettings` when the settings have no purpose, or the error of the service.
    /// [`Error::commit`] says what may have been changed: `Partial` when the role was created and
    /// its privileges were not added.
    pub async fn create_role(&self, name: &str) -> Result<RoleChange, Error> {
        create_role::create_role(&self.client, name).await
    }
}

#[cfg(test)]
mod tests;
