//! The redirect address of a browser.

use url::Url;

use crate::error::{Error, ErrorKind};
use crate::settings::is_loopback;

/// The redirect URI unchanged: the authority compares it exactly.
///
/// # Errors
/// `InvalidSettings` unless it is `https`, or `http` to this machine. Microsoft's redirect address
/// for native applications is `https` too.
pub(super) fn checked(text: &str) -> Result<&str, Error> {
    let invalid = |reason: &str| {
        Error::new(
            ErrorKind::InvalidSettings,
            format!(
                "invalid redirect address: it {reason}; use one that is registered \
                 with the application, such as http://localhost:33333"
            ),
        )
    };
    let url = Url::parse(text).map_err(|_| invalid("is not an absolute address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("contains a user name or a password"));
    }
    if text.contains('#') {
        return Err(invalid("contains a fragment (#)"));
    }
    match url.scheme() {
        "https" => Ok(text),
        "http" if is_loopback(&url) => Ok(text),
        _ => Err(invalid(
            "must begin with https://, or with http:// on this machine",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_accepted() {
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
