//! Which handler gets a request, by its method and path.

use axum::http::{Method, StatusCode};
use rusqlite::Connection;

use super::{Call, Request, Response, operations::is_function};
use crate::{audit, odata::options::Options, store::Writer, wire::ODataError};

impl<'a> Call<'a> {
    /// Handles a request that reads.
    pub(super) fn get(&'a self, connection: &'a Connection) -> Result<Response, ODataError> {
        let segments = self.request.segments()?;
        let Some((first, rest)) = segments.split_first() else {
            return Err(ODataError::unknown_segment(""));
        };
        match (first.name.as_str(), rest) {
            ("", []) => return Ok(self.service_document()),
            ("$metadata", []) => return Ok(self.csdl()),
            ("EntityDefinitions", _) => {
                self.caller.require_definitions("prvReadEntity")?;
                return self.entity_definitions(first, rest);
            }
            ("RelationshipDefinitions", _) => return self.relationship_definitions(first, rest),
            ("GlobalOptionSetDefinitions", _) => return self.option_set_definitions(first, rest),
            _ => {}
        }
        if let (Some(response), []) = (self.function(connection, first), rest) {
            return response;
        }
        self.get_rows(connection, first, rest)
    }

    /// Handles a request that writes, and adds what it wrote to the audit log.
    pub(super) fn change(&self, writer: &Writer<'_>) -> Result<Response, ODataError> {
        let auditing = audit::begin(writer)?;
        let response = self.write(writer)?;
        audit::record(writer, auditing, self.author())?;
        Ok(response)
    }

    fn write(&self, writer: &Writer<'_>) -> Result<Response, ODataError> {
        let segments = self.request.segments()?;
        let Some((first, rest)) = segments.split_first() else {
            return Err(ODataError::unknown_segment(""));
        };
        if is_function(&first.name) || first.name.is_empty() {
            return Err(ODataError::new(
                StatusCode::NOT_FOUND,
                "",
                format!(
                    "No HTTP resource was found that matches the request URI '{}'.",
                    self.request.address()
                ),
            ));
        }
        if let Some(response) = self.change_file(writer, first, rest)? {
            return Ok(response);
        }
        self.require_json()?;
        self.require_bypass()?;
        if rest.is_empty()
            && let Some(response) = self.action(writer, first)
        {
            return response;
        }
        let table = self.model().table_by_set(&first.name)?;
        match (&self.request.method, rest) {
            (&Method::POST, [action]) if first.arguments.is_none() => {
                self.set_action(writer, table, action)
            }
            _ => self.change_rows(writer, table, first.arguments.as_deref(), rest),
        }
    }

    /// `{"@odata.context":…,"value":[{"name":"accounts","kind":"EntitySet","url":"accounts"},…]}`
    fn service_document(&self) -> Response {
        let sets: Vec<_> = self
            .model()
            .schema
            .tables()
            .map(|table| {
                let set = &table.entity_set_name;
                serde_json::json!({"name": set, "kind": "EntitySet", "url": set})
            })
            .collect();
        let context = format!("{}/$metadata", self.request.root);
        let body = serde_json::json!({"@odata.context": context, "value": sets});
        Response::json(StatusCode::OK, body.to_string().into_bytes())
    }
}

/// Rejects query parameters that have no effect here: ignoring one would return the response to
/// another request.
pub(super) fn refuse_unsupported_options(
    request: &Request,
    options: &Options,
) -> Result<(), ODataError> {
    // A misspelt parameter must be an error, not a parameter without effect.
    let known = [
        "tag",
        "partitionId",
        "annotations",
        "LabelLanguages",
        "fetchXml",
        "savedQuery",
        "userQuery",
        "sql",
        "size",
        "sessiontoken",
        "x-ms-file-name",
    ];
    if let Some(name) = options
        .custom
        .keys()
        .find(|name| !known.contains(&name.as_str()))
    {
        return Err(ODataError::bad_request(
            "0x80060888",
            format!("The query parameter {name} is not supported"),
        ));
    }
    let queries = ["fetchXml", "savedQuery", "userQuery", "sql"];
    let given = queries
        .iter()
        .filter(|name| options.custom.contains_key(**name));
    let given = given.count();
    if given > 1 || (given == 1 && !request.lists_rows()) {
        return Err(ODataError::bad_request(
            "0x80060888",
            "One query or view in the address belongs to a GET request for rows.",
        ));
    }
    if options.apply.is_some() && !request.lists_rows() {
        return Err(ODataError::bad_request(
            "0x80060888",
            "The query parameter $apply belongs to a GET request for rows.",
        ));
    }
    Ok(())
}
