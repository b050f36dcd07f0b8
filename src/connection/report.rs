//! The report of a check.

use std::borrow::Cow;

/// The result of one test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Usable, but something should be looked at.
    Warning,
    /// Not usable.
    Failed,
    /// Not tested, because an earlier test failed.
    Skipped,
}

/// One test and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable and machine-readable, such as `sign-in` or `privilege/prvReadAccount`.
    pub id: Cow<'static, str>,
    /// The result.
    pub verdict: Verdict,
    /// One sentence for a person.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// All findings, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether the connection can be used: no test failed.
    pub available: bool,
    /// In the order in which they were tested.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        let available = findings
            .iter()
            .all(|finding| finding.verdict != Verdict::Failed);
        Self {
            available,
            findings,
        }
    }
}

impl Finding {
    pub(super) fn passed(id: impl Into<Cow<'static, str>>, message: String) -> Self {
        Self {
            id: id.into(),
            verdict: Verdict::Passed,
            message,
            remedy: None,
        }
    }

    pub(super) fn warning(
        id: impl Into<Cow<'static, str>>,
        message: String,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            verdict: Verdict::Warning,
            message,
            remedy: Some(remedy.into()),
        }
    }

    pub(super) fn failed(
        id: impl Into<Cow<'static, str>>,
        message: String,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            verdict: Verdict::Failed,
            message,
            remedy: Some(remedy.into()),
        }
    }

    pub(super) fn skipped(id: &'static str) -> Self {
        Self {
            id: id.into(),
            verdict: Verdict::Skipped,
            message: "Not tested, because an earlier test failed.".to_owned(),
            remedy: None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.verdict == Verdict::Failed
    }
}
