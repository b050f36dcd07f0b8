//! The Web API protocol: addresses, requests, answers, faults, patience.

mod client;
mod environment;
mod link;
mod message;
pub mod query;

pub use client::Client;
pub use environment::Environment;
pub use link::Link;
pub use message::{Annotations, Answer, Prefer};
