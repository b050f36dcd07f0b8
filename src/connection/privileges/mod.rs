//! The privileges that the connection's account needs, and those that it has.

mod held;
pub(super) mod lookup;
mod permission;
mod profiles;
mod requirements;
mod table;
mod tables;

pub(super) use held::{Held, is_administrator, of_role};
pub use permission::Permission;
pub(super) use requirements::Requirements;
pub(super) use tables::Tables;
