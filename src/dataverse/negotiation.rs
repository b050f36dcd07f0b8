//! Finding the version of the Web API that an environment speaks.
//!
//! Environments in the cloud speak the current version; servers on premises may stop at an
//! older one. Nothing tells beforehand, so the current one is tried, and the others only when
//! an environment that has not answered yet seems not to know it.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::iter;

use super::batch::Asked;
use super::client::Client;
use super::environment::Environment;
use super::link::Link;
use super::message::{Answer, Prefer};
use crate::error::Error;
use crate::host::Host;
use crate::settings::{ApiVersion, Settings};

/// What is known about the environment's version.
pub(super) struct Negotiation {
    /// At the version that the settings name, else at the current one.
    asked: Environment,
    /// At an older version, when only that is spoken.
    older: OnceCell<Environment>,
    /// Whether the version is beyond doubt.
    settled: Cell<bool>,
}

impl Negotiation {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            asked: Environment::of(settings),
            older: OnceCell::new(),
            settled: Cell::new(settings.api_version.is_some()),
        }
    }

    /// The environment as it is spoken to.
    pub(super) fn environment(&self) -> &Environment {
        self.older.get().unwrap_or(&self.asked)
    }

    /// The same resource at the version that is spoken.
    fn current<'l>(&self, link: &'l Link) -> Result<Cow<'l, Link>, Error> {
        let environment = self.environment();
        if link.is_below(environment) {
            Ok(Cow::Borrowed(link))
        } else {
            Link::resource(environment, link.below_root()).map(Cow::Owned)
        }
    }
}

impl<H: Host> Client<H> {
    /// Reads a resource. Signing in, renewing a token, waiting out a throttled or failing
    /// service, finding the version that the environment speaks and inflating the body happen
    /// inside.
    ///
    /// # Errors
    /// What remains when patience is at its end, by what the caller can do about it.
    pub async fn get(&self, link: &Link, prefer: &Prefer) -> Result<Answer, Error> {
        self.ask(Asked::one(link), prefer).await
    }

    /// Reads a resource or a batch of them; else as [`get`](Self::get).
    pub(super) async fn ask(&self, asked: Asked<'_>, prefer: &Prefer) -> Result<Answer, Error> {
        let negotiation = self.negotiation();
        let link = asked.link;
        let tried = negotiation.current(link)?;
        let error = match self.fetch(asked.at(&tried), prefer).await {
            Ok(answer) => {
                negotiation.settled.set(true);
                return Ok(answer);
            }
            Err(error) => error,
        };
        if !is_unknown_version(&error) {
            return Err(error);
        }
        self.negotiate().await?;
        // Another call may have found the version meanwhile.
        let current = negotiation.current(link)?;
        if *current == *tried {
            return Err(error);
        }
        self.fetch(asked.at(&current), prefer).await
    }

    /// Looks for the newest version that the environment speaks, once. It may be the current
    /// one after all, and only the resource be unknown.
    async fn negotiate(&self) -> Result<(), Error> {
        let negotiation = self.negotiation();
        if negotiation.settled.get() {
            return Ok(());
        }
        for version in iter::once(ApiVersion::CURRENT).chain(ApiVersion::OLDER) {
            let environment = negotiation.asked.at(version);
            let link = Link::resource(&environment, "RetrieveVersion()")?;
            match self.fetch(Asked::one(&link), &Prefer::default()).await {
                Ok(_) if version == ApiVersion::CURRENT => break,
                Ok(_) => {
                    // Another call that looked at the same time has found the same.
                    let _ = negotiation.older.set(environment);
                    break;
                }
                Err(error) if is_unknown_version(&error) => {}
                Err(error) => return Err(error),
            }
        }
        negotiation.settled.set(true);
        Ok(())
    }
}

/// Whether a server that does not know the version would answer like this: it refuses the
/// address, without a fault of Dataverse.
fn is_unknown_version(error: &Error) -> bool {
    let is_plain = || error.fault.as_ref().is_some_and(|it| it.code.is_empty());
    matches!(error.status(), Some(400 | 404 | 501)) && is_plain()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;
    use crate::error::ErrorKind;
    use crate::simulation::{Reply, SETTINGS, Simulation, address, signed_in};

    /// A server that speaks these versions, and answers others as its web server does.
    fn server(spoken: &'static [&'static str], refusal: u16) -> Rc<Simulation> {
        signed_in(move |request| {
            let address = address(request);
            if spoken
                .iter()
                .any(|version| address.contains(&format!("/api/data/v{version}/")))
            {
                Reply::json(&json!({"value": [], "Version": "9.1"}))
            } else {
                Reply::body(refusal, "<html>")
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
    fn the_newest_version_that_is_spoken_is_found_once() {
        for refusal in [400, 404, 501] {
            let host = server(&["8.0", "8.1", "8.2", "9.0"], refusal);
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
            // Checkpoints stay good, whatever was found.
            assert_eq!(client.environment().identity(), identity);
        }
    }

    #[test]
    fn an_environment_that_has_answered_is_taken_at_its_word() {
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
    fn what_only_one_resource_lacks_is_no_matter_of_versions() {
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
            let answer = host.block_on(client.get(&link, &Prefer::default()));
            assert_eq!(answer.is_ok(), found);
        }
        assert_eq!(
            data_requests(&host),
            ["v9.2/nothings", "v9.2/RetrieveVersion()", "v9.2/accounts"]
        );
    }

    #[test]
    fn nothing_is_negotiated_where_nothing_is_in_doubt() {
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
    fn where_no_version_is_spoken_the_first_answer_is_told() {
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
