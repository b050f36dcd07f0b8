//! A parsed query, independent of any table.

/// Most link-entities of a query.
pub(super) const MAX_LINKS: usize = 15;

/// A query: the `fetch` element.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is an attribute of its own in the query"
)]
pub(crate) struct Fetch {
    pub(crate) root: Entity,
    /// Most rows of the whole result; excludes paging.
    pub(crate) top: Option<usize>,
    /// Rows on a page.
    pub(crate) count: Option<usize>,
    /// The requested page, from 1.
    pub(crate) page: Option<u64>,
    /// The cookie of the page before.
    pub(crate) cookie: Option<String>,
    pub(crate) distinct: bool,
    /// Whether the total number of rows is requested.
    pub(crate) total: bool,
    pub(crate) aggregate: bool,
    /// A limit on aggregated rows that is smaller than the service's own.
    pub(crate) aggregate_limit: Option<usize>,
    /// `useraworderby`: choices are ordered by number and not by label.
    pub(crate) raw_order: bool,
}

/// The `entity` element, and what a `link-entity` element has in common with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entity {
    pub(crate) table: String,
    pub(crate) all_columns: bool,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) orders: Vec<Order>,
    pub(crate) links: Vec<Link>,
}

/// One column of the response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
    pub(crate) role: Role,
}

/// What an aggregate query does with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Neither aggregated nor grouped by.
    Plain,
    /// Grouped by, for dates perhaps by a part of them.
    Group(Option<DatePart>),
    Aggregate(Aggregation),
}

/// `dategrouping`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatePart {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// `aggregate` of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregation {
    /// All rows.
    Count,
    /// The rows that have a value, or the different values.
    CountColumn {
        distinct: bool,
    },
    Sum,
    Average,
    Min,
    Max,
}

/// A joined table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Link {
    pub(crate) entity: Entity,
    pub(crate) alias: Option<String>,
    /// The column of the joined table.
    pub(crate) from: String,
    /// The column of the table joined to.
    pub(crate) to: String,
    pub(crate) kind: LinkKind,
    /// Its number among all link-entities of the query, from 1, which names it in the response.
    pub(crate) number: usize,
}

/// `link-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    Inner,
    Outer,
    /// `exists` and `in`: rows with a joined row, once; the joined row's columns are out of reach.
    Exists,
    /// `matchfirstrowusingcrossapply`: rows with the first of their joined rows.
    First,
    /// Inside a filter: whether joined rows fulfil the joined filter.
    Any,
    NotAny,
    /// Inside a filter: joined rows exist and none fulfils the joined filter.
    All,
    NotAll,
}

/// The `filter` element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    /// `type="or"`.
    pub(crate) any: bool,
    pub(crate) parts: Vec<Part>,
}

/// What a filter holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Filter(Filter),
    Condition(Condition),
    Link(Link),
}

/// The `condition` element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) attribute: String,
    /// Alias of the link-entity whose column it is, if not the present one's.
    pub(crate) entity: Option<String>,
    pub(crate) operator: String,
    pub(crate) values: Vec<String>,
    /// The column to compare with, instead of a value.
    pub(crate) value_of: Option<String>,
}

/// The `order` element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) by: OrderBy,
    /// Alias of the link-entity whose column it is, if not the present one's.
    pub(crate) entity: Option<String>,
    pub(crate) descending: bool,
}

/// What orders.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OrderBy {
    Attribute(String),
    /// A column of an aggregate query.
    Alias(String),
}
