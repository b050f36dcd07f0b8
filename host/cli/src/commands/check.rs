//! `check`: tests the connection and shows the findings.

use std::fmt::Write;

use serde::Serialize;
use serde_json::json;

use dataverse_host::Session;
use dataverse_host::contract::{Finding, Report, Verdict};

use crate::args::Output;
use crate::exit::{Exit, Failure};
use crate::hints;
use crate::output::{print, print_json};

/// Runs the command.
pub(super) async fn run(session: &mut Session, output: Output) -> Result<Exit, Failure> {
    let report = session.check().await?;
    match output {
        Output::Json => {
            let findings: Vec<_> = report.findings.iter().map(JsonFinding::from).collect();
            print_json(&json!({
                "available": report.available,
                "findings": findings,
            }))?;
        }
        Output::Text => print(&text(&report))?,
    }
    Ok(if report.available {
        Exit::Done
    } else {
        Exit::NotUsable
    })
}

/// Whether the connection can be used, then each finding with a mark and what to do about it. A
/// hint that applies to several findings in a row follows the last of them.
fn text(report: &Report) -> String {
    let verdict = if report.available {
        "available"
    } else {
        "unavailable"
    };
    let mut text = format!("Connection {verdict}\n\n");
    let mut findings = report.findings.iter().peekable();
    while let Some(finding) = findings.next() {
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
        if let Some(hint) = hints::for_finding(finding)
            && findings.peek().and_then(|next| hints::for_finding(next)) != Some(hint)
        {
            let _infallible = writeln!(text, "    → {hint}");
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
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

impl<'a> From<&'a Finding> for JsonFinding<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            id: &finding.id,
            verdict: verdict_name(finding.verdict),
            message: &finding.message,
            remedy: finding.remedy.as_deref(),
            hint: hints::for_finding(finding),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_begins_with_the_verdict_and_indents_remedies() {
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
                finding("privilege/y", Verdict::Failed, Some("Do that.")),
                finding("organization", Verdict::Skipped, None),
            ],
        };
        let hint = hints::for_finding(&report.findings[2]).unwrap();
        assert_eq!(
            text(&report),
            format!(
                "Connection unavailable\n\n\
                 ✓ reach: So it is.\n\
                 ! audit: So it is.\n    → Do this.\n\
                 ✗ privilege/x: So it is.\n    → Do this,\n      then that.\n\
                 ✗ privilege/y: So it is.\n    → Do that.\n    → {hint}\n\
                 - organization: So it is.\n"
            )
        );
        report.available = true;
        assert!(text(&report).starts_with("Connection available\n"));
    }
}
