//! The Web API while its definitions change.
//!
//! A request uses the definitions at its start; changes of definitions wait for the requests in
//! progress. The service reads definitions from caches that lag (reference §5.1, §13 #28): while a
//! test simulates that, additions are invisible, except with `Consistency: Strong`.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicI64, Ordering},
};

use axum::http::Method;

use super::{Api, Request, Response};
use crate::{
    gate::{Caller, acts_for_another},
    schema::{Schema, SchemaChange},
    store::StoreError,
    wire::ODataError,
};

/// The Web API of one organization and what it has been.
#[derive(Debug)]
pub(crate) struct Service {
    current: RwLock<Arc<Api>>,
    cached: Mutex<Option<Cached>>,
    /// Seconds for which a change is not seen.
    lag: AtomicI64,
}

/// What the caches still say.
#[derive(Debug)]
struct Cached {
    api: Arc<Api>,
    until: i64,
}

impl Service {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            current: RwLock::new(Arc::new(api)),
            cached: Mutex::default(),
            lag: AtomicI64::new(0),
        }
    }

    /// What is defined now.
    pub(crate) fn current(&self) -> Arc<Api> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// For how many seconds from now on what is added stays unseen.
    pub(crate) fn set_lag(&self, seconds: i64) {
        self.lag.store(seconds, Ordering::SeqCst);
    }

    /// Handles a request of an admitted caller; errors become error bodies.
    pub(crate) fn respond(&self, request: &Request, caller: &Caller) -> Response {
        if let Err(error) = self.build_indexes() {
            return Response::refusal(&error.into(), &request.headers);
        }
        if acts_for_another(&request.headers) {
            let store = &self.current().store;
            let acting = store.read(|connection| caller.acting_for(connection, &request.headers));
            return match acting {
                Ok(acting) => self.respond_as(request, acting.as_ref().unwrap_or(caller)),
                Err(error) => Response::refusal(&error, &request.headers),
            };
        }
        self.respond_as(request, caller)
    }

    fn respond_as(&self, request: &Request, caller: &Caller) -> Response {
        let response = if request.path == "$batch" && request.method == Method::POST {
            self.batch(request, caller)
        } else if super::definitions::is_change(request) {
            self.define(request, caller)
        } else {
            self.with(request, |api| api.respond(request, caller))
        };
        response.unwrap_or_else(|error| Response::refusal(&error, &request.headers))
    }

    /// Builds the indexes of alternate keys whose time has come.
    fn build_indexes(&self) -> Result<(), StoreError> {
        let now = |api: &Api| api.store.clock().now();
        let current = self.current();
        if !current.store.schema().has_index_due(now(&current)) {
            return Ok(());
        }
        drop(current);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changes = current.store.built_indexes(now(&current))?;
        self.put(&mut current, &changes)
    }

    /// Runs with the definitions that the request sees; none changes meanwhile.
    pub(super) fn with<T>(&self, request: &Request, work: impl FnOnce(&Api) -> T) -> T {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let now = current.store.clock().now();
        let cached = {
            let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
            if cached.as_ref().is_some_and(|cached| cached.until <= now) {
                *cached = None;
            }
            cached.as_ref().map(|cached| Arc::clone(&cached.api))
        };
        let strong = request
            .header("consistency")
            .is_some_and(|value| value.eq_ignore_ascii_case("strong"));
        match cached {
            Some(cached) if !strong => work(&cached),
            _ => work(&current),
        }
    }

    /// Carries out a request that changes definitions.
    fn define(&self, request: &Request, caller: &Caller) -> Result<Response, ODataError> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let (changes, response) = current.plan_change(request, caller)?;
        self.put(&mut current, &changes)?;
        Ok(response)
    }

    /// Changes the schema as a test demands.
    pub(crate) fn change<E: From<StoreError>>(
        &self,
        changes: impl FnOnce(&Schema) -> Result<Vec<SchemaChange>, E>,
    ) -> Result<(), E> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let changes = changes(current.store.schema())?;
        Ok(self.put(&mut current, &changes)?)
    }

    fn put(&self, current: &mut Arc<Api>, changes: &[SchemaChange]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let schema = current.store.schema();
        let only_adds = changes.iter().all(|change| change.only_adds(schema));
        let before = Arc::clone(current);
        *current = Arc::new(before.changed(changes)?);
        let lag = self.lag.load(Ordering::SeqCst);
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        *cached = match cached.take() {
            // Old definitions must not be read from a database without their columns.
            _ if !only_adds || lag <= 0 => None,
            Some(older) => Some(older),
            None => Some(Cached {
                until: before.store.clock().now().saturating_add(lag),
                api: before,
            }),
        };
        Ok(())
    }
}
