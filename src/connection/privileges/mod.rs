//! What the connection's account must be allowed to do, and what it is.

mod permission;
mod profiles;
mod table;
mod wanted;

pub use permission::Permission;
pub(super) use permission::Permissions;
pub(super) use table::Table;
pub(super) use wanted::Wanted;
