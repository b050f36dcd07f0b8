//! Errors about queries (reference §7.6).

use crate::wire::ODataError;

/// Makes the errors of the query builder.
pub(crate) struct FetchError;

impl FetchError {
    /// The text is no XML.
    pub(crate) fn not_xml(reason: impl std::fmt::Display) -> ODataError {
        ODataError::bad_request("0x80040201", format!("Invalid XML. {reason}"))
    }

    /// An element or attribute is not allowed in its place.
    pub(crate) fn unexpected(what: &str, owner: &str) -> ODataError {
        Self::not_xml(format!("FetchXML knows no {what} in <{owner}>."))
    }

    /// An invalid value.
    pub(crate) fn invalid(message: impl Into<String>) -> ODataError {
        ODataError::bad_request("0x80040203", message)
    }

    /// A condition that does not fit its column.
    pub(crate) fn condition(message: impl Into<String>) -> ODataError {
        ODataError::bad_request("0x80041106", message)
    }

    pub(crate) fn no_table(name: &str) -> ODataError {
        ODataError::bad_request(
            "0x80041102",
            format!(
                "The entity with a name = '{name}' with namemapping = 'Logical' was not found in \
                 the MetadataCache."
            ),
        )
    }

    pub(crate) fn no_column(table: &str, name: &str) -> ODataError {
        ODataError::bad_request(
            "0x80041103",
            format!(
                "'{table}' entity doesn't contain attribute with Name = '{name}' and NameMapping \
                 = 'Logical'."
            ),
        )
    }

    pub(crate) fn no_alias(column: &str) -> ODataError {
        ODataError::bad_request(
            "0x8004110B",
            format!("The attribute '{column}' of an aggregate query needs an alias."),
        )
    }

    pub(crate) fn bad_alias(alias: &str) -> ODataError {
        ODataError::bad_request(
            "0x80041109",
            format!(
                "Invalid character specified for alias: {alias}. Only characters within the \
                 ranges [A-Z], [a-z] or [0-9] or _ are allowed. The first character may only be \
                 in the ranges [A-Z], [a-z] or _."
            ),
        )
    }

    pub(crate) fn unknown_alias(alias: &str) -> ODataError {
        ODataError::bad_request(
            "0x8004110A",
            format!("The alias '{alias}' does not exist in the query."),
        )
    }

    pub(crate) fn unknown_link(alias: &str) -> ODataError {
        ODataError::bad_request(
            "0x80041126",
            format!("Link entity with name or alias {alias} is not found in the query."),
        )
    }

    /// A cookie of another query, or text that is not a cookie.
    pub(crate) fn foreign_cookie() -> ODataError {
        ODataError::bad_request("0x80041129", "Paging Cookie And Query Do Not Match.")
    }
}
