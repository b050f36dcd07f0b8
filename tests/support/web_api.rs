//! A client of the Web API that shares nothing with the connector: what it reads is what the
//! service holds.

use bytes::Bytes;
use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, TENANT_ID};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use crate::rows::{Rows, members, text};

/// A signed-in client, an administrator unless it signed in as somebody else.
pub struct WebApi {
    root: String,
    token: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A request that may be refused.
#[derive(Debug)]
pub struct Attempt {
    pub method: Method,
    /// Below the API root.
    pub path: String,
    /// Empty for none.
    pub body: String,
}

/// How a table is called in addresses and in rows.
#[derive(Debug)]
pub struct Table {
    pub set: String,
    pub key: String,
}

impl WebApi {
    pub async fn sign_in(emulator: &Emulator) -> Self {
        Self::sign_in_as(emulator, CLIENT_ID, CLIENT_SECRET).await
    }

    /// The same as another application.
    pub async fn sign_in_as(emulator: &Emulator, client_id: Uuid, secret: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &client_id.to_string())
            .append_pair("client_secret", secret)
            .append_pair("scope", &format!("{}/.default", emulator.base_url()))
            .finish();
        let request = Request::post(format!(
            "{}/{TENANT_ID}/oauth2/v2.0/token",
            emulator.authority_url()
        ))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::from(form))
        .unwrap();
        let answer = client.request(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        Self {
            root: format!("{}/api/data/v9.2/", emulator.base_url()),
            token: answer["access_token"].as_str().expect("a token").to_owned(),
            client,
        }
    }

    /// The access token, to be looked for where it must not be.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request to a path below the API root, or to a link; anything but success is a
    /// failure of the test.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
    ) -> (String, http::HeaderMap) {
        let (parts, text) = self.ask(method, path, body, None).await;
        let good = matches!(
            parts.status,
            StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::CREATED
        );
        assert!(good, "{path}: {} {text}", parts.status);
        (text, parts.headers)
    }

    /// Sends a request that may be refused. What it changes must be there already.
    pub async fn attempt(&self, attempt: &Attempt) -> (StatusCode, String) {
        let body = Some(attempt.body.as_str()).filter(|body| !body.is_empty());
        let condition = (attempt.method == Method::PATCH).then_some(("if-match", "*"));
        let (parts, body) = self
            .ask(attempt.method.clone(), &attempt.path, body, condition)
            .await;
        (parts.status, body)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
        header: Option<(&str, &str)>,
    ) -> (http::response::Parts, String) {
        let address = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.root)
        };
        let mut request = Request::builder()
            .method(method)
            .uri(address.replace(' ', "%20"))
            .header("authorization", format!("Bearer {}", self.token))
            .header(
                "prefer",
                "odata.include-annotations=\"*\",odata.maxpagesize=1000",
            );
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.unwrap_or_default().to_owned();
        let answer = self
            .client
            .request(request.body(Full::from(body)).unwrap())
            .await
            .unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The key of the first row of a set that passes the filter, if there is one.
    pub async fn first(&self, set: &str, filter: &str) -> String {
        let option = if filter.is_empty() {
            String::new()
        } else {
            format!("&$filter={filter}")
        };
        let answer = self.get(&format!("{set}?$top=1{option}")).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let row = answer["value"][0].as_object();
        let row = row.unwrap_or_else(|| panic!("{set} has no row with {filter:?}"));
        let key = self.key_of(set).await;
        row[&key].as_str().unwrap().to_owned()
    }

    async fn key_of(&self, set: &str) -> String {
        let path = format!(
            "EntityDefinitions?$select=PrimaryIdAttribute&$filter=EntitySetName eq '{set}'"
        );
        let answer: Value = serde_json::from_str(&self.get(&path).await).unwrap();
        answer["value"][0]["PrimaryIdAttribute"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn get(&self, path: &str) -> String {
        self.send(Method::GET, path, None).await.0
    }

    /// Creates a row and returns its key.
    pub async fn create(&self, set: &str, row: &Value) -> String {
        self.create_as_written(set, &row.to_string()).await
    }

    /// Creates a row from JSON text, whose numbers may be longer than this side can hold.
    pub async fn create_as_written(&self, set: &str, row: &str) -> String {
        let (_, headers) = self.send(Method::POST, set, Some(row)).await;
        let address = headers["odata-entityid"].to_str().unwrap().to_owned();
        let (_, key) = address.rsplit_once('(').unwrap();
        key.trim_end_matches(')').to_owned()
    }

    pub async fn update(&self, set: &str, key: &str, row: &Value) {
        self.send(
            Method::PATCH,
            &format!("{set}({key})"),
            Some(&row.to_string()),
        )
        .await;
    }

    pub async fn delete(&self, set: &str, key: &str) {
        self.send(Method::DELETE, &format!("{set}({key})"), None)
            .await;
    }

    /// What a table is called.
    pub async fn table(&self, name: &str) -> Table {
        let path = format!(
            "EntityDefinitions(LogicalName='{name}')?$select=EntitySetName,PrimaryIdAttribute"
        );
        let definition: Value = serde_json::from_str(&self.get(&path).await).unwrap();
        let member = |name: &str| definition[name].as_str().unwrap().to_owned();
        Table {
            set: member("EntitySetName"),
            key: member("PrimaryIdAttribute"),
        }
    }

    /// Every row of a table with every column, named as rows leave the connector.
    pub async fn rows(&self, name: &str) -> Rows {
        self.read(name, false).await
    }

    /// The same with labels.
    pub async fn labelled_rows(&self, name: &str) -> Rows {
        self.read(name, true).await
    }

    async fn read(&self, name: &str, labels: bool) -> Rows {
        let Table { set, key } = self.table(name).await;
        let labelled = if labels {
            self.labelled_columns(name).await
        } else {
            Vec::new()
        };
        let mut rows = Rows::new();
        let mut next = Some(set);
        while let Some(address) = next {
            let page = self.get(&address).await;
            let page = members(&page);
            let lines: Vec<Box<RawValue>> = serde_json::from_str(&page["value"]).unwrap();
            for line in lines {
                let row = outgoing(line.get(), &labelled);
                rows.insert(text(&row[&key]), row);
            }
            next = page.get("@odata.nextLink").map(|link| text(link));
        }
        rows
    }

    /// Columns that have labels, and whether they are references.
    async fn labelled_columns(&self, name: &str) -> Vec<(String, bool)> {
        let path = format!(
            "EntityDefinitions(LogicalName='{name}')/Attributes?$select=LogicalName,AttributeType,\
             AttributeTypeName,AttributeOf,IsValidForRead"
        );
        let attributes: Value = serde_json::from_str(&self.get(&path).await).unwrap();
        let attributes = attributes["value"].as_array().unwrap().iter();
        let of_its_own = attributes.filter(|attribute| {
            attribute["IsValidForRead"] == true && attribute["AttributeOf"].is_null()
        });
        of_its_own
            .filter_map(|attribute| {
                let name = attribute["LogicalName"].as_str()?.to_owned();
                match attribute["AttributeType"].as_str()? {
                    "Lookup" | "Customer" | "Owner" => Some((name, true)),
                    "Picklist" | "State" | "Status" | "Boolean" => Some((name, false)),
                    _ if attribute["AttributeTypeName"]["Value"] == "MultiSelectPicklistType" => {
                        Some((name, false))
                    }
                    _ => None,
                }
            })
            .collect()
    }
}

/// A row of the service as the contract of rows has it: logical names, no annotations.
fn outgoing(line: &str, labelled: &[(String, bool)]) -> std::collections::BTreeMap<String, String> {
    let wire = members(line);
    let mut row: std::collections::BTreeMap<_, _> = wire
        .iter()
        .filter(|(name, _)| !name.contains('@'))
        .map(|(name, value)| {
            let lookup = name
                .strip_prefix('_')
                .and_then(|name| name.strip_suffix("_value"));
            (lookup.unwrap_or(name).to_owned(), value.clone())
        })
        .collect();
    for (column, is_reference) in labelled {
        let wire_name = if *is_reference {
            format!("_{column}_value")
        } else {
            column.clone()
        };
        let annotation = |kind: &str| {
            let value = wire.get(&format!("{wire_name}@{kind}"));
            value.cloned().unwrap_or_else(|| "null".to_owned())
        };
        let label = annotation("OData.Community.Display.V1.FormattedValue");
        row.entry(format!("{column}name")).or_insert(label);
        if *is_reference {
            let target = annotation("Microsoft.Dynamics.CRM.lookuplogicalname");
            row.entry(format!("{column}type")).or_insert(target);
        }
    }
    row
}
