//! Names in settings: of a directory, of a secret.

/// A directory of Microsoft Entra ID: a GUID or one of its domain names, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(String);

impl Tenant {
    /// Reads a GUID or a domain name. `common` and the like, which stand for any directory, are
    /// rejected: an application signs in to one.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if matches!(text.as_str(), "common" | "organizations" | "consumers") {
            return Err(format!(
                "must name one directory, not \"{text}\"; use its GUID or domain"
            ));
        }
        let label = |label: &str| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if guid(&text).is_some() || (text.contains('.') && text.split('.').all(label)) {
            Ok(Self(text))
        } else {
            Err(
                "must be the directory's GUID or a domain such as contoso.onmicrosoft.com"
                    .to_owned(),
            )
        }
    }

    /// As in the path of a token endpoint.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a secret in the host's store; never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName(String);

impl SecretName {
    /// Reads a name. The error does not repeat the text, which may be the secret by mistake.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let named = (1..=128).contains(&text.len())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if named {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "must be the name of the secret (letters, digits, '.', '_', '-'; at most 128), \
                 never its value; if the value is here, remove it and put it into the secret store"
                    .to_owned(),
            )
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The GUID in lower case.
pub(super) fn guid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hexadecimal = groups
        .iter()
        .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    (lengths == [8, 4, 4, 4, 12] && hexadecimal).then_some(text)
}
