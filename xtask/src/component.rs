//! Building the component.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_metadata::{AddMetadata, AddMetadataField, Description, Licenses, Source, Version};
use wit_component::ComponentEncoder;

use crate::run::{Failure, metadata, root, run, target_directory};
use crate::toolchain::{TARGET, Toolchain};
use crate::{contract, optimiser};

/// The connector, and the adapter for hosts that do not implement its `secrets` import.
const COMPONENTS: [&str; 2] = ["dataverse-connector", "environment-secrets"];

/// Builds the connector, its adapters and the encoded contract into `target/component/`.
pub(crate) fn build() -> Result<(), Failure> {
    // A folder of its own: the compiler may be another one than that of the programs.
    let modules = target_directory().join("wasm");
    run(&mut compile(&modules)?)?;
    for package in COMPONENTS {
        let file = format!("{}.wasm", package.replace('-', "_"));
        let module = modules.join(TARGET).join("component").join(&file);
        let module = fs::read(&module).map_err(Failure::while_doing(format!(
            "cannot read {}",
            module.display()
        )))?;
        let component = encode(package, &optimiser::optimise(module)?)?;
        let path = directory().join(&file);
        keep(&path, &component)?;
        eprintln!(
            "{} ({} KiB)",
            path.display(),
            component.len().div_ceil(1024)
        );
    }
    keep(&directory().join(contract::FILE), &contract::encode()?)
}

/// The command that compiles the components to core modules in this folder.
pub(crate) fn compile(folder: &Path) -> Result<Command, Failure> {
    let mut cargo = Toolchain::find()?.cargo_build(folder);
    cargo.args(["--profile", "component", "--lib"]);
    cargo.args(COMPONENTS.iter().flat_map(|package| ["-p", package]));
    Ok(cargo)
}

/// Where [`build`] puts the connector.
pub(crate) fn connector() -> PathBuf {
    directory().join("dataverse_connector.wasm")
}

fn directory() -> PathBuf {
    root().join("target/component")
}

/// Writes a file unless it has these bytes already, so that a cache by its time stays valid.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    fs::create_dir_all(directory())
        .and_then(|()| fs::write(path, bytes))
        .map_err(Failure::while_doing(format!(
            "cannot write {}",
            path.display()
        )))
}

/// Turns a core module, whose world is in its custom section, into a component.
fn encode(package: &str, module: &[u8]) -> Result<Vec<u8>, Failure> {
    let component = ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(Failure::while_doing(format!(
            "cannot turn {package} into a component"
        )))?;
    describe(package, &component)
}

/// Writes name, version, description, licence and source into the component.
fn describe(package: &str, component: &[u8]) -> Result<Vec<u8>, Failure> {
    let workspace = metadata()?;
    let manifest = workspace
        .workspace_packages()
        .into_iter()
        .find(|candidate| candidate.name == package)
        .ok_or_else(|| Failure(format!("the workspace has no package {package}")))?;
    let mut metadata = AddMetadata::default();
    metadata.name = AddMetadataField::Set(package.to_owned());
    metadata.version = field(Some(&manifest.version.to_string()), Version::new);
    metadata.description = field(manifest.description.as_ref(), Description::new);
    metadata.licenses = checked_field(manifest.license.as_ref(), Licenses::new)?;
    metadata.source = checked_field(manifest.repository.as_ref(), Source::new)?;
    metadata.to_wasm(component).map_err(Failure::while_doing(
        "cannot write the component's metadata",
    ))
}

fn field<T: Debug + Clone>(
    text: Option<&String>,
    make: impl FnOnce(String) -> T,
) -> AddMetadataField<T> {
    text.map_or(AddMetadataField::Keep, |text| {
        AddMetadataField::Set(make(text.clone()))
    })
}

fn checked_field<T: Debug + Clone, E: Display>(
    text: Option<&String>,
    make: impl FnOnce(&str) -> Result<T, E>,
) -> Result<AddMetadataField<T>, Failure> {
    text.map_or(Ok(AddMetadataField::Keep), |text| {
        make(text)
            .map(AddMetadataField::Set)
            .map_err(Failure::while_doing(format!("`{text}` in Cargo.toml")))
    })
}
