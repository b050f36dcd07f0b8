//! The tenant and the protocol version of an endpoint of the authority.

use uuid::Uuid;

/// The forms of the endpoints differ in how the resource is named and in the responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `/oauth2/…`: the parameter `resource` names what the token is for.
    V1,
    /// `/oauth2/v2.0/…`: `scope` does.
    V2,
    /// `/adfs/oauth2/…`: as v1, with AD FS's own messages.
    AdFs,
}

/// The endpoint's authority.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The authority's origin as the client named it.
    pub(super) base: &'a str,
    pub(super) dialect: Dialect,
    /// The first segment of the path, such as `contoso.example` or `organizations`.
    pub(super) name: &'a str,
    /// The tenant it names; `None` where people of any may sign in.
    pub(super) tenant: Option<Uuid>,
}

impl Place<'_> {
    /// The `iss` of access tokens.
    pub(super) fn issuer(&self, tenant: Uuid) -> String {
        match self.dialect {
            Dialect::AdFs => format!("{}/adfs/services/trust", self.base),
            Dialect::V1 | Dialect::V2 => format!("{}/{tenant}/", self.base),
        }
    }

    /// The `iss` of id tokens.
    pub(super) fn id_issuer(&self, tenant: Uuid) -> String {
        match self.dialect {
            Dialect::AdFs => format!("{}/adfs", self.base),
            Dialect::V1 => format!("{}/{tenant}/", self.base),
            Dialect::V2 => format!("{}/{tenant}/v2.0", self.base),
        }
    }
}
