//! One connection, and whether it works.

mod check;
mod privileges;
mod report;
mod role;

use std::rc::Rc;

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

/// One connection. Tokens live and die with it.
pub struct Session<H> {
    client: Client<H>,
}

impl<H: Host> Session<H> {
    /// Reads the settings and nothing else: neither the network nor a secret is touched
    /// before the first call that needs it.
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

    /// Signing in where a person must take part.
    pub fn authorization(&self) -> Interactive<H> {
        let client = &self.client;
        let api_root = client.environment().api_root().clone();
        Interactive::new(Rc::clone(client.host()), client.settings(), api_root)
    }

    /// Tests the connection end to end: whether the environment can be reached, whether the
    /// application can sign in, whether the environment lets it in, and what it finds there.
    pub async fn check(&self) -> Report {
        check::check(&self.client).await
    }
}

#[cfg(test)]
mod tests;
