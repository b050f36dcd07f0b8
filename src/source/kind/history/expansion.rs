//! The rows of an entry of the audit log (reference §10).
//!
//! What an entry changed is requested in batches. If that is rejected or lost, the changes that the
//! log stores in the entry are used. An entry becomes one row for each column that changed, or one
//! row if no column changed.

use dataverse_rows::{Piece, members};

use super::detail::{self, Change};
use crate::catalog::ENTRY_CHANGES;
use crate::dataverse::{Annotations, Client, Guid, Prefer};
use crate::error::{Error, ErrorKind, Recovery};
use crate::host::Host;
use crate::json::quoted;
use crate::source::checkpoint::fingerprint;
use crate::source::kind::Plan;
use crate::source::position::{Mark, OVERLAP_SECONDS};
use crate::source::{rejection, time};

/// How many entries have their details requested in one batch.
const BATCH: usize = 100;
/// The most bytes that the rows of one page of entries may take.
const MAX_PAGE_BYTES: usize = 10 << 20;
/// The size that a piece of them should have, in bytes.
const PIECE_BYTES: usize = 4 << 20;
/// How many entries are kept, so that none is handed out twice.
const MAX_RECENT: usize = 500;

/// Replaces entries by rows with their details, and keeps which entries were handed out.
#[derive(Debug, Default)]
pub(in crate::source) struct AuditDetails {
    /// The entries that an earlier sync handed out and that the overlap reads again.
    seen: String,
    /// The last entries of this sync, by their time.
    recent: Vec<(i64, String)>,
    /// Why the account may not read details.
    denied: Option<String>,
    is_denial_taken: bool,
}

/// An entry of the log.
struct Entry {
    id: Guid,
    /// Its members, without what the log stores of the changes.
    text: String,
    /// What the log stores of the changes.
    changes: Option<String>,
}

impl AuditDetails {
    /// Before the first page; `seen` is what an earlier sync [kept](Self::seen).
    pub(in crate::source) fn new(seen: Option<String>) -> Self {
        Self {
            seen: seen.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The entries that the next sync reads again, because it starts a little before the newest
    /// one.
    pub(in crate::source) fn seen(&self, newest: Option<Mark>) -> Option<String> {
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
        seen.truncate(MAX_RECENT);
        (!seen.is_empty()).then(|| seen.join(" "))
    }

    /// Why the account may not read details; returned once.
    pub(in crate::source) fn take_denial(&mut self) -> Option<String> {
        if std::mem::replace(&mut self.is_denial_taken, self.denied.is_some()) {
            return None;
        }
        self.denied.clone()
    }

    /// The rows of the entries on a page.
    ///
    /// # Errors
    /// What concerns all entries; with [`Recovery::SmallerPages`] if their rows are too large.
    pub(in crate::source) async fn expand<H: Host>(
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
                for change in detail::changes(detail.as_deref(), entry.changes.as_deref()) {
                    bytes += push(&mut out, plan, entry, &change);
                }
                if bytes > MAX_PAGE_BYTES {
                    let message =
                        "the audit entries of one page are too large; use a smaller page size";
                    return Err(Error::new(ErrorKind::Unsupported, message)
                        .with_recovery(Recovery::SmallerPages));
                }
            }
        }
        Ok(out)
    }

    /// An entry from a row of the log; none if it was handed out before.
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
            if self.recent.len() >= 2 * MAX_RECENT {
                self.recent.drain(..MAX_RECENT);
            }
            self.recent.push((created, mark));
        }
        (!is_known).then_some(Entry { id, text, changes })
    }

    /// The details of entries, as far as the service returns them.
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
        let responses = client.batch(&links, &prefer).await?;
        let is_working = responses.iter().any(Result::is_ok);
        for response in responses {
            details.push(match response {
                Ok(body) => Some(body),
                Err(error) if error.kind == ErrorKind::Forbidden => {
                    self.denied.get_or_insert(error.message);
                    None
                }
                // The changed row was deleted, or the entry itself.
                Err(error) if rejection::is_permanent(&error) || error.is_not_offered() => None,
                // An entry on which the service fails must not affect the others.
                Err(error) if is_working && rejection::is_server_error(&error) => None,
                Err(error) => return Err(error),
            });
        }
        Ok(details)
    }
}

/// A short text by which entries are distinguished.
fn mark(id: &Guid) -> String {
    let id = id.to_string();
    let first = id.split('-').next().unwrap_or_default();
    format!("{first}{}", fingerprint(&id))
}

/// Adds a row; returns its length in bytes.
fn push(out: &mut Vec<Piece>, plan: &Plan, entry: &Entry, change: &Change) -> usize {
    let is_full = out
        .last()
        .is_none_or(|piece| piece.ndjson.len() > PIECE_BYTES);
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
    for (name, value) in change.members() {
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
