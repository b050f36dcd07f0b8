//! The contract as a file of its own, beside the component.
//!
//! A component carries its types but not their documentation. Who has only the component reads
//! the documentation, or generates documented bindings, from this file; every tool that takes WIT
//! takes it (`wasm-tools component wit integration-connector.wit.wasm`).

use wit_component::encode as encode_package;
use wit_parser::{PackageId, Resolve};

use crate::run::{Failure, root};

/// The name of the file.
pub(crate) const FILE: &str = "integration-connector.wit.wasm";

/// Encodes the package in `wit/`, documentation included.
pub(crate) fn encode() -> Result<Vec<u8>, Failure> {
    let (resolve, package) = read()?;
    encode_package(&resolve, package).map_err(Failure::while_doing("cannot encode the contract"))
}

fn read() -> Result<(Resolve, PackageId), Failure> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(root().join("wit"))
        .map_err(Failure::while_doing("cannot read the contract in wit/"))?;
    Ok((resolve, package))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use wit_component::{DecodedWasm, decode};

    use super::*;

    #[test]
    fn the_encoded_contract_keeps_the_documentation() {
        let DecodedWasm::WitPackage(decoded, package) = decode(&encode().unwrap()).unwrap() else {
            panic!("not a WIT package");
        };
        let (source, source_package) = read().unwrap();
        let expected = documentation(&source, source_package);
        assert!(expected.values().any(Option::is_some));
        assert_eq!(documentation(&decoded, package), expected);
    }

    /// The documentation of the package, of its interfaces and of their functions, by name.
    fn documentation(resolve: &Resolve, package: PackageId) -> BTreeMap<String, Option<&str>> {
        let package = &resolve.packages[package];
        let mut found = BTreeMap::from([(String::new(), package.docs.contents.as_deref())]);
        for (name, interface) in &package.interfaces {
            let interface = &resolve.interfaces[*interface];
            found.insert(name.clone(), interface.docs.contents.as_deref());
            for function in interface.functions.values() {
                let full = format!("{name}: {}", function.name);
                found.insert(full, function.docs.contents.as_deref());
            }
        }
        found
    }
}
