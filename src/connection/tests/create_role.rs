//! Creating the role in the environment.

use std::cell::RefCell;

use serde_json::json;

use super::organization::{Organization, StoredRole, administrator};
use super::role::settings_for;
use super::*;
use crate::dataverse::privilege::Depth;
use crate::error::{Commit, Error, ErrorKind};
use crate::host::HttpError;

const NAME: &str = "Dataverse connector: access-sync";

fn create(
    organization: Organization,
) -> (
    Result<RoleChange, Error>,
    Rc<RefCell<Organization>>,
    Rc<Simulation>,
) {
    let (host, organization) = organization.host();
    let change = create_in(&host);
    (change, organization, host)
}

fn create_in(host: &Rc<Simulation>) -> Result<RoleChange, Error> {
    let settings = settings_for(&json!({"profiles": ["access-sync"]}));
    let session = Session::open(Rc::clone(host), &settings).unwrap();
    host.block_on(session.create_role(NAME))
}

fn names(permissions: &[Permission]) -> Vec<&str> {
    permissions
        .iter()
        .map(|permission| permission.privilege.as_str())
        .collect()
}

const ALL: [&str; 5] = [
    "prvReadOrganization",
    "prvReadRole",
    "prvReadTeam",
    "prvReadUser",
    "prvReadEntity",
];

#[test]
fn a_role_is_created_once() {
    let (change, organization, host) = create(Organization::new());
    let change = change.unwrap();
    assert!(change.created);
    assert_eq!(names(&change.added), ALL);
    assert!(change.unknown.is_empty());
    {
        let organization = organization.borrow();
        let role = &organization.roles[0];
        assert_eq!(
            (role.name.as_str(), &role.id),
            (NAME, &change.id.to_string())
        );
        assert_eq!(role.privileges.len(), ALL.len());
        assert!(
            role.privileges
                .values()
                .all(|depth| *depth == Depth::Global)
        );
    }
    // The second call changes nothing.
    let second = create_in(&host).unwrap();
    assert!(!second.created && second.added.is_empty());
    assert_eq!(second.id, change.id);
    assert_eq!(organization.borrow().roles.len(), 1);
    assert_eq!(host.count("AddPrivilegesRole"), 1);
}

#[test]
fn a_role_gets_its_missing_privileges_and_keeps_the_others() {
    let mut organization = Organization::new();
    organization.without.push("prvReadTeam");
    organization.roles.push(StoredRole {
        id: "a0000000-0000-4000-8000-000000000000".to_owned(),
        name: NAME.to_owned(),
        privileges: [
            ("prvReadRole", Depth::Global),
            ("prvReadUser", Depth::Local),
            ("prvDeleteLead", Depth::Basic),
        ]
        .map(|(name, depth)| (name.to_owned(), depth))
        .into(),
        ..StoredRole::default()
    });
    let (change, organization, _) = create(organization);
    let change = change.unwrap();
    assert!(!change.created);
    assert_eq!(
        names(&change.added),
        ["prvReadOrganization", "prvReadUser", "prvReadEntity"]
    );
    assert_eq!(names(&change.unknown), ["prvReadTeam"]);
    let organization = organization.borrow();
    let privileges = &organization.roles[0].privileges;
    assert_eq!(privileges["prvReadUser"], Depth::Global);
    assert_eq!(privileges["prvDeleteLead"], Depth::Basic);
}

#[test]
fn roles_of_the_system_and_of_solutions_are_not_changed() {
    for role in [
        administrator(),
        StoredRole {
            is_managed: true,
            ..administrator()
        },
    ] {
        let mut organization = Organization::new();
        let name = NAME.to_owned();
        organization.roles.push(StoredRole { name, ..role });
        let (change, _, host) = create(organization);
        let error = change.unwrap_err();
        assert_eq!(
            (error.kind, error.commit),
            (ErrorKind::Conflict, Commit::NotStarted)
        );
        assert!(error.message.ends_with("choose another name"), "{error}");
        assert!(host.requests().iter().all(|request| {
            request.method == crate::host::Method::Get
                || request.target.authority.starts_with("login.")
        }));
    }
}

#[test]
fn a_partly_created_role_is_reported_and_completed_later() {
    let mut organization = Organization::new();
    let rejection = Reply::fault(
        403,
        "0x80040220",
        "Principal is missing prvWriteRole privilege",
    );
    organization
        .otherwise
        .push(("AddPrivilegesRole", rejection));
    let (change, organization, host) = create(organization);
    let error = change.unwrap_err();
    assert_eq!(
        (error.kind, error.commit),
        (ErrorKind::Forbidden, Commit::Partial)
    );
    for part in [
        NAME,
        "was created",
        "Security Role: Write is missing",
        "create the role again",
    ] {
        assert!(error.message.contains(part), "{error}");
    }
    organization.borrow_mut().otherwise.clear();
    let change = create_in(&host).unwrap();
    assert!(!change.created);
    assert_eq!(names(&change.added), ALL);
}

#[test]
fn a_creation_that_may_have_happened_is_not_repeated() {
    for (reply, kind, commit, attempts) in [
        (
            Reply::failure(HttpError::Lost),
            ErrorKind::Unavailable,
            Commit::Unknown,
            1,
        ),
        (
            Reply::status(503),
            ErrorKind::Unavailable,
            Commit::Unknown,
            1,
        ),
        (
            Reply::failure(HttpError::Connect),
            ErrorKind::Unavailable,
            Commit::NotStarted,
            4,
        ),
        (
            Reply::fault(
                403,
                "0x80040220",
                "Principal is missing prvCreateRole privilege",
            ),
            ErrorKind::Forbidden,
            Commit::NotStarted,
            1,
        ),
    ] {
        let (host, organization) = Organization::new().host();
        let posts = format!("{}roles", crate::simulation::API_ROOT);
        // Roles can still be read.
        organization.borrow_mut().reject_posts = Some(reply);
        let error = create_in(&host).unwrap_err();
        assert_eq!((error.kind, error.commit), (kind, commit), "{error}");
        let sent = host
            .requests()
            .iter()
            .filter(|request| crate::simulation::address(request) == posts)
            .count();
        assert_eq!(sent, attempts, "{error}");
    }
}

#[test]
fn invalid_role_names_are_rejected() {
    for name in ["", "  ", "a\nb", &"a".repeat(101)] {
        let (host, _) = Organization::new().host();
        let settings = settings_for(&json!({"audit": true}));
        let session = Session::open(Rc::clone(&host), &settings).unwrap();
        let error = host.block_on(session.create_role(name)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidData, "{name:?}");
        assert!(host.requests().is_empty());
    }
}
