//! The history of rows: who changed which column when, from what to what (reference §10).
//!
//! The log itself is read like a table that only grows, by the time of its entries. What an
//! entry changed is asked for in batches, and where that is refused or lost it is taken from
//! what the log keeps beside the entry. An entry becomes as many rows as columns have changed;
//! one, if what was changed is no column.

use dataverse_rows::{Piece, members};

use super::binding::fingerprint;
use super::checkpoint::{Cursor, Position};
use super::plan::Plan;
use super::survey::fails;
use super::watermark::{Mark, OVERLAP_SECONDS};
use super::{time, tracked};
use crate::catalog::ENTRY_CHANGES;
use crate::dataverse::{Annotations, Client, Guid, Prefer};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::Host;
use crate::json::quoted;
use detail::Line;

mod detail;

/// How many entries are asked about in one batch.
const BATCH: usize = 100;
/// How large the rows of one page of entries may become, in bytes.
const MOST_BYTES: usize = 10 << 20;
/// How large a piece of them should be.
const PIECE: usize = 4 << 20;
/// How many entries are remembered so as not to be told twice.
const MOST_RECENT: usize = 500;

/// What is known of the log so far.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The entries that an earlier sync told and that this one comes by again.
    seen: String,
    /// The last entries of this sync, by their time.
    recent: Vec<(i64, String)>,
    /// Why details are not to be had.
    denied: Option<String>,
    is_told: bool,
}

/// An entry of the log.
struct Entry {
    id: Guid,
    /// Its members, without what the log keeps of the changes.
    text: String,
    /// That.
    changes: Option<String>,
}

impl History {
    /// What is known at a position.
    pub(super) fn at(position: &Position) -> Self {
        Self {
            seen: match position {
                Position::CaughtUp(Cursor::Newest { seen, .. }) => seen.clone().unwrap_or_default(),
                _ => String::new(),
            },
            ..Self::default()
        }
    }

    /// The entries that the next sync comes by again, because it begins a little before the
    /// newest one.
    pub(super) fn seen(&self, newest: Option<Mark>) -> Option<String> {
        let Some(Mark::Time(newest)) = newest else {
            return None;
        };
        let mut seen: Vec<&str> = self
            .recent
            .iter()
            .rev()
            .filter(|(time, _)| *time >= newest - OVERLAP_SECONDS)
            .map(|(_, entry)| entry.as_str())
            .collect();
        seen.truncate(MOST_RECENT);
        (!seen.is_empty()).then(|| seen.join(" "))
    }

    /// Why details were not to be had, once.
    pub(super) fn take_denial(&mut self) -> Option<String> {
        if std::mem::replace(&mut self.is_told, self.denied.is_some()) {
            return None;
        }
        self.denied.clone()
    }

    /// Makes rows of the entries on a page.
    ///
    /// # Errors
    /// What concerns all entries; with [`Recovery::SmallerPages`] if they are too much at once.
    pub(super) async fn expand<H: Host>(
        &mut self,
        client: &Client<H>,
        plan: &Plan,
        pieces: Vec<Piece>,
    ) -> Result<Vec<Piece>, Error> {
        let mut entries = Vec::new();
        for line in pieces.iter().flat_map(|piece| piece.ndjson.lines()) {
            entries.extend(self.entry(plan, line));
        }
        drop(pieces);
        let mut out = Vec::new();
        let mut bytes = 0;
        for entries in entries.chunks(BATCH) {
            let details = self.details(client, plan, entries).await?;
            let mut details = details.into_iter();
            for entry in entries {
                let detail = details.next().flatten();
                for line in detail::lines(detail.as_deref(), entry.changes.as_deref()) {
                    bytes += push(&mut out, plan, entry, &line);
                }
                if bytes > MOST_BYTES {
                    let message = "the entries of one page hold too much; ask for smaller pages";
                    return Err(Error::new(ErrorKind::Unsupported, message)
                        .with_recovery(Recovery::SmallerPages));
                }
            }
        }
        Ok(out)
    }

    /// An entry from a row of the log; none if it has been told before.
    fn entry(&mut self, plan: &Plan, line: &str) -> Option<Entry> {
        let mut id = None;
        let mut created = None;
        let mut text = String::new();
        let mut changes = None;
        for (name, value) in members(line)? {
            match &*name {
                ENTRY_CHANGES => {
                    changes = dataverse_rows::string(value).map(std::borrow::Cow::into_owned);
                    continue;
                }
                "auditid" => {
                    id = dataverse_rows::string(value)
                        .as_deref()
                        .and_then(Guid::parse);
                }
                "createdon" => {
                    created = dataverse_rows::string(value)
                        .as_deref()
                        .and_then(time::parse);
                }
                _ => {}
            }
            if name == "createdon" && !plan.is_selected("createdon") {
                continue;
            }
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&quoted(&name));
            text.push(':');
            text.push_str(value);
        }
        let id = id?;
        let mark = mark(&id);
        let is_known = self.seen.contains(&mark);
        if let Some(created) = created {
            if self.recent.len() >= 2 * MOST_RECENT {
                self.recent.drain(..MOST_RECENT);
            }
            self.recent.push((created, mark));
        }
        (!is_known).then_some(Entry { id, text, changes })
    }

    /// The details of entries, as far as they are to be had.
    async fn details<H: Host>(
        &mut self,
        client: &Client<H>,
        plan: &Plan,
        entries: &[Entry],
    ) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if self.denied.is_some() {
            return Ok(Vec::new());
        }
        let mut links = Vec::with_capacity(entries.len());
        for entry in entries {
            let path = format!(
                "audits({})/Microsoft.Dynamics.CRM.RetrieveAuditDetails",
                entry.id
            );
            links.push(client.resource(&path)?);
        }
        let prefer = Prefer {
            annotations: if plan.binding.labels {
                Annotations::Labels
            } else {
                Annotations::None
            },
            ..Prefer::default()
        };
        let mut details = Vec::with_capacity(entries.len());
        let answers = client.batch(&links, &prefer).await?;
        let is_working = answers.iter().any(Result::is_ok);
        for answer in answers {
            details.push(match answer {
                Ok(body) => Some(body),
                Err(error) if error.kind == ErrorKind::Forbidden => {
                    self.denied.get_or_insert(error.message);
                    None
                }
                // The row of which it tells is gone, or the entry itself.
                Err(error) if tracked::is_refused(&error) || error.is_not_offered() => None,
                // One entry that the service stumbles over is not to cost the others.
                Err(error) if is_working && fails(&error) => None,
                Err(error) => return Err(error),
            });
        }
        Ok(details)
    }
}

/// Tells one entry from another in few characters.
fn mark(id: &Guid) -> String {
    let id = id.to_string();
    let begin = id.split('-').next().unwrap_or_default();
    format!("{begin}{}", fingerprint(&id))
}

/// Adds a row; returns how long it is.
fn push(out: &mut Vec<Piece>, plan: &Plan, entry: &Entry, line: &Line) -> usize {
    let is_full = out.last().is_none_or(|piece| piece.ndjson.len() > PIECE);
    if is_full {
        out.push(Piece {
            deleted: false,
            count: 0,
            ndjson: String::new(),
        });
    }
    let Some(piece) = out.last_mut() else {
        return 0;
    };
    let before = piece.ndjson.len();
    piece.ndjson.push('{');
    piece.ndjson.push_str(&entry.text);
    for (name, value) in line.members() {
        if plan.is_selected(name) {
            piece.ndjson.push_str(",\"");
            piece.ndjson.push_str(name);
            piece.ndjson.push_str("\":");
            piece.ndjson.push_str(value);
        }
    }
    piece.ndjson.push_str("}\n");
    piece.count += 1;
    piece.ndjson.len() - before
}
