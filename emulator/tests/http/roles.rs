//! Editing roles, teams and shares through the Web API (reference §11).

use dataverse_emulator::org::{
    ADMINISTRATOR, DEFAULT_TEAM, Depth, GROUP_TEAM, KEY_ACCOUNTS_TEAM, ROOT_BUSINESS_UNIT, Role,
    SALES_BUSINESS_UNIT, SELLERS,
};
use serde_json::{Value, json};

use crate::{privileges::Account, support::Service};

async fn privilege(service: &Service, name: &str) -> String {
    let path = format!("privileges?$select=privilegeid&$filter=name eq '{name}'");
    let row = service.get(&path).await.rows().remove(0);
    row["privilegeid"].as_str().unwrap().to_owned()
}

/// Name and depth of all that a role grants.
async fn granted(service: &Service, role: &str) -> Vec<(String, String)> {
    let bound = format!("roles({role})/Microsoft.Dynamics.CRM.RetrieveRolePrivilegesRole()");
    let bound = service.get(&bound).await.json();
    let unbound = service
        .get(&format!("RetrieveRolePrivilegesRole(RoleId={role})"))
        .await
        .json();
    assert_eq!(bound["RolePrivileges"], unbound["RolePrivileges"]);
    let text = |privilege: &Value, name: &str| privilege[name].as_str().unwrap().to_owned();
    bound["RolePrivileges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| (text(held, "PrivilegeName"), text(held, "Depth")))
        .collect()
}

#[tokio::test]
async fn a_role_is_created_and_edited_with_its_copies() {
    let service = Service::start().await;
    let body = json!({"name": "Exporter",
        "businessunitid@odata.bind": format!("/businessunits({ROOT_BUSINESS_UNIT})")});
    let role = service.create("roles", &body).await;
    let root = service.get(&format!("roles({role})")).await.json();
    assert_eq!(root["_parentrootroleid_value"], role.as_str());
    assert_eq!(root["_parentroleid_value"], Value::Null);
    let copies = format!(
        "roles?$select=name,roleid&$filter=_parentrootroleid_value eq {role} and roleid ne {role}"
    );
    let copy = service.get(&copies).await.rows().remove(0);
    let copy = copy["roleid"].as_str().unwrap().to_owned();

    let (account, organization) = (
        privilege(&service, "prvReadAccount").await,
        privilege(&service, "prvReadOrganization").await,
    );
    let action = |name: &str| format!("roles({role})/Microsoft.Dynamics.CRM.{name}");
    let grant = |id: &str, depth: &str| {
        json!({"Privileges": [{"Depth": depth, "PrivilegeId": id,
            "BusinessUnitId": ROOT_BUSINESS_UNIT, "PrivilegeName": ""}]})
    };
    let add = action("AddPrivilegesRole");
    assert_eq!(
        service.post(&add, &grant(&account, "Local")).await.status,
        204
    );
    assert_eq!(
        service.post(&add, &grant(&organization, "3")).await.status,
        204
    );
    assert_eq!(
        service.post(&add, &grant(&account, "Deep")).await.status,
        204
    );
    let expected = |account: &str| {
        let pair = |name: &str, depth: &str| (name.to_owned(), depth.to_owned());
        vec![
            pair("prvReadAccount", account),
            pair("prvReadOrganization", "Global"),
        ]
    };
    assert_eq!(granted(&service, &role).await, expected("Deep"));
    assert_eq!(
        granted(&service, &copy).await,
        expected("Deep"),
        "copies grant the same"
    );
    let path =
        format!("roleprivilegescollection?$filter=roleid eq {role} and privilegeid eq {account}");
    assert_eq!(service.get(&path).await.rows()[0]["privilegedepthmask"], 4);
    let path = format!("roles({role})/roleprivileges_association?$select=name&$orderby=name");
    assert_eq!(service.get(&path).await.rows()[0]["name"], "prvReadAccount");

    let remove = action("RemovePrivilegeRole");
    let one = json!({"PrivilegeId": organization});
    assert_eq!(service.post(&remove, &one).await.status, 204);
    assert_eq!(service.post(&remove, &one).await.status, 404);
    assert_eq!(granted(&service, &copy).await, expected("Deep")[..1]);
    let replace = action("ReplacePrivilegesRole");
    assert_eq!(
        service
            .post(&replace, &grant(&organization, "Global"))
            .await
            .status,
        204
    );
    assert_eq!(granted(&service, &copy).await, expected("Deep")[1..]);

    let renamed = json!({"name": "Exports"});
    assert_eq!(
        service
            .patch(&format!("roles({role})"), &renamed)
            .await
            .status,
        204
    );
    let row = service
        .get(&format!("roles({copy})?$select=name"))
        .await
        .json();
    assert_eq!(row["name"], "Exports");
    assert_eq!(service.delete(&format!("roles({copy})")).await.status, 400);
    assert_eq!(service.delete(&format!("roles({role})")).await.status, 204);
    assert_eq!(service.get(&format!("roles({copy})")).await.status, 404);
}

#[tokio::test]
async fn invalid_role_changes_are_rejected() {
    let service = Service::start().await;
    let body = json!({"name": "Exporter",
        "businessunitid@odata.bind": format!("businessunits({ROOT_BUSINESS_UNIT})")});
    let role = service.create("roles", &body).await;
    let again = service.post("roles", &body).await;
    assert_eq!(again.status, 412, "a name is taken once: {}", again.text);
    let homeless = service.post("roles", &json!({"name": "Nowhere"})).await;
    assert_eq!(homeless.status, 400, "{}", homeless.text);
    let (account, organization) = (
        privilege(&service, "prvReadAccount").await,
        privilege(&service, "prvReadOrganization").await,
    );
    let add = format!("roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole");
    let grant =
        |id: &str, depth: &str| json!({"Privileges": [{"Depth": depth, "PrivilegeId": id}]});
    for (body, status) in [
        (grant(&organization, "Basic"), 400),
        (grant(&account, "Everywhere"), 400),
        (grant(&ADMINISTRATOR.to_string(), "Global"), 404),
        (json!({"Privileges": [{"Depth": "Global"}]}), 400),
        (json!({"Privilege": []}), 400),
    ] {
        let refused = service.post(&add, &body).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text);
    }
    let copy = Role::Salesperson.id(SALES_BUSINESS_UNIT);
    let of_copy = format!("roles({copy})/Microsoft.Dynamics.CRM.AddPrivilegesRole");
    let refused = service.post(&of_copy, &grant(&account, "Global")).await;
    assert_eq!(refused.status, 400, "copies are edited with their root");

    let administrator = Role::SystemAdministrator.id(ROOT_BUSINESS_UNIT);
    let path = format!("roles({administrator})/Microsoft.Dynamics.CRM.RemovePrivilegeRole");
    let refused = service.post(&path, &json!({"PrivilegeId": account})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.error().0.as_str()),
        (403, "0x80041D31")
    );
}

#[tokio::test]
async fn a_new_business_unit_has_the_roles_and_a_default_team() {
    let service = Service::start().await;
    let parent = format!("businessunits({SALES_BUSINESS_UNIT})");
    let body = json!({"name": "Field Sales", "parentbusinessunitid@odata.bind": parent});
    let unit = service.create("businessunits", &body).await;
    let roles = format!(
        "roles?$select=name&$filter=_businessunitid_value eq {unit} and name eq 'Salesperson'\
         &$expand=parentroleid($select=name,_businessunitid_value)"
    );
    let role = service.get(&roles).await.rows().remove(0);
    let parent = &role["parentroleid"]["_businessunitid_value"];
    assert_eq!(*parent, SALES_BUSINESS_UNIT.to_string());
    let id = role["roleid"].as_str().unwrap();
    let same = Role::Salesperson.id(ROOT_BUSINESS_UNIT).to_string();
    assert_eq!(granted(&service, id).await, granted(&service, &same).await);
    let teams = format!("teams?$filter=_businessunitid_value eq {unit}");
    let team = service.get(&teams).await.rows().remove(0);
    assert_eq!(
        (&team["name"], &team["isdefault"]),
        (&json!("Field Sales"), &json!(true))
    );
    let id = team["teamid"].as_str().unwrap();
    let refused = service.delete(&format!("teams({id})")).await;
    assert_eq!(refused.error().0, "0x80048307");
}

#[tokio::test]
async fn members_of_default_and_group_teams_cannot_be_changed() {
    let service = Service::start().await;
    let member = |user| {
        json!({"Members": [{"@odata.type": "Microsoft.Dynamics.CRM.systemuser",
            "systemuserid": user}]})
    };
    let action = |team, name: &str| format!("teams({team})/Microsoft.Dynamics.CRM.{name}");
    let add = |team| action(team, "AddMembersTeam");
    let refused = service.post(&add(DEFAULT_TEAM), &member(SELLERS[1])).await;
    assert_eq!(refused.error().0, "0x8004830B");
    let refused = service
        .post(
            &action(DEFAULT_TEAM, "RemoveMembersTeam"),
            &member(ADMINISTRATOR),
        )
        .await;
    assert_eq!(refused.error().0, "0x8004830C");
    let refused = service.post(&add(GROUP_TEAM), &member(SELLERS[1])).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let link = json!({"@odata.id": format!("systemusers({})", SELLERS[1])});
    let path = format!("teams({GROUP_TEAM})/teammembership_association/$ref");
    assert_eq!(service.post(&path, &link).await.status, 400);
    // Repeating the action has no effect.
    for _ in 0..2 {
        let response = service
            .post(&add(KEY_ACCOUNTS_TEAM), &member(SELLERS[1]))
            .await;
        assert_eq!(response.status, 204, "{}", response.text);
    }
    let path = format!("teams({KEY_ACCOUNTS_TEAM})/teammembership_association/$count");
    assert_eq!(
        service.get(&path).await.text.trim_start_matches('\u{feff}'),
        "2"
    );

    let rows = service.post("teammemberships", &json!({})).await;
    assert_eq!(
        rows.error().0,
        "0x80040800",
        "intersect tables are not written"
    );
    let administrator = Role::SystemAdministrator.id(ROOT_BUSINESS_UNIT);
    let object = service
        .get(
            "systemusers?$select=azureactivedirectoryobjectid&$filter=lastname \
                              eq 'Brandt'",
        )
        .await
        .rows()
        .remove(0);
    let object = object["azureactivedirectoryobjectid"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("RetrieveAadUserRoles(DirectoryObjectId={object})?$select=name");
    let roles = service.get(&path).await.rows();
    assert_eq!(roles[0]["roleid"], administrator.to_string());
}

#[tokio::test]
async fn the_last_administrator_cannot_be_removed() {
    let service = Service::start().await;
    let role = Role::SystemAdministrator.id(ROOT_BUSINESS_UNIT);
    let who = service.get("WhoAmI").await.json();
    let path = |user: &str| format!("systemusers({user})/systemuserroles_association({role})/$ref");
    let administrator = path(&ADMINISTRATOR.to_string());
    assert_eq!(service.delete(&administrator).await.status, 204);
    let last = service.delete(&path(who["UserId"].as_str().unwrap())).await;
    assert_eq!(last.error().0, "0x80041D30");
}

#[tokio::test]
async fn shared_rows_are_readable_until_the_share_is_revoked() {
    let service = Service::start().await;
    let account = Account::new(&service).await;
    account.hold(&[
        ("prvReadAccount", Depth::Basic),
        ("prvWriteAccount", Depth::Basic),
    ]);
    let id = service.create("accounts", &json!({"name": "Shared"})).await;
    let row = format!("accounts({id})");
    let change = json!({"telephone1": "1"});
    assert_eq!(account.get(&row).await.error().0, "0x80048306");

    let target = json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": id});
    let user = json!({"@odata.type": "Microsoft.Dynamics.CRM.systemuser",
        "systemuserid": account.user});
    let access = |mask: &str| json!({"Target": target, "PrincipalAccess": {"AccessMask": mask, "Principal": user}});
    let granted = service.post("GrantAccess", &access("ReadAccess")).await;
    assert_eq!(granted.status, 204, "{}", granted.text);
    assert_eq!(account.get("accounts").await.rows().len(), 1);
    assert_eq!(account.send("PATCH", &row, &change).await.status, 403);
    let path = format!(
        "systemusers({})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)\
                        ?@t={{'@odata.id':'accounts({id})'}}",
        account.user
    );
    let path = path.replace('{', "%7B").replace('}', "%7D");
    assert_eq!(
        service.get(&path).await.json()["AccessRights"],
        "ReadAccess"
    );

    let modified = service
        .post("ModifyAccess", &access("ReadAccess, WriteAccess"))
        .await;
    assert_eq!(modified.status, 204, "{}", modified.text);
    assert_eq!(account.send("PATCH", &row, &change).await.status, 204);
    assert_eq!(
        service.get(&path).await.json()["AccessRights"],
        "ReadAccess, WriteAccess"
    );
    let path = format!("RetrieveSharedPrincipalsAndAccess(Target=@t)?@t=%7B'@odata.id':'{row}'%7D");
    let shares = service.get(&path).await.json();
    let share = &shares["PrincipalAccesses"][0];
    assert_eq!(share["AccessMask"], "ReadAccess, WriteAccess");
    assert_eq!(share["Principal"]["systemuserid"], account.user.to_string());

    // Only rows that the caller may share are shared, and an owner needs no share.
    assert_eq!(
        account
            .send("POST", "GrantAccess", &access("DeleteAccess"))
            .await
            .status,
        403
    );
    let own = json!({"Target": target, "PrincipalAccess": {"AccessMask": "ReadAccess",
        "Principal": {"@odata.type": "Microsoft.Dynamics.CRM.systemuser",
            "systemuserid": service.get("WhoAmI").await.json()["UserId"]}}});
    assert_eq!(
        service.post("GrantAccess", &own).await.error().0,
        "0x80040214"
    );

    let revoked = service
        .post("RevokeAccess", &json!({"Target": target, "Revokee": user}))
        .await;
    assert_eq!(revoked.status, 204, "{}", revoked.text);
    assert_eq!(account.get("accounts").await.rows().len(), 0);
}
