//! What the connection's account must be allowed to do, and what it is.

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
