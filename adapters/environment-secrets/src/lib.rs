//! An adapter component: exports the interface `secrets` and reads the values from environment
//! variables, for hosts that grant an environment but do not implement that interface.
//!
//! The secret `crm-secret` is read from the variable `crm-secret`, or, because most shells cannot
//! set a variable of that name, from `CRM_SECRET`. Secrets cannot be stored: `put` returns
//! `denied`, so a connection whose refresh token is renewed needs another host.

#![cfg(target_family = "wasm")]

mod bindings {
    #![expect(unsafe_code, reason = "generated code")]

    wit_bindgen::generate!({
        path: ["../../wit", "wit"],
        world: "integration:environment-secrets/adapter",
        generate_all,
    });

    export!(Adapter);

    use super::Adapter;
}

use bindings::exports::integration::connector::secrets::{Guest, SecretError};
use bindings::wasi::cli::environment::get_environment;

struct Adapter;

impl Guest for Adapter {
    fn get(name: String) -> Result<String, SecretError> {
        let variable_name: String = name
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() {
                    letter.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        let variables = get_environment();
        [&name, &variable_name]
            .into_iter()
            .find_map(|name| variables.iter().find(|(variable, _)| variable == name))
            .map(|(_, value)| value.clone())
            .ok_or(SecretError::NotFound)
    }

    fn put(_name: String, _value: String) -> Result<(), SecretError> {
        Err(SecretError::Denied)
    }
}
