//! What the headers of a write say: the form of its body, conditions, and what to bypass.

use axum::http::StatusCode;

use crate::{api::Call, schema::Table, wire::ODataError};

/// Most plug-in steps that one request bypasses (reference §7.5).
const MAX_BYPASSED_STEPS: usize = 3;

/// The condition of `If-Match` and `If-None-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Condition {
    /// Neither header: an upsert.
    Any,
    /// `If-Match: *`: the row has to exist.
    Exists,
    /// `If-None-Match: *`: it must not.
    Absent,
    /// `If-Match: W/"n"`: it has to have this version.
    Version(i64),
}

impl Call<'_> {
    /// Bodies must be JSON with its content type (reference §1.1).
    pub(in crate::api) fn require_json(&self) -> Result<(), ODataError> {
        let kind = self.request.header("content-type").unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if self.request.body.is_empty() || essence.eq_ignore_ascii_case("application/json") {
            return Ok(());
        }
        Err(ODataError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "",
            format!(
                "The request entity's media type '{essence}' is not supported for this resource."
            ),
        ))
    }

    /// Bypassing custom logic needs a privilege (reference §7.5).
    pub(in crate::api) fn require_bypass(&self) -> Result<(), ODataError> {
        let logic = self.request.header("mscrm.bypassbusinesslogicexecution");
        let steps = self
            .request
            .header("mscrm.bypassbusinesslogicexecutionstepids");
        let plugins = self.request.header("mscrm.bypasscustompluginexecution");
        let kind = |word: &str| matches!(word.trim(), "CustomSync" | "CustomAsync");
        if logic.is_some_and(|logic| !logic.split(',').all(kind)) {
            return Err(ODataError::bad_request(
                "0x80040203",
                "MSCRM.BypassBusinessLogicExecution must be CustomSync, CustomAsync or both.",
            ));
        }
        if steps.is_some_and(|steps| steps.split(',').count() > MAX_BYPASSED_STEPS) {
            return Err(ODataError::bad_request(
                "0x80040203",
                format!("No more than {MAX_BYPASSED_STEPS} plug-in steps can be bypassed."),
            ));
        }
        if logic.or(steps).is_some() {
            self.caller
                .require_general("prvBypassCustomBusinessLogic")?;
        }
        if plugins.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            self.caller.require_general("prvBypassCustomPlugins")?;
        }
        Ok(())
    }

    /// The condition of `If-Match` and `If-None-Match` of a row of the table.
    pub(super) fn condition(&self, table: &Table) -> Result<Condition, ODataError> {
        match (
            self.request.header("if-match"),
            self.request.header("if-none-match"),
        ) {
            (Some("*"), _) => Ok(Condition::Exists),
            (Some(etag), _) => {
                if !table.optimistic_concurrency {
                    return Err(ODataError::bad_request(
                        "0x8006088D",
                        format!(
                            "Optimistic concurrency isn't enabled for entity type {}. The \
                             IfVersionMatches concurrency behavior can only be used if optimistic \
                             concurrency is enabled.",
                            table.logical_name
                        ),
                    ));
                }
                let version = etag
                    .strip_prefix("W/\"")
                    .and_then(|rest| rest.strip_suffix('"'))
                    .and_then(|version| version.parse().ok());
                version.map(Condition::Version).ok_or_else(|| {
                    ODataError::bad_request(
                        "0x80060883",
                        "The If-Match header holds no version of the row: send its etag.",
                    )
                })
            }
            (None, Some("*")) => Ok(Condition::Absent),
            _ => Ok(Condition::Any),
        }
    }
}

/// Rejects a row of another version than the one demanded.
pub(super) fn require_version(condition: Condition, version: i64) -> Result<(), ODataError> {
    match condition {
        Condition::Version(expected) if expected != version => Err(ODataError::precondition(
            "0x80060882",
            "The version of the existing record doesn't match the RowVersion property provided.",
        )),
        _ => Ok(()),
    }
}
