//! `describe` and `check`.

use std::fmt::Write;

use serde::Serialize;
use serde_json::value::RawValue;

use dataverse_host::contract::{Finding, Verdict};
use dataverse_host::{ConnectorHost, Session};

use super::args::Output;
use super::exit::{Exit, Failure};
use super::{print, print_json};

/// Shows who the connector is.
pub(super) async fn describe(host: &ConnectorHost, output: Output) -> Result<Exit, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Description<'a> {
        name: &'a str,
        title: &'a str,
        version: &'a str,
        settings_schema: &'a RawValue,
    }
    let description = host.describe().await?;
    match output {
        Output::Json => {
            let settings_schema = raw(&description.settings_schema)?;
            print_json(&Description {
                name: &description.name,
                title: &description.title,
                version: &description.version,
                settings_schema,
            })?;
        }
        Output::Text => {
            let schema: serde_json::Value = serde_json::from_str(&description.settings_schema)
                .map_err(|_| broken("its settings schema"))?;
            let schema = serde_json::to_string_pretty(&schema).map_err(|_| broken("its schema"))?;
            print(&format!(
                "{} ({} {})\n\nSettings, as JSON Schema:\n{schema}\n",
                description.title, description.name, description.version
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// Tests the connection and shows the findings.
pub(super) async fn check(session: &mut Session, output: Output) -> Result<Exit, Failure> {
    let report = session.check().await?;
    match output {
        Output::Json => {
            let findings: Vec<_> = report.findings.iter().map(JsonFinding::from).collect();
            print_json(&serde_json::json!({
                "available": report.available,
                "findings": findings,
            }))?;
        }
        Output::Text => {
            let mut text = String::new();
            for finding in &report.findings {
                let verdict = verdict_name(finding.verdict);
                let _infallible =
                    writeln!(text, "{verdict:<7}  {}: {}", finding.id, finding.message);
                if let Some(remedy) = &finding.remedy {
                    let _infallible = writeln!(text, "         → {remedy}");
                }
            }
            let verdict = if report.available {
                "can be used"
            } else {
                "cannot be used as it is"
            };
            let _infallible = writeln!(text, "\nThe connection {verdict}.");
            print(&text)?;
        }
    }
    Ok(if report.available {
        Exit::Done
    } else {
        Exit::NotUsable
    })
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    id: &'a str,
    verdict: &'static str,
    message: &'a str,
    remedy: Option<&'a str>,
}

impl<'a> From<&'a Finding> for JsonFinding<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            id: &finding.id,
            verdict: verdict_name(finding.verdict),
            message: &finding.message,
            remedy: finding.remedy.as_deref(),
        }
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Warning => "warning",
        Verdict::Failed => "failed",
        Verdict::Skipped => "skipped",
    }
}

/// A JSON document of the connector, to be shown as it wrote it.
pub(super) fn raw(json: &str) -> Result<&RawValue, Failure> {
    serde_json::from_str(json).map_err(|_| broken("a document"))
}

fn broken(what: &str) -> Failure {
    Failure::new(
        Exit::Internal,
        format!("the connector sent {what} that is not JSON"),
    )
}
