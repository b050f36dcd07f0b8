//! Errors as the Web API words them (reference §7.6).

use axum::http::StatusCode;
use thiserror::Error;

use super::annotations::Annotations;
use crate::store::StoreError;

/// The annotation with the outcome of each row (reference §8.3).
const BULK_DETAILS: &str = "Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails";

/// An error with the status, code and message of Dataverse.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{status} {code} {message}")]
pub(crate) struct ODataError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Seconds for a `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
    /// The outcome of each row, as JSON, where only some were written.
    pub(crate) rows: Option<String>,
    /// The table on demand that must be created before the request is tried again.
    pub(crate) missing_table: Option<String>,
}

impl ODataError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
            rows: None,
            missing_table: None,
        }
    }

    /// 400 with the code of the errors of the OData library.
    pub(crate) fn syntax(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "0x0", message)
    }

    /// 400 with a code of Dataverse.
    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub(crate) fn precondition(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, code, message)
    }

    /// 404 for an unknown path segment.
    pub(crate) fn unknown_segment(segment: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "0x8006088a",
            format!("Resource not found for the segment '{segment}'."),
        )
    }

    pub(crate) fn unknown_property(property: &str, table: &str) -> Self {
        Self::syntax(format!(
            "Could not find a property named '{property}' on type \
             'Microsoft.Dynamics.CRM.{table}'."
        ))
    }

    /// 404 for a row that does not exist. The service puts the table's display form in front.
    pub(crate) fn no_row(table: &str, id: uuid::Uuid) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "0x80040217",
            format!("{table} With Id = {id} Does Not Exist"),
        )
    }

    pub(crate) fn method_not_allowed(method: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "0x8006088a",
            format!("The requested resource does not support http method '{method}'."),
        )
    }

    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "0x80060888",
            format!("{what} is not implemented by this emulator."),
        )
    }

    /// `{"error":{"code":…,"message":…}}` with the requested annotations (reference §4.3).
    pub(crate) fn body(&self, annotations: &Annotations) -> Vec<u8> {
        let mut error = serde_json::Map::new();
        error.insert("code".to_owned(), self.code.into());
        error.insert("message".to_owned(), self.message.as_str().into());
        let code = self.code.trim_start_matches("0x");
        let help = format!(
            "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException\
             %3a{code}&client=platform"
        );
        let rows = self.rows.as_deref().map(|rows| (BULK_DETAILS, rows));
        let told = [
            ("Microsoft.PowerApps.CDS.HelpLink", help.as_str()),
            ("Microsoft.PowerApps.CDS.TraceText", ""),
            ("Microsoft.PowerApps.CDS.InnerError.Message", &self.message),
        ];
        for (name, text) in told.into_iter().chain(rows) {
            if annotations.include(name) {
                error.insert(format!("@{name}"), text.into());
            }
        }
        serde_json::json!({ "error": error })
            .to_string()
            .into_bytes()
    }
}

impl From<StoreError> for ODataError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::WrongValue { .. } => Self::bad_request("0x80040203", error.to_string()),
            _ => Self {
                missing_table: error.missing_table(),
                ..Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "0x80044150",
                    error.to_string(),
                )
            },
        }
    }
}

impl From<rusqlite::Error> for ODataError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}
