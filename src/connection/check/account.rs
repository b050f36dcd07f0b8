//! The account itself: whether it is enabled, and whether it has too many privileges.

use crate::connection::privileges::{Held, is_administrator};
use crate::connection::report::Finding;
use crate::dataverse::privilege::{PrivilegeName, Right};
use crate::dataverse::query::Query;
use crate::dataverse::rows::get;
use crate::dataverse::{Client, Guid};
use crate::error::Error;
use crate::host::Host;

pub(super) const DISABLED: &str = "account/disabled";
const TOO_POWERFUL: &str = "account/too-powerful";

/// The codes with which the service rejects a disabled account (reference §2.9).
const DISABLED_CODES: [&str; 2] = ["0x8004a112", "0x80040225"];

/// Whether the environment rejects the account because it is disabled.
pub(super) fn is_disabled(error: &Error) -> bool {
    error
        .fault
        .as_ref()
        .is_some_and(|fault| DISABLED_CODES.contains(&fault.code.as_str()))
}

/// The warnings about the account, as far as it may read its own rows.
pub(super) async fn check<H: Host>(
    client: &Client<H>,
    user: &Guid,
    held: Option<&Held>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let may_read =
        |subject: &str| held.is_none_or(|held| held.has(&PrivilegeName::of(Right::Read, subject)));
    if may_read("User") {
        let query = Query::new(&format!("systemusers({user})")).select(&["isdisabled"]);
        let disabled = get(client, &query, |user| user.flag("isdisabled")).await;
        if disabled == Ok(true) {
            findings.push(Finding::warning(
                DISABLED,
                "The account is disabled in the environment, and will soon be rejected.".to_owned(),
                "In the Power Platform admin center open the environment, Settings, Users + \
                 permissions, Application users, and activate it.",
            ));
        }
    }
    // An administrator may read roles.
    if may_read("Role") && is_administrator(client, user).await == Ok(true) {
        findings.push(Finding::warning(
            TOO_POWERFUL,
            "The account is a System Administrator, with far more privileges than the connection needs."
                .to_owned(),
            "Assign it the minimal role that follows from \"purpose\" in the settings, and remove \
             System Administrator from it.",
        ));
    }
    findings
}
