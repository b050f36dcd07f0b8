//! Generated from `wit/`.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "wit",
    world: "connector",
    generate_all,
});
