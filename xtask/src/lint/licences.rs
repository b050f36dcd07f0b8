//! Checks the licence of every dependency against the policy in `deny.toml`.

use std::fs;

use spdx::{Expression, Licensee};
use toml::Table;

use crate::run::{Failure, metadata, root};

/// Fails if the policy does not allow the licence of a dependency.
pub(crate) fn check() -> Result<(), Failure> {
    let allowed = policy()?;
    let mut rejected = Vec::new();
    let packages = metadata()?.packages;
    for package in &packages {
        let licence = package.license.as_deref().unwrap_or_default();
        let permitted =
            Expression::parse_mode(licence, spdx::ParseMode::LAX).is_ok_and(|expression| {
                expression
                    .evaluate(|required| allowed.iter().any(|licence| licence.satisfies(required)))
            });
        if !permitted {
            rejected.push(format!("{} {} ({licence})", package.name, package.version));
        }
    }
    if rejected.is_empty() {
        println!(
            "The licences of all {} packages are allowed.",
            packages.len()
        );
        return Ok(());
    }
    Err(Failure(format!(
        "licences that deny.toml does not allow: {}",
        rejected.join(", ")
    )))
}

fn policy() -> Result<Vec<Licensee>, Failure> {
    let path = root().join("deny.toml");
    let text = fs::read_to_string(&path).map_err(Failure::while_doing("cannot read deny.toml"))?;
    let table: Table = text
        .parse()
        .map_err(Failure::while_doing("cannot read deny.toml"))?;
    let allowed = table
        .get("licenses")
        .and_then(|licenses| licenses.get("allow"))
        .and_then(|allow| allow.as_array())
        .ok_or_else(|| Failure("deny.toml has no licenses.allow".into()))?;
    allowed
        .iter()
        .map(|licence| {
            let name = licence.as_str().unwrap_or_default();
            Licensee::parse(name).map_err(Failure::while_doing(format!("`{licence}` in deny.toml")))
        })
        .collect()
}
