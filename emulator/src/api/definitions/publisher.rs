//! Publishers and solutions: by which prefixes names begin.

use rusqlite::Connection;

use crate::{api::Call, wire::ODataError};

/// Where something new belongs.
pub(super) struct Publishers {
    /// The prefixes its name may begin with, without the underscore.
    prefixes: Vec<String>,
    /// The first number of an option that is given none.
    pub(super) first_option: i32,
}

impl Call<'_> {
    /// The publisher of the solution that `MSCRM.SolutionUniqueName` names; without the header
    /// any publisher will do.
    pub(super) fn publishers(&self, connection: &Connection) -> Result<Publishers, ODataError> {
        let solution = self.request.header("mscrm.solutionuniquename");
        let known = |sql: &str, parameters: &[&str]| -> Result<Vec<(String, i64)>, ODataError> {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map(rusqlite::params_from_iter(parameters), |row| {
                Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.unwrap_or(0)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        };
        let columns = "p.customizationprefix, p.customizationoptionvalueprefix FROM publisher p";
        let found = match solution {
            None => known(
                &format!(
                    "SELECT {columns} WHERE p.customizationprefix IS NOT NULL \
                     ORDER BY p.uniquename <> 'DefaultPublisher'"
                ),
                &[],
            )?,
            Some(name) => {
                let sql = format!(
                    "SELECT {columns} JOIN solution s ON s.publisherid = p.publisherid \
                     WHERE s.uniquename = ?1"
                );
                let found = known(&sql, &[name])?;
                if found.is_empty() {
                    return Err(ODataError::bad_request(
                        "0x80048d0b",
                        format!("The solution '{name}' does not exist in the organization."),
                    ));
                }
                found
            }
        };
        let first = found.first().map_or(10_000, |(_, option)| *option);
        Ok(Publishers {
            first_option: i32::try_from(first.saturating_mul(10_000)).unwrap_or(i32::MAX / 2),
            prefixes: found.into_iter().map(|(prefix, _)| prefix).collect(),
        })
    }
}

impl Publishers {
    /// Rejects a name without a publisher's prefix, or one that is not a name (reference §5.7).
    pub(super) fn require(&self, name: &str, kind: &str) -> Result<(), ODataError> {
        let word = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let prefixed = name.split_once('_').is_some_and(|(prefix, rest)| {
            !rest.is_empty()
                && self
                    .prefixes
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(prefix))
        });
        if word(name) && prefixed {
            return Ok(());
        }
        Err(ODataError::bad_request(
            "0x80044366",
            format!(
                "Schema name {name} for type {kind} is invalid or missing. Custom attribute, \
                 entity, entitykey, option set and relationship names must start with a valid \
                 customization prefix. The prefix for a solution component should match the prefix \
                 that is specified for the publisher of the solution."
            ),
        ))
    }
}
