//! End to end: the real component, in the real host, against the emulator, over sockets.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is test code; what goes wrong here is to be seen at once"
)]

mod catalog;
mod checkpoint;
mod composition;
mod contract;
mod crash;
mod faults;
mod imports;
mod login;
mod memory;
mod policy;
mod privileges;
mod profiles;
mod requests;
mod role;
mod rotation;
mod selection;
mod settings;
mod sign_in;
mod sinks;
mod streams;
mod sync;
mod tls;
mod ways;
