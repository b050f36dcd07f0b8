//! An organization with tables, privileges, roles and one account.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::super::Permission;
use crate::dataverse::privilege::Depth;
use crate::host::{Method, Request};
use crate::simulation::{API_ROOT, Reply, Simulation, signed_in};

pub(super) const USER: &str = "5d4b2a10-0000-4000-8000-000000000001";
pub(super) const UNIT: &str = "b0000000-0000-4000-8000-000000000001";
const ADMINISTRATOR: &str = "627090ff-40a3-4053-8790-584edc5be201";

/// The facts of the tables: what guards them and what their rows refer to.
const TABLES: &str = include_str!("tables.json");

/// A role with its privileges by name.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredRole {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) template: Option<&'static str>,
    pub(super) is_managed: bool,
    pub(super) privileges: BTreeMap<String, Depth>,
}

pub(super) struct Organization {
    pub(super) tables: Vec<Value>,
    /// What the account may do.
    pub(super) held: BTreeMap<String, Depth>,
    /// Roles of the root business unit.
    pub(super) roles: Vec<StoredRole>,
    /// The roles that the account has, by their places among the roles.
    pub(super) assigned: Vec<usize>,
    /// Privileges that this organization does not have.
    pub(super) without: Vec<&'static str>,
    pub(super) audited: bool,
    pub(super) disabled: bool,
    /// The reply to every change, if it is to fail.
    pub(super) reject_posts: Option<Reply>,
    /// Parts of paths, with their replies.
    pub(super) otherwise: Vec<(&'static str, Reply)>,
}

impl Organization {
    pub(super) fn new() -> Self {
        let mut tables: Vec<Value> = serde_json::from_str(TABLES).unwrap();
        for table in &mut tables {
            table["tracked"] = true.into();
            table["audited"] = true.into();
        }
        Self {
            tables,
            held: BTreeMap::new(),
            roles: Vec::new(),
            assigned: Vec::new(),
            without: Vec::new(),
            audited: true,
            disabled: false,
            reject_posts: None,
            otherwise: Vec::new(),
        }
    }

    /// An organization whose account has exactly these permissions.
    pub(super) fn granting(permissions: &[Permission]) -> Self {
        let mut organization = Self::new();
        organization.held = permissions
            .iter()
            .map(|permission| (permission.privilege.to_string(), permission.depth))
            .collect();
        organization
    }

    pub(super) fn table(&mut self, name: &str) -> &mut Value {
        let found = self.tables.iter_mut().find(|table| table["name"] == name);
        found.unwrap()
    }

    /// A host whose service is this organization.
    pub(super) fn host(self) -> (Rc<Simulation>, Rc<RefCell<Self>>) {
        let shared = Rc::new(RefCell::new(self));
        let organization = Rc::clone(&shared);
        let host = signed_in(move |request| organization.borrow_mut().respond(request));
        (host, shared)
    }

    fn respond(&mut self, request: &Request) -> Reply {
        let root = API_ROOT.split_once(".com").unwrap().1;
        let target = request.target.path_and_query.strip_prefix(root).unwrap();
        if let Some((_, reply)) = self
            .otherwise
            .iter()
            .find(|(part, _)| target.contains(part))
        {
            return reply.clone();
        }
        if let (Method::Post, Some(reply)) = (request.method, &self.reject_posts) {
            return reply.clone();
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let filter = query.get("$filter").map_or("", String::as_str);
        let body = request
            .body
            .as_ref()
            .map(|body| serde_json::from_slice::<Value>(body).unwrap());
        match (request.method, path, body) {
            (Method::Get, "WhoAmI", _) => Reply::json(&json!({
                "BusinessUnitId": UNIT, "UserId": USER, "OrganizationId": UNIT,
            })),
            (Method::Get, "RetrieveVersion()", _) => {
                Reply::json(&json!({"Version": "9.2.24013.190"}))
            }
            (Method::Get, "organizations", _) => rows([json!({
                "organizationid": UNIT,
                "name": "contoso",
                "expirechangetrackingindays": 7,
                "isauditenabled": self.audited,
            })]),
            (Method::Get, "businessunits", _) => {
                assert_eq!(filter, "_parentbusinessunitid_value eq null");
                rows([json!({"businessunitid": UNIT, "name": "contoso"})])
            }
            (Method::Get, "EntityDefinitions", _) => self.definitions(filter),
            (Method::Get, "privileges", _) => self.privileges(filter),
            (Method::Get, "roles", _) => {
                let is_named = |role: &&StoredRole| {
                    filter.starts_with(&format!("name eq '{}' and ", role.name))
                };
                rows(self.roles.iter().filter(is_named).map(role_row))
            }
            (Method::Get, "roleprivilegescollection", _) => self.grants(filter),
            (Method::Post, "roles", Some(body)) => self.create_role(&body),
            (Method::Post, path, Some(body)) => self.add_privileges(path, &body),
            (Method::Get, path, _) => self.single(path),
            _ => Reply::status(405),
        }
    }

    fn single(&self, path: &str) -> Reply {
        if let Some(rest) = path.strip_prefix(&format!("systemusers({USER})")) {
            return match rest {
                "" => Reply::json(&json!({"systemuserid": USER, "isdisabled": self.disabled})),
                "/systemuserroles_association" => rows(
                    self.assigned
                        .iter()
                        .map(|role| role_row(&self.roles[*role])),
                ),
                "/teammembership_association" => rows([]),
                "/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()" => {
                    let privileges: Vec<Value> = self
                        .held
                        .iter()
                        .map(|(name, depth)| {
                            json!({
                                "Depth": depth.as_str(),
                                "PrivilegeId": privilege_id(name),
                                "PrivilegeName": name,
                            })
                        })
                        .collect();
                    Reply::json(&json!({ "RolePrivileges": privileges }))
                }
                _ => Reply::status(404),
            };
        }
        let lookups = path
            .strip_prefix("EntityDefinitions(LogicalName='")
            .and_then(|rest| rest.split_once("')/Attributes/"));
        match lookups {
            Some((table, "Microsoft.Dynamics.CRM.LookupAttributeMetadata")) => {
                let table = self.tables.iter().find(|known| known["name"] == table);
                let lookups = table.unwrap()["lookups"].as_object().unwrap();
                let owner = json!({
                    "LogicalName": "ownerid", "AttributeType": "Owner",
                    "Targets": ["systemuser", "team"],
                    "IsValidForCreate": true, "IsValidForUpdate": true,
                });
                let author = json!({
                    "LogicalName": "createdby", "AttributeType": "Lookup",
                    "Targets": ["systemuser"],
                    "IsValidForCreate": false, "IsValidForUpdate": false,
                });
                rows(
                    lookups
                        .iter()
                        .map(|(name, targets)| {
                            json!({
                                "LogicalName": name, "AttributeType": "Lookup", "Targets": targets,
                                "IsValidForCreate": true, "IsValidForUpdate": true,
                            })
                        })
                        .chain([owner, author]),
                )
            }
            _ => Reply::status(404),
        }
    }

    fn definitions(&self, filter: &str) -> Reply {
        rows(self.tables.iter().filter_map(|table| {
            let name = table["name"].as_str().unwrap();
            filter
                .contains(&format!("LogicalName eq '{name}'"))
                .then(|| {
                    json!({
                        "LogicalName": name,
                        "DisplayName": {"UserLocalizedLabel": {"Label": table["title"]}},
                        "Privileges": privileges_of(table),
                        "ChangeTrackingEnabled": table["tracked"],
                        "CanChangeTrackingBeEnabled": {"Value": true},
                        "IsAuditEnabled": {"Value": table["audited"], "CanBeChanged": true},
                    })
                })
        }))
    }

    /// The service compares names without regard to case.
    fn privileges(&self, filter: &str) -> Reply {
        rows(filter.split(" or ").filter_map(|condition| {
            let name = condition
                .strip_prefix("name eq '")
                .and_then(|rest| rest.strip_suffix('\''))
                .unwrap();
            (!self.without.contains(&name)).then(|| {
                json!({
                    "privilegeid": privilege_id(name), "name": name.to_ascii_lowercase(),
                    "canbebasic": true, "canbelocal": true, "canbedeep": true,
                    "canbeglobal": true,
                })
            })
        }))
    }

    fn grants(&self, filter: &str) -> Reply {
        let role = self
            .roles
            .iter()
            .find(|role| filter == format!("roleid eq {}", role.id))
            .unwrap();
        rows(role.privileges.iter().map(|(name, depth)| {
            let mask = match depth {
                Depth::Basic => 1,
                Depth::Local => 2,
                Depth::Deep => 4,
                Depth::Global => 8,
            };
            json!({"privilegeid": privilege_id(name), "privilegedepthmask": mask})
        }))
    }

    fn create_role(&mut self, body: &Value) -> Reply {
        assert_eq!(
            body["businessunitid@odata.bind"],
            format!("/businessunits({UNIT})")
        );
        let id = format!("a0000000-0000-4000-8000-{:012}", self.roles.len());
        self.roles.push(StoredRole {
            id: id.clone(),
            name: body["name"].as_str().unwrap().to_owned(),
            ..StoredRole::default()
        });
        Reply::status(204).with("OData-EntityId", format!("{API_ROOT}roles({id})"))
    }

    fn add_privileges(&mut self, path: &str, body: &Value) -> Reply {
        let role = self
            .roles
            .iter_mut()
            .find(|role| {
                path == format!(
                    "roles({})/Microsoft.Dynamics.CRM.AddPrivilegesRole",
                    role.id
                )
            })
            .unwrap();
        for privilege in body["Privileges"].as_array().unwrap() {
            let name = privilege["PrivilegeName"].as_str().unwrap();
            assert_eq!(privilege["PrivilegeId"], privilege_id(name));
            assert_eq!(privilege["BusinessUnitId"], UNIT);
            let depth = Depth::parse(privilege["Depth"].as_str().unwrap()).unwrap();
            role.privileges.insert(name.to_owned(), depth);
        }
        Reply::status(204)
    }
}

/// An account that is a System Administrator by this role.
pub(super) fn administrator() -> StoredRole {
    StoredRole {
        id: "a0000000-0000-4000-8000-999999999999".to_owned(),
        name: "System Administrator".to_owned(),
        template: Some(ADMINISTRATOR),
        ..StoredRole::default()
    }
}

fn rows(rows: impl IntoIterator<Item = Value>) -> Reply {
    let rows: Vec<Value> = rows.into_iter().collect();
    Reply::json(&json!({ "value": rows }))
}

fn role_row(role: &StoredRole) -> Value {
    json!({
        "roleid": role.id, "name": role.name, "ismanaged": role.is_managed,
        "_roletemplateid_value": role.template,
    })
}

/// A key that follows from the name, ignoring its case.
fn privilege_id(name: &str) -> String {
    let sum = name.to_ascii_lowercase().bytes().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    format!("c0000000-0000-4000-8000-{:012x}", sum & 0xFFFF_FFFF_FFFF)
}

fn privileges_of(table: &Value) -> Vec<Value> {
    let Some(subject) = table["privileges"].as_str() else {
        return Vec::new();
    };
    let owned = table["ownership"] == "UserOwned";
    let rights = [
        "Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share",
    ];
    rights
        .iter()
        .filter(|right| owned || !matches!(**right, "Assign" | "Share"))
        .map(|right| {
            json!({
                "Name": format!("prv{right}{subject}"), "PrivilegeType": right,
                "PrivilegeId": privilege_id(&format!("prv{right}{subject}")),
                "CanBeBasic": owned, "CanBeLocal": owned, "CanBeDeep": owned,
                "CanBeGlobal": true,
            })
        })
        .collect()
}
