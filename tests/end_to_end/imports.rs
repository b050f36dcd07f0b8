//! What can be read off the finished component: rule 1, least capability, and who it is.

use dataverse_tests::component_path;
use wasm_metadata::Payload;
use wit_component::DecodedWasm;

/// Everything that the component may import. A new line here is a decision, not a fix.
const ALLOWED: [&str; 11] = [
    "integration:connector/secrets@0.2.0",
    // Types only; there is nothing in it to call.
    "integration:connector/types@0.2.0",
    "wasi:cli/stderr@0.2.6",
    "wasi:clocks/monotonic-clock@0.2.6",
    "wasi:clocks/wall-clock@0.2.6",
    "wasi:http/outgoing-handler@0.2.6",
    "wasi:http/types@0.2.6",
    "wasi:io/error@0.2.6",
    "wasi:io/poll@0.2.6",
    "wasi:io/streams@0.2.6",
    "wasi:random/random@0.2.6",
];

#[test]
fn the_component_imports_the_least_set_and_nothing_else() {
    let bytes = std::fs::read(component_path()).unwrap();
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).unwrap() else {
        panic!("this is not a component");
    };
    let world = &resolve.worlds[world];
    let mut imports: Vec<String> = world
        .imports
        .keys()
        .map(|key| resolve.name_world_key(key))
        .collect();
    imports.sort();
    assert_eq!(imports, ALLOWED);
}

#[test]
fn the_component_says_who_it_is() {
    let bytes = std::fs::read(component_path()).unwrap();
    let payload = Payload::from_binary(&bytes).unwrap();
    let metadata = payload.metadata();
    assert_eq!(metadata.name.as_deref(), Some("dataverse-connector"));
    assert_eq!(
        metadata
            .version
            .as_ref()
            .map(ToString::to_string)
            .as_deref(),
        Some(env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(
        metadata
            .licenses
            .as_ref()
            .map(ToString::to_string)
            .as_deref(),
        Some("MIT OR Apache-2.0")
    );
    assert!(metadata.description.is_some());
    assert!(metadata.source.is_some());
}
