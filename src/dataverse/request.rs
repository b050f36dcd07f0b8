//! Requests to the Web API, as data: what is requested, and whether repeating it is safe.

use std::borrow::Cow;

use super::link::Link;
use super::preferences::Prefer;
use crate::error::{Error, ErrorKind};
use crate::host::{Header, Method};

/// One request to the Web API.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub(super) method: Method,
    pub(super) link: Cow<'a, Link>,
    /// Added to the ordinary headers; a header of the same name replaces the ordinary one.
    pub(super) headers: Vec<Header>,
    pub(super) body: Body<'a>,
    pub(super) expected: Expected,
    is_idempotent: bool,
    purpose: Option<Cow<'a, str>>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(super) enum Body<'a> {
    None,
    Content {
        content_type: &'static str,
        bytes: Cow<'a, [u8]>,
    },
    /// A batch, which is composed again for each attempt.
    Batch(&'a [Item<'a>]),
}

/// What the body of a successful response must be; another one counts as damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Anything,
    Json,
}

/// One item of a batch (reference 8.1).
#[derive(Clone, Debug)]
pub enum Item<'a> {
    /// A request that succeeds or fails alone.
    One(Request<'a>),
    /// Requests that succeed or fail together: at least one, and none that reads. Each can refer to the row
    /// that an earlier one created by `$` and that one's number in the batch, counted from 1
    /// over all requests. In elastic tables nothing is undone when one fails (reference 8.3).
    ChangeSet(Vec<Request<'a>>),
}

impl<'a> Request<'a> {
    /// A request without a body. Repeating it counts as safe unless it is a `POST`: `PATCH`
    /// sets columns to given values, or creates the row that its address names.
    pub fn new(method: Method, link: &'a Link) -> Self {
        Self {
            method,
            link: Cow::Borrowed(link),
            headers: Vec::new(),
            body: Body::None,
            expected: Expected::Anything,
            is_idempotent: method != Method::Post,
            purpose: None,
        }
    }

    /// A request that reads.
    pub fn get(link: &'a Link, prefer: &Prefer) -> Self {
        let mut request = Self::new(Method::Get, link);
        let prefer = prefer.to_header();
        let header = prefer.map(|value| Header::new("Prefer", value));
        request.headers.extend(header);
        request
    }

    /// The request of a batch; `link` is that of `$batch`.
    pub(super) fn batch(link: &'a Link, items: &'a [Item<'a>]) -> Self {
        let is_idempotent = items
            .iter()
            .flat_map(Item::requests)
            .all(|it| it.is_idempotent);
        Self {
            // Without this the first item that fails would be the last one (reference 8.2).
            headers: vec![Header::new("Prefer", "odata.continue-on-error")],
            body: Body::Batch(items),
            purpose: Some(Cow::Borrowed("send a batch")),
            is_idempotent,
            ..Self::new(Method::Post, link)
        }
    }

    /// Adds a header, such as `If-Match` or `CallerObjectId`
    /// (reference 7.2, 7.5).
    ///
    /// # Errors
    /// `InvalidData` when the value has a character that headers cannot carry: a line break
    /// would start another header.
    pub fn with_header(
        mut self,
        name: &'static str,
        value: impl Into<String>,
    ) -> Result<Self, Error> {
        let value = value.into();
        if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!(
                    "{}: the value of the header {name} may only have printable ASCII characters; \
                     correct the value",
                    self.failure()
                ),
            ));
        }
        self.headers.push(Header::new(name, value));
        Ok(self)
    }

    /// Sets a body of JSON text.
    #[must_use]
    pub fn with_json(self, text: impl Into<String>) -> Self {
        self.with_body("application/json", text.into().into_bytes())
    }

    /// Sets a body of any type.
    #[must_use]
    pub fn with_body(
        mut self,
        content_type: &'static str,
        bytes: impl Into<Cow<'a, [u8]>>,
    ) -> Self {
        self.body = Body::Content {
            content_type,
            bytes: bytes.into(),
        };
        self
    }

    /// Marks the request as safe to repeat, such as an action that adds what may exist already, or
    /// a `POST` of a row whose key the caller chose.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.is_idempotent = true;
        self
    }

    /// Sets what the request does, for messages, such as `create the role "Sales"`.
    #[must_use]
    pub fn with_purpose(mut self, purpose: impl Into<Cow<'a, str>>) -> Self {
        self.purpose = Some(purpose.into());
        self
    }

    /// Requires that the response is JSON.
    pub(super) fn expecting_json(mut self) -> Self {
        self.expected = Expected::Json;
        self
    }

    /// The same request to the same resource at the version that another link names.
    pub(super) fn at(&self, link: Link) -> Self {
        Self {
            link: Cow::Owned(link),
            ..self.clone()
        }
    }

    /// Whether it replaces the ordinary header of that name.
    pub(super) fn replaces(&self, name: &str) -> bool {
        let mut names = self.headers.iter().map(|header| &header.name);
        names.any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether it only reads. So does a batch of such requests.
    pub(super) fn only_reads(&self) -> bool {
        match &self.body {
            Body::Batch(items) => items.iter().all(Item::only_reads),
            Body::None | Body::Content { .. } => self.method == Method::Get,
        }
    }

    /// Whether repeating it is safe.
    pub(super) fn is_idempotent(&self) -> bool {
        self.is_idempotent
    }

    /// What fails, for messages.
    pub(super) fn failure(&self) -> String {
        let resource = self.link.resource_name();
        match (&self.purpose, self.method) {
            (Some(purpose), _) => format!("cannot {purpose}"),
            (None, Method::Get) => format!("cannot read {resource}"),
            (None, Method::Post) => format!("cannot send a request to {resource}"),
            (None, Method::Patch | Method::Put) => format!("cannot write {resource}"),
            (None, Method::Delete) => format!("cannot delete {resource}"),
        }
    }
}

impl<'a> Item<'a> {
    /// The requests in it.
    pub(super) fn requests(&self) -> &[Request<'a>] {
        match self {
            Self::One(request) => std::slice::from_ref(request),
            Self::ChangeSet(requests) => requests,
        }
    }

    /// Whether each of its requests only reads.
    pub(super) fn only_reads(&self) -> bool {
        self.requests().iter().all(Request::only_reads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataverse::environment::Environment;
    use crate::settings::Settings;
    use crate::simulation::SETTINGS;

    fn link(resource: &str) -> Link {
        let environment = Environment::of(&Settings::parse(SETTINGS).unwrap());
        Link::resource(&environment, resource).unwrap()
    }

    #[test]
    fn only_post_is_unsafe_to_repeat_by_default() {
        let link = link("accounts");
        for (method, is_idempotent) in [
            (Method::Get, true),
            (Method::Put, true),
            (Method::Patch, true),
            (Method::Delete, true),
            (Method::Post, false),
        ] {
            let request = Request::new(method, &link);
            assert_eq!(request.is_idempotent(), is_idempotent, "{method:?}");
            assert!(request.idempotent().is_idempotent());
        }
    }

    #[test]
    fn a_batch_is_as_safe_to_repeat_as_its_requests() {
        let (batch, link) = (link("$batch"), link("accounts"));
        let read = || Request::get(&link, &Prefer::default());
        let write = |method| Request::new(method, &link);
        for (items, only_reads, is_idempotent) in [
            (vec![Item::One(read()), Item::One(read())], true, true),
            (
                vec![Item::One(read()), Item::One(write(Method::Patch))],
                false,
                true,
            ),
            (
                vec![Item::ChangeSet(vec![
                    write(Method::Delete),
                    write(Method::Post),
                ])],
                false,
                false,
            ),
        ] {
            let request = Request::batch(&batch, &items);
            assert_eq!(request.only_reads(), only_reads);
            assert_eq!(request.is_idempotent(), is_idempotent);
        }
    }
}
