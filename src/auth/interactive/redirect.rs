//! Where a browser comes back to.

use url::Url;

use crate::error::{Error, ErrorKind};
use crate::settings::is_loopback;

/// The redirect URI as it was given: the authority compares it letter by letter.
///
/// # Errors
/// `InvalidSettings` unless it is `https`, or `http` to this machine. The address that
/// Microsoft keeps for native applications is `https` too.
pub(super) fn checked(text: &str) -> Result<&str, Error> {
    let refused = |reason: &str| {
        Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "the redirect address cannot be used: it {reason}; use one that is registered \
                 with the application, such as http://localhost:33333"
            ),
        )
    };
    let url = Url::parse(text).map_err(|_| refused("is not an absolute address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("holds a user name or a password"));
    }
    if text.contains('#') {
        return Err(refused("holds a fragment (#)"));
    }
    match url.scheme() {
        "https" => Ok(text),
        "http" if is_loopback(&url) => Ok(text),
        _ => Err(refused(
            "must begin with https://, or with http:// on this machine",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_taken() {
        for text in [
            "http://localhost:33333",
            "http://127.0.0.1/callback",
            "http://[::1]:1/",
            "https://platform.example/oauth/callback?tenant=1",
            "https://login.microsoftonline.com/common/oauth2/nativeclient",
        ] {
            assert_eq!(checked(text).unwrap(), text);
        }
        for text in [
            "",
            "localhost:33333",
            "/callback",
            "http://platform.example/callback",
            "http://localhost.example/",
            "https://me:pw@platform.example/",
            "https://platform.example/#x",
            "javascript:alert(1)",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            let error = checked(text).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidSettings, "{text}");
        }
    }
}
