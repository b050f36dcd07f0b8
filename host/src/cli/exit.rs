//! Exit codes that scripts can act on.

use std::fmt;
use std::process::ExitCode;

use dataverse_host::contract::ErrorKind;
use dataverse_host::secrets::SecretError;
use dataverse_host::sink::SinkError;
use dataverse_host::{CallError, LoadError, NetworkError};

/// The codes, for `--help`.
pub(super) const HELP: &str = "\
Exit codes:
    0  done
    1  check, login: the connection cannot be used; the findings say why
    2  usage or settings
    3  not signed in: credentials missing, wrong or expired
    4  a privilege or licence is missing
    5  a stream or another named thing does not exist
    6  refused: conflict, invalid data, or a checkpoint that cannot be resumed (see --full)
    7  temporary: throttled, unavailable or timed out; try again later
    8  the target, another local file, a store of secrets or a port of this machine
    9  partial: some streams failed, or --max-duration ended the sync before its end
   10  a defect of the connector or of this program
  130  interrupted; what was stored stays, the next sync goes on from there";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
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

/// What a person is told when a command fails, and the code.
#[derive(Debug)]
pub(super) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    pub(super) fn exit(&self) -> Exit {
        self.exit
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
        let mut message = error.to_string();
        let exit = match error {
            CallError::Connector(error) => {
                if error.kind == ErrorKind::CheckpointExpired {
                    // The connector speaks to whoever hands it checkpoints; here that is --full.
                    let what = error.message.rsplit_once("; ");
                    let what = what.map_or(&*error.message, |(what, _remedy)| what);
                    message = format!("{what}; run the sync with --full to read it anew");
                }
                Exit::from(error.kind)
            }
            CallError::Origin(_) => Exit::Usage,
            CallError::TimedOut { .. } | CallError::TooMany => Exit::Temporary,
            CallError::Page { .. } | CallError::Trap { .. } | CallError::Dead => Exit::Internal,
        };
        Self { exit, message }
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
            SinkError::Io { .. }
            | SinkError::Database { .. }
            | SinkError::InUse { .. }
            | SinkError::Foreign { .. }
            | SinkError::Stream { .. } => Exit::Local,
        };
        Self::new(exit, error.to_string())
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
                let hint = "build it with `cargo xtask build`, or name it with --component";
                return Self::new(Exit::Usage, format!("{error}; {hint}"));
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
