//! The Web API: from a request to an answer, without any networking.

mod access;
mod apply;
mod audit;
mod batch;
mod counts;
mod definitions;
mod delta;
mod expand;
mod fetch;
mod files;
mod functions;
mod initialize;
mod key;
mod marketing;
mod metadata;
mod paging;
mod queue;
mod read;
pub(crate) mod request;
mod security;
mod service;
mod single;
mod view;
mod write;

use std::sync::{Arc, atomic::AtomicI64};

use axum::http::{Method, StatusCode};
use rusqlite::Connection;

use counts::Counts;
pub(crate) use definitions::{column_from_outside, column_gone};
use files::Uploads;
pub(crate) use functions::RECOMMENDED_PARALLELISM;
pub(crate) use request::{Preferences, Request, Response};
pub(crate) use service::Service;
pub(crate) use write::delete;

use crate::{
    audit as log,
    entra::Entra,
    gate::Caller,
    odata::{Model, ODataError, options::Options, sql::Compiler},
    schema::{SchemaChange, Table},
    store::{Store, StoreError},
};

/// Facts about the organization that no table holds.
#[derive(Debug, Clone)]
pub(crate) struct Organization {
    pub(crate) version: String,
    pub(crate) tenant: uuid::Uuid,
    pub(crate) unique_name: String,
    pub(crate) friendly_name: String,
}

/// The Web API of one organization.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) store: Arc<Store>,
    pub(crate) model: Model,
    pub(crate) organization: Organization,
    /// Where new users are known from.
    pub(crate) directory: Arc<Entra>,
    /// Delta tokens whose version is smaller than this count as expired.
    pub(crate) first_valid_delta: Arc<AtomicI64>,
    /// How many rows tables are said to have.
    pub(crate) counts: Arc<Counts>,
    /// Files that arrive in parts.
    uploads: Arc<Uploads>,
}

/// One request being answered.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) request: &'a Request,
    pub(crate) caller: &'a Caller,
    pub(crate) options: Options,
    pub(crate) prefer: Preferences,
}

impl Api {
    pub(crate) fn new(
        store: Arc<Store>,
        organization: Organization,
        directory: Arc<Entra>,
    ) -> Self {
        Self {
            model: Model::new(store.schema()),
            store,
            organization,
            directory,
            first_valid_delta: Arc::default(),
            counts: Arc::default(),
            uploads: Arc::default(),
        }
    }

    /// The same Web API by a changed schema.
    fn changed(&self, changes: &[SchemaChange]) -> Result<Self, StoreError> {
        let store = Arc::new(self.store.changed(changes)?);
        Ok(Self {
            model: Model::new(store.schema()),
            store,
            organization: self.organization.clone(),
            directory: Arc::clone(&self.directory),
            first_valid_delta: Arc::clone(&self.first_valid_delta),
            counts: Arc::clone(&self.counts),
            uploads: Arc::clone(&self.uploads),
        })
    }

    /// Answers one request that changes no definitions.
    fn answer(&self, request: &Request, caller: &Caller) -> Result<Response, ODataError> {
        let call = self.call(request, caller)?;
        if request.path.starts_with("audits") || request.path.contains("ChangeHistory") {
            log::expire(&self.store)?;
        }
        self.making_tables(|| match request.method {
            Method::GET => self.store.read(|connection| call.get(connection)),
            Method::POST | Method::PATCH | Method::PUT | Method::DELETE => {
                self.store.write(|writer| call.change(writer))
            }
            _ => Err(ODataError::method_not_allowed(request.method.as_str())),
        })
    }

    /// Tries again once the tables on demand that an attempt lacked are made.
    fn making_tables<T>(
        &self,
        attempt: impl Fn() -> Result<T, ODataError>,
    ) -> Result<T, ODataError> {
        loop {
            match attempt() {
                Err(ODataError {
                    lacking: Some(table),
                    ..
                }) => self.store.make(&table)?,
                outcome => return outcome,
            }
        }
    }

    fn call<'a>(
        &'a self,
        request: &'a Request,
        caller: &'a Caller,
    ) -> Result<Call<'a>, ODataError> {
        let options = Options::parse(&request.query)?;
        refuse_missing_features(request, &options)?;
        Ok(Call {
            api: self,
            request,
            caller,
            options,
            prefer: Preferences::parse(&request.headers),
        })
    }
}

/// What the emulator lacks is refused: ignoring it would answer another question.
fn refuse_missing_features(request: &Request, options: &Options) -> Result<(), ODataError> {
    // Misspelt options must not pass for options without effect.
    let known = [
        "tag",
        "partitionId",
        "annotations",
        "LabelLanguages",
        "fetchXml",
        "savedQuery",
        "userQuery",
        "sql",
        "size",
        "sessiontoken",
        "x-ms-file-name",
    ];
    if let Some(name) = options
        .custom
        .keys()
        .find(|name| !known.contains(&name.as_str()))
    {
        return Err(ODataError::bad_request(
            "0x80060888",
            format!("The query parameter {name} is not supported"),
        ));
    }
    let queries = ["fetchXml", "savedQuery", "userQuery", "sql"];
    let given = queries
        .iter()
        .filter(|name| options.custom.contains_key(**name));
    let given = given.count();
    if given > 1 || (given == 1 && !request.lists_rows()) {
        return Err(ODataError::bad_request(
            "0x80060888",
            "One query or view in the address belongs to a GET request for rows.",
        ));
    }
    if options.apply.is_some() && !request.lists_rows() {
        return Err(ODataError::bad_request(
            "0x80060888",
            "The query parameter $apply belongs to a GET request for rows.",
        ));
    }
    Ok(())
}

impl<'a> Call<'a> {
    fn model(&self) -> &'a Model {
        &self.api.model
    }

    fn now(&self) -> i64 {
        self.api.store.clock().now()
    }

    /// A compiler for conditions on rows of the table, known to the statement as `t`.
    fn compiler(&'a self, table: &'a Table) -> Compiler<'a> {
        Compiler::new(
            self.model(),
            self.caller,
            &self.options,
            self.now(),
            table,
            "t",
        )
    }

    fn get(&'a self, connection: &'a Connection) -> Result<Response, ODataError> {
        let segments = self.request.segments()?;
        let Some((first, rest)) = segments.split_first() else {
            return Err(ODataError::unknown_segment(""));
        };
        match (first.name.as_str(), rest) {
            ("", []) => Ok(self.service_document()),
            ("$metadata", []) => Ok(self.csdl()),
            ("EntityDefinitions", _) => {
                self.caller.require_definitions("prvReadEntity")?;
                self.entity_definitions(first, rest)
            }
            ("RelationshipDefinitions", _) => self.relationship_definitions(first, rest),
            ("GlobalOptionSetDefinitions", _) => self.option_set_definitions(first, rest),
            (name, []) if functions::is_function(name) => self.function(connection, first),
            _ => self.get_rows(connection, first, rest),
        }
    }

    /// `{"@odata.context":…,"value":[{"name":"accounts","kind":"EntitySet","url":"accounts"},…]}`
    fn service_document(&self) -> Response {
        let sets: Vec<_> = self
            .model()
            .schema
            .tables()
            .map(|table| {
                let set = &table.entity_set_name;
                serde_json::json!({"name": set, "kind": "EntitySet", "url": set})
            })
            .collect();
        let context = format!("{}/$metadata", self.request.root);
        let body = serde_json::json!({"@odata.context": context, "value": sets});
        Response::json(StatusCode::OK, body.to_string().into_bytes())
    }
}
