//! A connector for Microsoft Dataverse and Dynamics 365, as a sandboxed component.

#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]

pub mod host;
pub mod catalog;
mod auth;
pub mod connection;
pub mod dataverse;
pub mod error;
mod retry;
pub mod settings;
pub mod source;
#[cfg(test)]
mod simulation;
#[cfg(target_family = "wasm")]
mod exports;
