//! The contract that is shipped beside the component.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dataverse_tests::{built, component_path};
use wit_component::{DecodedWasm, decode};
use wit_parser::{Resolve, WorldId, WorldItem};

#[test]
fn the_shipped_contract_is_documented_and_describes_the_component() {
    let (contract, world) = read(&built("integration-connector.wit.wasm"));
    let (component, root) = read(&component_path());
    assert_eq!(exports(&component, root), exports(&contract, world));
    for (name, item) in &contract.worlds[world].exports {
        let WorldItem::Interface { id, .. } = item else {
            panic!("the contract exports only interfaces");
        };
        let docs = &contract.interfaces[*id].docs;
        let name = contract.name_world_key(name);
        assert!(docs.contents.is_some(), "{name} has no documentation");
    }
}

/// The world of a component, or the world `connector` of a WIT package.
fn read(file: &Path) -> (Resolve, WorldId) {
    match decode(&std::fs::read(file).unwrap()).unwrap() {
        DecodedWasm::Component(resolve, world) => (resolve, world),
        DecodedWasm::WitPackage(resolve, package) => {
            let world = resolve.packages[package].worlds["connector"];
            (resolve, world)
        }
    }
}

/// The interfaces that a world exports, and the names of their functions.
fn exports(resolve: &Resolve, world: WorldId) -> BTreeMap<String, BTreeSet<&str>> {
    let exports = resolve.worlds[world].exports.iter();
    exports
        .map(|(name, item)| {
            let functions = match item {
                WorldItem::Interface { id, .. } => {
                    let functions = resolve.interfaces[*id].functions.keys();
                    functions.map(String::as_str).collect()
                }
                WorldItem::Function(_) | WorldItem::Type { .. } => BTreeSet::new(),
            };
            (resolve.name_world_key(name), functions)
        })
        .collect()
}
