//! The privileges that the connection's account needs, and those that it has.

mod held;
pub(super) mod lookup;
mod permission;
mod profiles;
mod table;
mod tables;
mod wanted;

pub(super) use held::{Held, is_administrator, of_role};
pub use permission::Permission;
pub(super) use tables::Tables;
pub(super) use wanted::Wanted;
