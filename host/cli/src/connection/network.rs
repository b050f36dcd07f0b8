//! `[network]` and `[limits]` of the connection file.

use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use dataverse_host::{Limits, Network, Origin, Proxy, Timeouts, Trust};

use crate::exit::{Exit, Failure};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct NetworkSection {
    #[serde(default)]
    ca_certificates: Vec<PathBuf>,
    #[serde(default)]
    only_own_certificates: bool,
    #[serde(default)]
    allow_private: bool,
    allowed_origins: Option<Vec<String>>,
    proxy: Option<String>,
    connect_timeout_seconds: Option<NonZeroU32>,
    first_byte_timeout_seconds: Option<NonZeroU32>,
    between_bytes_timeout_seconds: Option<NonZeroU32>,
    total_timeout_seconds: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LimitsSection {
    memory_mib: Option<NonZeroU16>,
    call_timeout_seconds: Option<NonZeroU32>,
}

impl NetworkSection {
    /// The policy that the section describes; relative paths start at `base`.
    pub(super) fn policy(&self, base: &Path) -> Result<Network, Failure> {
        let mut trust = Trust::default();
        for path in &self.ca_certificates {
            let path = base.join(path);
            let name = path.display().to_string();
            let pem = std::fs::read(&path)
                .map_err(|error| usage(format!("{name} cannot be read: {error}")))?;
            trust.add_pem(&pem, &name)?;
        }
        if self.only_own_certificates {
            trust.only_own();
        }
        let default = Timeouts::default();
        let invalid = |error: &dyn fmt::Display| usage(format!("[network] {error}"));
        let parse = |text: &String| text.parse::<Origin>().map_err(|error| invalid(&error));
        let proxy = self.proxy.as_ref().map(|text| text.parse::<Proxy>());
        let allowed = self.allowed_origins.as_ref();
        Ok(Network {
            trust,
            allow_private: self.allow_private,
            proxy: proxy.transpose().map_err(|error| invalid(&error))?,
            timeouts: Timeouts {
                connect: seconds(self.connect_timeout_seconds, default.connect),
                first_byte: seconds(self.first_byte_timeout_seconds, default.first_byte),
                between_bytes: seconds(self.between_bytes_timeout_seconds, default.between_bytes),
                total: seconds(self.total_timeout_seconds, default.total),
            },
            allowed_origins: allowed
                .map(|list| list.iter().map(parse).collect())
                .transpose()?,
        })
    }
}

impl LimitsSection {
    pub(super) fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            memory: self
                .memory_mib
                .map_or(default.memory, |mib| usize::from(mib.get()) << 20),
            call: seconds(self.call_timeout_seconds, default.call),
        }
    }
}

fn seconds(own: Option<NonZeroU32>, default: Duration) -> Duration {
    own.map_or(default, |own| Duration::from_secs(own.get().into()))
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}
