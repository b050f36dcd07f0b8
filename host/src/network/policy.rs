//! What a connection profile may do on the network.

use std::time::Duration;

use super::origin::Origin;
use super::proxy::Proxy;
use super::tls::Trust;

/// How long the host waits on the network. A connector may set shorter timeouts, never longer ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For name resolution, TCP and TLS together. Default 10 s.
    pub connect: Duration,
    /// From the sent request to the head of the response. Default 150 s: Dataverse-like services
    /// give a query up to two minutes.
    pub first_byte: Duration,
    /// Between two bytes of a body. Default 60 s.
    pub between_bytes: Duration,
    /// For one request and its response as a whole. Default 15 min.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(150),
            between_bytes: Duration::from_mins(1),
            total: Duration::from_mins(15),
        }
    }
}

impl Timeouts {
    /// The same within what the clock can count: `Duration::MAX` stands for no limit.
    pub(super) fn countable(self) -> Self {
        const LONGEST: Duration = Duration::from_hours(365 * 24);
        Self {
            connect: self.connect.min(LONGEST),
            first_byte: self.first_byte.min(LONGEST),
            between_bytes: self.between_bytes.min(LONGEST),
            total: self.total.min(LONGEST),
        }
    }
}

/// What a connection profile may do on the network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// The certificate authorities to trust.
    pub trust: Trust,
    /// Whether names may resolve to addresses inside private networks.
    pub allow_private: bool,
    /// The proxy for all hosts but this machine; none connects directly. Environment variables such
    /// as `HTTPS_PROXY` are not read.
    pub proxy: Option<Proxy>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The platform's own allow-list. When given, a request must be covered by it *and* by the
    /// origins that the connector states for its settings.
    pub allowed_origins: Option<Vec<Origin>>,
}
