//! A local Dataverse for demonstrations and tests.

pub mod clock;
pub mod org;
pub mod schema;
pub mod store;
pub mod time;
