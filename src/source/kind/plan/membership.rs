//! How the rows of a query become members of a marketing list (reference §12.3).

use std::fmt::Write as _;

use dataverse_rows::{Members, Piece, members};

use super::Plan;
use crate::dataverse::Guid;

/// How the rows of a query become members of a list.
#[derive(Debug)]
pub(in crate::source) enum Membership {
    /// Of static lists: each row names its list.
    Static,
    /// Of one dynamic list: each row is a member.
    Dynamic {
        list: Guid,
        /// The members' table.
        table: String,
        /// The column with the key of a member.
        key: String,
    },
}

impl Membership {
    /// The members that are read of the query's rows.
    pub(super) fn members(&self, plan: &Plan) -> Members {
        match self {
            Self::Static => {
                let selected = ["listid", "entityid"].map(str::to_owned);
                Members::new("entityid", &plan.columns(), Some(&selected), true, None)
            }
            Self::Dynamic { key, .. } => Members::new(key, &[], Some(&[]), false, None),
        }
    }

    /// Turns the rows of a piece into members of lists.
    pub(super) fn write(&self, piece: &Piece, labels: bool) -> Piece {
        let mut ndjson = String::with_capacity(piece.ndjson.len() * 2);
        for line in piece.ndjson.lines() {
            let row = members(line).unwrap_or_default();
            let get = |wanted: &str| {
                let found = row.iter().find(|(name, _)| name == wanted);
                found.map_or("null", |(_, value)| &**value)
            };
            let (list, member, table, source) = match self {
                Self::Static => (
                    get("listid").to_owned(),
                    get("entityid"),
                    get("entityidtype").to_owned(),
                    "list",
                ),
                Self::Dynamic { list, table, key } => (
                    format!("\"{list}\""),
                    get(key),
                    format!("\"{table}\""),
                    "query",
                ),
            };
            // Writing to a string cannot fail.
            let _ = write!(
                ndjson,
                "{{\"listid\":{list},\"entityid\":{member},\"entitytype\":{table},\
                 \"source\":\"{source}\""
            );
            if labels {
                let _ = write!(
                    ndjson,
                    ",\"listidname\":{},\"listidtype\":\"list\",\"entityidname\":{},\
                     \"entityidtype\":{table}",
                    get("listidname"),
                    get("entityidname")
                );
            }
            ndjson.push_str("}\n");
        }
        Piece {
            ndjson,
            deleted: piece.deleted,
            count: piece.count,
        }
    }
}
