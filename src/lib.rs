//! A connector for Microsoft Dataverse and Dynamics 365, as a sandboxed component.

#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]

pub mod host;
pub mod connection;
pub mod dataverse;
pub mod error;
mod retry;
pub mod settings;
