//! An adapter component: fills a connector's `secrets` from environment variables, for hosts
//! that give their plugins an environment but do not know that interface.
//!
//! The secret `crm-secret` is the variable `crm-secret` or, since few shells can set that,
//! `CRM_SECRET`. Nothing can be kept: a rotated secret is refused as denied.

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
        let shouted: String = name
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
        [&name, &shouted]
            .into_iter()
            .find_map(|wanted| variables.iter().find(|(variable, _)| variable == wanted))
            .map(|(_, value)| value.clone())
            .ok_or(SecretError::NotFound)
    }

    fn put(_name: String, _value: String) -> Result<(), SecretError> {
        Err(SecretError::Denied)
    }
}
