//! The parameters of a request to the authority.

use url::form_urlencoded;

use crate::host::Secret;

/// Parameters, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(&'static str, Value)>);

#[derive(Clone, Debug)]
enum Value {
    Plain(String),
    Secret(Secret),
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.reveal(),
        }
    }
}

impl Form {
    /// Adds a parameter that is not a secret.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, Value::Plain(value.into())));
        self
    }

    /// Adds a parameter that is a secret.
    pub(super) fn with_secret(mut self, name: &'static str, value: Secret) -> Self {
        self.0.push((name, Value::Secret(value)));
        self
    }

    /// Adds several parameters that are not secrets.
    pub(super) fn with_all(self, parameters: Vec<(&'static str, String)>) -> Self {
        parameters
            .into_iter()
            .fold(self, |form, (name, value)| form.with(name, value))
    }

    /// Encodes the form for a body or, if it contains no secret, for the query of a URL.
    pub(super) fn encode(&self) -> String {
        // Capacity for the whole form: a growing buffer would leave copies of secrets in memory.
        let room = self
            .0
            .iter()
            .map(|(name, value)| name.len() + 3 * value.text().len() + 2)
            .sum();
        let mut serializer = form_urlencoded::Serializer::new(String::with_capacity(room));
        for (name, value) in &self.0 {
            serializer.append_pair(name, value.text());
        }
        serializer.finish()
    }

    /// The text with every secret of the form removed, in case the authority repeats one as it is
    /// or as it was sent.
    pub(super) fn scrub(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (_, value)| match value {
                Value::Secret(secret) if !secret.reveal().is_empty() => {
                    let sent = form_urlencoded::byte_serialize(secret.reveal().as_bytes());
                    let sent = Secret::new(sent.collect::<String>());
                    text.replace(secret.reveal(), "…")
                        .replace(sent.reveal(), "…")
                }
                _ => text,
            })
    }
}
