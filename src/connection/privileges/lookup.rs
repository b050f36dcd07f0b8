//! Looking privileges up by their names.

use super::permission::Permission;
use crate::dataverse::privilege::{Depth, PrivilegeName};
use crate::dataverse::query::{Query, string_literal};
use crate::dataverse::rows::rows;
use crate::dataverse::{Client, Guid};
use crate::error::Error;
use crate::host::Host;
use crate::json::Object;

/// How many privileges are looked up in one request.
pub(in crate::connection) const AT_ONCE: usize = 20;

/// A row of a privilege.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connection) struct KnownPrivilege {
    pub(in crate::connection) id: Guid,
    pub(in crate::connection) name: PrivilegeName,
    /// The greatest depth at which it can be granted.
    pub(in crate::connection) deepest: Depth,
}

/// These privileges as the environment has them. Those that it does not have are left out.
///
/// # Errors
/// The error of the service.
pub(in crate::connection) async fn privileges<H: Host>(
    client: &Client<H>,
    permissions: &[Permission],
) -> Result<Vec<KnownPrivilege>, Error> {
    let mut known = Vec::new();
    for chunk in permissions.chunks(AT_ONCE) {
        let query = by_name(chunk);
        let rows = rows(client, &query, |row| {
            Some((
                row.key("privilegeid")?,
                PrivilegeName::parse(&row.text("name")?),
                deepest(row),
            ))
        });
        known.extend(rows.await?.into_iter().filter_map(|(id, name, deepest)| {
            Some(KnownPrivilege {
                id,
                name: name?,
                deepest,
            })
        }));
    }
    Ok(known)
}

/// The greatest depth at which a privilege can be granted. A property that is not returned is no
/// limit.
fn deepest(privilege: &Object<'_>) -> Depth {
    let depths = [
        ("canbeglobal", Depth::Global),
        ("canbedeep", Depth::Deep),
        ("canbelocal", Depth::Local),
    ];
    depths
        .into_iter()
        .find_map(|(name, depth)| privilege.flag(name).unwrap_or(true).then_some(depth))
        .unwrap_or(Depth::Basic)
}

/// The query for these privileges.
pub(in crate::connection) fn by_name(permissions: &[Permission]) -> Query {
    let names: Vec<String> = permissions
        .iter()
        .map(|permission| format!("name eq {}", string_literal(permission.privilege.as_str())))
        .collect();
    Query::new("privileges")
        .select(&[
            "privilegeid",
            "name",
            "canbebasic",
            "canbelocal",
            "canbedeep",
            "canbeglobal",
        ])
        .option("$filter", &names.join(" or "))
}
