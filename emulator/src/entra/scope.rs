//! The requested scope: a resource, and with it a refresh or an id token (reference §2.1).

use super::error::EntraError;

/// The only permission Dataverse offers to people.
pub(super) const USER_IMPERSONATION: &str = "user_impersonation";

/// Microsoft Graph: the resource of a request that names none.
pub(super) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// What an application requests on behalf of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requested {
    /// The resource as the client names it, the token's `aud`.
    pub(super) audience: String,
    /// Whether `/.default` was requested.
    pub(super) default: bool,
    pub(super) refresh_token: bool,
    pub(super) id_token: bool,
}

impl Requested {
    /// Reads a `scope` of the v2 endpoints.
    pub(super) fn parse(scope: &str) -> Result<Self, EntraError> {
        let mut requested = Self {
            audience: String::new(),
            default: false,
            refresh_token: false,
            id_token: false,
        };
        let mut permissions = 0;
        for item in scope.split_whitespace() {
            match item {
                "offline_access" => requested.refresh_token = true,
                "openid" => requested.id_token = true,
                "profile" | "email" => {}
                _ => {
                    let (audience, permission) = item
                        .rsplit_once('/')
                        .filter(|(audience, _)| !audience.is_empty())
                        .ok_or_else(|| EntraError::unknown_permission(item, GRAPH))?;
                    match permission {
                        ".default" => requested.default = true,
                        USER_IMPERSONATION => {}
                        other => return Err(EntraError::unknown_permission(other, audience)),
                    }
                    if permissions > 0 && requested.audience != audience {
                        return Err(EntraError::several_resources(scope));
                    }
                    audience.clone_into(&mut requested.audience);
                    permissions += 1;
                }
            }
        }
        if requested.default && permissions > 1 {
            return Err(EntraError::default_with_others(scope));
        }
        if requested.audience.is_empty() {
            GRAPH.clone_into(&mut requested.audience);
        }
        Ok(requested)
    }

    /// What the v1 endpoints mean by `resource`: they always issue every kind of token.
    pub(super) fn resource(resource: &str) -> Self {
        Self {
            audience: resource.to_owned(),
            default: false,
            refresh_token: true,
            id_token: true,
        }
    }

    /// The `scope` of a v2 response.
    pub(super) fn granted(&self) -> String {
        let audience = &self.audience;
        if audience == GRAPH {
            return "openid profile email".to_owned();
        }
        let default = if self.default {
            format!(" {audience}/.default")
        } else {
            String::new()
        };
        format!("{audience}/{USER_IMPERSONATION}{default}")
    }
}

/// The resource of a `scope` for an application itself: nothing but `{resource}/.default`.
pub(super) fn application_resource(scope: &str) -> Result<&str, EntraError> {
    scope
        .trim()
        .strip_suffix("/.default")
        .filter(|resource| !resource.is_empty() && !resource.contains(' '))
        .ok_or_else(|| EntraError::invalid_scope(scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_name_one_resource() {
        let requested =
            Requested::parse("https://org.example//user_impersonation offline_access").unwrap();
        assert_eq!(requested.audience, "https://org.example/");
        assert!(requested.refresh_token && !requested.id_token);
        assert_eq!(
            requested.granted(),
            "https://org.example//user_impersonation"
        );

        let default = Requested::parse("openid https://org.example/.default profile").unwrap();
        assert_eq!(
            default.granted(),
            "https://org.example/user_impersonation https://org.example/.default"
        );
        assert_eq!(Requested::parse("openid").unwrap().audience, GRAPH);

        for (scope, code) in [
            ("https://a/.default https://b/.default", 28_000),
            ("https://a/.default https://a/user_impersonation", 70_011),
            ("https://a/Read.All", 650_053),
            ("user_impersonation", 650_053),
        ] {
            assert_eq!(Requested::parse(scope).unwrap_err().code(), code, "{scope}");
        }
    }
}
