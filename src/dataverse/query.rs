//! Writing query options: literals and percent-encoding (reference 4.1, 4.4).

use std::fmt::Write as _;

/// A string literal of OData: in quotes, with quotes inside doubled. Not yet percent-encoded.
pub fn string_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Percent-encodes a path or a value of a query option. The delimiters of OData (`(),;:$'=/@`) and
/// the unreserved characters of RFC 3986 are kept.
pub fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!*(),;:$'=/@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// A resource and its query options, in the order in which they are given.
#[derive(Clone, Debug)]
pub struct Query {
    text: String,
    separator: char,
}

impl Query {
    /// Begins with a resource path, such as `accounts` or
    /// `EntityDefinitions(LogicalName='account')`.
    pub fn new(resource: &str) -> Self {
        Self {
            text: encode(resource),
            separator: '?',
        }
    }

    /// Adds an option such as `$filter`; the value is percent-encoded here.
    #[must_use]
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.text.push(self.separator);
        self.text.push_str(name);
        self.text.push('=');
        self.text.push_str(&encode(value));
        self.separator = '&';
        self
    }

    /// Adds `$select` with these columns; without any, the service sends every column.
    #[must_use]
    pub fn select<S: AsRef<str>>(self, columns: &[S]) -> Self {
        if columns.is_empty() {
            return self;
        }
        let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
        self.option("$select", &columns.join(","))
    }

    /// The path and query, for [`Client::resource`](super::Client::resource).
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;

    #[test]
    fn options_come_in_order_and_encoded() {
        let query = Query::new("EntityDefinitions(LogicalName='account')/Attributes")
            .select(&["LogicalName", "AttributeType"])
            .option("$filter", "IsValidForRead eq true and Name eq 'a+b & c#d'");
        assert_eq!(
            query.as_str(),
            "EntityDefinitions(LogicalName='account')/Attributes\
             ?$select=LogicalName,AttributeType\
             &$filter=IsValidForRead%20eq%20true%20and%20Name%20eq%20'a%2Bb%20%26%20c%23d'"
        );
        assert_eq!(
            Query::new("accounts").select::<&str>(&[]).as_str(),
            "accounts"
        );
    }

    #[test]
    fn quotes_in_literals_are_doubled() {
        assert_eq!(string_literal("O'Neil"), "'O''Neil'");
    }

    proptest! {
        #[test]
        fn values_are_encoded_without_loss(value in ".{0,40}") {
            let query = Query::new("accounts").option("$filter", &value).option("$top", "1");
            let (_, options) = query.as_str().split_once('?').unwrap();
            let read: Vec<_> = form_urlencoded::parse(options.as_bytes()).into_owned().collect();
            prop_assert_eq!(
                read,
                [("$filter".to_owned(), value), ("$top".to_owned(), "1".to_owned())]
            );
        }
    }
}
