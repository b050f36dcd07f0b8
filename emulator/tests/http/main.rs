//! The emulator over HTTP, compared with the published behaviour of the service.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod actions;
mod apply;
mod auditing;
mod batch;
mod browser;
mod catalog;
mod changes;
mod columns;
mod credentials;
mod definitions;
mod elastic;
mod faults;
mod fetch;
mod files;
mod impersonation;
mod keys;
mod large;
mod metadata;
mod on_premises;
mod people;
mod privileges;
mod processes;
mod provisioning;
mod reading;
mod relating;
mod retention;
mod roles;
mod sales;
mod security;
mod sign_in;
mod sql;
mod strictness;
mod support;
mod tracking;
mod views;
mod writing;
