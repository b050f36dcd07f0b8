//! The Web API: from a request to a response, without networking.

mod access;
mod batch;
mod call;
mod definitions;
mod files;
mod key;
mod metadata;
mod operations;
mod payload;
mod read;
mod request;
mod response;
mod route;
mod security;
mod service;
mod write;

use std::sync::{Arc, atomic::AtomicI64};

use axum::http::Method;

use call::Call;
pub(crate) use definitions::{column_from_outside, column_gone};
use files::Uploads;
use operations::Counts;
pub(crate) use request::{Preferences, Request};
pub(crate) use response::Response;
use route::refuse_unsupported_options;
pub(crate) use service::Service;
pub(crate) use write::delete;

use crate::{
    audit as log,
    entra::Entra,
    gate::Caller,
    odata::{Model, options::Options},
    org,
    schema::SchemaChange,
    store::{Store, StoreError},
    wire::ODataError,
};

/// The parallelism that the service recommends in `x-ms-dop-hint` unless it is set.
pub(crate) const RECOMMENDED_PARALLELISM: u32 = 4;

/// What a request changes about definitions, and its response.
type DefinitionChange = Result<(Vec<SchemaChange>, Response), ODataError>;

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
    /// The directory that identifies new users.
    pub(crate) directory: Arc<Entra>,
    /// Delta tokens whose version is smaller than this count as expired.
    pub(crate) first_valid_delta: Arc<AtomicI64>,
    /// Cached counts of rows.
    pub(crate) counts: Arc<Counts>,
    /// Files that arrive in parts.
    uploads: Arc<Uploads>,
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

    /// The same Web API with a changed schema.
    fn changed(&self, changes: &[SchemaChange]) -> Result<Self, StoreError> {
        let store = Arc::new(self.store.changed(changes, org::follow_tables)?);
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

    /// Handles one request that changes no definitions.
    fn respond(&self, request: &Request, caller: &Caller) -> Result<Response, ODataError> {
        let call = self.call(request, caller)?;
        if request.path.starts_with("audits") || request.path.contains("ChangeHistory") {
            log::expire(&self.store)?;
        }
        self.with_missing_tables_created(|| match request.method {
            Method::GET => self.store.read(|connection| call.get(connection)),
            Method::POST | Method::PATCH | Method::PUT | Method::DELETE => {
                self.store.write(|writer| call.change(writer))
            }
            _ => Err(ODataError::method_not_allowed(request.method.as_str())),
        })
    }

    /// Repeats an attempt after creating the table on demand that it needs.
    fn with_missing_tables_created<T>(
        &self,
        attempt: impl Fn() -> Result<T, ODataError>,
    ) -> Result<T, ODataError> {
        loop {
            match attempt() {
                Err(ODataError {
                    missing_table: Some(table),
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
        refuse_unsupported_options(request, &options)?;
        Ok(Call {
            api: self,
            request,
            caller,
            options,
            prefer: Preferences::parse(&request.headers),
        })
    }
}
