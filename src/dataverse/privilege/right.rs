//! What a privilege allows on the rows of a table.

use std::fmt;

/// A right on the rows of a table, in the order of the role editor's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// To add rows.
    Create,
    /// To see rows.
    Read,
    /// To change rows.
    Write,
    /// To remove rows.
    Delete,
    /// To let a row refer to another one.
    Append,
    /// To let other rows refer to a row.
    AppendTo,
    /// To give a row to another owner.
    Assign,
    /// To share a row.
    Share,
}

impl Right {
    /// All rights. A name that begins with another name comes before that one.
    pub(super) const ALL: [Self; 8] = [
        Self::Create,
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::AppendTo,
        Self::Append,
        Self::Assign,
        Self::Share,
    ];

    /// Reads a `PrivilegeType` (reference §5.2).
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.as_str() == name)
    }

    /// As in the names of privileges and in `PrivilegeType` (reference §5.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Append => "Append",
            Self::AppendTo => "AppendTo",
            Self::Assign => "Assign",
            Self::Share => "Share",
        }
    }
}

impl fmt::Display for Right {
    /// As the role editor writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AppendTo => "Append To",
            other => other.as_str(),
        })
    }
}
