//! Exit codes that scripts can act on.

use std::fmt;
use std::process::ExitCode;

use dataverse_host::contract::ErrorKind;
use dataverse_host::secrets::SecretError;
use dataverse_host::sink::SinkError;
use dataverse_host::{CallError, LoadError, NetworkError};

use crate::hints;

/// The codes, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
    0  done
    1  check, login: the connection cannot be used; the findings say why
    2  usage or settings
    3  not signed in: credentials missing, wrong or expired
    4  a privilege or licence is missing
    5  a stream, column or other named item does not exist
    6  refused: conflict, invalid data, or a checkpoint that cannot be resumed (see --full)
    7  temporary: throttled, unavailable or timed out; try again later
    8  the target, another local file, a store of secrets or a port of this machine failed
    9  partial: some streams failed, or --max-duration was reached
   10  a defect of the connector or of this program
  130  interrupted; stored rows are kept, the next sync resumes from there";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    NotUsable,
    Usage,
    Unauthenticated,
    Forbidden,
    NotFound,
    Refused,
    Temporary,
    Local,
    Partial,
    Internal,
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::NotUsable => 1,
            Exit::Usage => 2,
            Exit::Unauthenticated => 3,
            Exit::Forbidden => 4,
            Exit::NotFound => 5,
            Exit::Refused => 6,
            Exit::Temporary => 7,
            Exit::Local => 8,
            Exit::Partial => 9,
            Exit::Internal => 10,
            Exit::Interrupted => 130,
        })
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidSettings | ErrorKind::Unsupported => Self::Usage,
            ErrorKind::Unauthenticated => Self::Unauthenticated,
            ErrorKind::Forbidden => Self::Forbidden,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Conflict | ErrorKind::InvalidData | ErrorKind::CheckpointExpired => {
                Self::Refused
            }
            ErrorKind::Throttled | ErrorKind::Unavailable => Self::Temporary,
            ErrorKind::Internal => Self::Internal,
        }
    }
}

/// Why a command failed, what to do about it, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with another exit code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same with a hint, if there is one.
    pub(crate) fn with_hint(mut self, hint: Option<&'static str>) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Which command or setting of this program helps.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        self.hint
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::from(&error)
    }
}

impl From<&CallError> for Failure {
    fn from(error: &CallError) -> Self {
        let exit = match error {
            CallError::Connector(error) => Exit::from(error.kind),
            CallError::Origin(_) => Exit::Usage,
            CallError::TimedOut { .. } | CallError::TooMany => Exit::Temporary,
            _ => Exit::Internal,
        };
        Self::new(exit, error.to_string()).with_hint(hints::for_call(error))
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        Self::from(&error)
    }
}

impl From<&SinkError> for Failure {
    fn from(error: &SinkError) -> Self {
        let exit = match error {
            SinkError::Data { .. } | SinkError::Broken => Exit::Internal,
            _ => Exit::Local,
        };
        Self::new(exit, error.to_string()).with_hint(hints::for_sink(error))
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::new(Exit::Local, error.to_string())
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let exit = match error {
            LoadError::Runtime(_) => Exit::Internal,
            LoadError::File { .. } => {
                let remedy = "build it with `cargo xtask build`, or name it with --component";
                return Self::new(Exit::Usage, format!("{error}; {remedy}"));
            }
            _ => Exit::Usage,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}
