//! The authority that the settings name.

use std::fmt;

use url::Url;

use super::cloud::PUBLIC;
use super::environment::web_address;

/// An authority that the settings name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedAuthority {
    /// Microsoft Entra, by its origin.
    Entra(Url),
    /// An AD FS server, by the base of its endpoints, such as
    /// `https://adfs.contoso.com/adfs` (reference 1.5).
    AdFs(Url),
}

impl NamedAuthority {
    /// Reads `https://login.example.com` or `https://adfs.example.com/adfs`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut url = web_address(text)?;
        match url.path().trim_end_matches('/') {
            "" => Ok(Self::Entra(url)),
            path if path.eq_ignore_ascii_case("/adfs") => {
                let path = path.to_owned();
                url.set_path(&path);
                Ok(Self::AdFs(url))
            }
            _ => Err(format!(
                "must be only an origin, such as {PUBLIC} (put the tenant into \"tenant\"), \
                 or the base of an AD FS server, such as https://adfs.contoso.com/adfs"
            )),
        }
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> String {
        let (Self::Entra(url) | Self::AdFs(url)) = self;
        url.origin().ascii_serialization()
    }
}

impl fmt::Display for NamedAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Entra(url) | Self::AdFs(url)) = self;
        f.write_str(url.as_str().trim_end_matches('/'))
    }
}
