//! A parsed request to the Web API.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use percent_encoding::percent_decode_str;

use crate::wire::{ODataError, annotations::Annotations};

/// Most rows on a page (reference §4.6).
pub(crate) const MAX_PAGE: usize = 5_000;

/// A request as it arrived, or as a batch contained it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Scheme and host as the client named them.
    pub(crate) origin: String,
    /// The service root without a slash at its end: `{origin}/api/data/v9.2`.
    pub(crate) root: String,
    /// What follows the service root, still percent-encoded, without a leading slash.
    pub(crate) path: String,
    /// What follows the question mark, still percent-encoded.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// A header's value, if it is text.
    pub(crate) fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.headers
            .get(name.as_ref())
            .and_then(|value| value.to_str().ok())
    }

    /// The segments of the path.
    pub(crate) fn segments(&self) -> Result<Vec<Segment>, ODataError> {
        self.path
            .trim_end_matches('/')
            .split('/')
            .map(Segment::parse)
            .collect()
    }

    /// Whether the request can be for a list of rows: not for one row by key, nor for a count.
    pub(crate) fn lists_rows(&self) -> bool {
        let path = self.path.trim_end_matches('/');
        self.method == Method::GET && !path.ends_with(')') && !path.contains('$')
    }

    /// The address as the client sent it.
    pub(crate) fn address(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}/{}{mark}{}", self.root, self.path, self.query)
    }
}

/// One segment of a resource path: a name, and the text in parentheses after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) arguments: Option<String>,
}

impl Segment {
    fn parse(encoded: &str) -> Result<Self, ODataError> {
        let bad = || ODataError::bad_request("0x8006088a", "Error in query syntax.");
        let text = percent_decode_str(encoded)
            .decode_utf8()
            .map_err(|_| bad())?;
        match text.split_once('(') {
            None => Ok(Self {
                name: text.into_owned(),
                arguments: None,
            }),
            Some((name, rest)) => {
                let arguments = rest.strip_suffix(')').ok_or_else(bad)?;
                Ok(Self {
                    name: name.to_owned(),
                    arguments: Some(arguments.to_owned()),
                })
            }
        }
    }

    /// The segment's name if it has no parentheses.
    pub(crate) fn plain(&self) -> Option<&str> {
        self.arguments.is_none().then_some(self.name.as_str())
    }
}

/// The preferences of the `Prefer` headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preferences {
    /// `odata.maxpagesize`, at most [`MAX_PAGE`].
    pub(crate) page_size: Option<usize>,
    pub(crate) annotations: Annotations,
    annotations_text: Option<String>,
    pub(crate) track_changes: bool,
    pub(crate) representation: bool,
    pub(crate) continue_on_error: bool,
}

impl Preferences {
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        for header in headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok())
        {
            for item in split_quoted(header) {
                let (name, value) = item.split_once('=').unwrap_or((item, ""));
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "odata.maxpagesize" => {
                        let size = value.parse().ok().filter(|&size: &usize| size > 0);
                        preferences.page_size = size.map(|size| size.min(MAX_PAGE));
                    }
                    "odata.include-annotations" => {
                        preferences.annotations = Annotations::parse(value);
                        preferences.annotations_text = Some(value.to_owned());
                    }
                    "odata.track-changes" => preferences.track_changes = true,
                    "odata.continue-on-error" => preferences.continue_on_error = true,
                    "return" if value == "representation" => preferences.representation = true,
                    _ => {}
                }
            }
        }
        preferences
    }

    /// The `Preference-Applied` lines of a response that lists rows.
    pub(crate) fn applied_to_list(&self) -> Vec<String> {
        let mut applied = self.applied_to_row();
        if let Some(size) = self.page_size {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        if self.track_changes {
            applied.push("odata.track-changes".to_owned());
        }
        applied
    }

    /// The `Preference-Applied` lines of a response with one row.
    pub(crate) fn applied_to_row(&self) -> Vec<String> {
        self.annotations_text
            .iter()
            .map(|text| format!("odata.include-annotations=\"{text}\""))
            .collect()
    }
}

/// Splits at commas outside double quotes.
fn split_quoted(text: &str) -> Vec<&str> {
    let mut quoted = false;
    text.split(|character| {
        quoted ^= character == '"';
        character == ',' && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_may_share_a_header_line() {
        let mut headers = HeaderMap::new();
        let line = "odata.track-changes,odata.maxpagesize=9999";
        headers.append("prefer", line.parse().unwrap());
        headers.append(
            "prefer",
            "odata.include-annotations=\"a.b,c.*\"".parse().unwrap(),
        );
        let preferences = Preferences::parse(&headers);
        assert!(preferences.track_changes);
        assert_eq!(preferences.page_size, Some(5_000));
        assert!(preferences.annotations.include("c.d"));
        assert_eq!(
            preferences.applied_to_list(),
            [
                "odata.include-annotations=\"a.b,c.*\"",
                "odata.maxpagesize=5000",
                "odata.track-changes"
            ]
        );
    }
}
