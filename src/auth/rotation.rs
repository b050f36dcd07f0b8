//! The rotation of refresh tokens.

use std::cell::RefCell;

use crate::host::Secret;

/// A refresh token that could not be stored when it was issued.
#[derive(Debug, Default)]
pub(super) struct Rotation(pub(super) RefCell<Option<Unstored>>);

#[derive(Debug)]
pub(super) struct Unstored {
    /// The one that the store still holds.
    pub(super) old: Secret,
    pub(super) new: Secret,
}
