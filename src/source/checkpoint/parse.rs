//! The parts of a checkpoint, from JSON. What is passed over here is refused by the caller,
//! who compares what was understood with what was given.

use serde_json::Value;

use super::{Cursor, Document, Fetched, Method, Midway, Phase, Position};
use crate::dataverse::Record;
use crate::source::ranges::{Later, Range, Ranges};
use crate::source::watermark::{Column, Mark};

/// A checkpoint of any version; none if it is something else.
pub(super) fn document(document: Record<'_>) -> Option<Document> {
    let optional = |name| document.text(name).map(str::to_owned);
    Some(Document {
        v: u32::try_from(document.number("v")?).ok()?,
        environment: optional("environment")?,
        table: optional("table")?,
        columns: document
            .list("columns")
            .map(|names| {
                let names = names.iter().map(|name| name.as_str().map(str::to_owned));
                names.collect::<Option<_>>()
            })
            .map_or(Some(None), |names: Option<Vec<String>>| names.map(Some))?,
        labels: document.flag("labels")?,
        filter: optional("filter"),
        since: optional("since"),
        query: optional("query"),
        files: document.flag("files"),
        types: optional("types"),
        position: position(document.0.get("position")?)?,
        sum: optional("sum")?,
    })
}

/// What is one of several, by the name that stands before it.
fn variant(value: &Value) -> Option<(&str, Record<'_>)> {
    let (name, content) = value.as_object()?.iter().next()?;
    Some((name, Record(content)))
}

fn position(value: &Value) -> Option<Position> {
    let (name, it) = variant(value)?;
    Some(match name {
        "beginning" => Position::Beginning {
            method: method(it)?,
        },
        "midway" => Position::Midway(Midway {
            method: method(it)?,
            phase: phase(it)?,
            next: it.text("next")?.to_owned(),
            page_size: small(it, "page-size")?,
            newest: mark(it, "newest"),
            began: large(it, "began"),
        }),
        "ranged" => Position::Ranged(Ranges {
            phase: phase(it)?,
            remaining: it
                .list("remaining")?
                .iter()
                .map(range)
                .collect::<Option<_>>()?,
            tail: it.number("tail")?,
            later: later(it)?,
        }),
        "fetched" => Position::Fetched(Fetched {
            query: it.text("query")?.to_owned(),
            page: small(it, "page")?,
            page_size: small(it, "page-size")?,
            rows: large(it, "rows")?,
            cookie: it.text("cookie").map(str::to_owned),
        }),
        "caught-up" => Position::CaughtUp(cursor(it.0)?),
        _ => return None,
    })
}

fn method(record: Record<'_>) -> Option<Method> {
    let value = record.0.get("method")?;
    if value.as_str() == Some("full") {
        return Some(Method::Full);
    }
    let (name, it) = variant(value)?;
    Some(match name {
        "tracked" => Method::Tracked {
            plain: it.flag("plain")?,
        },
        "watermark" => Method::Watermark {
            column: column(it)?,
            fallback: it.flag("fallback")?,
        },
        _ => return None,
    })
}

fn cursor(value: &Value) -> Option<Cursor> {
    let (name, it) = variant(value)?;
    Some(match name {
        "delta" => Cursor::Delta {
            link: it.text("link")?.to_owned(),
            plain: it.flag("plain")?,
            at: large(it, "at"),
        },
        "newest" => Cursor::Newest {
            column: column(it)?,
            fallback: it.flag("fallback")?,
            mark: mark(it, "mark"),
            seen: it.text("seen").map(str::to_owned),
        },
        "done" => Cursor::Done {
            at: large(it, "at")?,
        },
        _ => return None,
    })
}

fn later(record: Record<'_>) -> Option<Later> {
    let (name, it) = variant(record.0.get("later")?)?;
    Some(match name {
        "baseline" => Later::Baseline {
            plain: it.flag("plain")?,
            next: it.text("next")?.to_owned(),
            page_size: small(it, "page_size")?,
        },
        "delta" => Later::Delta {
            plain: it.flag("plain")?,
            link: it.text("link")?.to_owned(),
        },
        "versions" => Later::Versions {
            fallback: it.flag("fallback")?,
        },
        _ => return None,
    })
}

fn phase(record: Record<'_>) -> Option<Phase> {
    match record.text("phase")? {
        "snapshot" => Some(Phase::Snapshot),
        "changes" => Some(Phase::Changes),
        _ => None,
    }
}

fn column(record: Record<'_>) -> Option<Column> {
    let name = record.text("column")?;
    Column::ALL.into_iter().find(|column| column.name() == name)
}

fn mark(record: Record<'_>, name: &str) -> Option<Mark> {
    Mark::parse(record.text(name)?)
}

fn range(value: &Value) -> Option<Range> {
    match value.as_array()?.as_slice() {
        [after, until] => Some(Range {
            after: after.as_i64()?,
            until: until.as_i64()?,
        }),
        _ => None,
    }
}

fn small(record: Record<'_>, name: &str) -> Option<u32> {
    u32::try_from(record.number(name)?).ok()
}

fn large(record: Record<'_>, name: &str) -> Option<u64> {
    record.0.get(name)?.as_u64()
}
