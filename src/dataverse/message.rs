//! What is said beside the address: preferences, and answers.

use std::ops::Range;

use super::client::Failure;
use crate::host::Response;

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
    /// Whether the answer to a query in `FetchXML` tells how to go on (reference 4.13).
    pub paging_cookie: bool,
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
        let mut annotations = Vec::new();
        if self.annotations == Annotations::Labels {
            annotations.push("OData.Community.Display.V1.FormattedValue");
            annotations.push("Microsoft.Dynamics.CRM.lookuplogicalname");
        }
        if self.paging_cookie {
            annotations.push("Microsoft.Dynamics.CRM.fetchxmlpagingcookie");
            annotations.push("Microsoft.Dynamics.CRM.morerecords");
        }
        if !annotations.is_empty() {
            let list = annotations.join(",");
            preferences.push(format!("odata.include-annotations=\"{list}\""));
        }
        (!preferences.is_empty()).then(|| preferences.join(","))
    }
}

/// A successful answer, its body inflated.
#[derive(Debug)]
pub struct Answer {
    /// The body.
    pub body: Vec<u8>,
    /// How many requests at once the service recommends (reference 9.1).
    pub dop_hint: Option<u32>,
    /// Of a batch: where in the body each part's own body is, or why it failed.
    pub(super) parts: Vec<Result<Range<usize>, Failure>>,
}

impl Answer {
    pub(super) fn new(response: &Response, body: Vec<u8>) -> Self {
        Self {
            body,
            dop_hint: response
                .header("x-ms-dop-hint")
                .and_then(|hint| hint.trim().parse().ok()),
            parts: Vec::new(),
        }
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
            paging_cookie: false,
        };
        assert_eq!(
            all.to_header().unwrap(),
            "odata.track-changes,odata.maxpagesize=500,odata.include-annotations=\
             \"OData.Community.Display.V1.FormattedValue,Microsoft.Dynamics.CRM.lookuplogicalname\""
        );
    }

    #[test]
    fn a_hint_that_is_no_number_is_none() {
        for (value, expected) in [(" 4 ", Some(4)), ("many", None), ("-1", None)] {
            let response = Response {
                status: 200,
                headers: vec![Header::new("X-MS-DOP-Hint", value)],
                body: Vec::new(),
            };
            assert_eq!(Answer::new(&response, Vec::new()).dop_hint, expected);
        }
    }
}
