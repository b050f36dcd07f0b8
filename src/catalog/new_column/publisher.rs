//! The publisher of a new column.

use super::invalid;
use crate::dataverse::Client;
use crate::dataverse::query::{Query, string_literal};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The solution of everything that is created outside of any other solution.
const DEFAULT: &str = "Default";

/// How many values of choices each publisher has.
const VALUES_PER_PUBLISHER: i64 = 10_000;

/// The publisher of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Publisher {
    /// The solution's unique name.
    pub(super) solution: String,
    /// The prefix of its names, without the underscore.
    pub(super) prefix: String,
    /// The first value of its choices, if it is known.
    pub(super) first_value: Option<i32>,
}

impl Publisher {
    /// The publisher of the named solution, or of the default one.
    ///
    /// # Errors
    /// `NotFound` if there is no such solution, `Conflict` if it is managed, or the error of the
    /// service.
    pub(super) async fn of<H: Host>(
        client: &Client<H>,
        solution: Option<&str>,
    ) -> Result<Self, Error> {
        let name = solution.unwrap_or(DEFAULT);
        let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if name.is_empty() || !is_word {
            return Err(invalid(
                "invalid solution: a unique name has letters, digits and underscores only; look it \
                 up in the list of solutions",
            ));
        }
        let query = Query::new("solutions")
            .select(&[
                "solutionid",
                "uniquename",
                "ismanaged",
                "_publisherid_value",
            ])
            .option(
                "$filter",
                &format!("uniquename eq {}", string_literal(name)),
            );
        let link = client.resource(query.as_str())?;
        let found = client.read(&link, |response| {
            let row = response.list("value")?.next();
            Some(row.map(|row| (row.key("_publisherid_value"), row.flag("ismanaged"))))
        });
        let Some((Some(publisher), is_managed)) = found.await? else {
            return Err(missing(name));
        };
        if is_managed == Some(true) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "cannot add a column to the solution {name}: it is managed; use an unmanaged \
                     solution"
                ),
            ));
        }
        let query = Query::new(&format!("publishers({publisher})"))
            .select(&["customizationprefix", "customizationoptionvalueprefix"]);
        let link = client.resource(query.as_str())?;
        client
            .read(&link, |row| {
                let first_value =
                    row.integer("customizationoptionvalueprefix")
                        .and_then(|prefix: i64| {
                            i32::try_from(prefix.checked_mul(VALUES_PER_PUBLISHER)?).ok()
                        });
                Some(Self {
                    solution: name.to_owned(),
                    prefix: row.text("customizationprefix")?,
                    first_value,
                })
            })
            .await
    }
}

fn missing(name: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "cannot find the solution {name}: this environment has none of that name, or this \
             account cannot see it; create it, or use another solution"
        ),
    )
}
