//! The parts of a checkpoint, from JSON. Members that are ignored here are rejected by the caller,
//! which compares the result with the text.

use dataverse_rows::elements;

use super::document::Document;
use crate::json::Object;
use crate::source::position::{
    Cursor, Delta, LaterChanges, Mark, MarkColumn, Method, PagedPosition, Phase, Position,
    QueryPosition, Range, Ranges, Watermark,
};

/// A checkpoint of any format; none if it is something else.
pub(super) fn document(document: &Object<'_>) -> Option<Document> {
    let optional = |name| document.text(name);
    Some(Document {
        v: document.integer("v")?,
        environment: optional("environment")?,
        table: optional("table")?,
        columns: document.has("columns").then(|| document.texts("columns")),
        labels: document.flag("labels")?,
        filter: optional("filter"),
        since: optional("since"),
        query: optional("query"),
        files: document.flag("files"),
        types: optional("types"),
        position: position(&document.object("position")?)?,
        sum: optional("sum")?,
    })
}

fn position(position: &Object<'_>) -> Option<Position> {
    let (name, it) = position.variant()?;
    let it = &it;
    Some(match name {
        "beginning" => Position::Start {
            method: method(it)?,
        },
        "midway" => Position::Paged(PagedPosition {
            method: method(it)?,
            phase: phase(it)?,
            next: it.text("next")?,
            page_size: it.integer("page-size")?,
            newest: mark(it, "newest"),
            began: it.integer("began"),
        }),
        "ranged" => Position::Ranged(Ranges {
            phase: phase(it)?,
            remaining: it
                .elements("remaining")?
                .into_iter()
                .map(range)
                .collect::<Option<_>>()?,
            tail: it.integer("tail")?,
            later: later(it)?,
        }),
        "fetched" => Position::Queried(QueryPosition {
            query: it.text("query")?,
            page: it.integer("page")?,
            page_size: it.integer("page-size")?,
            rows: it.integer("rows")?,
            cookie: it.text("cookie"),
        }),
        "caught-up" => Position::CaughtUp(cursor(it)?),
        _ => return None,
    })
}

fn method(record: &Object<'_>) -> Option<Method> {
    if record.text("method").as_deref() == Some("full") {
        return Some(Method::Full);
    }
    let method = record.object("method")?;
    let (name, it) = method.variant()?;
    Some(match name {
        "tracked" => Method::Tracked {
            plain: it.flag("plain")?,
        },
        "watermark" => Method::Watermark {
            column: column(&it)?,
            fallback: it.flag("fallback")?,
        },
        _ => return None,
    })
}

fn cursor(cursor: &Object<'_>) -> Option<Cursor> {
    let (name, it) = cursor.variant()?;
    Some(match name {
        "delta" => Cursor::Delta(Delta {
            link: it.text("link")?,
            plain: it.flag("plain")?,
            at: it.integer("at"),
        }),
        "newest" => Cursor::Watermark(Watermark {
            column: column(&it)?,
            fallback: it.flag("fallback")?,
            mark: mark(&it, "mark"),
            seen: it.text("seen"),
        }),
        "done" => Cursor::Done {
            at: it.integer("at")?,
        },
        _ => return None,
    })
}

fn later(record: &Object<'_>) -> Option<LaterChanges> {
    let later = record.object("later")?;
    let (name, it) = later.variant()?;
    Some(match name {
        "baseline" => LaterChanges::Baseline {
            plain: it.flag("plain")?,
            next: it.text("next")?,
            page_size: it.integer("page_size")?,
        },
        "delta" => LaterChanges::Delta {
            plain: it.flag("plain")?,
            link: it.text("link")?,
        },
        "versions" => LaterChanges::Versions {
            fallback: it.flag("fallback")?,
        },
        _ => return None,
    })
}

fn phase(record: &Object<'_>) -> Option<Phase> {
    match record.text("phase")?.as_str() {
        "snapshot" => Some(Phase::Snapshot),
        "changes" => Some(Phase::Changes),
        _ => None,
    }
}

fn column(record: &Object<'_>) -> Option<MarkColumn> {
    let name = record.text("column")?;
    MarkColumn::ALL
        .into_iter()
        .find(|column| column.name() == name)
}

fn mark(record: &Object<'_>, name: &str) -> Option<Mark> {
    Mark::parse(&record.text(name)?)
}

fn range(bounds: &str) -> Option<Range> {
    match elements(bounds)?.as_slice() {
        [after, until] => Some(Range {
            after: after.parse().ok()?,
            until: until.parse().ok()?,
        }),
        _ => None,
    }
}
