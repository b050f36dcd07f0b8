//! Filters in the service's own language (reference §4.4).
//!
//! The caller's filter is passed on as it is. It is put in parentheses and combined with other
//! conditions, so it must not close these parentheses, nor leave a quotation mark open. Characters
//! that could end the query option are percent-encoded with everything else.

use crate::catalog::{DataType, Table};

/// The longest filter, in characters: it is part of an address and of every checkpoint.
const MAX_LENGTH: usize = 8_192;

/// Whether the text can be one filter.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(filter: &str) -> Result<(), &'static str> {
    if filter.trim().is_empty() {
        return Err("the filter is empty");
    }
    if filter.chars().count() > MAX_LENGTH {
        return Err("the filter is longer than 8,192 characters");
    }
    if filter.chars().any(char::is_control) {
        return Err("the filter contains a control character");
    }
    let mut depth = 0_usize;
    // A quotation mark within a text is doubled, so marks always come in pairs.
    let mut in_text = false;
    for character in filter.chars() {
        match character {
            '\'' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => {
                depth = depth
                    .checked_sub(1)
                    .ok_or("unbalanced \")\" in the filter")?;
            }
            _ => {}
        }
    }
    if in_text {
        return Err("unclosed quotation mark in the filter");
    }
    if depth > 0 {
        return Err("unbalanced \"(\" in the filter");
    }
    Ok(())
}

/// Combines two conditions, either of which may be missing.
pub(super) fn both(first: Option<&str>, second: Option<&str>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first} and {second}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// What to do about a filter that the service rejects.
///
/// A lookup has one name in rows and another in filters (reference §4.10). The name in rows is
/// often valid in a filter too, as the first part of a path, so only a rejection shows a mistake.
pub(super) fn advice(filter: &str, table: &Table) -> String {
    let lookup = names(filter).find_map(|name| {
        let column = table.column(name)?;
        (column.data_type == DataType::Reference).then_some(column)
    });
    match lookup {
        Some(column) => format!(
            "in filters the column {} is written {}",
            column.name,
            column.wire_name()
        ),
        None => "correct the filter".to_owned(),
    }
}

/// The names in a filter outside texts and paths.
fn names(filter: &str) -> impl Iterator<Item = &str> {
    // Every other part lies between two quotation marks.
    filter.split('\'').step_by(2).flat_map(|code| {
        code.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '/' | '.')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_one_condition() {
        for valid in [
            "statecode eq 0",
            "name eq 'O''Brian) or (1 eq 1'",
            "(a eq 1 or b eq 2) and not contains(name,'(')",
            "name eq 'a&$top=1#'",
            "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[\"1\",\"2\"])",
        ] {
            assert_eq!(check(valid), Ok(()), "{valid}");
        }
        for invalid in [
            "",
            "  ",
            "a eq 1) or (b eq 2",
            "(a eq 1",
            "name eq 'x",
            "name eq 'x''",
            "a eq 1\nb",
        ] {
            assert!(check(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn names_in_texts_and_paths_are_no_columns() {
        let filter = "(ownerid eq 'parent' and parent/name ne 'it''s ownerid') or not(a_b eq 1)";
        let found: Vec<&str> = names(filter).filter(|name| !name.is_empty()).collect();
        assert_eq!(
            found,
            [
                "ownerid",
                "eq",
                "and",
                "parent/name",
                "ne",
                "or",
                "not",
                "a_b",
                "eq",
                "1"
            ]
        );
    }
}
