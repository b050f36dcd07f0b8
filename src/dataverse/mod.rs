//! The Web API protocol: addresses, requests, responses, faults.

mod client;
mod environment;
mod fault;
pub(crate) mod fetch;
mod guid;
mod inflate;
mod link;
pub mod metadata;
mod multipart;
mod preferences;
pub mod privilege;
pub mod query;
mod request;
mod response;
pub(crate) mod rows;
pub(crate) mod xml;

pub use client::Client;
pub use environment::Environment;
pub use guid::Guid;
pub use link::Link;
pub use preferences::{Annotations, Prefer};
pub use request::{Item, Request};
pub use response::{ChangeSetFailure, Failure, Outcome, Response};
