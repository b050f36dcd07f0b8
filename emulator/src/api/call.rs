//! A request to the Web API while it is handled.

use super::{Api, Preferences, Request};
use crate::{
    gate::Caller,
    odata::{Model, options::Options, sql::Compiler},
    schema::Table,
};

/// A request, its caller and what its options and preferences.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) request: &'a Request,
    pub(crate) caller: &'a Caller,
    pub(crate) options: Options,
    pub(crate) prefer: Preferences,
}

impl<'a> Call<'a> {
    pub(super) fn model(&self) -> &'a Model {
        &self.api.model
    }

    pub(super) fn now(&self) -> i64 {
        self.api.store.clock().now()
    }

    /// A compiler for conditions on rows of the table, known to the statement as `t`.
    pub(super) fn compiler(&'a self, table: &'a Table) -> Compiler<'a> {
        Compiler::new(
            self.model(),
            self.caller,
            &self.options,
            self.now(),
            table,
            "t",
        )
    }
}
