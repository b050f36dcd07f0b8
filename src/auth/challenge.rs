//! Reading `WWW-Authenticate`: which authority issues tokens for the environment (reference 2.8).

use url::Url;

use crate::host::Response;
use crate::text::{list_items, one_line, without_query};

/// How Dataverse challenges a request without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Where to sign in, such as `https://login.microsoftonline.com/{tenant}/oauth2/authorize`.
    pub(crate) authorization: Url,
}

/// The response to a request without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenged {
    /// The challenge of Dataverse.
    Bearer(Challenge),
    /// It requires another type of sign-in: these schemes.
    OtherSchemes(Vec<String>),
    /// 401 without a challenge that names an authority.
    Unclear,
    /// Another status than 401, and the target of a redirect.
    Status(u16, Option<String>),
}

impl Challenged {
    pub(super) fn read(response: &Response) -> Self {
        if response.status != 401 {
            return Self::Status(
                response.status,
                response.header("location").map(without_query),
            );
        }
        let mut schemes = Vec::new();
        for line in response.headers_named("www-authenticate") {
            for offer in offers(line) {
                if offer.scheme.eq_ignore_ascii_case("bearer") {
                    if let Some(challenge) = offer.dataverse_challenge() {
                        return Self::Bearer(challenge);
                    }
                } else {
                    schemes.push(one_line(offer.scheme, 30));
                }
            }
        }
        if schemes.is_empty() {
            Self::Unclear
        } else {
            Self::OtherSchemes(schemes)
        }
    }
}

/// One scheme and its parameters.
struct Offer<'a> {
    scheme: &'a str,
    parameters: Vec<(&'a str, String)>,
}

impl Offer<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Both parameters must be present: other services send only one of them.
    fn dataverse_challenge(&self) -> Option<Challenge> {
        self.parameter("resource_id")
            .filter(|resource| !resource.is_empty())?;
        let authorization = Url::parse(self.parameter("authorization_uri")?).ok()?;
        authorization
            .has_host()
            .then_some(Challenge { authorization })
    }
}

/// The schemes that one header line offers. A part between commas either continues the
/// parameters or, if a word precedes its first `=`, begins another scheme.
fn offers(line: &str) -> Vec<Offer<'_>> {
    let mut offers: Vec<Offer<'_>> = Vec::new();
    for part in list_items(line) {
        let head = part.split('=').next().unwrap_or_default().trim_end();
        let parameter = match head.split_once(char::is_whitespace) {
            Some((scheme, _)) => {
                offers.push(Offer {
                    scheme,
                    parameters: Vec::new(),
                });
                part.get(scheme.len()..).unwrap_or_default()
            }
            None if !part.contains('=') => {
                offers.push(Offer {
                    scheme: part,
                    parameters: Vec::new(),
                });
                continue;
            }
            None => part,
        };
        if let (Some(offer), Some((key, value))) = (offers.last_mut(), parameter.split_once('=')) {
            offer.parameters.push((key.trim(), unquoted(value.trim())));
        }
    }
    offers
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulation::header;

    const URI: &str = "https://login.example.com/tenant/oauth2/authorize";

    fn read(lines: &[&str]) -> Challenged {
        let headers = lines
            .iter()
            .map(|line| header("WWW-Authenticate", *line))
            .collect();
        Challenged::read(&Response {
            status: 401,
            headers,
            body: Vec::new(),
        })
    }

    #[test]
    fn the_authority_is_found_in_each_spelling() {
        let expected = Challenge {
            authorization: Url::parse(URI).unwrap(),
        };
        let plain = format!("Bearer authorization_uri={URI}, resource_id=https://c.example/");
        for lines in [
            vec![plain.as_str()],
            vec![&format!(
                "bearer AUTHORIZATION_URI=\"{URI}\",Resource_Id=\"https://c.example/\""
            )],
            vec![&format!("Bearer resource_id=x ,authorization_uri = {URI}")],
            vec!["Negotiate", "NTLM", &plain],
            vec![&format!("Negotiate, {plain}, Basic realm=\"a, b=c\"")],
            vec![&format!(
                "Bearer realm=\"a \\\" b, Digest c=d\", {}",
                &plain["Bearer ".len()..]
            )],
            vec![&format!(
                "{plain}, error=invalid_token, error_description=\"it's expired\""
            )],
        ] {
            assert_eq!(
                read(&lines),
                Challenged::Bearer(expected.clone()),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn incomplete_challenges_are_not_accepted() {
        for lines in [
            vec![],
            vec![""],
            vec!["Bearer"],
            vec!["Bearer realm=\"\""],
            vec!["Bearer authorization_uri=https://login.example.com/t/oauth2/authorize"],
            vec!["Bearer authorization_uri=nowhere, resource_id=x"],
            vec!["authorization_uri=https://login.example.com/t/, resource_id=x"],
        ] {
            assert_eq!(read(&lines), Challenged::Unclear, "{lines:?}");
        }
        assert_eq!(
            read(&["Negotiate", "NTLM"]),
            Challenged::OtherSchemes(vec!["Negotiate".to_owned(), "NTLM".to_owned()])
        );
    }

    proptest! {
        #[test]
        fn no_header_line_causes_a_panic(lines in proptest::collection::vec(".{0,80}", 0..3)) {
            read(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
