//! Every dependency's licence against the policy in `deny.toml`, without a further tool.

use std::fs;

use spdx::{Expression, Licensee};
use toml::Table;

use crate::run::{Failure, metadata, root};

/// Fails if a dependency's licence is not one that the policy allows.
pub(crate) fn check() -> Result<(), Failure> {
    let allowed = policy()?;
    let mut refused = Vec::new();
    let packages = metadata()?.packages;
    for package in &packages {
        let licence = package.license.as_deref().unwrap_or_default();
        let permitted =
            Expression::parse_mode(licence, spdx::ParseMode::LAX).is_ok_and(|expression| {
                expression
                    .evaluate(|required| allowed.iter().any(|licence| licence.satisfies(required)))
            });
        if !permitted {
            refused.push(format!("{} {} ({licence})", package.name, package.version));
        }
    }
    if refused.is_empty() {
        println!(
            "The licences of all {} packages are allowed.",
            packages.len()
        );
        return Ok(());
    }
    Err(Failure(format!(
        "licences that deny.toml does not allow: {}",
        refused.join(", ")
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
