//! The address of an environment.

use std::fmt;

use url::{Host, Url};

/// The address of an environment: an origin and, on servers that host several organizations
/// under one name, the organization's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentUrl(Url);

impl EnvironmentUrl {
    /// Reads the address as copied from a browser or an admin center.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut url = web_address(text)?;
        let segments: Vec<&str> = url
            .path_segments()
            .into_iter()
            .flatten()
            .filter(|segment| !segment.is_empty())
            .collect();
        let named = |segment: &&str| {
            segment
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
                && !segment.eq_ignore_ascii_case("api")
        };
        match segments.as_slice() {
            [] => {}
            [organization] if named(organization) => {}
            _ => {
                return Err("must be only the environment's address, such as \
                     https://contoso.crm.dynamics.com, without the path of a page or of the API"
                    .to_owned());
            }
        }
        let path = segments.concat();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address as a URL; its path is `/` or the organization's name.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The address without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether the environment runs on the machine of the host.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }
}

impl fmt::Display for EnvironmentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads an address that requests may be sent to: `https`, or `http` to this machine, with
/// nothing but host, port and path.
pub(super) fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|_| {
        "must be an address that begins with https://, such as https://contoso.crm.dynamics.com"
            .to_owned()
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or a password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not contain a query (?) or a fragment (#)".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(
            "must begin with https://; http:// is allowed only for this machine \
             (localhost, 127.0.0.1, [::1])"
                .to_owned(),
        ),
        _ => Err("must begin with https://".to_owned()),
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A version of the Web API, from 8.0 to 9.2 (reference 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    major: u8,
    minor: u8,
}

impl ApiVersion {
    /// The version that the service documents today.
    pub const CURRENT: Self = Self { major: 9, minor: 2 };

    /// Those before it, the newest first.
    pub(crate) const OLDER: [Self; 5] = [
        Self { major: 9, minor: 1 },
        Self { major: 9, minor: 0 },
        Self { major: 8, minor: 2 },
        Self { major: 8, minor: 1 },
        Self { major: 8, minor: 0 },
    ];

    /// Reads `9.2` or `v9.2`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        Self::OLDER
            .into_iter()
            .chain([Self::CURRENT])
            .find(|version| version.to_string() == text)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalized() {
        for (text, expected) in [
            (
                "https://contoso.crm.dynamics.com",
                "https://contoso.crm.dynamics.com",
            ),
            (
                " https://Contoso.CRM.dynamics.com/ ",
                "https://contoso.crm.dynamics.com",
            ),
            (
                "https://crm.contoso.com:8443/Sales/",
                "https://crm.contoso.com:8443/Sales",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost/", "http://localhost"),
            ("http://[::1]:1", "http://[::1]:1"),
        ] {
            assert_eq!(
                EnvironmentUrl::parse(text).unwrap().as_str(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for (text, reason) in [
            ("contoso.crm.dynamics.com", "begins with https://"),
            ("http://contoso.crm.dynamics.com", "only for this machine"),
            ("http://127.0.0.1.example.com", "only for this machine"),
            ("ftp://localhost", "must begin with https://"),
            ("https://me:pw@contoso.crm.dynamics.com", "user name"),
            ("https://contoso.crm.dynamics.com/?a=b", "query"),
            ("https://contoso.crm.dynamics.com/#a", "fragment"),
            (
                "https://contoso.crm.dynamics.com/main.aspx",
                "only the environment's address",
            ),
            (
                "https://contoso.crm.dynamics.com/api/data/v9.2",
                "only the environment's address",
            ),
            (
                "https://contoso.crm.dynamics.com/api",
                "only the environment's address",
            ),
        ] {
            let reason_found = EnvironmentUrl::parse(text).unwrap_err();
            assert!(reason_found.contains(reason), "{text}: {reason_found}");
        }
    }

    #[test]
    fn only_known_versions_are_accepted() {
        assert_eq!(ApiVersion::parse("9.2"), Some(ApiVersion::CURRENT));
        assert_eq!(ApiVersion::parse("v8.2").unwrap().to_string(), "8.2");
        assert!(ApiVersion::parse("8.0") < ApiVersion::parse("9.1"));
        for text in ["9", "9.3", "10.0", "09.2", "9.2.1", ""] {
            assert_eq!(ApiVersion::parse(text), None, "{text}");
        }
    }
}
