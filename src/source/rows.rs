//! The page walker: from the service's JSON to lines of rows, in one pass over the text.
//!
//! Values are copied as they were written: no number is ever read, no row becomes a tree. Only
//! half a surrogate pair, which is no character, becomes U+FFFD.

use std::fmt;

use memchr::memmem;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use super::members::{Members, Role};

/// The largest piece of rows that is handed out at once, in bytes, unless one row alone is
/// larger.
pub(super) const MAX_PIECE: usize = 4 << 20;

/// How the service marks a deletion in a row's context (reference §6.3).
const DELETED: &str = "/$deletedEntity";

/// What a page of the service holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Its rows, in the service's order.
    pub(super) pieces: Vec<Piece>,
    /// Where the next page is.
    pub(super) next_link: Option<String>,
    /// Where later changes are.
    pub(super) delta_link: Option<String>,
    /// The watched column in the last row that has it, as JSON text.
    pub(super) watched: Option<String>,
}

/// Neighbouring rows with the same fate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Whether the rows are gone, and only their keys are here.
    pub(super) deleted: bool,
    /// How many there are.
    pub(super) count: u32,
    /// One JSON object per line.
    pub(super) ndjson: String,
}

impl Piece {
    /// An empty piece, with room for what is left of the page as far as it may hold that. A
    /// buffer that grows by itself could get twice as large as what it holds.
    fn with_room(left: usize) -> Self {
        Self {
            deleted: false,
            count: 0,
            ndjson: String::with_capacity(left.min(MAX_PIECE + MAX_PIECE / 8)),
        }
    }
}

/// Why a body is not a page of rows.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Not UTF-8.
    #[error("the answer is not UTF-8 text at byte {0}")]
    Encoding(usize),
    /// The text ends too early.
    #[error("the answer breaks off after {0} bytes")]
    CutOff(usize),
    /// Not JSON, or not the JSON of a page.
    #[error("the answer cannot be read as a page of rows at byte {offset}: {reason}")]
    Syntax {
        /// Where, in bytes from the start.
        offset: usize,
        /// What is wrong there.
        reason: String,
    },
}

/// Reads a page.
pub(super) fn walk(members: &mut Members, body: &[u8]) -> Result<Walked, Malformed> {
    let text =
        std::str::from_utf8(body).map_err(|error| Malformed::Encoding(error.valid_up_to()))?;
    let mut rows = Rows {
        members,
        has_line_breaks: memchr::memchr2(b'\n', b'\r', body).is_some(),
        has_surrogates: [b"\\ud", b"\\uD"]
            .iter()
            .any(|escape| memmem::find(body, *escape).is_some()),
        pieces: Vec::new(),
        open: Piece::with_room(text.len()),
        left: text.len(),
        watched: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let links = PageSeed { rows: &mut rows }
        .deserialize(&mut deserializer)
        .and_then(|links| deserializer.end().map(|()| links))
        .map_err(|error| malformed(text, &error))?;
    Ok(Walked {
        watched: rows.watched.take(),
        pieces: rows.into_pieces(),
        next_link: links.next,
        delta_link: links.delta,
    })
}

fn malformed(text: &str, error: &serde_json::Error) -> Malformed {
    if error.is_eof() {
        return Malformed::CutOff(text.len());
    }
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let reason = error.to_string();
    let reason = reason
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    Malformed::Syntax {
        offset: line_start + error.column().saturating_sub(1),
        reason,
    }
}

/// The rows written so far.
struct Rows<'m> {
    members: &'m mut Members,
    has_line_breaks: bool,
    /// Whether some text holds an escaped surrogate.
    has_surrogates: bool,
    pieces: Vec<Piece>,
    open: Piece,
    /// About how many bytes of the page are not in `pieces`.
    left: usize,
    watched: Option<String>,
}

impl Rows<'_> {
    /// Ends the row that began at `start`. It was written into the open piece; it moves to a
    /// new one if it does not belong there or does not fit.
    fn end_row(&mut self, start: usize, deleted: bool) {
        self.open.ndjson.push_str("}\n");
        let fits = self.open.deleted == deleted && self.open.ndjson.len() <= MAX_PIECE;
        if self.open.count == 0 {
            self.open.deleted = deleted;
        } else if !fits {
            let row = self.open.ndjson.split_off(start);
            self.left = self.left.saturating_sub(start);
            let mut next = Piece::with_room(self.left);
            next.deleted = deleted;
            next.ndjson.push_str(&row);
            self.pieces.push(std::mem::replace(&mut self.open, next));
        }
        self.open.count += 1;
    }

    /// Copies a value. Between its tokens a line break means nothing and within a string it
    /// cannot stand, so that leaving it out keeps the row on its line and changes nothing.
    fn push_value(&mut self, value: &str) {
        let mended = self.has_surrogates.then(|| without_halves(value)).flatten();
        let value = mended.as_deref().unwrap_or(value);
        if self.has_line_breaks {
            self.open.ndjson.extend(value.split(['\n', '\r']));
        } else {
            self.open.ndjson.push_str(value);
        }
    }

    fn into_pieces(mut self) -> Vec<Piece> {
        if self.open.count > 0 {
            self.pieces.push(self.open);
        }
        self.pieces
    }
}

/// Writes a member's name into the row that began at `start`.
fn push_key(out: &mut String, start: usize, key: &str) {
    if out.len() > start + 1 {
        out.push(',');
    }
    out.push_str(key);
}

/// The value with U+FFFD in place of every half of a surrogate pair that stands alone; none if
/// there is no such half. The service's text may hold one, and JSON may write it, but it is no
/// Unicode text: strict readers refuse the whole row for it.
fn without_halves(value: &str) -> Option<String> {
    const ESCAPE: usize = "\\uXXXX".len();
    let mut mended = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', value.as_bytes().get(at..)?) {
        let start = at + found;
        at = match surrogate(value, start) {
            None => start + 2,
            Some(Half::High) if surrogate(value, start + ESCAPE) == Some(Half::Low) => {
                start + 2 * ESCAPE
            }
            Some(_) => {
                mended.push_str(value.get(copied..start)?);
                mended.push_str("\\ufffd");
                copied = start + ESCAPE;
                copied
            }
        };
    }
    mended.push_str(value.get(copied..)?);
    (copied > 0).then_some(mended)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// The surrogate whose escape begins there, if one does.
fn surrogate(value: &str, start: usize) -> Option<Half> {
    let digits = value.get(start..start + 6)?.strip_prefix("\\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}

#[derive(Default)]
struct Links {
    next: Option<String>,
    delta: Option<String>,
}

struct PageSeed<'a, 'm> {
    rows: &'a mut Rows<'m>,
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_> {
    type Value = Links;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Links, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_> {
    type Value = Links;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Links, A::Error> {
        let mut links = Links::default();
        let mut has_rows = false;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*key {
                "value" if has_rows => return Err(serde::de::Error::duplicate_field("value")),
                "value" => {
                    has_rows = true;
                    map.next_value_seed(RowsSeed {
                        rows: &mut *self.rows,
                    })?;
                }
                "@odata.nextLink" | "@nextLink" => links.next = map.next_value()?,
                "@odata.deltaLink" | "@deltaLink" => links.delta = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_rows {
            Ok(links)
        } else {
            Err(serde::de::Error::missing_field("value"))
        }
    }
}

struct RowsSeed<'a, 'm> {
    rows: &'a mut Rows<'m>,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq
            .next_element_seed(RowSeed {
                rows: &mut *self.rows,
            })?
            .is_some()
        {}
        Ok(())
    }
}

struct RowSeed<'a, 'm> {
    rows: &'a mut Rows<'m>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let rows = self.rows;
        let start = rows.open.ndjson.len();
        rows.open.ndjson.push('{');
        rows.members.begin_row();
        let mut deleted = false;
        let mut id: Option<&'de RawValue> = None;
        let mut previous = None;
        while let Some(member) = map.next_key_seed(MemberSeed {
            members: &mut *rows.members,
            previous,
        })? {
            previous = Some(member);
            if !rows.members.is_wanted(member) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &'de RawValue = map.next_value()?;
            match rows.members.role(member) {
                Role::Value => {}
                Role::Context => deleted |= value.get().contains(DELETED),
                Role::Removed => deleted = true,
                Role::Id => id = Some(value),
                Role::Watched if value.get() == "null" => {}
                Role::Watched => {
                    let watched = rows.watched.get_or_insert_default();
                    watched.clear();
                    watched.push_str(value.get());
                }
            }
            if let Some(key) = rows.members.emit(member) {
                push_key(&mut rows.open.ndjson, start, key);
                rows.push_value(value.get());
            }
        }
        if deleted {
            let id = id.ok_or_else(|| serde::de::Error::custom("a deletion without an id"))?;
            let out = &mut rows.open.ndjson;
            out.truncate(start + 1);
            out.push_str(rows.members.primary_key());
            rows.push_value(id.get());
        } else {
            if !rows.members.has_primary_key() {
                return Err(serde::de::Error::custom("a row without its primary key"));
            }
            let out = &mut rows.open.ndjson;
            for key in rows.members.missing() {
                push_key(out, start, key);
                out.push_str("null");
            }
        }
        rows.end_row(start, deleted);
        Ok(())
    }
}

struct MemberSeed<'m> {
    members: &'m mut Members,
    previous: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for MemberSeed<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberSeed<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column")
    }

    fn visit_str<E>(self, name: &str) -> Result<usize, E> {
        Ok(self.members.find(name, self.previous))
    }
}

#[cfg(test)]
mod tests;
