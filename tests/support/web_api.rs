//! A Web API client that shares no code with the connector: tests compare what it reads with what
//! the connector stored.

use bytes::Bytes;
use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, TENANT_ID};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use crate::rows::{Rows, members, text};

/// A signed-in client, by default with the privileges of an administrator.
pub struct WebApi {
    root: String,
    token: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// A request that may fail.
#[derive(Debug)]
pub struct Attempt {
    pub method: Method,
    /// Below the API root.
    pub path: String,
    /// Empty for no body.
    pub body: String,
}

/// The names of a table in URLs and in rows.
#[derive(Debug)]
pub struct Table {
    pub set: String,
    pub key: String,
}

impl WebApi {
    pub async fn sign_in(emulator: &Emulator) -> Self {
        Self::sign_in_as(emulator, CLIENT_ID, CLIENT_SECRET).await
    }

    /// Signs in as another application.
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
        let response = client.request(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let response: Value = serde_json::from_slice(&body).unwrap();
        Self {
            root: format!("{}/api/data/v9.2/", emulator.base_url()),
            token: response["access_token"]
                .as_str()
                .expect("a token")
                .to_owned(),
            client,
        }
    }

    /// The access token, to search outputs for it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request to a path below the API root, or to a link. Fails unless it succeeds.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&str>,
    ) -> (String, http::HeaderMap) {
        let (parts, text) = self.request(method, path, body, None).await;
        let good = matches!(
            parts.status,
            StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::CREATED
        );
        assert!(good, "{path}: {} {text}", parts.status);
        (text, parts.headers)
    }

    /// Sends a request that may fail. A `PATCH` only changes existing rows.
    pub async fn attempt(&self, attempt: &Attempt) -> (StatusCode, String) {
        let body = Some(attempt.body.as_str()).filter(|body| !body.is_empty());
        let condition = (attempt.method == Method::PATCH).then_some(("if-match", "*"));
        let (parts, body) = self
            .request(attempt.method.clone(), &attempt.path, body, condition)
            .await;
        (parts.status, body)
    }

    async fn request(
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
        let response = self
            .client
            .request(request.body(Full::from(body)).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The key of the first row of a set that matches the filter.
    pub async fn first_key(&self, set: &str, filter: &str) -> String {
        let option = if filter.is_empty() {
            String::new()
        } else {
            format!("&$filter={filter}")
        };
        let response = self.get(&format!("{set}?$top=1{option}")).await;
        let response: Value = serde_json::from_str(&response).unwrap();
        let row = response["value"][0].as_object();
        let row = row.unwrap_or_else(|| panic!("{set} has no row with {filter:?}"));
        let key = self.key_of(set).await;
        row[&key].as_str().unwrap().to_owned()
    }

    async fn key_of(&self, set: &str) -> String {
        let path = format!(
            "EntityDefinitions?$select=PrimaryIdAttribute&$filter=EntitySetName eq '{set}'"
        );
        let response: Value = serde_json::from_str(&self.get(&path).await).unwrap();
        response["value"][0]["PrimaryIdAttribute"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn get(&self, path: &str) -> String {
        self.send(Method::GET, path, None).await.0
    }

    /// Creates a row and returns its key.
    pub async fn create(&self, set: &str, row: &Value) -> String {
        self.create_from_text(set, &row.to_string()).await
    }

    /// Creates a row from JSON text, whose numbers may have more digits than a `f64`.
    pub async fn create_from_text(&self, set: &str, row: &str) -> String {
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

    /// The names of a table.
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

    /// Every row of a table with every column, in the row format of the connector.
    pub async fn rows(&self, name: &str) -> Rows {
        self.read(name, false).await
    }

    /// The same, with labels.
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
                let row = to_connector_row(line.get(), &labelled);
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
        let own_columns = attributes.filter(|attribute| {
            attribute["IsValidForRead"] == true && attribute["AttributeOf"].is_null()
        });
        own_columns
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

/// A row of the service in the row format of the connector: logical names, no annotations.
fn to_connector_row(
    line: &str,
    labelled: &[(String, bool)],
) -> std::collections::BTreeMap<String, String> {
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
