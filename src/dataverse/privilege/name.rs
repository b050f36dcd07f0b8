//! The name of a privilege.

use std::cmp::Ordering;
use std::fmt;

use super::Right;

/// The name of a privilege, such as `prvReadAccount`. The service compares names without
/// regard to case, and so does this.
#[derive(Clone, Debug)]
pub struct PrivilegeName(Box<str>);

impl PrivilegeName {
    /// The privilege for a right on `subject`, such as `Account`.
    pub fn of(right: Right, subject: &str) -> Self {
        Self(format!("prv{}{subject}", right.as_str()).into())
    }

    /// A privilege that the connector names itself.
    pub(crate) fn known(name: &'static str) -> Self {
        Self(name.into())
    }

    /// Reads the name of a privilege: `prv`, then letters, digits and underscores.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, rest) = text.split_at_checked(3)?;
        let plain = rest
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (prefix.eq_ignore_ascii_case("prv") && !rest.is_empty() && plain && text.len() <= 200)
            .then(|| Self(text.into()))
    }

    /// The privilege that an error says is missing: `… is missing prvReadAccount privilege …`
    /// (reference §2.9). The text after it differs between versions.
    pub(crate) fn missing_in(message: &str) -> Option<Self> {
        let (_, rest) = message.split_once("missing ")?;
        let word = rest.split([' ', ',', '.', '\'', '"', '(', ';']).next()?;
        Self::parse(word)
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The right and its subject, if the name consists of these. Not every name does: see
    /// [`RoleEditorEntry`](super::RoleEditorEntry).
    pub(super) fn parts(&self) -> Option<(Right, &str)> {
        let (_, rest) = self.0.split_at_checked(3)?;
        Right::ALL.into_iter().find_map(|right| {
            let (head, subject) = rest.split_at_checked(right.as_str().len())?;
            (head.eq_ignore_ascii_case(right.as_str()) && !subject.is_empty())
                .then_some((right, subject))
        })
    }
}

impl Ord for PrivilegeName {
    fn cmp(&self, other: &Self) -> Ordering {
        let folded = |name: &'_ Self| name.0.to_ascii_lowercase();
        folded(self).cmp(&folded(other))
    }
}

impl PartialOrd for PrivilegeName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PrivilegeName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for PrivilegeName {}

impl fmt::Display for PrivilegeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_into_right_and_subject() {
        for (text, expected) in [
            ("prvReadAccount", Some((Right::Read, "Account"))),
            ("prvAppendToAccount", Some((Right::AppendTo, "Account"))),
            ("prvAppendnew_Tour", Some((Right::Append, "new_Tour"))),
            ("PRVREADACCOUNT", Some((Right::Read, "ACCOUNT"))),
            ("prvBulkEdit", None),
            ("prvRead", None),
        ] {
            let name = PrivilegeName::parse(text).unwrap();
            assert_eq!(name.parts(), expected, "{text}");
        }
        for text in ["", "prv", "prvRead Account", "read", "prvRéad", "é"] {
            assert_eq!(PrivilegeName::parse(text), None, "{text}");
        }
        assert_eq!(
            PrivilegeName::of(Right::AppendTo, "opportunity"),
            PrivilegeName::parse("PrvAppendToOpportunity").unwrap()
        );
    }

    #[test]
    fn the_missing_privilege_is_read_from_messages() {
        for (message, expected) in [
            (
                "Principal user (Id=1, type=8, roleCount=1), is missing prvReadAccount privilege \
                 (Id=2) on OTC=1 for entity 'account'.",
                Some("prvReadAccount"),
            ),
            (
                "Principal is missing prvReadOrganization.",
                Some("prvReadOrganization"),
            ),
            ("SecLib::AccessCheckEx failed.", None),
            ("The key is missing a value.", None),
        ] {
            let missing = PrivilegeName::missing_in(message);
            assert_eq!(
                missing.as_ref().map(PrivilegeName::as_str),
                expected,
                "{message}"
            );
        }
    }
}
