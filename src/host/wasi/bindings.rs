//! Generated from `wit/`.

#![expect(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "wit",
    world: "connector",
    generate_all,
    pub_export_macro: true,
});
