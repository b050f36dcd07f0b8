//! Names that are like a wrong one.

use crate::ordered;
use crate::text::edit_distance;

/// How many names are suggested.
const MOST: usize = 3;

/// `did you mean account or accounts?`, or none if no name is like the wrong one.
pub(crate) fn did_you_mean<'a>(
    wrong: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<String> {
    if wrong.is_empty() {
        return None;
    }
    let wrong = wrong.to_ascii_lowercase();
    // A name is like another if a third of its letters at most must change.
    let length = wrong.chars().count();
    let limit = length.div_ceil(3).min(4);
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let distance = if name.starts_with(&wrong) || wrong.starts_with(name) {
                1
            } else {
                // A long name is not compared: that would cost as much as it is long.
                (name.chars().count().abs_diff(length) <= limit)
                    .then(|| edit_distance(&wrong, name))
                    .filter(|distance| *distance <= limit)?
            };
            Some((distance, name))
        })
        .collect();
    ordered::sort_by(&mut near, Ord::cmp);
    near.truncate(MOST);
    match near
        .iter()
        .map(|(_, name)| *name)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => None,
        [one] => Some(format!("did you mean {one}?")),
        [others @ .., last] => Some(format!("did you mean {} or {last}?", others.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["account", "contact", "opportunity", "task"];
        for (wrong, meant) in [
            ("acount", Some("did you mean account?")),
            ("accounts", Some("did you mean account?")),
            ("Account", Some("did you mean account?")),
            ("a", Some("did you mean account?")),
            ("", None),
            ("wholly_different", None),
        ] {
            assert_eq!(
                did_you_mean(wrong, known.into_iter()).as_deref(),
                meant,
                "{wrong}"
            );
        }
    }
}
