use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::host::{Method, Request};
use crate::simulation::{Reply, Simulation, signed_in};

/// An environment with the table `account`, whose definitions can be added to.
#[derive(Default)]
pub(super) struct Environment {
    /// Bodies of the columns that were created.
    pub(super) created: Vec<Value>,
    /// The headers that named a solution.
    pub(super) solutions: Vec<String>,
    pub(super) published: usize,
    /// How many responses still come from an old cache.
    pub(super) lag: usize,
    /// The replies to the next requests that create, the last one first; then they succeed.
    pub(super) rejections: Vec<Reply>,
    /// The reply to requests that publish, if they fail.
    pub(super) unpublished: Option<Reply>,
    /// Whether a rejected request creates the column nevertheless.
    pub(super) creates_anyway: bool,
}

impl Environment {
    fn respond(&mut self, request: &Request) -> Reply {
        let path = request.target.path_and_query.as_str();
        let path = path.strip_prefix("/api/data/v9.2/").unwrap();
        let has = |name: &str| request.headers.iter().any(|header| header.name == name);
        match (request.method, path.split(['?', '(']).next().unwrap()) {
            (Method::Post, "PublishXml") => {
                self.published += 1;
                self.unpublished
                    .clone()
                    .unwrap_or_else(|| Reply::status(204))
            }
            (Method::Post, _) => {
                let solution = request.headers.iter();
                self.solutions.extend(
                    solution
                        .filter(|header| header.name == "MSCRM.SolutionUniqueName")
                        .map(|header| header.value.clone()),
                );
                let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
                if self.creates_anyway || self.rejections.is_empty() {
                    self.created.push(body);
                }
                self.rejections.pop().unwrap_or_else(|| Reply::status(204))
            }
            (_, "solutions") if path.contains("nowhere") => Reply::json(&json!({"value": []})),
            (_, "solutions") => Reply::json(&json!({"value": [{
                "_publisherid_value": "00000000-0000-0000-0000-00000000000a",
                "ismanaged": path.contains("theirs")}]})),
            (_, "publishers") => Reply::json(&json!({
                "customizationprefix": "cr12", "customizationoptionvalueprefix": 48_321})),
            (_, "organizations") => Reply::json(&json!({"value": [{"languagecode": 1031}]})),
            (_, "EntityDefinitions") if path.contains("/Attributes/") => self.details(path),
            (_, "EntityDefinitions") if path.contains("'account'") => {
                let strong = has("Consistency");
                self.account(strong)
            }
            (_, "accounts") if self.is_late() => {
                Reply::fault(400, "0x0", "Could not find a property named 'x'.")
            }
            (_, "accounts") => Reply::json(&json!({"value": []})),
            _ => Reply::fault(404, "0x80060888", "Could not find an entity."),
        }
    }

    fn is_late(&mut self) -> bool {
        let is_late = self.lag > 0;
        self.lag = self.lag.saturating_sub(1);
        is_late
    }

    fn account(&mut self, strong: bool) -> Reply {
        let mut attributes = vec![json!({"LogicalName": "accountid",
            "AttributeType": "Uniqueidentifier"})];
        if strong || !self.is_late() {
            attributes.extend(self.created.iter().map(|body| {
                let column = body.get("Lookup").unwrap_or(body);
                let mut column = column.clone();
                let name = column["SchemaName"].as_str().unwrap().to_lowercase();
                column["LogicalName"] = name.into();
                column["IsValidForCreate"] = true.into();
                column
            }));
        }
        Reply::json(
            &json!({"LogicalName": "account", "EntitySetName": "accounts",
            "PrimaryIdAttribute": "accountid", "Attributes": attributes}),
        )
    }

    fn details(&self, path: &str) -> Reply {
        let cast = path.split("Microsoft.Dynamics.CRM.").nth(1).unwrap();
        let cast = cast.split("AttributeMetadata").next().unwrap();
        let columns = self
            .created
            .iter()
            .map(|body| body.get("Lookup").unwrap_or(body));
        let of_type = columns.filter(|column| {
            column["@odata.type"] == format!("Microsoft.Dynamics.CRM.{cast}AttributeMetadata")
        });
        let details: Vec<Value> = of_type
            .map(|column| {
                let mut detail = column.clone();
                let name = column["SchemaName"].as_str().unwrap().to_lowercase();
                detail["LogicalName"] = name.into();
                detail
            })
            .collect();
        Reply::json(&json!({ "value": details }))
    }
}

pub(super) fn environment() -> (Rc<Simulation>, Rc<RefCell<Environment>>) {
    let environment = Rc::new(RefCell::new(Environment::default()));
    let shared = Rc::clone(&environment);
    let host = signed_in(move |request| shared.borrow_mut().respond(request));
    (host, environment)
}
