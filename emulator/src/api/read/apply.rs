//! Numbers over groups of rows: `$apply` (reference §4.9).

use rusqlite::Connection;

use super::{fetch::refuse_too_many, list::Source};
use crate::{
    api::{Call, Response},
    fetch::{Apply, Statement},
    wire::ODataError,
};

/// Options that go together with `$apply`: it filters and selects by itself.
const OPTIONS: [&str; 4] = ["$apply", "$orderby", "$top", "$skiptoken"];

impl<'a> Call<'a> {
    /// `GET {set}?$apply=…`, also on a row's collection.
    pub(super) fn apply(
        &'a self,
        connection: &Connection,
        source: &Source<'a>,
        text: &str,
    ) -> Result<Response, ODataError> {
        self.options.refuse_beside("$apply", &OPTIONS)?;
        if self.prefer.track_changes {
            return Err(ODataError::bad_request(
                "0x80060888",
                "The \"$apply\" query parameter isn't supported when Change Tracking is enabled.",
            ));
        }
        let mut apply = Apply::parse(text, self.model(), source.table)?;
        apply.order(&self.options.order)?;
        let mut statement = Statement::new(self.fetch_context(), &apply.fetch, None)?;
        if let Some(condition) = &source.condition {
            statement.narrow(condition.clone());
        }
        for filter in &apply.filters {
            let condition = self.compiler(source.table).condition(filter)?;
            statement.narrow(condition);
        }
        refuse_too_many(connection, &apply.fetch, &statement)?;
        self.statement_page(connection, &statement, None, true)
    }
}
