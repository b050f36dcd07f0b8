//! Where the Web API is: its versions, and the organization's name in the path.

use super::version::ApiVersion;

/// Where the organization service of the SDK would be.
const SOAP: &str = "/XRMServices/2011/Organization.svc";

/// The paths that an environment serves.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServicePaths {
    /// The newest version that is served.
    pub(crate) newest: ApiVersion,
    /// The organization that may precede the service path; any if `None`.
    pub(crate) organization: Option<String>,
}

impl ServicePaths {
    /// Splits `/api/data/v9.2/accounts` or `/{org}/api/data/v9.2/accounts` into the service path
    /// without its last slash and what follows it.
    pub(crate) fn split<'a>(&self, path: &'a str) -> Option<(&'a str, &'a str)> {
        let after = self.below_organization(path)?.strip_prefix("/api/data/v")?;
        let version = after.split('/').next()?;
        if version.parse::<ApiVersion>().ok()? > self.newest {
            return None;
        }
        let end = path.len() - after.len() + version.len();
        let rest = path.get(end..)?;
        Some((path.get(..end)?, rest.strip_prefix('/').unwrap_or(rest)))
    }

    /// Whether the path is that of the SDK's organization service.
    pub(crate) fn is_soap(&self, path: &str) -> bool {
        path.starts_with(SOAP)
            || self
                .below_organization(path)
                .is_some_and(|path| path.starts_with(SOAP))
    }

    /// The path without an organization before it.
    fn below_organization<'a>(&self, path: &'a str) -> Option<&'a str> {
        if path.starts_with("/api/data/") {
            return Some(path);
        }
        let (organization, _) = path.strip_prefix('/')?.split_once('/')?;
        let is_it = self
            .organization
            .as_ref()
            .is_none_or(|known| known.eq_ignore_ascii_case(organization));
        is_it.then(|| path.get(1 + organization.len()..))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_root_may_stand_below_an_organization() {
        let paths = ServicePaths::default();
        for (path, expected) in [
            (
                "/api/data/v9.2/accounts(1)/name",
                Some(("/api/data/v9.2", "accounts(1)/name")),
            ),
            (
                "/contoso/api/data/v9.1/",
                Some(("/contoso/api/data/v9.1", "")),
            ),
            ("/api/data/v9.2", Some(("/api/data/v9.2", ""))),
            ("/", None),
            ("/api/data/", None),
            ("/api/data/v7.0/accounts", None),
            ("/a/b/api/data/v9.2/", None),
            ("/x", None),
        ] {
            assert_eq!(paths.split(path), expected, "{path}");
        }
    }

    #[test]
    fn an_older_server_serves_its_versions_and_its_organization() {
        let paths = ServicePaths {
            newest: ApiVersion::V8_2,
            organization: Some("Sales".to_owned()),
        };
        assert!(paths.split("/sales/api/data/v8.2/accounts").is_some());
        assert!(paths.split("/api/data/v8.0/accounts").is_some());
        assert_eq!(paths.split("/Sales/api/data/v9.0/accounts"), None);
        assert_eq!(paths.split("/Other/api/data/v8.2/accounts"), None);
        assert!(paths.is_soap("/Sales/XRMServices/2011/Organization.svc/web"));
        assert!(!paths.is_soap("/Other/XRMServices/2011/Organization.svc/web"));
    }
}
