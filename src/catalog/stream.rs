//! Names of streams.

/// Where the rows of a stream come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// One table.
    Table,
    /// A saved query.
    View,
    /// A query of the caller.
    Query,
    /// The audit log.
    History,
    /// The members of marketing lists.
    Members,
}

/// The prefix of a view's name.
pub(super) const VIEW: &str = "view:";
/// The stream with the history of every audited table.
pub(super) const HISTORY: &str = "audit-history";
/// The title of [`HISTORY`].
pub(super) const HISTORY_TITLE: &str = "Audit history";
/// The stream with the members of marketing lists.
pub(super) const MEMBERS: &str = "list-members";
/// The title of [`MEMBERS`].
pub(super) const MEMBERS_TITLE: &str = "List members";

/// What the name of a stream selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamName<'n> {
    /// A table by its logical name.
    Table(&'n str),
    /// `view:…`: a saved query by its ID, by its title, or by its table's name and its title.
    View(&'n str),
    /// `query:…`: a query of the caller, under any name.
    Query,
    /// `audit-history`, or `audit-history:…` for one table.
    History(Option<&'n str>),
    /// `list-members`.
    Members,
}

impl<'n> StreamName<'n> {
    /// Parses a name. Names of tables have no colon and no hyphen.
    pub(crate) fn of(name: &'n str) -> Self {
        match name.split_once(':') {
            Some(("view", view)) => Self::View(view),
            Some(("query", _)) => Self::Query,
            Some((HISTORY, table)) => Self::History(Some(table)),
            None if name == HISTORY => Self::History(None),
            None if name == MEMBERS => Self::Members,
            Some(_) | None => Self::Table(name),
        }
    }

    /// Where its rows come from.
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
