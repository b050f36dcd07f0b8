//! A directory that issues tokens and an environment that requires them.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use super::{Reply, Simulation};
use crate::host::{Header, Method, Request};

/// The API root of the simulated environment.
pub(crate) const API_ROOT: &str = "https://contoso.crm.dynamics.com/api/data/v9.2/";
/// The name of its client secret.
pub(crate) const SECRET_NAME: &str = "crm-secret";
/// The value, which is easy to find where it must not be.
pub(crate) const SECRET_VALUE: &str = "MARKER~secret&value=1";
/// Settings of a connection whose authority the environment names.
pub(crate) const SETTINGS: &str = r#"{
    "environment": "https://contoso.crm.dynamics.com",
    "auth": {
        "type": "client-secret",
        "clientId": "00001111-aaaa-2222-bbbb-3333cccc4444",
        "secret": "crm-secret"
    }
}"#;

/// A host whose environment and directory work. Tokens are `MARKER-token-1` and so on; every
/// request to the Web API with a token goes to `api`, every other gets the challenge.
///
/// A batch is split: `api` replies to each of its requests.
pub(crate) fn signed_in(mut api: impl FnMut(&Request) -> Reply + 'static) -> Rc<Simulation> {
    signed_in_with_batches(move |request| {
        if request.target.path_and_query.ends_with("/$batch") {
            batch(request, &mut api)
        } else {
            api(request)
        }
    })
}

/// Like [`signed_in`], but `api` gets whole batches.
pub(crate) fn signed_in_with_batches(
    mut api: impl FnMut(&Request) -> Reply + 'static,
) -> Rc<Simulation> {
    let tokens = Cell::new(0);
    let simulation = Simulation::new(move |request| {
        let authorization = request
            .headers
            .iter()
            .find(|header| header.name == "Authorization");
        match (request.method, request.target.authority.as_str()) {
            (Method::Post, "login.microsoftonline.com") => {
                tokens.set(tokens.get() + 1);
                Reply::json(&json!({
                    "token_type": "Bearer",
                    "expires_in": 3599,
                    "access_token": format!("MARKER-token-{}", tokens.get()),
                }))
            }
            (_, "contoso.crm.dynamics.com") if authorization.is_some() => api(request),
            (_, "contoso.crm.dynamics.com") => Reply::status(401).with(
                "WWW-Authenticate",
                "Bearer authorization_uri=https://login.microsoftonline.com/\
                 aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/authorize, \
                 resource_id=https://contoso.crm.dynamics.com/",
            ),
            _ => Reply::status(404),
        }
    });
    simulation.set_secret(SECRET_NAME, Ok(SECRET_VALUE));
    simulation
}

/// Replies to a batch of reads as Dataverse does with `odata.continue-on-error`.
pub(crate) fn batch(request: &Request, api: &mut impl FnMut(&Request) -> Reply) -> Reply {
    let text = String::from_utf8(request.body.clone().unwrap()).unwrap();
    let mut replies = Vec::new();
    for part in text.split("\r\nGET ").skip(1) {
        let (line, rest) = part.split_once(" HTTP/1.1\r\n").unwrap();
        let (head, _) = rest.split_once("\r\n\r\n").unwrap();
        let mut inner = request.clone();
        inner.method = Method::Get;
        inner.body = None;
        line.clone_into(&mut inner.target.path_and_query);
        inner.headers = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| Header::new(name.to_owned(), value))
            .collect();
        replies.push(api(&inner));
    }
    Reply::batch(replies)
}
