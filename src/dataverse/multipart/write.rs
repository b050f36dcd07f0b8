//! Writing the body of a batch.

use crate::dataverse::request::{Body, Item, Request};
use crate::host::{Header, Method};

/// The first character of an address that refers to a row created earlier in the same change set.
const REFERENCE: char = '$';

/// The body of a batch. Addresses begin with `root`, the path of the API root; `headers` are
/// added to each request. Every line ends with CR LF, the last one too, and every request with an
/// empty line.
pub(in crate::dataverse) fn write(
    boundary: &str,
    root: &str,
    items: &[Item<'_>],
    headers: &[Header],
) -> Vec<u8> {
    let mut body = Lines(Vec::new());
    let mut number = 1;
    for (index, item) in items.iter().enumerate() {
        body.line(&["--", boundary]);
        match item {
            Item::One(request) => {
                body.request(root, request, headers, None);
                number += 1;
            }
            Item::ChangeSet(requests) => {
                let inner = format!("changeset_{index}_{boundary}");
                body.line(&["Content-Type: multipart/mixed; boundary=\"", &inner, "\""]);
                body.line(&[]);
                for request in requests {
                    body.line(&["--", &inner]);
                    body.request(root, request, headers, Some(number));
                    number += 1;
                }
                body.line(&["--", &inner, "--"]);
                body.line(&[]);
            }
        }
    }
    body.line(&["--", boundary, "--"]);
    body.0
}

struct Lines(Vec<u8>);

impl Lines {
    fn line(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.extend_from_slice(part.as_bytes());
        }
        self.0.extend_from_slice(b"\r\n");
    }

    fn request(
        &mut self,
        root: &str,
        request: &Request<'_>,
        headers: &[Header],
        content_id: Option<usize>,
    ) {
        self.line(&["Content-Type: application/http"]);
        self.line(&["Content-Transfer-Encoding: binary"]);
        if let Some(number) = content_id {
            self.line(&["Content-ID: ", &number.to_string()]);
        }
        self.line(&[]);
        let resource = request.link.below_root();
        // A reference is not a resource, and has no root before it (reference 8.1).
        let root = if content_id.is_some() && resource.starts_with(REFERENCE) {
            ""
        } else {
            root
        };
        self.line(&[request.method.as_str(), " ", root, resource, " HTTP/1.1"]);
        let accept = if request.link.is_raw() {
            "*/*"
        } else {
            "application/json"
        };
        let if_none_match = (request.method == Method::Get).then_some(("If-None-Match", "null"));
        let ordinary = [
            ("Accept", accept),
            ("OData-MaxVersion", "4.0"),
            ("OData-Version", "4.0"),
        ];
        let added = headers.iter().map(|it| (&*it.name, &*it.value));
        for (name, value) in ordinary.into_iter().chain(if_none_match).chain(added) {
            if !request.replaces(name) {
                self.line(&[name, ": ", value]);
            }
        }
        for header in &request.headers {
            self.line(&[&header.name, ": ", &header.value]);
        }
        match &request.body {
            Body::Content {
                content_type,
                bytes,
            } => {
                self.line(&["Content-Type: ", content_type]);
                self.line(&[]);
                self.0.extend_from_slice(bytes);
            }
            // A batch cannot hold another one.
            Body::None | Body::Batch(_) => self.line(&[]),
        }
        self.line(&[]);
    }
}
