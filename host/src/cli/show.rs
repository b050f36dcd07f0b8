//! `describe` and `check`.

use std::fmt::Write;

use serde::Serialize;
use serde_json::value::RawValue;

use dataverse_host::contract::{Finding, Report, Verdict};
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
        Output::Text => print(&findings(&report))?,
    }
    Ok(if report.available {
        Exit::Done
    } else {
        Exit::NotUsable
    })
}

/// Whether the connection can be used, then what was found, each with a mark and what to do.
fn findings(report: &Report) -> String {
    let verdict = if report.available {
        "available"
    } else {
        "unavailable"
    };
    let mut text = format!("Connection {verdict}\n\n");
    for finding in &report.findings {
        let mark = match finding.verdict {
            Verdict::Passed => '✓',
            Verdict::Warning => '!',
            Verdict::Failed => '✗',
            Verdict::Skipped => '-',
        };
        let _infallible = writeln!(text, "{mark} {}: {}", finding.id, finding.message);
        if let Some(remedy) = &finding.remedy {
            let remedy = remedy.replace('\n', "\n      ");
            let _infallible = writeln!(text, "    → {remedy}");
        }
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_begins_with_the_verdict_and_indents_what_to_do() {
        let finding = |id: &str, verdict, remedy: Option<&str>| Finding {
            id: id.to_owned(),
            verdict,
            message: "So it is.".to_owned(),
            remedy: remedy.map(str::to_owned),
        };
        let mut report = Report {
            available: false,
            findings: vec![
                finding("reach", Verdict::Passed, None),
                finding("audit", Verdict::Warning, Some("Do this.")),
                finding("privilege/x", Verdict::Failed, Some("Do this,\nthen that.")),
                finding("organization", Verdict::Skipped, None),
            ],
        };
        assert_eq!(
            findings(&report),
            "Connection unavailable\n\n\
             ✓ reach: So it is.\n\
             ! audit: So it is.\n    → Do this.\n\
             ✗ privilege/x: So it is.\n    → Do this,\n      then that.\n\
             - organization: So it is.\n"
        );
        report.available = true;
        assert!(findings(&report).starts_with("Connection available\n"));
    }
}
