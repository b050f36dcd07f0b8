//! Streams whose rows come from queries in `FetchXML` (reference §4.13).

use std::rc::Rc;

use dataverse_rows::{Members, Piece};

use super::Plan;
use super::membership::Membership;
use crate::catalog::{ROW_NUMBER, Table};
use crate::dataverse::fetch::Fetch;
use crate::dataverse::{Annotations, Prefer};
use crate::error::Error;
use crate::source::checkpoint::fingerprint;
use crate::source::event::WarningText;

/// The queries of a stream, in the order in which they are read: one at least.
#[derive(Clone, Debug)]
pub(in crate::source) struct Queries {
    pub(in crate::source) first: Rc<FetchQuery>,
    pub(in crate::source) rest: Vec<Rc<FetchQuery>>,
}

impl Queries {
    pub(in crate::source) fn new(first: FetchQuery, rest: Vec<FetchQuery>) -> Self {
        Self {
            first: Rc::new(first),
            rest: rest.into_iter().map(Rc::new).collect(),
        }
    }

    /// The query of a name and those after it, if there is one.
    pub(in crate::source) fn starting_at(&self, name: &str) -> Option<Self> {
        if self.first.name == name {
            return Some(self.clone());
        }
        let index = self.rest.iter().position(|query| query.name == name)?;
        let mut rest = self.rest.get(index..)?.iter().cloned();
        Some(Self {
            first: rest.next()?,
            rest: rest.collect(),
        })
    }
}

/// One of the queries of a stream.
#[derive(Debug)]
pub(in crate::source) struct FetchQuery {
    /// Its name in checkpoints: the fingerprint of its text, or the list whose members it finds.
    pub(in crate::source) name: String,
    pub(in crate::source) entity_set: String,
    pub(in crate::source) fetch: Fetch,
    /// How its rows become members of a list, if they do.
    pub(in crate::source) membership: Option<Membership>,
}

impl FetchQuery {
    /// The only query of a stream.
    pub(in crate::source) fn only(table: &Table, fetch: Fetch) -> Self {
        Self {
            name: fingerprint(&fetch.page(1, 1, None)),
            entity_set: table.entity_set.clone(),
            fetch,
            membership: None,
        }
    }

    /// Whether the other queries of the stream can be read without this one.
    pub(in crate::source) fn is_optional(&self) -> bool {
        matches!(self.membership, Some(Membership::Dynamic { .. }))
    }

    /// Whether nothing determines the order of its rows; rows of a table are in the order of
    /// their key.
    pub(in crate::source) fn is_unordered(&self) -> bool {
        (self.fetch.is_distinct || self.fetch.is_aggregate) && !self.fetch.is_ordered
    }

    /// The preferences of its requests.
    pub(in crate::source) fn prefer(&self, plan: &Plan) -> Prefer {
        // Only annotations say to which table a member belongs.
        let is_static = matches!(self.membership, Some(Membership::Static));
        Prefer {
            annotations: if plan.binding.labels || is_static {
                Annotations::Labels
            } else {
                Annotations::None
            },
            paging_cookie: true,
            ..Prefer::default()
        }
    }

    /// The members of its rows that are read. `rows_before` rows came before.
    pub(in crate::source) fn members(&self, plan: &Plan, rows_before: u64) -> Members {
        let Some(membership) = &self.membership else {
            let members = plan
                .members(plan.binding.columns.as_deref(), plan.binding.labels, None)
                .with_nulls(&plan.columns());
            return if plan.table.primary_key == ROW_NUMBER {
                members.numbered_after(rows_before)
            } else {
                members
            };
        };
        membership.members(plan)
    }

    /// The rows of a page as they are handed out.
    pub(in crate::source) fn finish(&self, pieces: Vec<Piece>, plan: &Plan) -> Vec<Piece> {
        match &self.membership {
            None => pieces,
            Some(membership) => pieces
                .into_iter()
                .map(|piece| membership.write(&piece, plan.binding.labels))
                .collect(),
        }
    }
}

/// The warning that the members of a list are not read.
pub(in crate::source) fn list_unreadable(list: &str, error: &Error) -> WarningText {
    let message = format!("The members of the list {list} are not read: {error}.");
    ("list-unreadable", message)
}
