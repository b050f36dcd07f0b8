//! The check of what the account may do.

use serde_json::{Value, json};

use super::organization::{Organization, StoredRole, administrator};
use super::role::settings_for;
use super::*;
use crate::dataverse::privilege::Depth;
use crate::settings::Profile;

fn profile(profile: Profile) -> String {
    settings_for(&json!({ "profiles": [profile.as_str()] }))
}

fn check(organization: Organization, settings: &str) -> Report {
    let (host, _) = organization.host();
    check_with(&host, settings)
}

/// The findings that did not pass.
fn problems(report: &Report) -> Vec<&str> {
    report
        .findings
        .iter()
        .filter(|finding| finding.verdict != Verdict::Passed)
        .map(|finding| &*finding.id)
        .collect()
}

#[test]
fn the_role_of_every_profile_passes_and_each_of_its_privileges_is_needed() {
    for name in Profile::ALL {
        let settings = profile(name);
        let permissions = required_role(&settings).unwrap().permissions;
        let whole = check(Organization::granting(&permissions), &settings);
        assert_eq!(problems(&whole), Vec::<&str>::new(), "{name}");
        for permission in &permissions {
            let shallower = match permission.depth {
                Depth::Global => Depth::Deep,
                _ => Depth::Basic,
            };
            for depth in [None, Some(shallower)] {
                let mut organization = Organization::granting(&permissions);
                let privilege = permission.privilege.to_string();
                match depth {
                    None => organization.held.remove(&privilege),
                    Some(depth) => organization.held.insert(privilege, depth),
                };
                let report = check(organization, &settings);
                assert_eq!(problems(&report), [permission.id()], "{name} {depth:?}");
                assert_eq!(report.available, !permission.is_essential, "{name}");
            }
        }
    }
}

/// The built-in knowledge is equal to the metadata of an environment.
#[test]
fn the_role_is_the_same_with_and_without_metadata() {
    let mut purposes: Vec<Value> = Profile::ALL
        .iter()
        .map(|profile| json!({ "profiles": [profile.as_str()] }))
        .collect();
    purposes.push(json!({ "profiles": Profile::ALL.map(Profile::as_str) }));
    for purpose in purposes {
        let settings = settings_for(&purpose);
        let offline = required_role(&settings).unwrap().permissions;
        let (host, organization) = Organization::new().host();
        let session = Session::open(Rc::clone(&host), &settings).unwrap();
        let change = host.block_on(session.create_role("The role")).unwrap();
        assert_eq!(change.added, offline, "{purpose}");
        assert_eq!(
            organization.borrow().roles[0].privileges.len(),
            offline.len()
        );
    }
}

#[test]
fn findings_name_all_reasons_and_an_insufficient_depth() {
    let settings = profile(Profile::SalesAssistant);
    let permissions = required_role(&settings).unwrap().permissions;
    let mut organization = Organization::granting(&permissions);
    organization
        .held
        .insert("prvReadContact".to_owned(), Depth::Basic);
    organization.held.remove("prvAppendToContact");
    let report = check(organization, &settings);
    let found: Vec<String> = report
        .findings
        .iter()
        .skip(5)
        .map(|finding| {
            format!(
                "{}: {} {}",
                finding.id,
                finding.message,
                finding.remedy.as_deref().unwrap_or_default()
            )
        })
        .collect();
    let place = "In a security role of the account (Power Platform admin center, the environment, \
                 Settings, Users + permissions, Security roles) open the tab Core Records and set";
    assert_eq!(
        found,
        [
            format!(
                "privilege/prvReadContact: Contact: Read is missing at Organization depth (it has \
                 User); reading contact needs it. {place} \"Read\" of Contact to Organization."
            ),
            format!(
                "privilege/prvAppendToContact: Contact: Append To is missing at Organization \
                 depth; setting lookups from account to contact, setting lookups from annotation \
                 to contact, setting lookups from contact to contact and setting lookups from \
                 opportunity to contact need it. {place} \"Append To\" of Contact to Organization."
            ),
        ]
    );
}

#[test]
fn privileges_of_custom_tables_are_read_from_metadata() {
    let mut organization = Organization::new();
    organization.tables.push(json!({
        "name": "new_tour", "title": "Tour", "ownership": "UserOwned",
        "privileges": "new_TourPlan", "lookups": {"new_accountid": ["account"]},
        "tracked": true, "audited": true,
    }));
    for privilege in ["prvReadEntity", "prvReadOrganization", "prvReadUser"] {
        organization
            .held
            .insert(privilege.to_owned(), Depth::Global);
    }
    let purpose = json!({
        "read": ["account"],
        "write": [{"table": "new_tour", "operations": ["create"]}],
    });
    let report = check(organization, &settings_for(&purpose));
    assert_eq!(
        problems(&report),
        [
            "privilege/prvReadAccount",
            "privilege/prvAppendToAccount",
            "privilege/prvCreatenew_TourPlan",
            "privilege/prvAppendnew_TourPlan",
        ]
    );
    assert!(
        report.findings[7]
            .message
            .starts_with("Tour: Create is missing")
    );
}

#[test]
fn unprepared_tables_and_accounts_are_warnings() {
    let purpose = json!({"read": ["account", "contact", "new_tour"], "audit": true});
    let settings = settings_for(&purpose);
    let permissions = required_role(&settings).unwrap().permissions;
    let mut organization = Organization::granting(&permissions);
    organization.table("contact")["tracked"] = false.into();
    organization.table("contact")["audited"] = false.into();
    organization.disabled = true;
    organization
        .held
        .insert("prvReadUser".to_owned(), Depth::Global);
    organization
        .held
        .insert("prvReadRole".to_owned(), Depth::Global);
    organization.roles.push(administrator());
    organization.assigned.push(0);
    let report = check(organization, &settings);
    assert!(report.available);
    assert_eq!(
        problems(&report),
        [
            "account/disabled",
            "account/too-powerful",
            "table/new_tour",
            "change-tracking/contact",
            "audit",
        ]
    );
    for finding in &report.findings {
        assert!(finding.message.ends_with('.'), "{}", finding.message);
        let remedy = finding.remedy.as_deref().unwrap_or("None.");
        assert!(remedy.ends_with('.'), "{remedy}");
    }

    let mut silent = Organization::granting(&permissions);
    silent.audited = false;
    let report = check(silent, &settings);
    let audit = report.findings.last().unwrap();
    assert_eq!((&*audit.id, audit.verdict), ("audit", Verdict::Warning));
    assert!(audit.message.contains("off for the whole organization"));
}

/// Servers that do not sum up privileges: the roles are added up.
#[test]
fn privileges_are_added_up_from_roles() {
    let settings = settings_for(&json!({"read": ["account", "contact"]}));
    for (status, code) in [(404, "0x8006088a"), (501, ""), (403, "0x80040220")] {
        let mut organization = Organization::new();
        organization.otherwise.push((
            "RetrieveUserPrivileges",
            Reply::fault(status, code, "It cannot be found."),
        ));
        for (index, privileges) in [
            [
                ("prvReadAccount", Depth::Basic),
                ("prvReadEntity", Depth::Global),
            ],
            [
                ("prvReadAccount", Depth::Global),
                ("prvReadContact", Depth::Local),
            ],
        ]
        .into_iter()
        .enumerate()
        {
            organization.roles.push(StoredRole {
                id: format!("a0000000-0000-4000-8000-00000000000{index}"),
                privileges: privileges
                    .iter()
                    .map(|(name, depth)| ((*name).to_owned(), *depth))
                    .collect(),
                ..StoredRole::default()
            });
            organization.assigned.push(index);
        }
        let report = check(organization, &settings);
        assert_eq!(
            problems(&report),
            [
                "privilege/prvReadContact",
                "privilege/prvReadOrganization",
                "privilege/prvReadUser"
            ],
            "{status}"
        );
        assert!(report.findings[5].message.contains("it has Business Unit"));
    }
}

#[test]
fn unreadable_privileges_are_not_compared() {
    let settings = profile(Profile::RevenueIntelligence);
    let mut organization = Organization::new();
    for part in ["RetrieveUserPrivileges", "systemuserroles_association"] {
        let rejection = Reply::fault(
            403,
            "0x80040220",
            "Principal is missing prvReadRole privilege",
        );
        organization.otherwise.push((part, rejection));
    }
    let report = check(organization, &settings);
    assert!(report.available);
    let finding = report.findings.last_chunk::<2>().unwrap()[0].clone();
    assert_eq!(
        (&*finding.id, finding.verdict),
        ("privileges", Verdict::Warning)
    );
    assert!(
        finding.message.contains("Security Role: Read is missing"),
        "{}",
        finding.message
    );
    assert!(
        finding
            .remedy
            .unwrap()
            .contains("Security Role to Organization")
    );
}

/// An account that may not read its own row is missing that privilege first.
#[test]
fn a_missing_privilege_to_read_the_own_user_is_named() {
    let settings = profile(Profile::SalesAssistant);
    let mut organization = Organization::new();
    for part in ["RetrieveUserPrivileges", "systemuserroles_association"] {
        let rejection = Reply::fault(
            403,
            "0x80040220",
            "Principal is missing prvReadUser privilege",
        );
        organization.otherwise.push((part, rejection));
    }
    let report = check(organization, &settings);
    assert_eq!(problems(&report), ["privilege/prvReadUser", "privileges"]);
}

/// Without the privilege to read metadata, that one is reported as missing.
#[test]
fn a_missing_privilege_to_read_metadata_is_named() {
    let settings = profile(Profile::SalesAssistant);
    let mut permissions = required_role(&settings).unwrap().permissions;
    permissions.retain(|permission| permission.privilege.as_str() != "prvReadEntity");
    let mut organization = Organization::granting(&permissions);
    organization.otherwise.push((
        "EntityDefinitions",
        Reply::fault(
            403,
            "0x80040220",
            "Principal is missing prvReadEntity privilege",
        ),
    ));
    let report = check(organization, &settings);
    assert_eq!(problems(&report), ["privilege/prvReadEntity"]);
}
