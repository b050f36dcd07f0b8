//! People who sign in.

use uuid::Uuid;

/// A person of a tenant.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The object identifier, the token's `oid`.
    pub id: Uuid,
    /// The person's home.
    pub tenant: Uuid,
    /// The name to sign in with, such as `ada@example.com`.
    pub user_principal_name: String,
    /// The name to show.
    pub name: String,
    /// The password; never shown by `Debug`.
    pub password: String,
    /// Whether the person may consent for the tenant.
    pub administrator: bool,
    /// Whether sign-in is rejected (AADSTS50057).
    pub disabled: bool,
    /// Whether a policy blocks the person (AADSTS53003).
    pub blocked: bool,
    /// The verification code required besides the password.
    pub verification_code: Option<String>,
    /// Grants of an earlier generation are revoked (AADSTS50173).
    pub(in crate::entra) generation: u64,
    /// When the generation began, in seconds since 1970.
    pub(in crate::entra) valid_from: i64,
}

impl Person {
    /// A person with this password who is not an administrator.
    pub fn new(
        id: Uuid,
        tenant: Uuid,
        user_principal_name: impl Into<String>,
        name: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        Self {
            id,
            tenant,
            user_principal_name: user_principal_name.into(),
            name: name.into(),
            password: password.into(),
            administrator: false,
            disabled: false,
            blocked: false,
            verification_code: None,
            generation: 0,
            valid_from: 0,
        }
    }

    /// Revokes every grant the person has given so far.
    pub(crate) fn revoke_grants(&mut self, now: i64) {
        self.generation += 1;
        self.valid_from = now;
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("user_principal_name", &self.user_principal_name)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}
