//! What each operation needs, and how far a privilege reaches (reference §2.9, §11).

use dataverse_emulator::org::{
    ADMINISTRATOR, DEFAULT_TEAM, Depth, KEY_ACCOUNTS_TEAM, ROOT_BUSINESS_UNIT, Role,
    SALES_BUSINESS_UNIT, SALES_TEAM, SELLERS,
};
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Response, Service};

const CLIENT: Uuid = Uuid::from_u128(0x61);

/// An application whose user holds exactly the privileges last given.
pub(crate) struct Account<'s> {
    pub(crate) service: &'s Service,
    pub(crate) user: Uuid,
    token: String,
}

impl<'s> Account<'s> {
    pub(crate) async fn new(service: &'s Service) -> Self {
        let user = service
            .emulator
            .add_application_with(CLIENT, "s3cret", &[])
            .unwrap();
        let id = CLIENT.to_string();
        let fields = [("client_id", id.as_str()), ("client_secret", "s3cret")];
        let response = service.request_token(&fields).await.json();
        Self {
            service,
            user,
            token: format!("Bearer {}", response["access_token"].as_str().unwrap()),
        }
    }

    /// The value of the header `Authorization`.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn hold(&self, privileges: &[(&str, Depth)]) {
        let emulator = &self.service.emulator;
        emulator
            .add_application_with(CLIENT, "s3cret", privileges)
            .unwrap();
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let headers = [("authorization", self.token.as_str())];
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.service.send(method, path, &headers, &body).await
    }

    /// A request without a body on behalf of another user.
    pub(crate) async fn send_as(&self, user: &str, method: &str, path: &str) -> Response {
        let headers = [
            ("authorization", self.token.as_str()),
            ("mscrmcallerid", user),
        ];
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.service.send(method, path, &headers, "").await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &Value::Null).await
    }

    /// The role that the account's privileges are in.
    pub(crate) async fn role(&self) -> String {
        let path = format!(
            "roles?$select=roleid&$filter=name eq 'Application {CLIENT}' and \
                            _businessunitid_value eq {ROOT_BUSINESS_UNIT}"
        );
        let row = self.service.get(&path).await.rows().remove(0);
        row["roleid"].as_str().unwrap().to_owned()
    }
}

/// An operation and the privileges it needs.
struct Operation {
    method: &'static str,
    path: String,
    body: Value,
    needs: &'static [&'static str],
}

fn operation(
    method: &'static str,
    path: impl Into<String>,
    body: Value,
    needs: &'static [&'static str],
) -> Operation {
    Operation {
        method,
        path: path.into(),
        body,
        needs,
    }
}

fn read(path: &str, needs: &'static [&'static str]) -> Operation {
    operation("GET", path, Value::Null, needs)
}

/// The rows that the operations are about.
struct Rows {
    company: String,
    contact: String,
    doomed: String,
    role: String,
    team: String,
    privilege: String,
}

impl Rows {
    async fn create(service: &Service) -> Self {
        let person = json!({"lastname": "C"});
        let role = json!({"name": "R", "businessunitid@odata.bind":
            format!("businessunits({ROOT_BUSINESS_UNIT})")});
        let privileges = service
            .get("privileges?$filter=name eq 'prvReadAccount'")
            .await;
        let privilege = privileges.rows().remove(0)["privilegeid"].clone();
        Self {
            company: service.create("accounts", &json!({"name": "A"})).await,
            contact: service.create("contacts", &person).await,
            doomed: service.create("contacts", &person).await,
            role: service.create("roles", &role).await,
            team: service.create("teams", &json!({"name": "T"})).await,
            privilege: privilege.as_str().unwrap().to_owned(),
        }
    }
}

fn reference(set: &str, id: &str) -> Value {
    json!({"@odata.id": format!("{set}({id})")})
}

fn reads(Rows { company, .. }: &Rows) -> Vec<Operation> {
    vec![
        read("accounts", &["prvReadAccount"]),
        read(&format!("accounts({company})"), &["prvReadAccount"]),
        read("accounts/$count", &["prvReadAccount"]),
        read(
            "accounts?$expand=primarycontactid",
            &["prvReadAccount", "prvReadContact"],
        ),
        read(
            "accounts?$filter=primarycontactid/lastname eq 'C'",
            &["prvReadAccount", "prvReadContact"],
        ),
        read(
            &format!("accounts({company})/contact_customer_accounts"),
            &["prvReadAccount", "prvReadContact"],
        ),
        read("annotations", &["prvReadNote"]),
        read("emails", &["prvReadActivity"]),
        read("activitypointers", &["prvReadActivity"]),
        read("savedqueries", &["prvReadQuery"]),
        read("queueitems", &["prvReadQueue"]),
        read("processstages", &["prvReadProcessStage"]),
        read("audits", &["prvReadAuditSummary"]),
        read("teammemberships", &["prvReadTeam", "prvReadUser"]),
        read("systemuserrolescollection", &["prvReadRole"]),
        read("teamrolescollection", &["prvReadRole"]),
        read("roleprivilegescollection", &["prvReadRole"]),
        read("EntityDefinitions?$select=LogicalName", &["prvReadEntity"]),
        read(
            &format!(
                "systemusers({ADMINISTRATOR})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
            ),
            &["prvReadUser"],
        ),
    ]
}

fn writes(rows: &Rows) -> Vec<Operation> {
    let Rows {
        company,
        contact,
        doomed,
        ..
    } = rows;
    let person = json!({"lastname": "C"});
    let bind = json!({"parentcustomerid_account@odata.bind": format!("accounts({company})")});
    let target = json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": company});
    vec![
        operation("POST", "contacts", person.clone(), &["prvCreateContact"]),
        operation(
            "POST",
            "contacts",
            bind.clone(),
            &["prvCreateContact", "prvAppendContact", "prvAppendToAccount"],
        ),
        operation(
            "POST",
            format!("accounts({company})/contact_customer_accounts"),
            person.clone(),
            &["prvCreateContact", "prvAppendContact", "prvAppendToAccount"],
        ),
        operation(
            "PATCH",
            format!("contacts({contact})"),
            person,
            &["prvWriteContact"],
        ),
        operation(
            "PATCH",
            format!("contacts({contact})"),
            bind,
            &["prvWriteContact", "prvAppendContact", "prvAppendToAccount"],
        ),
        operation(
            "PUT",
            format!("contacts({contact})/parentcustomerid_account/$ref"),
            reference("accounts", company),
            &["prvWriteContact", "prvAppendContact", "prvAppendToAccount"],
        ),
        operation(
            "POST",
            format!("accounts({company})/contact_customer_accounts/$ref"),
            reference("contacts", contact),
            &["prvWriteContact", "prvAppendContact", "prvAppendToAccount"],
        ),
        operation(
            "PATCH",
            format!("contacts({contact})"),
            json!({"ownerid@odata.bind": format!("systemusers({})", SELLERS[0])}),
            &["prvWriteContact", "prvAssignContact"],
        ),
        operation(
            "DELETE",
            format!("contacts({doomed})"),
            Value::Null,
            &["prvDeleteContact"],
        ),
        operation(
            "POST",
            "GrantAccess",
            json!({"Target": target, "PrincipalAccess": {"AccessMask": "ReadAccess",
                "Principal": {"@odata.type": "Microsoft.Dynamics.CRM.systemuser",
                    "systemuserid": SELLERS[0]}}}),
            &["prvShareAccount", "prvReadAccount"],
        ),
    ]
}

fn administration(rows: &Rows) -> Vec<Operation> {
    let Rows {
        role,
        team,
        privilege,
        ..
    } = rows;
    let member = json!({"@odata.type": "Microsoft.Dynamics.CRM.systemuser",
        "systemuserid": ADMINISTRATOR});
    vec![
        operation(
            "POST",
            format!("systemusers({ADMINISTRATOR})/systemuserroles_association/$ref"),
            reference("roles", role),
            &["prvAppendUser", "prvAppendToRole", "prvAssignRole"],
        ),
        operation(
            "DELETE",
            format!("systemusers({ADMINISTRATOR})/systemuserroles_association({role})/$ref"),
            Value::Null,
            &["prvAppendUser", "prvAppendToRole", "prvAssignRole"],
        ),
        operation(
            "POST",
            format!("roles({role})/teamroles_association/$ref"),
            reference("teams", team),
            &["prvAppendTeam", "prvAppendToRole", "prvAssignRole"],
        ),
        operation(
            "POST",
            format!("teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam"),
            json!({"Members": [member]}),
            &["prvWriteTeam", "prvAppendTeam", "prvAppendToUser"],
        ),
        operation(
            "POST",
            format!("teams({team})/Microsoft.Dynamics.CRM.RemoveMembersTeam"),
            json!({"Members": [member]}),
            &["prvWriteTeam", "prvAppendTeam", "prvAppendToUser"],
        ),
        operation(
            "POST",
            format!("teams({team})/teammembership_association/$ref"),
            reference("systemusers", &ADMINISTRATOR.to_string()),
            &["prvWriteTeam", "prvAppendTeam", "prvAppendToUser"],
        ),
        operation(
            "POST",
            "roles",
            json!({"name": "S", "businessunitid@odata.bind":
                format!("businessunits({ROOT_BUSINESS_UNIT})")}),
            &["prvCreateRole", "prvAppendRole", "prvAppendToBusinessUnit"],
        ),
        operation(
            "POST",
            format!("roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole"),
            json!({"Privileges": [{"Depth": "Local", "PrivilegeId": privilege}]}),
            &["prvWriteRole"],
        ),
        operation(
            "DELETE",
            format!("roles({role})"),
            Value::Null,
            &["prvDeleteRole"],
        ),
    ]
}

#[tokio::test]
async fn each_missing_privilege_is_named() {
    let service = Service::start().await;
    let account = Account::new(&service).await;
    let rows = Rows::create(&service).await;
    let operations = [reads(&rows), writes(&rows), administration(&rows)];
    for Operation {
        method,
        path,
        body,
        needs,
    } in operations.into_iter().flatten()
    {
        let what = format!("{method} {path} {body}");
        for missing in needs {
            let held: Vec<(&str, Depth)> = needs
                .iter()
                .filter(|need| *need != missing)
                .map(|need| (*need, Depth::Global))
                .collect();
            account.hold(&held);
            let response = account.send(method, &path, &body).await;
            assert_eq!(
                response.status, 403,
                "{what} without {missing}: {}",
                response.text
            );
            let (code, message) = response.error();
            assert_eq!(code, "0x80040220", "{what}");
            let start = format!(
                "Principal user (Id={}, type=8, roleCount=1, privilegeCount={}, accessMode=4), is \
                 missing {missing} privilege (Id=",
                account.user,
                held.len()
            );
            assert!(message.starts_with(&start), "{what}: {message}");
        }
        let held: Vec<_> = needs.iter().map(|need| (*need, Depth::Global)).collect();
        account.hold(&held);
        let response = account.send(method, &path, &body).await;
        assert!(response.status.is_success(), "{what}: {}", response.text);
    }
}

#[tokio::test]
async fn privileges_of_the_table_and_of_the_definitions_are_the_same() {
    let service = Service::start().await;
    let definition = service
        .get("EntityDefinitions(LogicalName='role')?$select=Privileges")
        .await
        .json();
    let told = definition["Privileges"].as_array().unwrap();
    let names: Vec<&str> = told.iter().map(|p| p["Name"].as_str().unwrap()).collect();
    assert!(names.contains(&"prvAssignRole"), "{names:?}");
    for privilege in told {
        let id = privilege["PrivilegeId"].as_str().unwrap();
        let row = service.get(&format!("privileges({id})")).await.json();
        assert_eq!(row["name"], privilege["Name"]);
        assert_eq!(row["canbebasic"], privilege["CanBeBasic"]);
        assert_eq!(row["canbelocal"], privilege["CanBeLocal"]);
    }
    let filter = "name eq 'prvBulkEdit' or name eq 'prvAssignAccount' or \
                  name eq 'prvActOnBehalfOfAnotherUser' or name eq 'prvCreateAttribute'";
    let path =
        format!("privileges?$select=name,accessright,canbebasic&$filter={filter}&$orderby=name");
    let rows = service.get(&path).await.rows();
    let told: Vec<(&str, i64, bool)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            let (right, basic) = (&row["accessright"], &row["canbebasic"]);
            (
                text("name"),
                right.as_i64().unwrap(),
                basic.as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("prvActOnBehalfOfAnotherUser", 0, false),
            ("prvAssignAccount", 524_288, true),
            ("prvBulkEdit", 0, false),
            ("prvCreateAttribute", 32, false),
        ]
    );
}

/// Names of the accounts that the account can read.
async fn seen(account: &Account<'_>) -> Vec<String> {
    let response = account.get("accounts?$select=name&$orderby=name").await;
    assert_eq!(response.status, 200, "{}", response.text);
    let name = |row: Value| row["name"].as_str().unwrap().to_owned();
    response.rows().into_iter().map(name).collect()
}

/// A role that reads the own accounts.
async fn reader_of_accounts(service: &Service) -> String {
    let unit = format!("/businessunits({ROOT_BUSINESS_UNIT})");
    let body = json!({"name": "Reader of accounts", "businessunitid@odata.bind": unit});
    let role = service.create("roles", &body).await;
    let found = "privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'";
    let privilege = service.get(found).await.rows().remove(0)["privilegeid"].clone();
    let body = json!({"Privileges": [{"Depth": "Basic", "PrivilegeId": privilege,
        "BusinessUnitId": ROOT_BUSINESS_UNIT}]});
    let action = format!("roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole");
    let response = service.post(&action, &body).await;
    assert_eq!(response.status, 204, "{}", response.text);
    role
}

#[tokio::test]
async fn depth_limits_the_reachable_rows() {
    let service = Service::start().await;
    let account = Account::new(&service).await;
    // An owner must be able to read the rows.
    account.hold(&[("prvReadAccount", Depth::Basic)]);
    let role = reader_of_accounts(&service).await;
    let association = format!("teams({DEFAULT_TEAM})/teamroles_association");
    let reference = json!({"@odata.id": service.address(&format!("roles({role})"))});
    let given = service
        .post(&format!("{association}/$ref"), &reference)
        .await;
    assert_eq!(given.status, 204, "{}", given.text);
    for (name, owner) in [
        ("1 own", format!("systemusers({})", account.user)),
        ("2 of a team of mine", format!("teams({DEFAULT_TEAM})")),
        ("3 of my unit", format!("systemusers({ADMINISTRATOR})")),
        (
            "4 of a team of my unit",
            format!("teams({KEY_ACCOUNTS_TEAM})"),
        ),
        (
            "5 of the unit below",
            format!("systemusers({})", SELLERS[1]),
        ),
    ] {
        let body = json!({"name": name, "ownerid@odata.bind": owner});
        service.create("accounts", &body).await;
    }
    let taken = service.delete(&format!("{association}({role})/$ref")).await;
    assert_eq!(taken.status, 204, "{}", taken.text);
    for (depth, count) in [
        (Depth::Basic, 2),
        (Depth::Local, 4),
        (Depth::Deep, 5),
        (Depth::Global, 5),
    ] {
        account.hold(&[("prvReadAccount", depth), ("prvWriteAccount", depth)]);
        assert_eq!(seen(&account).await.len(), count, "{depth:?}");
        let tracked = account
            .service
            .send(
                Method::GET,
                "accounts?$select=name",
                &[
                    ("authorization", &account.token),
                    ("prefer", "odata.track-changes"),
                ],
                "",
            )
            .await;
        let expected = if depth == Depth::Global { 200 } else { 403 };
        assert_eq!(tracked.status, expected, "{depth:?}: {}", tracked.text);
        if expected == 403 {
            assert!(tracked.text.contains("is missing prvReadAccount privilege"));
        }
    }
    // What is read and what is written have depths of their own.
    account.hold(&[
        ("prvReadAccount", Depth::Global),
        ("prvWriteAccount", Depth::Basic),
        ("prvCreateAccount", Depth::Basic),
        ("prvAssignAccount", Depth::Global),
    ]);
    let rows = service
        .get("accounts?$select=name&$orderby=name")
        .await
        .rows();
    for (at, status) in [(0, 204), (2, 403)] {
        let id = rows[at]["accountid"].as_str().unwrap();
        let body = json!({"telephone1": "1"});
        let response = account
            .send("PATCH", &format!("accounts({id})"), &body)
            .await;
        assert_eq!(response.status, status, "{}", response.text);
        if status == 403 {
            assert_eq!(response.error().0, "0x80048306");
        }
    }
    let foreign =
        json!({"name": "6", "ownerid@odata.bind": format!("systemusers({})", SELLERS[1])});
    let response = account.send("POST", "accounts", &foreign).await;
    assert_eq!(
        response.error().0,
        "0x80048306",
        "create reaches own rows only"
    );
}

#[tokio::test]
async fn unreadable_rows_are_not_reached_through_other_rows() {
    let service = Service::start().await;
    let account = Account::new(&service).await;
    account.hold(&[
        ("prvReadAccount", Depth::Basic),
        ("prvReadContact", Depth::Global),
    ]);
    let mine = json!({"ownerid@odata.bind": format!("systemusers({})", account.user),
        "name": "Mine"});
    for body in [mine, json!({"name": "Theirs"})] {
        let company = service.create("accounts", &body).await;
        let bind = format!("accounts({company})");
        let body = json!({"lastname": "C", "parentcustomerid_account@odata.bind": bind});
        service.create("contacts", &body).await;
    }
    for (path, count) in [
        ("contacts", 2),
        (
            "contacts?$filter=parentcustomerid_account/name eq 'Mine'",
            1,
        ),
        (
            "contacts?$filter=parentcustomerid_account/name eq 'Theirs'",
            0,
        ),
        ("contacts?$filter=account_primary_contact/any()", 0),
        (
            "accounts?$filter=contact_customer_accounts/any(c:c/lastname eq 'C')",
            1,
        ),
        (
            "accounts?$filter=contact_customer_accounts/all(c:c/lastname eq 'C')",
            1,
        ),
    ] {
        let rows = account.get(path).await.rows();
        assert_eq!(rows.len(), count, "{path}");
    }
    let path = "contacts?$select=lastname&$expand=parentcustomerid_account($select=name)";
    let rows = account.get(path).await.rows();
    let seen = |row: &&Value| !row["parentcustomerid_account"].is_null();
    assert_eq!(rows.iter().filter(seen).count(), 1);
}

#[tokio::test]
async fn a_team_role_counts_from_the_business_unit_of_the_team() {
    let service = Service::start().await;
    let account = Account::new(&service).await;
    account.hold(&[("prvReadAccount", Depth::Local)]);
    for (name, owner) in [("root", ADMINISTRATOR), ("sales", SELLERS[1])] {
        let owner = format!("systemusers({owner})");
        let body = json!({"name": name, "ownerid@odata.bind": owner});
        service.create("accounts", &body).await;
    }
    assert_eq!(seen(&account).await, ["root"]);

    // A user who moves to another business unit loses roles; copies are assigned there.
    let user = format!("systemusers({})", account.user);
    let unit =
        json!({"businessunitid@odata.bind": format!("businessunits({SALES_BUSINESS_UNIT})")});
    assert_eq!(service.patch(&user, &unit).await.status, 204);
    assert_eq!(account.get("accounts").await.error().0, "0x80042F09");
    let root = account.role().await;
    let link = |role: &str| json!({"@odata.id": service.address(&format!("roles({role})"))});
    let roles = format!("{user}/systemuserroles_association/$ref");
    let refused = service.post(&roles, &link(&root)).await;
    assert_eq!(refused.status, 400, "the role is of another business unit");
    let copies = format!(
        "roles?$select=roleid,isinherited,_parentroleid_value&$filter=_parentrootroleid_value eq \
         {root} and _businessunitid_value eq {SALES_BUSINESS_UNIT}"
    );
    let copy = service.get(&copies).await.rows().remove(0);
    assert_eq!(copy["_parentroleid_value"], root.as_str());
    let copy = copy["roleid"].as_str().unwrap();
    assert_eq!(service.post(&roles, &link(copy)).await.status, 204);
    assert_eq!(seen(&account).await, ["sales"]);
    let teams = format!("{user}/teammembership_association?$select=name");
    let team = &service.get(&teams).await.rows()[0];
    assert_eq!(team["teamid"], SALES_TEAM.to_string());

    // The team's Salesperson role reaches the team's unit, not the member's.
    let members = format!("teams({KEY_ACCOUNTS_TEAM})/teammembership_association/$ref");
    let member = json!({"@odata.id": user});
    assert_eq!(service.post(&members, &member).await.status, 204);
    assert_eq!(seen(&account).await, ["root", "sales"]);
    let again = service.post(&members, &member).await;
    assert_eq!(
        (again.status.as_u16(), again.error().0.as_str()),
        (412, "0x80040237")
    );
    let path = format!(
        "{user}/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName\
                        (PrivilegeName='prvReadAccount')"
    );
    let held = service.get(&path).await.json();
    let mut units: Vec<(&str, &str)> = held["RolePrivileges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| {
            let text = |name: &str| held[name].as_str().unwrap();
            (text("BusinessUnitId"), text("Depth"))
        })
        .collect();
    units.sort_unstable();
    let (root, sales) = (
        ROOT_BUSINESS_UNIT.to_string(),
        SALES_BUSINESS_UNIT.to_string(),
    );
    assert_eq!(units, [(root.as_str(), "Local"), (sales.as_str(), "Local")]);
    let path =
        format!("teams({KEY_ACCOUNTS_TEAM})/Microsoft.Dynamics.CRM.RetrieveTeamPrivileges()");
    let of_team = service.get(&path).await.json();
    let of_team = of_team["RolePrivileges"].as_array().unwrap();
    assert!(
        of_team
            .iter()
            .any(|held| held["PrivilegeName"] == "prvReadAccount")
    );

    let salesperson = Role::Salesperson.id(ROOT_BUSINESS_UNIT);
    let path = format!("teams({KEY_ACCOUNTS_TEAM})/teamroles_association({salesperson})/$ref");
    assert_eq!(service.delete(&path).await.status, 204);
    assert_eq!(seen(&account).await, ["sales"]);
}
