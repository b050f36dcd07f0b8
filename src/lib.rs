//! A connector for Microsoft Dataverse and Dynamics 365, as a sandboxed component.

#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]

pub mod host;
