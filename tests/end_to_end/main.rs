//! End-to-end tests: the real component in the real host against the emulator, over sockets.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is test code; failures must be visible at once"
)]

mod catalog;
mod checkpoint;
mod composition;
mod contract;
mod crash;
mod faults;
mod imports;
mod interactive_sign_in;
mod memory;
mod policy;
mod privileges;
mod profiles;
mod requests;
mod role;
mod selection;
mod settings;
mod sign_in_errors;
mod sinks;
mod streams;
mod sync;
mod tls;
mod token_rotation;
mod unattended_sign_in;
