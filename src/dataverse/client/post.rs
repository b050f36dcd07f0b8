//! Sending a `POST` with a body of JSON.

use crate::dataverse::{Client, Guid, Link, Request};
use crate::error::Error;
use crate::host::{Header, Host, Method};

/// Whether a request may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    /// It may.
    IsOnce,
    /// It may not.
    IsTwice,
}

impl<H: Host> Client<H> {
    /// Sends JSON text to a resource.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub(crate) async fn post_text(
        &self,
        link: &Link,
        purpose: &str,
        body: &str,
        twice: Twice,
        header: Option<Header>,
    ) -> Result<Option<Guid>, Error> {
        let mut request = Request::new(Method::Post, link)
            .with_purpose(purpose)
            .with_json(body);
        if twice == Twice::IsOnce {
            request = request.idempotent();
        }
        request.headers.extend(header);
        Ok(self.send(&request).await?.row_key())
    }
}
