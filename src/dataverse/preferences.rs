//! Preferences of requests that read.

/// Which annotations come with the values (reference 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Annotations {
    /// None.
    #[default]
    None,
    /// The label of every choice, date, amount and lookup, and the table that a lookup
    /// points to.
    Labels,
}

/// The preferences of a request that reads. The request for every page of a sequence must carry
/// the same ones: page size and annotations are not part of a `nextLink` (reference 4.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// Rows per page, from 1 to 5,000.
    pub max_page_size: Option<u32>,
    /// Whether the last page has a delta link (reference 6.2).
    pub track_changes: bool,
    /// Which annotations come.
    pub annotations: Annotations,
    /// Whether a page of a query in `FetchXML` has a cookie for the next one (reference 4.13).
    pub paging_cookie: bool,
}

impl Prefer {
    /// The value of the `Prefer` header, if there is any preference.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
