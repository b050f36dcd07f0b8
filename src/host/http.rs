//! The HTTP types of the ports.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use thiserror::Error;
use url::Url;
use zeroize::Zeroize;

/// A request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or runs an action.
    Post,
    /// Changes parts.
    Patch,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The method as in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One header line.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// The name; compared without regard to case.
    pub name: Cow<'static, str>,
    /// The value; may be a credential, so it is never printed.
    pub value: String,
}

impl Header {
    /// A header line.
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

/// Where a request goes: an origin, and a path with query that is sent unchanged.
///
/// A link from the service must be followed verbatim (protocol section 4.6), which a
/// [`Url`] cannot promise: it re-encodes some characters. So the two parts are kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether the connection is secured; plain only to a loopback address.
    pub secure: bool,
    /// Host and, unless it is the scheme's own, port.
    pub authority: String,
    /// Begins with `/`; percent-encoded.
    pub path_and_query: String,
}

impl From<&Url> for Target {
    /// Splits an `http` or `https` URL. User info and fragment are dropped.
    fn from(url: &Url) -> Self {
        let host = url.host_str().unwrap_or_default();
        let mut path_and_query = url.path().to_owned();
        if let Some(query) = url.query() {
            path_and_query.push('?');
            path_and_query.push_str(query);
        }
        Self {
            secure: url.scheme() == "https",
            authority: url
                .port()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            path_and_query,
        }
    }
}

/// A request with its whole body, which is wiped when it is dropped: it may hold a credential.
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// Where.
    pub target: Target,
    /// In the order in which they are sent.
    pub headers: Vec<Header>,
    /// Absent for requests without a body.
    pub body: Option<Vec<u8>>,
    /// How long to wait for the response's first byte, and for any later one.
    pub idle_timeout: Duration,
    /// The largest body that is accepted, in bytes as they arrive.
    pub max_body: usize,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("headers", &self.headers)
            .field("body", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.body.zeroize();
        for header in &mut self.headers {
            header.value.zeroize();
        }
    }
}

/// A response with its whole body.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// In the order in which they arrived. A value that is not text is left out.
    pub headers: Vec<Header>,
    /// The body as it arrived, possibly compressed.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    /// Every header of that name.
    pub fn headers_named(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }
}

/// Why there is no response.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HttpError {
    /// The host does not let the connector reach this origin.
    #[error("the host does not allow requests to this origin")]
    Denied,
    /// The host name does not resolve.
    #[error("the host name cannot be resolved")]
    Dns,
    /// The connection failed.
    #[error("the connection failed or was refused")]
    Connect,
    /// The certificate or the handshake was rejected; the text says why if the host does.
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    /// Nothing was received for too long.
    #[error("no response in time")]
    Timeout,
    /// The connection ended before the response was complete.
    #[error("the connection was lost before the response was complete")]
    Lost,
    /// The response is larger than the request accepts.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    /// The response is not HTTP, or the request cannot be sent.
    #[error("the HTTP exchange failed: {0}")]
    Protocol(String),
}

impl HttpError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Dns | Self::Connect | Self::Timeout | Self::Lost => true,
            Self::Denied | Self::Tls(_) | Self::TooLarge(_) | Self::Protocol(_) => false,
        }
    }
}
