//! Keys of rows.

use std::fmt;

use crate::json::Object;

/// A GUID in lower case and without braces, as the Web API writes it: fit for an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guid(String);

impl Guid {
    /// Reads a GUID: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lengths = Vec::new();
        for group in text.split('-') {
            if !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            lengths.push(group.len());
        }
        (lengths == [8, 4, 4, 4, 12]).then(|| Self(text.to_ascii_lowercase()))
    }

    /// The key of the row that an `OData-EntityId` names, in its last parentheses
    /// (reference §7.1).
    pub(crate) fn in_entity_id(address: &str) -> Option<Self> {
        let (_, rest) = address.trim().strip_suffix(')')?.rsplit_once('(')?;
        Self::parse(rest)
    }
}

impl Object<'_> {
    /// The key of a row.
    pub(crate) fn key(&self, name: &str) -> Option<Guid> {
        Guid::parse(&self.text(name)?)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_guids_are_accepted() {
        let guid = "627090FF-40a3-4053-8790-584edc5be201";
        assert_eq!(
            Guid::parse(guid).unwrap().to_string(),
            guid.to_ascii_lowercase()
        );
        for text in [
            "",
            "627090ff-40a3-4053-8790-584edc5be20",
            "{627090ff-40a3-4053-8790-584edc5be201}",
            "627090ff40a340538790584edc5be201",
            "627090fg-40a3-4053-8790-584edc5be201",
            "../627090ff-40a3-4053-8790-584edc5be2",
        ] {
            assert_eq!(Guid::parse(text), None, "{text}");
        }
        let address = format!("https://contoso.crm.dynamics.com/api/data/v9.2/roles({guid})");
        assert_eq!(Guid::in_entity_id(&address), Guid::parse(guid));
        assert_eq!(Guid::in_entity_id("roles(name='a')"), None);
        assert_eq!(Guid::in_entity_id(""), None);
    }
}
