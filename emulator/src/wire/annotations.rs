//! The annotations that rows carry (reference §4.3).

pub(crate) const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
pub(crate) const ATTRIBUTE: &str = "OData.Community.Display.V1.AttributeName";
pub(crate) const LOOKUP_TABLE: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
pub(crate) const LOOKUP_NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// The annotations a request prefers with `Prefer: odata.include-annotations`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Annotations {
    patterns: Vec<String>,
}

impl Annotations {
    /// Reads the quoted list of the preference.
    pub(crate) fn parse(list: &str) -> Self {
        let patterns = list.split(',').map(|item| item.trim().to_owned()).collect();
        Self { patterns }
    }

    /// Whether any annotation is wanted.
    pub(crate) fn any(&self) -> bool {
        self.patterns
            .iter()
            .any(|pattern| !pattern.is_empty() && !pattern.starts_with('-'))
    }

    /// Whether this annotation is wanted: by name or by a prefix that ends in `*`.
    pub(crate) fn include(&self, name: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => pattern == name,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_match_by_prefix() {
        let all = Annotations::parse("*");
        assert!(all.include(FORMATTED));
        let some = Annotations::parse("Microsoft.Dynamics.CRM.*, Other.Name");
        assert!(some.include(LOOKUP_TABLE) && some.include("Other.Name"));
        assert!(!some.include(FORMATTED));
        assert!(!Annotations::default().any());
    }
}
