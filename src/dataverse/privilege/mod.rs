//! Privileges, in the service's names and in the words of its role editor (reference §11).
//!
//! A security role holds privileges, each with a depth. Most are a right on the rows of a table,
//! such as `prvReadAccount`; the others are listed under "Miscellaneous Privileges".

mod depth;
mod name;
mod right;
mod role_editor;

pub use depth::Depth;
pub use name::PrivilegeName;
pub use right::Right;
pub use role_editor::{RoleEditorEntry, Section};
