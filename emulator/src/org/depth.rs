//! How far a privilege reaches.

use std::str::FromStr;

use thiserror::Error;

/// How far a privilege reaches (reference §11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The user's own rows and those of the user's teams: `User` in the role editor.
    Basic,
    /// The rows of the business unit: `Business Unit`.
    Local,
    /// The rows of the business unit and all below it: `Parent: Child Business Units`.
    Deep,
    /// Every row: `Organization`.
    Global,
}

impl Depth {
    /// Every depth, from the least.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Local, Self::Deep, Self::Global];

    /// The name in responses and actions, such as `Global`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Local => "Local",
            Self::Deep => "Deep",
            Self::Global => "Global",
        }
    }

    /// The value of `privilegedepthmask`.
    pub fn mask(self) -> i64 {
        match self {
            Self::Basic => 1,
            Self::Local => 2,
            Self::Deep => 4,
            Self::Global => 8,
        }
    }

    /// The depth with this `privilegedepthmask`.
    pub fn from_mask(mask: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|depth| depth.mask() == mask)
    }
}

/// The text is not a depth.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{0}' is not a depth; use Basic, Local, Deep or Global")]
pub struct UnknownDepth(String);

impl FromStr for Depth {
    type Err = UnknownDepth;

    /// Reads a name, or the number of the enumeration's member.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .enumerate()
            .find(|(number, depth)| depth.name() == text || number.to_string() == text)
            .map(|(_, depth)| depth)
            .ok_or_else(|| UnknownDepth(text.to_owned()))
    }
}
