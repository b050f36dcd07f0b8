//! A person who is signed in at a browser.

use uuid::Uuid;

use crate::entra::Person;

/// A person signed in at a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::entra) struct SignedIn {
    pub(in crate::entra) person: Uuid,
    /// The person's generation then.
    pub(in crate::entra) generation: u64,
    /// When, in seconds since 1970.
    pub(in crate::entra) at: i64,
    pub(in crate::entra) second_factor: bool,
}

impl SignedIn {
    /// Whether it is still valid for the person: not revoked, and no second factor is missing.
    pub(in crate::entra) fn holds_for(&self, person: &Person) -> bool {
        self.person == person.id
            && self.generation == person.generation
            && (self.second_factor || person.verification_code.is_none())
    }
}
