//! Looking privileges up by their names.

use serde::Deserialize;

use super::permission::Permission;
use crate::connection::rows::rows;
use crate::dataverse::privilege::{Depth, PrivilegeName};
use crate::dataverse::query::{Query, string_literal};
use crate::dataverse::{Client, Guid};
use crate::error::Error;
use crate::host::Host;

/// How many privileges are looked up in one request.
pub(in crate::connection) const AT_ONCE: usize = 20;

/// A row of a privilege.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::connection) struct KnownPrivilege {
    pub(in crate::connection) id: Guid,
    pub(in crate::connection) name: PrivilegeName,
    /// The furthest that it can reach.
    pub(in crate::connection) deepest: Depth,
}

/// What the environment knows of these privileges. Those that it does not have are left out.
///
/// # Errors
/// What the service said.
pub(in crate::connection) async fn privileges<H: Host>(
    client: &Client<H>,
    permissions: &[Permission],
) -> Result<Vec<KnownPrivilege>, Error> {
    #[derive(Deserialize)]
    struct Row {
        privilegeid: Guid,
        name: String,
        canbelocal: Option<bool>,
        canbedeep: Option<bool>,
        canbeglobal: Option<bool>,
    }

    let mut known = Vec::new();
    for chunk in permissions.chunks(AT_ONCE) {
        let rows = rows::<H, Row>(client, &by_name(chunk)).await?;
        known.extend(rows.into_iter().filter_map(|row| {
            let depths = [
                (row.canbeglobal, Depth::Global),
                (row.canbedeep, Depth::Deep),
                (row.canbelocal, Depth::Local),
            ];
            let deepest = depths
                .into_iter()
                .find_map(|(can_be, depth)| can_be.unwrap_or(true).then_some(depth));
            Some(KnownPrivilege {
                id: row.privilegeid,
                name: PrivilegeName::parse(&row.name)?,
                deepest: deepest.unwrap_or(Depth::Basic),
            })
        }));
    }
    Ok(known)
}

/// The query for what the service knows of these privileges.
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
