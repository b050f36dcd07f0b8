//! The paging cookie inside a next link (reference §4.6).
//!
//! `<cookie pagenumber="2" pagingcookie="{<cookie page="1"><accountid last="{…}" first="{…}" />
//! </cookie>, percent-encoded twice}" istracking="False" />`

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

use crate::wire::ODataError;

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SkipToken {
    /// The number of the next page.
    pub(crate) page: u64,
    /// Whether changes are tracked.
    pub(crate) tracking: bool,
    /// The last row's value of each column that orders the rows; `None` for null.
    pub(crate) last: Vec<(String, Option<String>)>,
}

impl SkipToken {
    /// The token as it stands in a link; `first` has the page's first row.
    pub(crate) fn encode(&self, first: &[(String, Option<String>)]) -> String {
        let cookie = self.cookie(first);
        let cookie = cookie.replace(' ', "%20").replace('"', "%22");
        cookie.replace('<', "%3C").replace('>', "%3E")
    }

    /// The token as an annotation of a FetchXML answer has it (reference §4.13).
    pub(crate) fn cookie(&self, first: &[(String, Option<String>)]) -> String {
        let mut cookie = format!("<cookie page=\"{}\">", self.page - 1);
        for (at, (name, last)) in self.last.iter().enumerate() {
            let first = first.get(at).and_then(|(_, value)| value.as_ref());
            let attribute = |name: &str, value: Option<&String>| match value {
                Some(value) => format!("{name}=\"{}\"", escape_xml(value)),
                None => format!("{name}null=\"1\""),
            };
            let last = attribute("last", last.as_ref());
            let _ = write!(cookie, "<{name} {last} {} />", attribute("first", first));
        }
        cookie.push_str("</cookie>");
        let twice = encode_lower(&cookie).replace('%', "%25");
        let tracking = if self.tracking { "True" } else { "False" };
        format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{twice}\" istracking=\"{tracking}\" />",
            self.page
        )
    }

    /// Reads the inner cookie, which FetchXML hands back; `None` if it is not one.
    pub(crate) fn parse_inner(cookie: &str) -> Option<Self> {
        let mut inner = elements(cookie).into_iter();
        let outer = inner.next().filter(|element| element.name == "cookie")?;
        let page: u64 = outer.attribute("page")?.parse().ok()?;
        Self::rows(page.checked_add(1)?, false, inner)
    }

    /// Reads a token that has been decoded once, as every query option is.
    pub(crate) fn parse(token: &str) -> Result<Self, ODataError> {
        Self::read(token).ok_or_else(|| {
            ODataError::bad_request(
                "0x80060888",
                "The paging cookie in $skiptoken is malformed: use the next link as it was sent.",
            )
        })
    }

    fn read(token: &str) -> Option<Self> {
        let outer = elements(token).into_iter().next()?;
        let page = outer.attribute("pagenumber")?.parse().ok()?;
        let tracking = match outer.attribute("istracking")?.as_str() {
            "True" => true,
            "False" => false,
            _ => return None,
        };
        let mut cookie = outer.attribute("pagingcookie")?;
        for _ in 0..2 {
            if !cookie.starts_with('<') {
                cookie = percent_decode_str(&cookie).decode_utf8().ok()?.into_owned();
            }
        }
        let mut inner = elements(&cookie).into_iter();
        inner.next().filter(|element| element.name == "cookie")?;
        Self::rows(page, tracking, inner)
    }

    fn rows(page: u64, tracking: bool, rows: impl Iterator<Item = Element>) -> Option<Self> {
        let last = rows
            .map(|element| {
                if element.attribute("lastnull").is_some() {
                    return Some((element.name, None));
                }
                let value = element.attribute("last")?;
                Some((element.name, Some(value)))
            })
            .collect::<Option<Vec<_>>>()?;
        (page >= 2 && !last.is_empty()).then_some(Self {
            page,
            tracking,
            last,
        })
    }

    /// Whether the cookie has the column.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.last.iter().any(|(known, _)| known == name)
    }

    /// The last row's value of a column, unless it is null.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.last
            .iter()
            .find(|(known, _)| known == name)?
            .1
            .as_deref()
    }
}

struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }
}

/// The start tags of a document.
fn elements(xml: &str) -> Vec<Element> {
    let mut found = Vec::new();
    for tag in xml.split('<').skip(1) {
        if tag.starts_with('/') {
            continue;
        }
        let Some((body, _)) = tag.split_once('>') else {
            continue;
        };
        let (name, mut rest) = body
            .split_once(|c: char| c.is_whitespace())
            .unwrap_or((body.trim_end_matches('/'), ""));
        let mut attributes = Vec::new();
        while let Some((attribute, tail)) = rest.split_once("=\"") {
            let Some((value, after)) = tail.split_once('"') else {
                break;
            };
            attributes.push((attribute.trim().to_owned(), unescape_xml(value)));
            rest = after;
        }
        found.push(Element {
            name: name.to_owned(),
            attributes,
        });
    }
    found
}

fn escape_xml(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;")
}

fn unescape_xml(text: &str) -> String {
    let text = text
        .replace("&quot;", "\"")
        .replace("&gt;", ">")
        .replace("&lt;", "<");
    text.replace("&amp;", "&")
}

/// Percent-encodes as .NET's `HttpUtility` does, in lower case.
fn encode_lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!*()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_has_the_documented_form() {
        let id = Some("{0001A-B}".to_owned());
        let row = vec![("contactid".to_owned(), id)];
        let token = SkipToken {
            page: 2,
            tracking: false,
            last: row.clone(),
        };
        assert_eq!(
            token.encode(&row),
            "%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%2520page%253d%25221%2522\
             %253e%253ccontactid%2520last%253d%2522%257b0001A-B%257d%2522%2520first%253d%2522%257b\
             0001A-B%257d%2522%2520%252f%253e%253c%252fcookie%253e%22%20istracking=%22False%22%20\
             /%3E"
        );
    }

    #[test]
    fn awkward_values_survive() {
        let last = vec![
            (
                "name".to_owned(),
                Some("a \"quoted\" <b> & 100% ü=+'/#".to_owned()),
            ),
            ("revenue".to_owned(), None),
            ("accountid".to_owned(), Some("{1}".to_owned())),
        ];
        let token = SkipToken {
            page: 7,
            tracking: true,
            last,
        };
        let link = token.encode(&token.last);
        let decoded = percent_decode_str(&link).decode_utf8().unwrap();
        assert_eq!(SkipToken::parse(&decoded).unwrap(), token);
        assert_eq!((token.has("revenue"), token.value("revenue")), (true, None));
        assert!(!token.has("other"));
    }

    #[test]
    fn invalid_cookies_are_rejected() {
        for text in [
            "",
            "abc",
            "<cookie pagenumber=\"2\" />",
            "<cookie pagenumber=\"x\" \
                     pagingcookie=\"\" istracking=\"False\" />",
        ] {
            assert!(SkipToken::parse(text).is_err(), "{text}");
        }
    }
}
