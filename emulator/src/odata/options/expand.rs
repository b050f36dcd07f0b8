//! The query option `$expand` (reference §4.7).

use super::{Options, split};
use crate::{odata::filter::Condition, wire::ODataError};

/// One item of `$expand`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Expand {
    pub(crate) navigation: String,
    /// `/$ref`: only the addresses of the rows.
    pub(crate) references: bool,
    pub(crate) options: Options,
    /// The options as they were written, for the collection's own link.
    pub(crate) text: String,
}

pub(super) fn count_expands(items: &[Expand]) -> usize {
    items
        .iter()
        .map(|item| 1 + count_expands(&item.options.expand))
        .sum()
}

pub(super) fn parse_expand(text: &str) -> Result<Vec<Expand>, ODataError> {
    let mut items: Vec<Expand> = Vec::new();
    for item in split(text, ',') {
        let item = parse_expand_item(item.trim())?;
        if items
            .iter()
            .any(|known| known.navigation == item.navigation)
        {
            return Err(ODataError::syntax(format!(
                "Found multiple expand items for the navigation property '{}'.",
                item.navigation
            )));
        }
        items.push(item);
    }
    Ok(items)
}

fn parse_expand_item(item: &str) -> Result<Expand, ODataError> {
    let malformed = || ODataError::syntax(format!("Syntax error in $expand: '{item}'."));
    let (name, inner) = match item.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or_else(malformed)?)),
        None => (item, None),
    };
    let (navigation, references) = match name.split_once('/') {
        Some((navigation, "$ref")) => (navigation, true),
        Some(_) => return Err(malformed()),
        None => (name, false),
    };
    if navigation.is_empty() {
        return Err(malformed());
    }
    let mut options = Options::default();
    for part in split(inner.unwrap_or_default(), ';')
        .into_iter()
        .filter(|part| !part.is_empty())
    {
        let (option, value) = part.split_once('=').ok_or_else(malformed)?;
        let option = option.trim();
        options.set(option, value.trim(), true)?;
        if options.filter.as_ref().is_some_and(Condition::has_alias) {
            return Err(ODataError::bad_request(
                "0x80060888",
                "Parameter aliases are not supported inside $expand.",
            ));
        }
        options.given.push(option.to_owned());
    }
    Ok(Expand {
        navigation: navigation.to_owned(),
        references,
        options,
        text: inner.unwrap_or_default().to_owned(),
    })
}
