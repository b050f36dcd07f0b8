//! A connector for Microsoft Dataverse and Dynamics 365, as a sandboxed component.

#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]

mod auth;
mod calendar;
mod call;
pub mod catalog;
pub mod connection;
pub mod dataverse;
pub mod error;
#[cfg(target_family = "wasm")]
mod exports;
pub mod host;
mod json;
mod ordered;
pub mod settings;
#[cfg(test)]
mod simulation;
pub mod source;
mod text;
mod uuid;
