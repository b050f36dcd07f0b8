//! Checks a selection before the first request.

use super::shape::Options;
use super::{MAX_PAGE_SIZE, condition};
use crate::error::{Error, ErrorKind};
use crate::source::checkpoint::Binding;
use crate::source::event::Selection;
use crate::source::time;

/// What the checkpoints of a selection belong to, if its options are valid for its kind of stream.
///
/// # Errors
/// `InvalidData` for an option that is invalid.
pub(in crate::source) fn check(
    environment: &str,
    selection: &Selection,
    options: Options,
) -> Result<Binding, Error> {
    let stream = &selection.stream;
    let invalid = |why: &str| {
        Error::new(
            ErrorKind::InvalidData,
            format!("invalid selection for {stream}: {why}"),
        )
    };
    if selection.page_size == Some(0) {
        let why = format!("the page size is 0; use a number from 1 to {MAX_PAGE_SIZE}");
        return Err(invalid(&why));
    }
    if options.query && selection.query.is_none() {
        let message = format!("{stream} has no FetchXML; provide its text");
        return Err(Error::new(ErrorKind::InvalidData, message));
    }
    if !options.query && selection.query.is_some() {
        return Err(invalid(
            "only a stream named query:… can have a query; use such a name or remove the query",
        ));
    }
    if !options.conditions && (selection.filter.is_some() || selection.since.is_some()) {
        return Err(invalid(
            "only tables and histories can have a filter or a start time; remove it",
        ));
    }
    if !options.columns && !selection.columns.is_empty() {
        return Err(invalid(
            "its columns cannot be selected; leave the selection of columns empty",
        ));
    }
    if let Some(filter) = &selection.filter {
        condition::check(filter).map_err(invalid)?;
    }
    let since = match &selection.since {
        None => None,
        Some(text) => Some(time::literal(time::parse(text).ok_or_else(|| {
            invalid("the start time is not in RFC 3339; write it like 2024-02-29T12:00:00Z")
        })?)),
    };
    Ok(Binding::new(environment, selection, since))
}
