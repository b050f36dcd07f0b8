//! Rule 1, least capability: what the finished component asks of its host, read off the file.

use dataverse_tests::component_path;
use wit_component::DecodedWasm;

/// Everything that the component may import. A new line here is a decision, not a fix.
const ALLOWED: [&str; 11] = [
    "integration:connector/secrets@0.1.0",
    // Types only; there is nothing in it to call.
    "integration:connector/types@0.1.0",
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
