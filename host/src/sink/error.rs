//! Why a sink cannot store rows.

use std::path::{Path, PathBuf};

/// Why rows cannot be stored. What was durable before stays so.
///
/// A sink of your own reports failures of its target as [`SinkError::Target`], with the cause as
/// the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The file system refused.
    #[error("{path} cannot be {action}: {}", describe(.source))]
    Io {
        /// What was to be done, as a participle.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system reported.
        source: std::io::Error,
    },
    /// The target refused: a database, a queue, a remote store.
    #[error("{target} failed while {action}: {source}")]
    Target {
        /// The target's name, such as `the database crm.db`.
        target: String,
        /// What was being done, such as `storing rows of account`.
        action: String,
        /// What the target reported.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another sync is writing to the same target.
    #[error("{target} is in use by another sync; wait for it or choose another target")]
    InUse {
        /// The target's name, such as the path of its directory.
        target: String,
    },
    /// What the sink wrote for a stream is missing, or something else changed it.
    #[error("{target} {reason}")]
    Changed {
        /// What was changed.
        target: String,
        /// How, as the end of a sentence, and what to do about it.
        reason: String,
    },
    /// The target cannot store this stream.
    #[error("the stream `{stream}` cannot be stored here: {reason}")]
    Stream {
        /// The stream.
        stream: String,
        /// Why not, and what to do about it.
        reason: String,
    },
    /// The connector broke the contract.
    #[error("the connector sent invalid data for the stream `{stream}`: {reason}")]
    Data {
        /// The stream.
        stream: String,
        /// What was wrong, without the data.
        reason: String,
    },
    /// The sink stopped in the middle of an event and cannot be used again.
    #[error("the sink stopped unexpectedly; run the sync again, stored rows are kept")]
    Broken,
}

impl SinkError {
    /// A failure of the target.
    pub fn target(
        target: impl Into<String>,
        action: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Target {
            target: target.into(),
            action: action.into(),
            source: source.into(),
        }
    }

    /// The one stream that cannot be stored, if the others can.
    pub(crate) fn stream(&self) -> Option<&str> {
        match self {
            Self::Stream { stream, .. } => Some(stream),
            Self::Io { .. }
            | Self::Target { .. }
            | Self::InUse { .. }
            | Self::Changed { .. }
            | Self::Data { .. }
            | Self::Broken => None,
        }
    }

    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(super) fn changed(path: &Path, reason: impl Into<String>) -> Self {
        Self::Changed {
            target: path.display().to_string(),
            reason: reason.into(),
        }
    }
}

fn describe(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DISK_FULL.to_owned(),
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

pub(super) const DISK_FULL: &str =
    "the disk is full; free some space and run the sync again, stored rows are kept";

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_foreign_cause_is_the_source() {
        let cause = std::io::Error::other("quota exceeded");
        let error = SinkError::target("the bucket crm", "storing rows of account", cause);
        assert_eq!(
            error.to_string(),
            "the bucket crm failed while storing rows of account: quota exceeded"
        );
        assert!(error.source().unwrap().is::<std::io::Error>());
    }
}
