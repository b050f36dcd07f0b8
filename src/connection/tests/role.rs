//! The role that follows from the settings, without a network.

use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;
use crate::host::Method;

/// The settings of a connection for this purpose.
pub(super) fn settings_for(purpose: &Value) -> String {
    let mut settings: Value = serde_json::from_str(SETTINGS).unwrap();
    settings["purpose"] = purpose.clone();
    settings.to_string()
}

fn names(purpose: &Value) -> Vec<String> {
    required_role(&settings_for(purpose))
        .unwrap()
        .permissions
        .iter()
        .map(|permission| permission.privilege.to_string())
        .collect()
}

/// The privileges of each profile.
const PROFILES: [(&str, &[&str]); 5] = [
    (
        "revenue-intelligence",
        &[
            "prvReadAccount",
            "prvReadConnection",
            "prvReadConnectionRole",
            "prvReadContact",
            "prvReadOpportunity",
            "prvReadRecordAuditHistory",
            "prvReadAuditSummary",
            "prvReadOrganization",
            "prvReadTeam",
            "prvReadTransactionCurrency",
            "prvReadUser",
            "prvReadEntity",
            "prvReadProcessStage",
            "prvReadOpportunitySalesProcess",
        ],
    ),
    (
        "sales-assistant",
        &[
            "prvCreateAccount",
            "prvReadAccount",
            "prvWriteAccount",
            "prvAppendAccount",
            "prvAppendToAccount",
            "prvCreateContact",
            "prvReadContact",
            "prvWriteContact",
            "prvAppendContact",
            "prvAppendToContact",
            "prvCreateNote",
            "prvReadNote",
            "prvWriteNote",
            "prvAppendNote",
            "prvCreateOpportunity",
            "prvReadOpportunity",
            "prvWriteOpportunity",
            "prvAppendOpportunity",
            "prvAppendToOpportunity",
            "prvReadOrganization",
            "prvReadUser",
            "prvReadEntity",
            "prvReadWorkflow",
            "prvReadProcessStage",
            "prvReadLeadToOpportunitySalesProcess",
            "prvReadOpportunitySalesProcess",
        ],
    ),
    (
        "account-based-marketing",
        &[
            "prvReadAccount",
            "prvReadActivity",
            "prvReadContact",
            "prvReadLead",
            "prvReadOpportunity",
            "prvReadCustomerOpportunityRole",
            "prvReadQueue",
            "prvReadUserQuery",
            "prvReadCampaign",
            "prvReadList",
            "prvReadTransactionCurrency",
            "prvReadOrganization",
            "prvReadUser",
            "prvReadUserSettings",
            "prvBulkEdit",
            "prvReadAttributeMap",
            "prvReadEntity",
            "prvReadEntityMap",
            "prvCreateAttribute",
            "prvReadWorkflow",
            "prvReadRelationship",
            "prvReadAsyncOperation",
            "prvReadQuery",
        ],
    ),
    (
        "access-sync",
        &[
            "prvReadOrganization",
            "prvReadRole",
            "prvReadTeam",
            "prvReadUser",
            "prvReadEntity",
        ],
    ),
    (
        "access-provisioning",
        &[
            "prvReadOrganization",
            "prvReadRole",
            "prvAppendToRole",
            "prvAssignRole",
            "prvReadTeam",
            "prvWriteTeam",
            "prvAppendTeam",
            "prvReadUser",
            "prvAppendUser",
            "prvAppendToUser",
            "prvReadEntity",
        ],
    ),
];

#[test]
fn a_profile_requires_exactly_what_its_vendors_require() {
    for (profile, expected) in PROFILES {
        let mut found = names(&json!({ "profiles": [profile] }));
        let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{profile}");
    }
    let named = |purpose: Value| names(&purpose);
    assert_eq!(
        named(json!({"accessSync": true})),
        named(json!({"profiles": ["access-sync"]}))
    );
    assert_eq!(
        named(json!({"accessProvisioning": true})),
        named(json!({"profiles": ["access-provisioning"]}))
    );
}

#[test]
fn tables_and_operations_require_their_own_rights() {
    let always = ["prvReadOrganization", "prvReadUser", "prvReadEntity"];
    for (purpose, expected) in [
        (json!({"read": ["task"]}), vec!["prvReadActivity"]),
        (
            json!({"read": ["new_tour", "teammembership"]}),
            vec!["prvReadTeam", "prvReadnew_tour"],
        ),
        (
            json!({"write": [{"table": "product", "operations": ["delete", "assign", "share"]}]}),
            // Products have no owner.
            vec!["prvDeleteProduct"],
        ),
        (
            json!({"write": [{"table": "lead", "operations": ["assign", "share"]}]}),
            vec!["prvAssignLead", "prvShareLead"],
        ),
        (
            json!({"read": ["lead"], "write": [{"table": "opportunity", "operations": ["update"]}]}),
            vec![
                "prvReadLead",
                "prvAppendToLead",
                "prvWriteOpportunity",
                "prvAppendOpportunity",
            ],
        ),
        (
            json!({"views": true}),
            vec!["prvReadQuery", "prvReadUserQuery"],
        ),
        (
            json!({"audit": true}),
            vec!["prvReadRecordAuditHistory", "prvReadAuditSummary"],
        ),
    ] {
        let mut expected: Vec<_> = expected.into_iter().chain(always).collect();
        let mut found = names(&purpose);
        expected.sort_unstable();
        found.sort();
        assert_eq!(found, expected, "{purpose}");
    }
}

#[test]
fn a_role_is_in_the_words_of_the_role_editor() {
    let purpose =
        json!({"profiles": ["access-sync"], "read": ["new_tour", "account"], "audit": true});
    let role = required_role(&settings_for(&purpose)).unwrap();
    assert_eq!(role.name, "Dataverse connector: access-sync");
    let lines: Vec<String> = role
        .permissions
        .iter()
        .map(|permission| {
            format!(
                "{} | {} | {} | {}",
                permission.entry.section,
                permission.entry,
                permission.depth,
                permission.needed_for.join(", ")
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "Core Records | Account: Read | Organization | reading account",
            "Core Records | Miscellaneous Privileges: View Audit History | Organization | \
             reading the history of rows",
            "Core Records | Miscellaneous Privileges: View Audit Summary | Organization | \
             reading audit",
            "Business Management | Organization: Read | Organization | checking the connection",
            "Business Management | Security Role: Read | Organization | reading role",
            "Business Management | Team: Read | Organization | reading team",
            "Business Management | User: Read | Organization | checking the connection, reading \
             systemuser",
            "Customization | Entity: Read | Organization | finding out which tables exist",
            "Custom Entities | new_tour: Read | Organization | reading new_tour",
        ]
    );
}

#[test]
fn the_calls_create_the_role() {
    let purpose = json!({"profiles": ["sales-assistant"]});
    let role = required_role(&settings_for(&purpose)).unwrap();
    let root = crate::simulation::API_ROOT;
    let addresses: Vec<_> = role
        .calls
        .iter()
        .map(|call| (call.method, call.url.strip_prefix(root).unwrap()))
        .collect();
    assert_eq!(
        addresses[..2],
        [
            (
                Method::Get,
                "businessunits?$select=businessunitid,name\
                 &$filter=_parentbusinessunitid_value%20eq%20null"
            ),
            (Method::Post, "roles"),
        ]
    );
    assert_eq!(
        addresses.last().unwrap().1,
        "roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    );
    let looked_up: usize = addresses[2..addresses.len() - 1]
        .iter()
        .map(|(method, address)| {
            assert_eq!(*method, Method::Get);
            assert!(address.starts_with("privileges?$select=privilegeid,name,"));
            let count = address.matches("name%20eq%20'prv").count();
            assert!(count <= 20);
            count
        })
        .sum();
    assert_eq!(looked_up, role.permissions.len());
    let body = |index: usize| -> Value {
        serde_json::from_str(role.calls[index].body.as_deref().unwrap()).unwrap()
    };
    assert_eq!(
        body(1),
        json!({
            "name": "Dataverse connector: sales-assistant",
            "businessunitid@odata.bind": "/businessunits({business-unit})",
        })
    );
    let added = body(role.calls.len() - 1);
    let added = added["Privileges"].as_array().unwrap();
    assert_eq!(added.len(), role.permissions.len());
    assert_eq!(
        added[0],
        json!({
            "Depth": "Global",
            "PrivilegeId": "{prvCreateAccount}",
            "BusinessUnitId": "{business-unit}",
            "PrivilegeName": "prvCreateAccount",
        })
    );
}

#[test]
fn settings_without_a_purpose_have_no_role() {
    for settings in [SETTINGS.to_owned(), settings_for(&json!({}))] {
        let error = required_role(&settings).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSettings);
        assert!(error.message.contains("\"purpose\""), "{error}");
    }
}
