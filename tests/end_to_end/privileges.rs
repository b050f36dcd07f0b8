//! The least-privilege role of each profile: it is sufficient, and each of its privileges is needed.

use dataverse_emulator::CLIENT_SECRET;
use dataverse_emulator::org::Depth;
use dataverse_host::Profile;
use dataverse_host::contract::{Event, Permission, Report, Selection, Verdict};
use dataverse_host::secrets::InMemory;
use dataverse_tests::{Attempt, Fixture, SECRET_NAME, WebApi, host, sync_events};
use http::Method;
use serde_json::json;
use uuid::Uuid;

const APPLICATION: Uuid = Uuid::from_u128(0x5f0e_3c64_0000_4c57_8d6c_0000_0000_7001);

/// Privileges of the role editor that no request of these tests needs: bulk edit is a function of
/// the user interface, and relationships are part of the metadata that every user may read.
const UNENFORCED_PRIVILEGES: [&str; 2] = ["prvBulkEdit", "prvReadRelationship"];

/// The users whose roles and teams the tests change; not the application under test.
const OTHER_USER: &str = "isdisabled eq false and accessmode eq 0";

#[tokio::test(flavor = "multi_thread")]
async fn revenue_intelligence_needs_every_privilege_of_its_role() {
    assert_each_privilege_is_needed("revenue-intelligence").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_assistant_needs_every_privilege_of_its_role() {
    assert_each_privilege_is_needed("sales-assistant").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_based_marketing_needs_every_privilege_of_its_role() {
    assert_each_privilege_is_needed("account-based-marketing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_sync_needs_every_privilege_of_its_role() {
    assert_each_privilege_is_needed("access-sync").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_provisioning_needs_every_privilege_of_its_role() {
    assert_each_privilege_is_needed("access-provisioning").await;
}

/// With the role that the connector requires, the check passes. Without any one of its privileges,
/// the check reports exactly that one, and requests that need it fail and name it.
async fn assert_each_privilege_is_needed(purpose: &str) {
    let fixture = Fixture::with_accounts(3).await;
    let mut settings = fixture.settings();
    settings["auth"]["clientId"] = APPLICATION.to_string().into();
    settings["purpose"] = json!({"profiles": [purpose]});
    let role = host().required_role(&settings.to_string()).await.unwrap();
    assert!(!role.permissions.is_empty());

    let allow = |permissions: &[&Permission]| {
        let privileges: Vec<(&str, Depth)> = permissions
            .iter()
            .map(|permission| (privilege(permission), depth(permission)))
            .collect();
        fixture
            .emulator
            .add_application_with(APPLICATION, CLIENT_SECRET, &privileges)
            .unwrap();
    };
    let all: Vec<&Permission> = role.permissions.iter().collect();
    allow(&all);
    let secrets = InMemory::new().with(SECRET_NAME, CLIENT_SECRET);
    let profile = Profile::new(settings.to_string(), secrets).unwrap();
    let report = check(&profile).await;
    assert!(report.available, "{report:#?}");
    assert_eq!(missing(&report), [""; 0], "{report:#?}");
    let writer = WebApi::sign_in_as(&fixture.emulator, APPLICATION, CLIENT_SECRET).await;
    for permission in &all {
        for attempt in attempts(&fixture, permission).await {
            let (status, body) = writer.attempt(&attempt).await;
            // An earlier attempt may have done the same already.
            assert!(
                status.is_success() || body.contains("0x80040237"),
                "{}: {attempt:?}: {body}",
                permission.id
            );
        }
    }

    for removed in &all {
        let remaining: Vec<&Permission> = all
            .iter()
            .copied()
            .filter(|other| other.id != removed.id)
            .collect();
        allow(&remaining);
        let report = check(&profile).await;
        assert_eq!(missing(&report), [removed.id.as_str()], "{report:#?}");
        let name = privilege(removed);
        if UNENFORCED_PRIVILEGES.contains(&name) {
            continue;
        }
        let mut denied = 0;
        // Without it no table can be described; one is enough.
        let any = all
            .iter()
            .flat_map(|permission| streams(permission))
            .take(1);
        let streams_that_need_it: Vec<&str> = if name == "prvReadEntity" {
            any.collect()
        } else {
            streams(removed)
        };
        for stream in streams_that_need_it {
            let message = read_error(&profile, stream).await;
            assert!(
                message.contains(name),
                "reading {stream} without {name}: {message}"
            );
            denied += 1;
        }
        for attempt in attempts(&fixture, removed).await {
            let (status, body) = writer.attempt(&attempt).await;
            assert_eq!(status, 403, "{attempt:?} without {name}: {body}");
            assert!(body.contains(name), "{attempt:?} without {name}: {body}");
            denied += 1;
        }
        // Some privileges are needed by the check only, and only cause a warning.
        assert!(denied > 0 || report.available, "nothing needs {name}");
    }
}

async fn check(profile: &Profile) -> Report {
    let mut session = host().open(profile).await.unwrap();
    session.check().await.unwrap()
}

/// The privileges that the report finds missing.
fn missing(report: &Report) -> Vec<&str> {
    report
        .findings
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::Failed | Verdict::Warning))
        .map(|finding| finding.id.as_str())
        .filter(|id| id.starts_with("privilege"))
        .collect()
}

fn privilege(permission: &Permission) -> &str {
    permission.id.strip_prefix("privilege/").unwrap()
}

fn depth(permission: &Permission) -> Depth {
    match permission.reach.as_str() {
        "User" => Depth::Basic,
        "Business Unit" => Depth::Local,
        "Parent: Child Business Units" => Depth::Deep,
        "Organization" => Depth::Global,
        other => panic!("{other}"),
    }
}

/// The streams that are read with the permission.
fn streams(permission: &Permission) -> Vec<&str> {
    permission
        .needed_for
        .iter()
        .filter_map(|reason| reason.strip_prefix("reading "))
        .filter(|name| !name.contains(' '))
        .collect()
}

/// The error of reading a stream.
async fn read_error(profile: &Profile, stream: &str) -> String {
    match sync_events(profile, Selection::of(stream)).await {
        Err(error) => error.to_string(),
        Ok(events) => events
            .into_iter()
            .find_map(|event| match event {
                Event::Failed(failure) => Some(failure.error.message),
                _ => None,
            })
            .unwrap_or_else(|| "the stream was read".to_owned()),
    }
}

/// Requests that need the permission, other than reading a stream.
#[expect(clippy::too_many_lines, reason = "a table of privileges and requests")]
async fn attempts(fixture: &Fixture, permission: &Permission) -> Vec<Attempt> {
    let id = |set: &'static str, filter: &'static str| fixture.api.first_key(set, filter);
    let with = |method: Method, path: String, body: serde_json::Value| Attempt {
        method,
        path,
        body: body.to_string(),
    };
    match privilege(permission) {
        "prvCreateAccount" => vec![with(
            Method::POST,
            "accounts".into(),
            json!({"name": "New"}),
        )],
        "prvCreateContact" => {
            vec![with(
                Method::POST,
                "contacts".into(),
                json!({"lastname": "New"}),
            )]
        }
        "prvCreateOpportunity" => {
            vec![with(
                Method::POST,
                "opportunities".into(),
                json!({"name": "New"}),
            )]
        }
        "prvCreateNote" | "prvAppendNote" | "prvAppendToOpportunity" => {
            let opportunity = id("opportunities", "").await;
            let note = json!({
                "subject": "New",
                "objectid_opportunity@odata.bind": format!("/opportunities({opportunity})"),
            });
            vec![with(Method::POST, "annotations".into(), note)]
        }
        "prvWriteAccount" => {
            let account = id("accounts", "").await;
            vec![with(
                Method::PATCH,
                format!("accounts({account})"),
                json!({"name": "Other"}),
            )]
        }
        "prvWriteContact" => {
            let contact = id("contacts", "").await;
            vec![with(
                Method::PATCH,
                format!("contacts({contact})"),
                json!({"lastname": "Other"}),
            )]
        }
        "prvWriteOpportunity" => {
            let opportunity = id("opportunities", "").await;
            let change = json!({"name": "Other"});
            vec![with(
                Method::PATCH,
                format!("opportunities({opportunity})"),
                change,
            )]
        }
        "prvWriteNote" => {
            let note = id("annotations", "").await;
            vec![with(
                Method::PATCH,
                format!("annotations({note})"),
                json!({"subject": "Other"}),
            )]
        }
        "prvAppendAccount" | "prvAppendToContact" => {
            let (account, contact) = (id("accounts", "").await, id("contacts", "").await);
            let change = json!({"primarycontactid@odata.bind": format!("/contacts({contact})")});
            vec![with(Method::PATCH, format!("accounts({account})"), change)]
        }
        "prvAppendContact" | "prvAppendToAccount" => {
            let (account, contact) = (id("accounts", "").await, id("contacts", "").await);
            let bind = format!("/accounts({account})");
            let change = json!({"parentcustomerid_account@odata.bind": bind});
            vec![with(Method::PATCH, format!("contacts({contact})"), change)]
        }
        "prvAppendOpportunity" => {
            let (account, opportunity) = (id("accounts", "").await, id("opportunities", "").await);
            let change = json!({"parentaccountid@odata.bind": format!("/accounts({account})")});
            vec![with(
                Method::PATCH,
                format!("opportunities({opportunity})"),
                change,
            )]
        }
        "prvAssignRole" | "prvAppendUser" | "prvAppendToRole" => {
            let user = id("systemusers", OTHER_USER).await;
            let role = id(
                "roles",
                "name eq 'Basic User' and _parentroleid_value eq null",
            )
            .await;
            let path = format!("systemusers({user})/systemuserroles_association/$ref");
            vec![associate(fixture, path, &format!("roles({role})"))]
        }
        "prvWriteTeam" | "prvAppendToUser" | "prvAppendTeam" => {
            let team = id("teams", "name eq 'Key Accounts'").await;
            let user = id("systemusers", OTHER_USER).await;
            let member = json!({"Members": [{
                "@odata.type": "Microsoft.Dynamics.CRM.systemuser",
                "systemuserid": user,
            }]});
            let path = format!("teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam");
            vec![with(Method::POST, path, member)]
        }
        "prvCreateAttribute" => {
            let column = json!({
                "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
                "SchemaName": "new_Remark",
                "MaxLength": 50,
                "DisplayName": {"LocalizedLabels": [{"Label": "Remark", "LanguageCode": 1033}]},
            });
            let path = "EntityDefinitions(LogicalName='account')/Attributes";
            vec![with(Method::POST, path.into(), column)]
        }
        "prvReadRecordAuditHistory" => {
            let account = id("accounts", "").await;
            let path = format!(
                "RetrieveRecordChangeHistory(Target=@target)?@target={{'@odata.id':'accounts({account})'}}"
            );
            vec![Attempt {
                method: Method::GET,
                path,
                body: String::new(),
            }]
        }
        _ => Vec::new(),
    }
}

fn associate(fixture: &Fixture, path: String, row: &str) -> Attempt {
    let reference = format!("{}/api/data/v9.2/{row}", fixture.emulator.base_url());
    Attempt {
        method: Method::POST,
        path,
        body: json!({"@odata.id": reference}).to_string(),
    }
}
