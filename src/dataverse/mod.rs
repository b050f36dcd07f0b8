//! The Web API protocol: addresses, requests, answers, faults, patience.

mod batch;
mod client;
mod environment;
mod fault;
pub(crate) mod fetch;
mod guid;
mod inflate;
mod link;
mod meaning;
mod message;
pub mod metadata;
mod multipart;
mod negotiation;
pub mod privilege;
pub mod query;
pub(crate) mod rows;
mod throttle;
pub(crate) mod xml;

pub use client::Client;
pub(crate) use client::Twice;
pub use environment::Environment;
pub use guid::Guid;
pub use link::Link;
pub use message::{Annotations, Answer, Prefer};
