//! Names that are like a wrong one.

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
    let wrong = wrong.to_lowercase();
    // A name is like another if a third of its letters at most must change.
    let limit = wrong.chars().count().div_ceil(3).min(4);
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let distance = if name.starts_with(&wrong) || wrong.starts_with(name) {
                1
            } else {
                distance(&wrong, name, limit)?
            };
            Some((distance, name))
        })
        .collect();
    near.sort_unstable();
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

/// The number of letters to insert, remove or replace to get from one word to the other, if
/// it is not above the limit.
fn distance(from: &str, to: &str, limit: usize) -> Option<usize> {
    let to: Vec<char> = to.chars().collect();
    let from: Vec<char> = from.chars().collect();
    if from.len().abs_diff(to.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, letter) in from.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (other, above) in to.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(letter != other);
            left = replaced.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().filter(|distance| *distance <= limit)
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

    #[test]
    fn counts_changes() {
        assert_eq!(distance("kitten", "sitting", 3), Some(3));
        assert_eq!(distance("kitten", "sitting", 2), None);
        assert_eq!(distance("", "abc", 4), Some(3));
    }
}
