//! Whose column it is to be.

use super::invalid;
use crate::dataverse::Client;
use crate::dataverse::query::{Query, string_literal};
use crate::error::{Error, ErrorKind};
use crate::host::Host;

/// The solution that everything belongs to which is created outside of any other.
const DEFAULT: &str = "Default";

/// How many values of choices a publisher has to itself.
const VALUES: i64 = 10_000;

/// The publisher of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Publisher {
    /// The solution's unique name.
    pub(super) solution: String,
    /// How its names begin, before the underscore.
    pub(super) prefix: String,
    /// The first value of its choices, if it is known.
    pub(super) first_value: Option<i32>,
}

impl Publisher {
    /// The publisher of the named solution, or of the default one.
    ///
    /// # Errors
    /// `NotFound` if there is no such solution, `Conflict` if it is a managed one, and what
    /// the service said.
    pub(super) async fn of<H: Host>(
        client: &Client<H>,
        solution: Option<&str>,
    ) -> Result<Self, Error> {
        let name = solution.unwrap_or(DEFAULT);
        let is_word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if name.is_empty() || !is_word {
            return Err(invalid(
                "the unique name of a solution has letters, digits and underscores only; look it \
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
        let found = client.read(&link, |answer| {
            let row = answer.list("value")?.next();
            Some(row.map(|row| (row.key("_publisherid_value"), row.flag("ismanaged"))))
        });
        let Some((Some(publisher), is_managed)) = found.await? else {
            return Err(missing(name));
        };
        if is_managed == Some(true) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("the solution {name} is managed and takes no columns; name another one"),
            ));
        }
        let query = Query::new(&format!("publishers({publisher})"))
            .select(&["customizationprefix", "customizationoptionvalueprefix"]);
        let link = client.resource(query.as_str())?;
        client
            .read(&link, |row| {
                let first_value = row
                    .whole("customizationoptionvalueprefix")
                    .and_then(|prefix: i64| i32::try_from(prefix.checked_mul(VALUES)?).ok());
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
            "there is no solution {name} in this environment, or not for this account; create it, \
             or choose another one"
        ),
    )
}
