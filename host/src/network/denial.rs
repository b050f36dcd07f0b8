//! Requests that the policy refuses.

use std::fmt;
use std::net::IpAddr;

/// A request that the policy refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Where it was addressed to, without the path, which may carry data.
    pub origin: String,
    /// Why it was refused.
    pub reason: Denial,
}

/// Why the policy refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The connector does not state this origin for its settings.
    Unstated,
    /// The origin is not on the platform's own list,
    /// [`Network::allowed_origins`](crate::Network::allowed_origins).
    NotAllowed,
    /// It is at an address of a private network, and
    /// [`Network::allow_private`](crate::Network::allow_private) is off.
    Private(IpAddr),
    /// It is at an address that no service may have: this machine under another machine's name, a
    /// cloud's metadata service, a reserved range.
    Address(IpAddr),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        match self.reason {
            Denial::Unstated => {
                f.write_str(" is not an origin that the connector states for its settings")
            }
            Denial::NotAllowed => f.write_str(" is not among the allowed origins"),
            Denial::Private(address) => write!(f, " is at the private address {address}"),
            Denial::Address(address) => {
                write!(
                    f,
                    " is at {address}, an address that is never allowed for it"
                )
            }
        }
    }
}
