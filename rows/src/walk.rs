//! The page walker: from the service's JSON to lines of rows, in one pass over the text.
//!
//! Values are copied as they were written: numbers are not converted, and rows do not become trees.
//! Only unpaired surrogates are replaced, by U+FFFD.

use std::borrow::Cow;

use thiserror::Error;

use crate::line::Line;
use crate::members::{Members, Outgoing, Role};
use crate::scanner::{Fault, Scanner, Series};
use crate::surrogates::replace_unpaired_surrogates;

/// The largest piece of rows, in bytes, unless a single row is larger.
pub(crate) const MAX_PIECE: usize = 4 << 20;

/// How the service marks a deletion in a row's context (reference §6.3).
const DELETED: &str = "/$deletedEntity";

/// What a page of the service holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Its rows, in the service's order.
    pub pieces: Vec<Piece>,
    /// Where the next page is.
    pub next_link: Option<String>,
    /// Where later changes are.
    pub delta_link: Option<String>,
    /// The watched column in the last row that has it, as JSON text.
    pub watched: Option<String>,
    /// Whether the watched column grew from row to row.
    pub ascending: bool,
    /// Of a query in FetchXML: the annotation with the cookie of the next page (reference §4.13).
    pub paging_cookie: Option<String>,
    /// Of a query in FetchXML: whether there are more rows, if the service says.
    pub more: Option<bool>,
}

/// Consecutive rows that are either all present or all deleted.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// Whether the rows were deleted; then there are only their keys.
    pub deleted: bool,
    /// How many there are.
    pub count: u32,
    /// One JSON object per line.
    pub ndjson: String,
}

impl Piece {
    /// An empty piece, with capacity for the rest of the page, up to the size of a piece. A buffer
    /// that grows by itself could get twice as large as its content.
    fn with_room(left: usize) -> Self {
        Self {
            deleted: false,
            count: 0,
            ndjson: String::with_capacity(Self::room(left)),
        }
    }

    /// That capacity, in bytes.
    fn room(left: usize) -> usize {
        left.min(MAX_PIECE + MAX_PIECE / 8)
    }
}

/// Why a body cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Malformed {
    /// Not UTF-8.
    #[error("it is not UTF-8 text at byte {0}")]
    Encoding(usize),
    /// The text ends too early.
    #[error("it is cut off after {0} bytes")]
    CutOff(usize),
    /// Not JSON, or not the JSON that is expected.
    #[error("at byte {offset}: {reason}")]
    Syntax {
        /// Where, in bytes from the start.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },
}

/// Reads a page (reference §4.3, §4.6, §6.3).
///
/// # Errors
/// If the body is not the JSON of a page, or a row has no primary key.
#[inline(never)]
pub fn walk(members: &mut Members, body: &[u8]) -> Result<Walked, Malformed> {
    let text = text(body)?;
    let mut scanner = Scanner::new(text);
    let mut rows = Rows {
        members,
        pieces: Vec::new(),
        open: Piece::with_room(text.len()),
        left: text.len(),
        watch: Watch {
            last: None,
            ascending: true,
        },
    };
    let links = page(&mut scanner, &mut rows).map_err(|fault| malformed(fault, text))?;
    Ok(Walked {
        watched: rows.watch.last.take(),
        ascending: rows.watch.ascending,
        pieces: rows.into_pieces(),
        next_link: links.next,
        delta_link: links.delta,
        paging_cookie: links.cookie,
        more: links.more,
    })
}

/// Checks that a body is one valid JSON value.
///
/// # Errors
/// If it is not valid JSON.
#[inline(never)]
pub fn check(body: &[u8]) -> Result<(), Malformed> {
    let text = text(body)?;
    let mut scanner = Scanner::new(text);
    let outcome = scanner.value().and_then(|_| scanner.end());
    outcome.map_err(|fault| malformed(fault, text))
}

fn text(body: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(body).map_err(|error| Malformed::Encoding(error.valid_up_to()))
}

fn malformed(fault: Fault, text: &str) -> Malformed {
    match fault {
        Fault::CutOff => Malformed::CutOff(text.len()),
        Fault::Syntax { offset, reason } => Malformed::Syntax { offset, reason },
    }
}

#[derive(Default)]
struct Links {
    next: Option<String>,
    delta: Option<String>,
    cookie: Option<String>,
    more: Option<bool>,
}

fn page(scanner: &mut Scanner<'_>, rows: &mut Rows<'_>) -> Result<Links, Fault> {
    if scanner.peek() != Some(b'{') {
        return Err(scanner.fault("expected value: a page of rows"));
    }
    scanner.expect(b'{', "")?;
    let mut links = Links::default();
    let mut has_rows = false;
    let mut series = Series::default();
    while scanner.more(&mut series, b'}')? {
        let place = scanner.at();
        match &*unescaped(scanner.key()?, place)? {
            "value" if has_rows => {
                return Err(Fault::Syntax {
                    offset: place,
                    reason: "duplicate field `value`",
                });
            }
            "value" => {
                has_rows = true;
                // Some servers write an empty list as null.
                if scanner.peek() == Some(b'n') {
                    scanner.value()?;
                    continue;
                }
                scanner.expect(b'[', "expected an array of rows")?;
                let mut series = Series::default();
                while scanner.more(&mut series, b']')? {
                    row(scanner, rows)?;
                }
            }
            "@odata.nextLink" | "@nextLink" => links.next = link(scanner)?,
            "@odata.deltaLink" | "@deltaLink" => links.delta = link(scanner)?,
            "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie" => links.cookie = link(scanner)?,
            "@Microsoft.Dynamics.CRM.morerecords" => {
                links.more = match scanner.value()? {
                    "true" | "\"true\"" => Some(true),
                    "false" | "\"false\"" => Some(false),
                    _ => None,
                };
            }
            _ => {
                scanner.value()?;
            }
        }
    }
    scanner.end()?;
    if has_rows {
        Ok(links)
    } else {
        Err(Fault::Syntax {
            offset: scanner.at(),
            reason: "missing field `value`",
        })
    }
}

/// The value of a JSON string.
pub(crate) fn unescaped(raw: &str, offset: usize) -> Result<Cow<'_, str>, Fault> {
    let plain = raw
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|inner| !inner.contains('\\'));
    match plain {
        Some(inner) => Ok(Cow::Borrowed(inner)),
        None => serde_json::from_slice(raw.as_bytes()).map_err(|_| Fault::Syntax {
            offset,
            reason: "expected text",
        }),
    }
}

fn link(scanner: &mut Scanner<'_>) -> Result<Option<String>, Fault> {
    let place = scanner.at();
    match scanner.value()? {
        "null" => Ok(None),
        link => unescaped(link, place).map(|link| Some(link.into_owned())),
    }
}

/// The rows written so far.
struct Rows<'m> {
    members: &'m mut Members,
    pieces: Vec<Piece>,
    open: Piece,
    /// About how many bytes of the page are not in `pieces`.
    left: usize,
    watch: Watch,
}

/// The values of one column.
struct Watch {
    /// Its value in the last row that has it.
    last: Option<String>,
    ascending: bool,
}

impl Watch {
    /// Notes the value of a row. Whole numbers without a sign are in order when the shorter one
    /// comes first, and of the same length the one that is first by its digits.
    fn note(&mut self, value: &str) {
        let last = self.last.get_or_insert_default();
        self.ascending &= (last.len(), last.as_str()) < (value.len(), value);
        last.clear();
        last.push_str(value);
    }
}

impl Rows<'_> {
    /// Counts the row that begins at `start`. It was written into the open piece; it moves to a
    /// new one if it does not belong there or does not fit.
    fn end_row(&mut self, start: usize, deleted: bool) {
        let fits = self.open.deleted == deleted && self.open.ndjson.len() <= MAX_PIECE;
        if self.open.count == 0 {
            self.open.deleted = deleted;
        } else if !fits {
            let mut ndjson = self.open.ndjson.split_off(start);
            self.left = self.left.saturating_sub(start);
            ndjson.reserve(Piece::room(self.left).saturating_sub(ndjson.len()));
            if self.open.ndjson.capacity() > 2 * MAX_PIECE {
                // It grew for a row that was moved to the next piece.
                self.open.ndjson.shrink_to_fit();
            }
            let next = Piece {
                deleted,
                count: 0,
                ndjson,
            };
            self.pieces.push(std::mem::replace(&mut self.open, next));
        }
        self.open.count += 1;
    }

    fn into_pieces(mut self) -> Vec<Piece> {
        if self.open.count > 0 {
            self.pieces.push(self.open);
        }
        self.pieces
    }
}

/// Reads a row and writes it.
fn row<'t>(scanner: &mut Scanner<'t>, rows: &mut Rows<'_>) -> Result<(), Fault> {
    scanner.expect(b'{', "expected a row")?;
    rows.members.begin_row();
    let mut line = Line::begin(&mut rows.open.ndjson, scanner.text());
    let mut deleted = false;
    let mut has_reason = false;
    let mut id: Option<Cow<'t, str>> = None;
    let mut has_key = true;
    let mut previous = None;
    let mut series = Series::default();
    while scanner.more(&mut series, b'}')? {
        let begin = scanner.at();
        let member = match rows.members.guess(previous) {
            Some((member, key)) if scanner.take(key) => member,
            _ => {
                let name = unescaped(scanner.key()?, begin)?;
                rows.members.find(&name, previous)
            }
        };
        previous = Some(member);
        let value = next_value(scanner)?;
        match rows.members.role(member) {
            Role::Value => {}
            Role::Context => deleted |= value.contains(DELETED),
            Role::Removed => deleted = true,
            Role::Reason => has_reason = true,
            Role::Id if value == "null" => has_key &= !rows.members.is_primary_key(member),
            Role::Id => id = Some(value.clone()),
            Role::Watched if value == "null" => {}
            Role::Watched => rows.watch.note(&value),
        }
        if let Some(Outgoing { key, is_unchanged }) = rows.members.emit(member) {
            let place = begin..scanner.at();
            // The member is only its name and its value, and neither was changed.
            let compact = place.len() == key.len() + value.len();
            if is_unchanged && compact && matches!(value, Cow::Borrowed(_)) {
                line.push_unchanged(place);
            } else {
                line.push(key, &value);
            }
        }
    }
    // In a deletion, `id` and `reason` may be the only marks (reference §6.3).
    deleted |= has_reason && id.is_some() && !rows.members.has_primary_key();
    if deleted {
        let id = id.ok_or(Fault::Syntax {
            offset: scanner.at(),
            reason: "a deletion without an id",
        })?;
        line.clear();
        line.push(rows.members.primary_key(), &bare_key(&id));
    } else {
        if let Some(number) = rows.members.number() {
            line.push(rows.members.primary_key(), &number.to_string());
        } else if !has_key || !rows.members.has_primary_key() {
            return Err(Fault::Syntax {
                offset: scanner.at(),
                reason: "a row without its primary key",
            });
        }
        for key in rows.members.missing() {
            line.push(key, "null");
        }
    }
    let start = line.end();
    rows.end_row(start, deleted);
    Ok(())
}

/// The key in the JSON text of a key or of a row's address, such as `accounts(…)`, spelt as in
/// rows: some servers write that of a deletion in braces or capitals.
#[cold]
fn bare_key(id: &str) -> String {
    let key = match id
        .strip_suffix(")\"")
        .and_then(|id| id.rsplit_once(['(', '=']))
    {
        Some((_, key)) => key,
        None => id,
    };
    let bare = key.chars().filter(|c| !matches!(c, '"' | '{' | '}'));
    let mut text = String::from('"');
    text.extend(bare.map(|c| c.to_ascii_lowercase()));
    text.push('"');
    text
}

/// The next value, as one line of valid UTF-8.
///
/// Line breaks can only be between the tokens of a value, where they have no meaning, so they are
/// left out.
fn next_value<'t>(scanner: &mut Scanner<'t>) -> Result<Cow<'t, str>, Fault> {
    let mut value = Cow::Borrowed(scanner.value()?);
    if scanner.take_surrogates()
        && let Some(text) = replace_unpaired_surrogates(&value)
    {
        value = Cow::Owned(text);
    }
    if value.starts_with(['{', '[']) && value.contains(['\n', '\r']) {
        value = Cow::Owned(value.replace(['\n', '\r'], ""));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
