//! Requests to the Web API: signed in, patient, polite.

use std::rc::Rc;

use serde::de::DeserializeOwned;

use super::environment::Environment;
use super::link::Link;
use super::message::{Answer, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::settings::Settings;

/// A client of one environment's Web API. Clones share tokens and restraint.
pub struct Client<H> {
    inner: Rc<Inner<H>>,
}

struct Inner<H> {
    host: Rc<H>,
    settings: Settings,
    environment: Environment,
}

impl<H> Clone for Client<H> {
    fn clone(&self) -> Self {
        Self { inner: Rc::clone(&self.inner) }
    }
}

impl<H: Host> Client<H> {
    /// A client that has not yet signed in; nothing is sent.
    pub fn new(host: Rc<H>, settings: Settings) -> Self {
        let environment = Environment::new(&settings.environment, settings.api_version);
        Self { inner: Rc::new(Inner { host, settings, environment }) }
    }

    /// The ports.
    pub fn host(&self) -> &Rc<H> {
        &self.inner.host
    }

    /// The settings of the connection.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Where the Web API is.
    pub fn environment(&self) -> &Environment {
        &self.inner.environment
    }

    /// The address of a resource below the API root, percent-encoded as
    /// [`query`](super::query) does it.
    ///
    /// # Errors
    /// `Unsupported` when it is longer than the service takes.
    pub fn resource(&self, path_and_query: &str) -> Result<Link, Error> {
        Link::resource(&self.inner.environment, path_and_query)
    }

    /// A `nextLink` or `deltaLink` as the service sent it.
    ///
    /// # Errors
    /// `Unavailable` when it leads elsewhere than below the API root.
    pub fn link(&self, absolute: &str) -> Result<Link, Error> {
        Link::received(&self.inner.environment, absolute)
    }

    /// Reads a resource. Signing in, renewing a token, waiting out a throttled or failing
    /// service and inflating the body happen inside.
    ///
    /// # Errors
    /// What remains when patience is at its end, by what the caller can do about it.
    pub async fn get(&self, link: &Link, prefer: &Prefer) -> Result<Answer, Error> {
        let _ = (link, prefer);
        Err(Error::new(ErrorKind::Internal, "not yet"))
    }

    /// Reads a resource and parses it.
    ///
    /// # Errors
    /// As for [`get`](Self::get), and `Unavailable` when the body is not what was expected.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        link: &Link,
        prefer: &Prefer,
    ) -> Result<T, Error> {
        let answer = self.get(link, prefer).await?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            Error::new(
                ErrorKind::Unavailable,
                format!("the answer for {} cannot be read: {error}", link.resource_name()),
            )
        })
    }
}
