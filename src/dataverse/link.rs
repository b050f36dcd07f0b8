//! Addresses below the API root of the environment.
//!
//! A token goes to one origin only. Every request goes to a [`Link`], and a link exists only
//! for an address below the API root: what the service sends as `nextLink` or `deltaLink` is
//! checked like any other text from outside.

use std::fmt;

use url::Url;

use super::environment::Environment;
use crate::error::{Error, ErrorKind};
use crate::host::Target;
use crate::text::one_line;

/// The longest address that the service accepts in a batch, in characters (reference 4.12).
const MAX_LENGTH: usize = 65_536;
/// The longest one that it accepts in a request of its own.
const MAX_LENGTH_ALONE: usize = 32_768;

/// An absolute address below the API root.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    text: String,
    target: Target,
    /// How long the API root's path is, at the beginning of the target's.
    root_length: usize,
}

impl Link {
    /// The address of a resource, relative to the API root and already percent-encoded.
    pub(super) fn resource(environment: &Environment, resource: &str) -> Result<Self, Error> {
        let text = format!("{}{resource}", environment.api_root());
        if text.len() > MAX_LENGTH {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "cannot send the request for {}: its address is longer than the {MAX_LENGTH} \
                     characters that Dataverse accepts; select fewer columns",
                    one_line(resource.split(['?', '(']).next().unwrap_or_default(), 100),
                ),
            ));
        }
        Self::check(environment, &text).map_err(|reason| {
            Error::new(
                ErrorKind::Internal,
                format!("invalid address: {reason}; this is a defect of the connector"),
            )
        })
    }

    /// An address as the service sent it, kept unchanged. One without an origin gets the
    /// environment's, and one that begins with a resource gets the API root.
    pub(super) fn received(environment: &Environment, text: &str) -> Result<Self, Error> {
        let begin = text.split(['/', '?', '(']).next().unwrap_or_default();
        let before = if text.starts_with('/') && !text.starts_with("//") {
            environment.origin()
        } else if !begin.is_empty() && !begin.contains(':') {
            environment.api_root().to_string()
        } else {
            String::new()
        };
        Self::check(environment, &(before + text)).map_err(|reason| {
            Error::new(
                ErrorKind::Unavailable,
                format!(
                    "cannot follow a link of the service: {reason}; if a proxy rewrites addresses, \
                     set \"environment\" to the address in the links"
                ),
            )
        })
    }

    fn check(environment: &Environment, text: &str) -> Result<Self, String> {
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err("it contains an invalid character".to_owned());
        }
        let mut url = Url::parse(text).map_err(|_| "it is not an absolute address".to_owned())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it contains a user name or a password".to_owned());
        }
        if url.fragment().is_some() {
            return Err("it contains a fragment".to_owned());
        }
        let root = environment.api_root();
        let host = root.host_str();
        if url.host_str().and_then(|host| host.strip_suffix('.')) == host {
            // The dot only marks the name as complete.
            let _ = url.set_host(host);
        }
        if url.origin() != root.origin() {
            return Err(format!(
                "its origin is {} and not {}",
                url.origin().ascii_serialization(),
                environment.origin()
            ));
        }
        let mut target = Target::from(&url);
        if let Some(verbatim) = path_and_query(text).filter(|text| text.chars().all(sendable)) {
            verbatim.clone_into(&mut target.path_and_query);
        }
        let path = target.path_and_query.split('?').next().unwrap_or_default();
        if !path.starts_with(root.path()) || has_dot_segments(path) {
            return Err(format!("it is not below {root}"));
        }
        Ok(Self {
            text: text.to_owned(),
            target,
            root_length: root.path().len(),
        })
    }

    /// The address as it was made or received.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where the request goes: path and query as in the text, unless they contain a character
    /// that HTTP does not allow.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether it is below the API root of this version of its environment.
    pub(super) fn is_below(&self, environment: &Environment) -> bool {
        let root = environment.api_root().path();
        self.target.path_and_query.starts_with(root)
    }

    /// Whether it is too long for a request of its own, and must be sent in a batch.
    pub(super) fn is_long(&self) -> bool {
        self.text.len() > MAX_LENGTH_ALONE
    }

    /// The path of the API root, with a slash at its end.
    pub(super) fn root(&self) -> &str {
        self.target
            .path_and_query
            .get(..self.root_length)
            .unwrap_or_default()
    }

    /// What follows the API root, as it is sent.
    pub(crate) fn below_root(&self) -> &str {
        self.target
            .path_and_query
            .get(self.root_length..)
            .unwrap_or_default()
    }

    /// Whether it is the content of a file and not JSON.
    pub(super) fn is_raw(&self) -> bool {
        is_raw(self.below_root())
    }

    /// The resource, for messages: the part between the API root and the query.
    pub fn resource_name(&self) -> &str {
        match self.below_root().split('?').next().unwrap_or_default() {
            "" => "the API root",
            name => name,
        }
    }
}

/// Whether a path is that of a value as it is stored (reference 4.10).
pub(super) fn is_raw(path_and_query: &str) -> bool {
    let path = path_and_query.split('?').next().unwrap_or_default();
    path.ends_with("/$value")
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.text).finish()
    }
}

/// What follows the authority in the text of an address.
fn path_and_query(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let plain = scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    plain
        .then(|| rest.find(['/', '?']).and_then(|start| rest.get(start..)))
        .flatten()
}

/// Whether a request line may hold the character as it is.
fn sendable(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '#')
}

/// Whether a server could resolve the path to one outside it, by dots and slashes that are plain
/// or percent-encoded.
fn has_dot_segments(path: &str) -> bool {
    let mut decoded = path.to_ascii_lowercase();
    // Twice, for servers that decode twice.
    for _ in 0..2 {
        for (code, character) in [("%25", "%"), ("%2e", "."), ("%2f", "/"), ("%5c", "/")] {
            decoded = decoded.replace(code, character);
        }
    }
    decoded
        .split('/')
        .any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::settings::{ApiVersion, EnvironmentUrl};

    const HOST: &str = "contoso.crm.dynamics.com";
    const ROOT: &str = "https://contoso.crm.dynamics.com/api/data/v9.2/";

    fn environment(address: &str) -> Environment {
        Environment::new(
            &EnvironmentUrl::parse(address).unwrap(),
            ApiVersion::CURRENT,
        )
    }

    fn contoso() -> Environment {
        environment("https://contoso.crm.dynamics.com")
    }

    #[test]
    fn a_link_is_sent_unchanged() {
        let cookie = "accounts?$select=name&$filter=name eq 'x'&$skiptoken=%3Ccookie%20page\
                      number=%222%22%20pagingcookie=%22%253ccookie%2520%22%20/%3E"
            .replace(' ', "%20");
        let text = format!("{ROOT}{cookie}");
        let link = Link::received(&contoso(), &text).unwrap();
        assert_eq!(link.as_str(), text);
        assert_eq!(
            link.target().path_and_query,
            format!("/api/data/v9.2/{cookie}")
        );
        assert_eq!(link.resource_name(), "accounts");
        // Characters that HTTP does not allow are encoded.
        let link = Link::received(&contoso(), &format!("{ROOT}accounts?$filter=\"ä b\"")).unwrap();
        assert!(
            link.target()
                .path_and_query
                .ends_with("accounts?$filter=%22%C3%A4%20b%22")
        );
    }

    #[test]
    fn each_spelling_of_the_api_root_is_accepted() {
        for text in [
            ROOT.to_owned(),
            format!("{ROOT}accounts(00000000-0000-0000-0000-000000000001)/name"),
            ROOT.replace("contoso", "CONTOSO"),
            ROOT.replace("https://contoso", "HTTPS://Contoso"),
            ROOT.replace(".com/", ".com:443/"),
            ROOT.replace(".com/", ".com./"),
            ROOT.replace(".com/", ".COM.:443/"),
            format!("{ROOT}accounts?$filter=contains(name,'../..')"),
        ] {
            let link = Link::received(&contoso(), &text).unwrap();
            assert_eq!(link.target().authority, HOST, "{text}");
        }
        let local = environment("http://127.0.0.1:8080/Sales");
        Link::received(&local, "http://127.0.0.1:8080/Sales/api/data/v9.2/accounts").unwrap();
        Link::received(&local, "http://127.0.0.1:8080/api/data/v9.2/accounts").unwrap_err();
    }

    #[test]
    fn relative_links_are_completed() {
        for (text, expected) in [
            ("accounts?$skiptoken=1", "accounts?$skiptoken=1"),
            ("/api/data/v9.2/accounts?x=a://b", "accounts?x=a://b"),
            ("accounts(1)/tasks", "accounts(1)/tasks"),
        ] {
            let link = Link::received(&contoso(), text).unwrap();
            assert_eq!(link.as_str(), format!("{ROOT}{expected}"));
            assert_eq!(link.below_root(), expected);
        }
    }

    #[test]
    fn every_other_address_is_rejected() {
        for text in [
            "",
            "?$skiptoken=1",
            "../accounts",
            "accounts/../../x",
            "/api/data/v9.1/accounts",
            "//contoso.crm.dynamics.com/api/data/v9.2/accounts",
            "https://evil.example/api/data/v9.2/accounts",
            "http://contoso.crm.dynamics.com/api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com:444/api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com.evil.example/api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com../api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com.:444/api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com@evil.example/api/data/v9.2/accounts",
            "https://me@contoso.crm.dynamics.com/api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com\\@evil.example/api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com/api/data/v9.1/accounts",
            "https://contoso.crm.dynamics.com/api/data/v9.2",
            "https://contoso.crm.dynamics.com/api/data/v9.20/accounts",
            "https://contoso.crm.dynamics.com/API/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com/api/data/v9.2/../../x",
            "https://contoso.crm.dynamics.com/api/data/v9.2/%2e%2E/%2e./x",
            "https://contoso.crm.dynamics.com/api/data/v9.2/..%2f..%2fx",
            "https://contoso.crm.dynamics.com/api/data/v9.2/..%5c..%5cx",
            "https://contoso.crm.dynamics.com/api/data/v9.2/%252e%252e%252fx",
            "https://contoso.crm.dynamics.com/x/../api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com?/api/data/v9.2/accounts",
            "https://contoso.crm.dynamics.com/api/data/v9.2/accounts#x",
            "https://contoso.crm.dynamics.com/api/data/v9.2/acc\tounts",
            "https://contoso.crm.dynamics.com/api/data/v9.2/accounts\r\nX: y",
            "https:contoso.crm.dynamics.com/x?a://b/api/data/v9.2/accounts",
            "javascript:alert(1)",
            "file:///api/data/v9.2/accounts",
        ] {
            let rejected = Link::received(&contoso(), text);
            assert!(rejected.is_err(), "{text:?} became {rejected:?}");
        }
    }

    #[test]
    fn a_too_long_address_is_rejected_before_it_is_sent() {
        let columns = "x".repeat(70_000);
        let error = Link::resource(&contoso(), &format!("accounts?$select={columns}")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(
            error
                .message
                .contains("cannot send the request for accounts: its address is longer"),
            "{error}"
        );
    }

    proptest! {
        /// Every accepted text is an address of the environment, below the API root.
        #[test]
        fn no_text_is_accepted_as_a_link_to_another_place(
            scheme in prop_oneof![Just("https://"), Just("https:"), Just("//"), Just("http://")],
            user in prop_oneof![Just(""), Just("a@"), Just("a:b@"), Just("contoso.crm.dynamics.com@"),
                Just("\\@"), Just("%40")],
            host in prop_oneof![4 => Just(HOST.to_owned()), 1 => Just(format!("{HOST}.")),
                1 => "[a-z.]{1,12}"],
            port in prop_oneof![3 => Just(""), 1 => Just(":443"), 1 => Just(":80"), 1 => Just(":")],
            path in "(/api/data/v9\\.2/)?([a-z./\\\\%?#@:]|%2e|%2f|%5c|%25|\\.\\.){0,12}",
        ) {
            let text = format!("{scheme}{user}{host}{port}{path}");
            if let Ok(link) = Link::received(&contoso(), &text) {
                let target = link.target();
                prop_assert!(target.secure);
                prop_assert_eq!(&target.authority, HOST);
                prop_assert!(user.is_empty());
                let path = target.path_and_query.split('?').next().unwrap();
                prop_assert!(path.starts_with("/api/data/v9.2/"));
                let decoded = path.replace("%25", "%").replace("%2e", ".").replace("%2f", "/")
                    .replace("%5c", "/");
                prop_assert!(!decoded.split('/').any(|part| part == ".."), "{}", text);
            }
        }

        #[test]
        fn composed_addresses_stay_below_the_root(resource in "[A-Za-z0-9_/.,()'=$&? äß%]{0,60}") {
            let query = super::super::query::Query::new(&resource).option("$filter", &resource);
            if let Ok(link) = Link::resource(&contoso(), query.as_str()) {
                prop_assert!(link.target().path_and_query.starts_with("/api/data/v9.2/"));
            }
        }
    }
}
