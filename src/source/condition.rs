//! Conditions in the service's own filter language (reference §4.4).
//!
//! A condition of the caller's is passed on as it is. It stands in parentheses beside others,
//! and must not leave them: neither by a parenthesis that closes too much nor by a quotation
//! mark that never closes. What would lead out of the query option is percent-encoded with
//! everything else.

/// The longest condition, in characters: it stands in an address and in every checkpoint.
const LONGEST: usize = 8_192;

/// Whether the text can be one condition.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(filter: &str) -> Result<(), &'static str> {
    if filter.trim().is_empty() {
        return Err("is empty");
    }
    if filter.chars().count() > LONGEST {
        return Err("is longer than 8,192 characters");
    }
    if filter.chars().any(char::is_control) {
        return Err("holds a control character");
    }
    let mut depth = 0_usize;
    // A quotation mark within a text is doubled, so that marks always come in pairs.
    let mut in_text = false;
    for character in filter.chars() {
        match character {
            '\'' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => {
                depth = depth
                    .checked_sub(1)
                    .ok_or("closes a parenthesis that is not open")?;
            }
            _ => {}
        }
    }
    if in_text {
        return Err("holds a quotation mark without its pair");
    }
    if depth > 0 {
        return Err("leaves a parenthesis open");
    }
    Ok(())
}

/// Both conditions, as far as there are two.
pub(super) fn both(first: Option<&str>, second: Option<&str>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first} and {second}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_stays_one() {
        for fine in [
            "statecode eq 0",
            "name eq 'O''Brian) or (1 eq 1'",
            "(a eq 1 or b eq 2) and not contains(name,'(')",
            "name eq 'a&$top=1#'",
            "Microsoft.Dynamics.CRM.In(PropertyName='a',PropertyValues=[\"1\",\"2\"])",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        for broken in [
            "",
            "  ",
            "a eq 1) or (b eq 2",
            "(a eq 1",
            "name eq 'x",
            "name eq 'x''",
            "a eq 1\nb",
        ] {
            assert!(check(broken).is_err(), "{broken}");
        }
    }
}
