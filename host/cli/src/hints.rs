//! What a user of this program can do about an error or a finding: the connector speaks to users
//! of any platform, so the commands and settings of this program are named here, and only here.

use dataverse_host::contract::{ErrorKind, Finding, Verdict};
use dataverse_host::sink::SinkError;
use dataverse_host::{CallError, Denial, Metrics};

/// Hints by the identifier of a finding; of several that match, the first is used. An identifier
/// that ends with `/` stands for all that begin with it.
const BY_ID: [(&str, &str); 5] = [
    ("settings", "`dataverse-host describe` shows the settings"),
    (
        "sign-in",
        "`dataverse-host login` signs a person in; `dataverse-host secret set NAME` stores the \
         secret of an application, `--pkcs12 FILE` its certificate",
    ),
    ("membership", ROLE),
    ("privileges", ROLE),
    ("privilege/", ROLE),
];

const ROLE: &str =
    "`dataverse-host role` lists the permissions, `dataverse-host role --apply` creates the role";

/// The hint for rows or checkpoints that cannot be resumed.
pub(crate) const FULL: &str = "`--full` reads the stream in full again";

/// The hint for an error of this kind.
pub(crate) fn for_kind(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::InvalidSettings => Some("`dataverse-host describe` shows the settings"),
        ErrorKind::Unauthenticated => Some(
            "`dataverse-host login` signs a person in, `dataverse-host secret set NAME` stores the \
             secret of an application (`--pkcs12 FILE`: its certificate), `dataverse-host check` \
             tests both",
        ),
        ErrorKind::Forbidden => Some(ROLE),
        ErrorKind::NotFound => {
            Some("`dataverse-host discover` lists the streams and their columns")
        }
        ErrorKind::CheckpointExpired => Some(FULL),
        ErrorKind::Conflict
        | ErrorKind::InvalidData
        | ErrorKind::Throttled
        | ErrorKind::Unavailable
        | ErrorKind::Unsupported
        | ErrorKind::Internal => None,
    }
}

/// The hint for a finding that did not pass.
pub(crate) fn for_finding(finding: &Finding) -> Option<&'static str> {
    match finding.verdict {
        Verdict::Failed | Verdict::Warning => for_id(&finding.id),
        Verdict::Passed | Verdict::Skipped => None,
    }
}

fn for_id(id: &str) -> Option<&'static str> {
    let matches = |known: &str| id == known || (known.ends_with('/') && id.starts_with(known));
    let found = BY_ID.iter().find(|(known, _)| matches(known));
    found.map(|(_, hint)| *hint)
}

/// The hint for an error of a call.
pub(crate) fn for_call(error: &CallError) -> Option<&'static str> {
    match error {
        CallError::Connector(error) => for_kind(error.kind),
        _ => None,
    }
}

/// The hint for an error of a sink.
pub(crate) fn for_sink(error: &SinkError) -> Option<&'static str> {
    match error {
        SinkError::Changed { .. } => Some(FULL),
        _ => None,
    }
}

/// What the network layer refused, and which line of the connection file would allow it. The
/// connector does not learn the reason.
pub(crate) fn for_network(metrics: &Metrics) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(denied) = metrics.last_denied() {
        let hint = match denied.reason {
            Denial::NotAllowed => "; allowed-origins of [network] can allow it",
            Denial::Private(_) => "; allow-private = true of [network] allows it",
            Denial::Unstated | Denial::Address(_) => "",
        };
        notes.push(format!("{denied}{hint}"));
    }
    if let Some(untrusted) = metrics.last_untrusted() {
        notes.push(format!(
            "{untrusted}; if a company proxy or server has its own certificate authority, add its \
             PEM file to ca-certificates of [network]"
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_have_hints_by_id_or_its_beginning() {
        let finding = |id: &str, verdict| Finding {
            id: id.to_owned(),
            verdict,
            message: String::new(),
            remedy: None,
        };
        let hint = |id, verdict| for_finding(&finding(id, verdict));
        assert!(hint("sign-in", Verdict::Failed).unwrap().contains("login"));
        assert_eq!(hint("privilege/read-account", Verdict::Failed), Some(ROLE));
        assert_eq!(hint("privilege/read-account", Verdict::Passed), None);
        assert_eq!(hint("reach", Verdict::Failed), None);
    }
}
