//! Origins: the unit in which a connector is allowed to reach the network.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// `scheme://host[:port]`: where outgoing requests may be addressed to.
///
/// `http` is for loopback hosts only, and so is the port `*`, which stands for every port.
///
/// ```
/// use dataverse_host::Origin;
///
/// let origin: Origin = "https://contoso.crm4.dynamics.com".parse()?;
/// assert_eq!(origin.to_string(), "https://contoso.crm4.dynamics.com:443");
/// assert!("http://contoso.crm4.dynamics.com".parse::<Origin>().is_err());
/// # Ok::<(), dataverse_host::OriginError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    secure: bool,
    /// As `url` writes it: lower case, internationalised names in ASCII, IPv6 in brackets.
    host: String,
    port: Port,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Port {
    Any,
    Number(u16),
}

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an origin that can be allowed: {reason}")]
pub struct OriginError {
    text: String,
    reason: &'static str,
}

impl Origin {
    /// Whether a request to this address is within the origin.
    pub fn covers(&self, uri: &http::Uri) -> bool {
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return false,
        };
        let Some(authority) = uri.authority() else {
            return false;
        };
        let port = authority
            .port_u16()
            .unwrap_or(if secure { 443 } else { 80 });
        // `user@host` is the same host, but no legitimate request has it.
        !authority.as_str().contains('@')
            && self.secure == secure
            && self.host.eq_ignore_ascii_case(authority.host())
            && (self.port == Port::Any || self.port == Port::Number(port))
    }
}

/// Whether a host name or literal means this machine.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refuse = |reason| OriginError {
            text: text.to_owned(),
            reason,
        };
        let (address, any_port) = match text.strip_suffix(":*") {
            Some(address) => (address, true),
            None => (text, false),
        };
        let url = url::Url::parse(address).map_err(|_| refuse("it cannot be parsed"))?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => {
                return Err(refuse(
                    "the scheme must be https, or http for loopback hosts",
                ));
            }
        };
        let host = url
            .host_str()
            .ok_or_else(|| refuse("it has no host"))?
            .to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it has a user name"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it has a path, a query or a fragment"));
        }
        let loopback = is_loopback_host(&host);
        if !secure && !loopback {
            return Err(refuse("http is allowed for loopback hosts only"));
        }
        let port = match (any_port, url.port_or_known_default()) {
            (true, _) if !loopback => {
                return Err(refuse("the port `*` is allowed for loopback hosts only"));
            }
            (true, _) => Port::Any,
            (false, Some(port)) => Port::Number(port),
            (false, None) => return Err(refuse("it has no port")),
        };
        Ok(Self { secure, host, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}:", self.host)?;
        match self.port {
            Port::Any => f.write_str("*"),
            Port::Number(port) => write!(f, "{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_covers_itself_and_nothing_else() {
        let cases = [
            (
                "https://org.crm4.dynamics.com",
                "https://org.crm4.dynamics.com/api?x=1",
                true,
            ),
            (
                "https://org.crm4.dynamics.com",
                "https://ORG.crm4.dynamics.com:443/",
                true,
            ),
            (
                "https://Org.CRM4.dynamics.com/",
                "https://org.crm4.dynamics.com/",
                true,
            ),
            (
                "https://org.crm4.dynamics.com",
                "http://org.crm4.dynamics.com/",
                false,
            ),
            (
                "https://org.crm4.dynamics.com",
                "https://org.crm4.dynamics.com:444/",
                false,
            ),
            (
                "https://org.crm4.dynamics.com",
                "https://x.org.crm4.dynamics.com/",
                false,
            ),
            (
                "https://org.crm4.dynamics.com",
                "https://org.crm4.dynamics.com.evil.org/",
                false,
            ),
            (
                "https://org.crm4.dynamics.com",
                "https://org.crm4.dynamics.com@evil.org/",
                false,
            ),
            (
                "https://org.crm4.dynamics.com",
                "https://me@org.crm4.dynamics.com/",
                false,
            ),
            (
                "https://org.crm4.dynamics.com",
                "https://org.crm4.dynamics.com./",
                false,
            ),
            ("https://org.crm4.dynamics.com", "/api", false),
            ("http://127.0.0.1:*", "http://127.0.0.1:8080/", true),
            ("http://127.0.0.1:*", "http://127.0.0.2:8080/", false),
            ("http://127.0.0.1:*", "https://127.0.0.1:8080/", false),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8081/", false),
            ("http://[::1]:80", "http://[::1]/x", true),
        ];
        for (origin, uri, expected) in cases {
            let uri: http::Uri = uri.parse().unwrap();
            assert_eq!(
                origin.parse::<Origin>().unwrap().covers(&uri),
                expected,
                "{origin} {uri}"
            );
        }
    }

    #[test]
    fn invalid_origins_are_refused() {
        for bad in [
            "",
            "org.crm4.dynamics.com",
            "http://org.crm4.dynamics.com",
            "https://org.crm4.dynamics.com:*",
            "https://user@org.crm4.dynamics.com",
            "https://org.crm4.dynamics.com/api",
            "https://org.crm4.dynamics.com?x",
            "https://*.dynamics.com:*",
            "ftp://127.0.0.1",
            "http://127.0.0.1.evil.org",
            "http://localhost.evil.org",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
