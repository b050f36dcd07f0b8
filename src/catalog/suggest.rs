//! Hints for wrong names.

use dataverse_rows::column_name;

use super::stream::StreamKind;
use super::table::Table;
use crate::ordered;
use crate::text::edit_distance;

/// How many names are suggested.
const MAX_SUGGESTIONS: usize = 3;

/// The columns of activities that list their participants. They are not in rows (reference §4.10):
/// the participants are rows of a table of their own.
const PARTICIPANTS: [&str; 10] = [
    "bcc",
    "cc",
    "customers",
    "from",
    "optionalattendees",
    "organizer",
    "partners",
    "requiredattendees",
    "resources",
    "to",
];
/// The table of the participants of activities.
const PARTICIPANTS_TABLE: &str = "activityparty";
/// The primary key of every activity.
const ACTIVITY_KEY: &str = "activityid";

/// What to do about a column that a stream does not have: where its values are, how it is
/// written, or which names are similar.
pub(crate) fn column_hint(wrong: &str, table: &Table) -> String {
    let is_activity = table.kind() == StreamKind::Table && table.primary_key == ACTIVITY_KEY;
    if is_activity && PARTICIPANTS.contains(&&*wrong.to_ascii_lowercase()) {
        return format!(
            "the participants of activities are rows of the stream {PARTICIPANTS_TABLE}; read that"
        );
    }
    if let Some(name) = lookup_name(wrong)
        && table.column(&name).is_some()
    {
        return format!("write {name}: in rows a lookup has the name of its column");
    }
    let names = table.columns.iter().map(|column| column.name.as_str());
    did_you_mean(wrong, names)
        .unwrap_or_else(|| "describe the stream to see its columns".to_owned())
}

/// `did you mean account or accounts?`, or none if no name is similar to the wrong one. A name in
/// the form `_ownerid_value`, as filters have it, is compared as `ownerid`.
pub(crate) fn did_you_mean<'a>(
    wrong: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<String> {
    if wrong.is_empty() {
        return None;
    }
    let wrong = lookup_name(wrong).unwrap_or_else(|| wrong.to_ascii_lowercase());
    // A name is similar if at most a third of its letters must change.
    let length = wrong.chars().count();
    let limit = length.div_ceil(3).min(4);
    let mut similar: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let distance = if name.starts_with(&wrong) || wrong.starts_with(name) {
                1
            } else {
                // Names of very different length are not compared, which takes long for long ones.
                (name.chars().count().abs_diff(length) <= limit)
                    .then(|| edit_distance(&wrong, name))
                    .filter(|distance| *distance <= limit)?
            };
            Some((distance, name))
        })
        .collect();
    ordered::sort_by(&mut similar, Ord::cmp);
    similar.truncate(MAX_SUGGESTIONS);
    let names: Vec<&str> = similar.into_iter().map(|(_, name)| name).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("did you mean {one}?")),
        [others @ .., last] => Some(format!("did you mean {} or {last}?", others.join(", "))),
    }
}

/// The name of a lookup that is written as the service has it in rows and filters:
/// `_ownerid_value`.
fn lookup_name(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let column = column_name(&name);
    (*column != *name).then(|| column.into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::column::{Column, DataType};
    use super::*;

    #[test]
    fn similar_names_are_suggested() {
        let known = ["account", "contact", "opportunity", "task", "ownerid"];
        for (wrong, suggestion) in [
            ("acount", Some("did you mean account?")),
            ("accounts", Some("did you mean account?")),
            ("Account", Some("did you mean account?")),
            ("a", Some("did you mean account?")),
            ("_ownerid_value", Some("did you mean ownerid?")),
            ("_owner_value", Some("did you mean ownerid?")),
            ("", None),
            ("wholly_different", None),
        ] {
            assert_eq!(
                did_you_mean(wrong, known.into_iter()).as_deref(),
                suggestion,
                "{wrong}"
            );
        }
    }

    #[test]
    fn hints_for_columns_say_where_the_values_are() {
        let columns = ["activityid", "subject", "ownerid"]
            .map(|name| Column::new(name.to_owned(), name.to_owned(), DataType::Text));
        let table = |key: &str| {
            Table::derived("email", "Email".to_owned(), "emails", key, columns.to_vec())
        };
        let email = table("activityid");
        for (wrong, hint) in [
            ("_ownerid_value", "write ownerid: "),
            ("_OwnerId_value", "write ownerid: "),
            ("subjct", "did you mean subject?"),
            (
                "to",
                "the participants of activities are rows of the stream activityparty",
            ),
            (
                "From",
                "the participants of activities are rows of the stream activityparty",
            ),
            ("wholly_different", "describe the stream to see its columns"),
        ] {
            let given = column_hint(wrong, &email);
            assert!(given.starts_with(hint), "{wrong}: {given}");
        }
        let other = column_hint("from", &table("emailid"));
        assert_eq!(other, "describe the stream to see its columns");
    }
}
