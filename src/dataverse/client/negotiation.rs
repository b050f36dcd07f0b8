//! Finding the version of the Web API that an environment supports.
//!
//! Environments in the cloud support the current version; servers on premises may stop at an
//! older one. That is not known beforehand, so the current version is tried, and the others only
//! when an environment that has not accepted any request yet seems not to know it.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::iter;

use super::Client;
use super::attempt::WebApiCall;
use crate::call::Budget;
use crate::dataverse::environment::Environment;
use crate::dataverse::link::Link;
use crate::dataverse::preferences::Prefer;
use crate::dataverse::request::Request;
use crate::dataverse::response::Response;
use crate::error::{Commit, Error};
use crate::host::Host;
use crate::settings::{ApiVersion, Settings};

/// What is known about the environment's version.
pub(super) struct Negotiation {
    /// At the version that the settings name, else at the current one.
    preferred: Environment,
    /// At an older version, when the environment supports only that.
    older: OnceCell<Environment>,
    /// Whether the version is certain.
    is_settled: Cell<bool>,
}

impl Negotiation {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            preferred: Environment::of(settings),
            older: OnceCell::new(),
            is_settled: Cell::new(settings.api_version.is_some()),
        }
    }

    /// The environment at the version that is used.
    pub(super) fn environment(&self) -> &Environment {
        self.older.get().unwrap_or(&self.preferred)
    }

    /// The request at the version that is used.
    fn current<'r>(&self, request: &'r Request<'r>) -> Result<Cow<'r, Request<'r>>, Error> {
        let environment = self.environment();
        let link = &*request.link;
        if link.is_below(environment) {
            return Ok(Cow::Borrowed(request));
        }
        let link = Link::resource(environment, link.below_root())?;
        Ok(Cow::Owned(request.at(link)))
    }
}

impl<H: Host> Client<H> {
    /// Sends a request. Signing in, renewing a token, limiting the rate, retrying what is safe
    /// to retry, finding the version that the environment supports and inflating the body happen
    /// inside.
    ///
    /// # Errors
    /// Why there is no successful response, by what the caller can do about it, and with what
    /// may have been changed.
    pub async fn send(&self, request: &Request<'_>) -> Result<Response, Error> {
        self.send_within(&mut Budget::new(self.policy), request)
            .await
    }

    /// Sends a request within the budget of a larger call.
    pub(super) async fn send_within(
        &self,
        budget: &mut Budget,
        request: &Request<'_>,
    ) -> Result<Response, Error> {
        let negotiation = self.negotiation();
        let tried = negotiation.current(request)?;
        let error = match self.send_as_is(budget, &tried).await {
            Ok(response) => {
                negotiation.is_settled.set(true);
                return Ok(response);
            }
            Err(error) => error,
        };
        if !is_unknown_version(&error) {
            return Err(error);
        }
        self.negotiate(budget).await?;
        // Another call may have found the version meanwhile.
        let current = negotiation.current(request)?;
        if current.link == tried.link {
            return Err(error);
        }
        self.send_as_is(budget, &current).await
    }

    /// Sends a request at the version that its link names.
    async fn send_as_is(
        &self,
        budget: &mut Budget,
        request: &Request<'_>,
    ) -> Result<Response, Error> {
        WebApiCall::new(self, request).send(budget).await
    }

    /// Looks for the newest version that the environment supports, once. It may be the current one,
    /// if only the resource is unknown.
    async fn negotiate(&self, budget: &mut Budget) -> Result<(), Error> {
        let negotiation = self.negotiation();
        if negotiation.is_settled.get() {
            return Ok(());
        }
        for version in iter::once(ApiVersion::CURRENT).chain(ApiVersion::OLDER) {
            let environment = negotiation.preferred.at(version);
            let link = Link::resource(&environment, "RetrieveVersion()")?;
            let request = Request::get(&link, &Prefer::default());
            match self.send_as_is(budget, &request).await {
                Ok(_) if version == ApiVersion::CURRENT => break,
                Ok(_) => {
                    // A concurrent call has found the same version.
                    let _ = negotiation.older.set(environment);
                    break;
                }
                Err(error) if is_unknown_version(&error) => {}
                Err(error) => return Err(error),
            }
        }
        negotiation.is_settled.set(true);
        Ok(())
    }
}

/// Whether a server that does not know the version would respond like this: it rejects the
/// address, without a fault of Dataverse.
fn is_unknown_version(error: &Error) -> bool {
    let is_plain = || error.fault.as_ref().is_some_and(|it| it.code.is_empty());
    matches!(error.status(), Some(400 | 404 | 501))
        && error.commit == Commit::NotStarted
        && is_plain()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::simulation::{Reply, SETTINGS, Simulation, address, signed_in};

    /// A server that supports these versions, and rejects others as its web server does.
    fn server(supported: &'static [&'static str], rejection: u16) -> Rc<Simulation> {
        signed_in(move |request| {
            let address = address(request);
            if supported
                .iter()
                .any(|version| address.contains(&format!("/api/data/v{version}/")))
            {
                Reply::json(&json!({"value": [], "Version": "9.1"}))
            } else {
                Reply::body(rejection, "<html>")
            }
        })
    }

    fn client(host: &Rc<Simulation>, version: &str) -> Client<Simulation> {
        let settings = SETTINGS.replacen('{', &format!("{{{version}"), 1);
        Client::new(Rc::clone(host), Settings::parse(&settings).unwrap())
    }

    fn data_requests(host: &Simulation) -> Vec<String> {
        let requests = host.requests();
        let addresses = requests.iter().map(address);
        addresses
            .filter_map(|address| Some(address.split_once("/api/data/")?.1.to_owned()))
            .skip(1)
            .collect()
    }

    #[test]
    fn the_newest_supported_version_is_found_once() {
        for rejection in [400, 404, 501] {
            let host = server(&["8.0", "8.1", "8.2", "9.0"], rejection);
            let client = client(&host, "");
            let identity = client.environment().identity().to_owned();
            let early = client.resource("accounts?$select=name").unwrap();
            host.block_on(client.get(&early, &Prefer::default()))
                .unwrap();
            assert_eq!(
                data_requests(&host),
                [
                    "v9.2/accounts?$select=name",
                    "v9.2/RetrieveVersion()",
                    "v9.1/RetrieveVersion()",
                    "v9.0/RetrieveVersion()",
                    "v9.0/accounts?$select=name",
                ]
            );
            // From now on nothing else is tried, whether the link is old, new or received.
            let root = "https://contoso.crm.dynamics.com/api/data/v9.0/";
            assert_eq!(client.environment().api_root().as_str(), root);
            let received = client
                .link(&format!("{root}contacts?$skiptoken=1"))
                .unwrap();
            for link in [early, client.resource("leads").unwrap(), received] {
                host.block_on(client.get(&link, &Prefer::default()))
                    .unwrap();
            }
            assert_eq!(
                data_requests(&host)[5..],
                [
                    "v9.0/accounts?$select=name",
                    "v9.0/leads",
                    "v9.0/contacts?$skiptoken=1"
                ]
            );
            // A link of another version leads out of the API, as before.
            let other = "https://contoso.crm.dynamics.com/api/data/v9.2/contacts";
            client.link(other).unwrap_err();
            // The identity that checkpoints are bound to does not depend on the version.
            assert_eq!(client.environment().identity(), identity);
        }
    }

    #[test]
    fn the_version_is_not_negotiated_after_an_accepted_request() {
        let host = signed_in(|request| {
            if address(request).ends_with("/accounts") {
                Reply::json(&json!({"value": []}))
            } else {
                Reply::status(404)
            }
        });
        let client = client(&host, "");
        let get = |name| {
            let link = client.resource(name).unwrap();
            host.block_on(client.get(&link, &Prefer::default()))
        };
        get("accounts").unwrap();
        assert_eq!(get("nothings").unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(data_requests(&host), ["v9.2/accounts", "v9.2/nothings"]);
    }

    #[test]
    fn a_resource_that_does_not_exist_changes_no_version() {
        let host = signed_in(|request| {
            if address(request).ends_with("/nothings") {
                Reply::status(404)
            } else {
                Reply::json(&json!({"value": [], "Version": "9.2"}))
            }
        });
        let client = client(&host, "");
        for (name, found) in [("nothings", false), ("accounts", true)] {
            let link = client.resource(name).unwrap();
            let response = host.block_on(client.get(&link, &Prefer::default()));
            assert_eq!(response.is_ok(), found);
        }
        assert_eq!(
            data_requests(&host),
            ["v9.2/nothings", "v9.2/RetrieveVersion()", "v9.2/accounts"]
        );
    }

    #[test]
    fn a_certain_version_is_not_negotiated() {
        // The settings name the version; or the fault is one of Dataverse.
        let named = server(&["9.0"], 404);
        let fault = signed_in(|_| Reply::fault(404, "0x8006088a", "Resource not found."));
        for (host, version) in [(named, "\"apiVersion\": \"9.1\","), (fault, "")] {
            let client = client(&host, version);
            let link = client.resource("accounts").unwrap();
            host.block_on(client.get(&link, &Prefer::default()))
                .unwrap_err();
            assert_eq!(data_requests(&host).len(), 1);
        }
    }

    #[test]
    fn without_a_supported_version_the_first_error_is_returned() {
        let host = server(&[], 404);
        let client = client(&host, "");
        let link = client.resource("accounts").unwrap();
        for requests in [7, 8] {
            let error = host
                .block_on(client.get(&link, &Prefer::default()))
                .unwrap_err();
            assert!(error.message.contains("cannot read accounts"), "{error}");
            assert_eq!(data_requests(&host).len(), requests);
        }
    }
}
