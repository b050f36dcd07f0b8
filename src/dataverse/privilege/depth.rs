//! How far a privilege reaches.

use std::fmt;

/// How far a privilege reaches, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The account's own rows and those of its teams.
    Basic,
    /// The rows of the account's business unit.
    Local,
    /// The rows of the account's business unit and of those below it.
    Deep,
    /// Every row of the organization.
    Global,
}

impl Depth {
    /// Reads a name of the Web API, such as `Global` (reference §11.3).
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Basic, Self::Local, Self::Deep, Self::Global]
            .into_iter()
            .find(|depth| depth.as_str().eq_ignore_ascii_case(name))
    }

    /// Reads a `privilegedepthmask`: the deepest of its bits (reference §11.1).
    pub(crate) fn from_mask(mask: u32) -> Option<Self> {
        [
            (8, Self::Global),
            (4, Self::Deep),
            (2, Self::Local),
            (1, Self::Basic),
        ]
        .into_iter()
        .find_map(|(bit, depth)| (mask & bit != 0).then_some(depth))
    }

    /// The name in the Web API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Local => "Local",
            Self::Deep => "Deep",
            Self::Global => "Global",
        }
    }
}

impl fmt::Display for Depth {
    /// As the role editor writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic => "User",
            Self::Local => "Business Unit",
            Self::Deep => "Parent: Child Business Units",
            Self::Global => "Organization",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths_are_read_from_names_and_masks() {
        for (name, mask, expected) in [
            ("Basic", 1, Some(Depth::Basic)),
            ("Local", 2, Some(Depth::Local)),
            ("deep", 4, Some(Depth::Deep)),
            ("Global", 8, Some(Depth::Global)),
            // The bit of a record filter does not concern the depth.
            ("GLOBAL", 8 | 32, Some(Depth::Global)),
            ("RecordFilter", 32, None),
            ("", 0, None),
        ] {
            assert_eq!(Depth::parse(name), expected, "{name}");
            assert_eq!(Depth::from_mask(mask), expected, "{mask}");
        }
        assert!(Depth::Basic < Depth::Local && Depth::Deep < Depth::Global);
    }
}
