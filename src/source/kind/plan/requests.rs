//! The queries by which the rows of a listing are read.

use super::condition;
use super::listing::Listing;
use crate::catalog::Column;
use crate::dataverse::query::Query;
use crate::source::position::{Mark, MarkColumn, Method, Range};

/// The longest `$select`, in characters: the address may have 65,536 (reference §4.12), and
/// the link of a later page is longer than that of the first.
const MAX_SELECT: usize = 56_000;

impl Listing {
    /// Every row.
    pub(in crate::source) fn snapshot(&self, method: Method) -> Query {
        match method {
            // With change tracking the service allows no option except `$select` (reference §6.4).
            // Otherwise the default order is that of the primary key (reference §4.5).
            Method::Tracked { .. } | Method::Full => self.query(None, None),
            Method::Watermark { column, .. } => {
                self.in_order(self.query(Some(column), None), column)
            }
        }
    }

    /// Every row that has changed since a mark, with some overlap.
    ///
    /// Rows come in the order of the column. A row that changes meanwhile moves to the end and is
    /// read again, so none is missed. Rows within the overlap are delivered again. Deletions are
    /// not observable.
    pub(in crate::source) fn changes_since(&self, column: MarkColumn, mark: Mark) -> Query {
        let changed = format!("{} ge {}", column.name(), mark.with_overlap());
        self.in_order(self.query(Some(column), Some(&changed)), column)
    }

    /// A range of versions, oldest change first.
    pub(in crate::source) fn range(&self, range: Range) -> Query {
        let column = MarkColumn::VersionNumber;
        self.query(Some(column), Some(&range.filter()))
            .option("$orderby", &format!("{} asc", column.name()))
    }

    /// The first version in an order.
    pub(in crate::source) fn first_version(&self, order: &str) -> Query {
        let column = MarkColumn::VersionNumber.name();
        let query = Query::new(&self.plan.table.entity_set).select(&[column]);
        self.with_conditions(query, None)
            .option("$orderby", &format!("{column} {order}"))
            .option("$top", "1")
    }

    /// The key of every row.
    pub(in crate::source) fn keys(&self) -> Query {
        self.with_conditions(self.tracked_keys(), None)
    }

    /// The key of every row, without options that change tracking does not allow.
    pub(in crate::source) fn tracked_keys(&self) -> Query {
        Query::new(&self.plan.table.entity_set).select(&[&self.plan.table.primary_key])
    }

    /// The changes since a delta link, with the columns of the selection, relative to the API root;
    /// none if the link holds no token. The token says since when, and the other options say what:
    /// a token works even with `$count` (reference §6.3).
    pub(in crate::source) fn changes_by_token(&self, delta_link: &str) -> Option<String> {
        let (_, options) = delta_link.split_once('?')?;
        let token = options.split('&').find_map(|option| {
            let (name, value) = option.split_once('=')?;
            matches!(name, "$deltatoken" | "%24deltatoken").then_some(value)
        })?;
        let query = self.query(None, None);
        let separator = if query.as_str().contains('?') {
            '&'
        } else {
            '?'
        };
        Some(format!("{}{separator}$deltatoken={token}", query.as_str()))
    }

    /// The selected columns and one more, if it is not among them, of the rows that match the
    /// listing's conditions and one more.
    ///
    /// When everything is selected, no column is named: so columns that are added to the table
    /// later are read too. If the names would make the address too long, none is named either;
    /// the service then sends all columns, and the others are dropped here.
    fn query(&self, also: Option<MarkColumn>, condition: Option<&str>) -> Query {
        self.with_conditions(self.select(also.map(MarkColumn::name)), condition)
    }

    fn with_conditions(&self, query: Query, condition: Option<&str>) -> Query {
        match condition::both(self.condition.as_deref(), condition) {
            Some(condition) => query.option("$filter", &condition),
            None => query,
        }
    }

    fn select(&self, also: Option<&str>) -> Query {
        let query = Query::new(&self.plan.table.entity_set);
        let Some(names) = &self.plan.binding.columns else {
            return query;
        };
        if self.columns.is_some() {
            // The entity set has few columns, and they differ from those of the stream.
            return query;
        }
        let mut columns: Vec<String> = names
            .iter()
            .filter_map(|name| self.plan.table.column(name))
            .map(Column::wire_name)
            .collect();
        columns.extend(
            also.filter(|also| !names.iter().any(|name| name == also))
                .map(Into::into),
        );
        let length: usize = columns.iter().map(|name| name.len() + 1).sum();
        if length > MAX_SELECT {
            query
        } else {
            query.select(&columns)
        }
    }

    fn in_order(&self, query: Query, column: MarkColumn) -> Query {
        // The key makes the order total: pages neither overlap nor leave gaps.
        query.option(
            "$orderby",
            &format!("{} asc,{} asc", column.name(), self.plan.table.primary_key),
        )
    }
}
