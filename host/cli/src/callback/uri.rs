//! Redirect URIs on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// A redirect URI on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callback {
    /// As the user wrote it: services compare it character by character.
    pub(super) text: String,
    pub(super) url: Url,
}

impl FromStr for Callback {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if url.scheme() != "http" || loopback(&url).is_empty() || !bare {
            return Err(
                "use http:// with localhost, 127.0.0.1 or [::1], a port, and at most a path: this \
                 program listens on this machine only"
                    .to_owned(),
            );
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }
}

impl Callback {
    pub(super) fn with_port(&self, port: u16) -> Self {
        let mut url = self.url.clone();
        // Only URLs without a host refuse a port.
        let _accepted = url.set_port(Some(port));
        let text = if self.text.ends_with('/') {
            url.as_str()
        } else {
            url.as_str().trim_end_matches('/')
        };
        Self {
            text: text.to_owned(),
            url,
        }
    }
}

/// The loopback addresses of a URL's host; none if it is another machine's.
pub(super) fn loopback(url: &Url) -> Vec<IpAddr> {
    match url.host() {
        Some(Host::Domain("localhost")) => {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
        Some(Host::Ipv4(address)) if address.is_loopback() => vec![address.into()],
        Some(Host::Ipv6(address)) if address.is_loopback() => vec![address.into()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_redirect_uris_are_accepted() {
        for good in [
            "http://localhost:33333",
            "http://127.0.0.1:1/a/b",
            "http://[::1]:5/",
            "http://localhost",
        ] {
            assert!(good.parse::<Callback>().is_ok(), "{good}");
        }
        for bad in [
            "https://localhost:33333",
            "http://0.0.0.0:33333",
            "http://localhost.example:1",
            "http://192.168.0.1:1",
            "http://localhost:1/?a=b",
            "http://localhost:1/#a",
            "http://user@localhost:1",
            "urn:ietf:wg:oauth:2.0:oob",
            "localhost:33333",
        ] {
            assert!(bad.parse::<Callback>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_uri_is_kept_as_written() {
        for (text, with_port) in [
            ("http://localhost:0", "http://localhost:7"),
            ("http://localhost:0/", "http://localhost:7/"),
            ("http://127.0.0.1:0/callback", "http://127.0.0.1:7/callback"),
        ] {
            let callback: Callback = text.parse().unwrap();
            assert_eq!(callback.text, text);
            assert_eq!(callback.with_port(7).text, with_port);
        }
    }
}
