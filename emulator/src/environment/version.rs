//! Versions of the Web API (reference §1.1).

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A version of the Web API. A server serves its own version and earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ApiVersion {
    /// Dynamics CRM 2016.
    V8_0,
    /// Dynamics CRM 2016 Update 1.
    V8_1,
    /// Dynamics 365, December 2016 update.
    V8_2,
    /// Dynamics 365 Customer Engagement 9.0.
    V9_0,
    /// The newest on premises.
    V9_1,
    /// The newest.
    #[default]
    V9_2,
}

/// The text is not a version.
#[derive(Debug, Error)]
#[error("'{0}' is not a version of the Web API; use 8.0, 8.1, 8.2, 9.0, 9.1 or 9.2")]
pub struct UnknownVersion(String);

impl ApiVersion {
    /// Every version, the oldest first.
    pub const ALL: [Self; 6] = [
        Self::V8_0,
        Self::V8_1,
        Self::V8_2,
        Self::V9_0,
        Self::V9_1,
        Self::V9_2,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::V8_0 => "8.0",
            Self::V8_1 => "8.1",
            Self::V8_2 => "8.2",
            Self::V9_0 => "9.0",
            Self::V9_1 => "9.1",
            Self::V9_2 => "9.2",
        }
    }

    /// The version that `RetrieveVersion` returns for a server of this version.
    pub(crate) fn build(self) -> &'static str {
        match self {
            Self::V8_0 => "8.0.1.359",
            Self::V8_1 => "8.1.1.1022",
            Self::V8_2 => "8.2.31.13",
            Self::V9_0 => "9.0.51.6",
            Self::V9_1 => "9.1.38.12",
            Self::V9_2 => "9.2.24104.00190",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl FromStr for ApiVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        Self::ALL
            .into_iter()
            .find(|version| version.text() == text)
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}
