//! Names of streams.

/// What a stream's rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Rows of one table.
    Table,
    /// What a saved query shows.
    View,
    /// A query of the caller's own.
    Query,
    /// Who changed what, and when.
    History,
    /// Which rows belong to which list.
    Members,
}

/// What the name of a view begins with.
pub(super) const VIEW: &str = "view:";
/// The stream of every audited table's history.
pub(super) const HISTORY: &str = "audit-history";
/// The stream of the members of marketing lists.
pub(super) const MEMBERS: &str = "list-members";

/// What a stream's name selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamName<'n> {
    /// A table by its logical name.
    Table(&'n str),
    /// `view:…`: a saved query by its key, by its title, or by its table's name and its title.
    View(&'n str),
    /// `query:…`: a query of the caller's own, under any name.
    Query,
    /// `audit-history`, or `audit-history:…` for one table.
    History(Option<&'n str>),
    /// `list-members`.
    Members,
}

impl<'n> StreamName<'n> {
    /// Reads a name. No table's name holds a colon or a hyphen.
    pub(crate) fn of(name: &'n str) -> Self {
        match name.split_once(':') {
            Some(("view", view)) => Self::View(view),
            Some(("query", _)) => Self::Query,
            Some((HISTORY, table)) => Self::History(Some(table)),
            None if name == HISTORY => Self::History(None),
            None if name == MEMBERS => Self::Members,
            _ => Self::Table(name),
        }
    }

    /// What its rows come from.
    pub(crate) fn kind(self) -> StreamKind {
        match self {
            Self::Table(_) => StreamKind::Table,
            Self::View(_) => StreamKind::View,
            Self::Query => StreamKind::Query,
            Self::History(_) => StreamKind::History,
            Self::Members => StreamKind::Members,
        }
    }
}
