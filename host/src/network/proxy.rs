//! An HTTP proxy.

use std::str::FromStr;

/// An HTTP proxy that opens tunnels (`CONNECT`, RFC 9110, section 9.3.6).
///
/// TLS runs through the tunnel to the service itself; the proxy sees names and amounts of data.
/// Loopback hosts are reached without it. It resolves the names of all others, so the check of
/// their addresses is up to the proxy.
///
/// ```
/// use dataverse_host::Proxy;
///
/// assert!("http://proxy.contoso.com:3128".parse::<Proxy>().is_ok());
/// assert!("socks5://proxy.contoso.com".parse::<Proxy>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(super) uri: http::Uri,
}

/// Why a text is not a proxy's address. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proxy's address {reason}; write it as http://proxy.contoso.com:3128")]
pub struct ProxyError {
    reason: &'static str,
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let refuse = |reason| ProxyError { reason };
        let url = url::Url::parse(text).map_err(|_| refuse("cannot be parsed"))?;
        if url.scheme() != "http" {
            return Err(refuse("must begin with http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "has a user name, and credentials are not sent to a proxy",
            ));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("has a path, a query or a fragment"));
        }
        let uri = url.as_str().parse();
        Ok(Self {
            uri: uri.map_err(|_| refuse("cannot be parsed"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_and_passwords_not_repeated() {
        for good in [
            "http://proxy:3128",
            "http://10.0.0.1:8080/",
            "http://[::1]:1",
            "http://p",
        ] {
            assert!(good.parse::<Proxy>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "proxy:3128",
            "https://proxy:3128",
            "http://me:hunter2@proxy:3128",
            "http://proxy:3128/x",
        ] {
            let refused = bad.parse::<Proxy>().unwrap_err().to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
