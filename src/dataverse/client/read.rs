//! Reading one resource.

use super::Client;
use crate::dataverse::link::Link;
use crate::dataverse::preferences::Prefer;
use crate::dataverse::request::Request;
use crate::dataverse::response::Response;
use crate::error::Error;
use crate::host::Host;

impl<H: Host> Client<H> {
    /// Reads a resource.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub async fn get(&self, link: &Link, prefer: &Prefer) -> Result<Response, Error> {
        self.send(&Request::get(link, prefer)).await
    }

    /// Reads a resource whose body is JSON. A body that is not counts as damaged, and the
    /// request is repeated as after any other failure.
    ///
    /// # Errors
    /// As for [`send`](Self::send), and `Unavailable` when the body stays damaged.
    pub async fn get_json(&self, link: &Link, prefer: &Prefer) -> Result<Vec<u8>, Error> {
        let request = Request::get(link, prefer).expecting_json();
        Ok(self.send(&request).await?.body)
    }
}
