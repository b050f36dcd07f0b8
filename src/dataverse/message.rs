//! What is said beside the address: preferences, and answers.

use crate::host::Response;
use crate::text::list_items;

/// Which annotations come beside the values (reference 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Annotations {
    /// None.
    #[default]
    None,
    /// The label of every choice, date, amount and lookup, and the table that a lookup
    /// points to.
    Labels,
}

/// The preferences of a request. Every page of a sequence must carry the same ones: page size
/// and annotations are not part of a `nextLink` (reference 4.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// Rows per page, from 1 to 5,000.
    pub max_page_size: Option<u32>,
    /// Whether the answer ends with a delta link (reference 6.2).
    pub track_changes: bool,
    /// Which annotations come.
    pub annotations: Annotations,
}

impl Prefer {
    /// The value of the `Prefer` header, if there is anything to prefer.
    pub(super) fn to_header(self) -> Option<String> {
        let mut preferences = Vec::new();
        if self.track_changes {
            preferences.push("odata.track-changes".to_owned());
        }
        if let Some(rows) = self.max_page_size {
            preferences.push(format!("odata.maxpagesize={rows}"));
        }
        if self.annotations == Annotations::Labels {
            preferences.push(
                "odata.include-annotations=\"OData.Community.Display.V1.FormattedValue,\
                 Microsoft.Dynamics.CRM.lookuplogicalname\""
                    .to_owned(),
            );
        }
        (!preferences.is_empty()).then(|| preferences.join(","))
    }
}

/// A successful answer, its body inflated.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status, from 200 to 299.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The preferences that the service says it has applied, in lower case.
    pub applied: Vec<String>,
    /// How many requests at once the service recommends (reference 9.1).
    pub dop_hint: Option<u32>,
}

impl Answer {
    pub(super) fn new(response: &Response, body: Vec<u8>) -> Self {
        Self {
            status: response.status,
            body,
            applied: response
                .headers_named("preference-applied")
                .flat_map(list_items)
                .map(str::to_ascii_lowercase)
                .collect(),
            dop_hint: response
                .header("x-ms-dop-hint")
                .and_then(|hint| hint.trim().parse().ok()),
        }
    }

    /// Whether the service says that it tracks changes for this sequence of pages.
    pub fn tracks_changes(&self) -> bool {
        self.applied
            .iter()
            .any(|preference| preference == "odata.track-changes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Header;

    #[test]
    fn preferences_are_one_header() {
        assert_eq!(Prefer::default().to_header(), None);
        let all = Prefer {
            max_page_size: Some(500),
            track_changes: true,
            annotations: Annotations::Labels,
        };
        assert_eq!(
            all.to_header().unwrap(),
            "odata.track-changes,odata.maxpagesize=500,odata.include-annotations=\
             \"OData.Community.Display.V1.FormattedValue,Microsoft.Dynamics.CRM.lookuplogicalname\""
        );
    }

    #[test]
    fn applied_preferences_may_come_in_one_line_or_in_several() {
        let line = |value: &str| Header::new("Preference-Applied", value);
        let hint = Header::new("x-ms-dop-hint", " 4 ");
        for headers in [
            vec![
                line(
                    "odata.track-changes, odata.maxpagesize=500, odata.include-annotations=\"a,b\"",
                ),
                hint.clone(),
            ],
            vec![
                line("odata.maxpagesize=500"),
                line("Odata.Track-Changes"),
                hint,
            ],
        ] {
            let response = Response {
                status: 200,
                headers,
                body: Vec::new(),
            };
            let answer = Answer::new(&response, Vec::new());
            assert!(answer.tracks_changes());
            assert_eq!(answer.dop_hint, Some(4));
        }
    }
}
