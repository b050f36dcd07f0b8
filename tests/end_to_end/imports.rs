//! The imports and the metadata of the finished component.

use dataverse_tests::component_path;
use wasm_metadata::Payload;
use wit_component::DecodedWasm;

/// Everything that the component may import. Do not extend this list to make the test pass: each
/// import is a capability that every host must grant.
const ALLOWED: [&str; 11] = [
    "integration:connector/secrets@0.2.0",
    // Types only, no functions.
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
fn the_component_imports_exactly_the_allowed_interfaces() {
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
fn the_component_contains_its_metadata() {
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
