//! The exports of the contract. They call the other modules and convert the results to the
//! contract's types. They contain no logic.

use std::rc::Rc;
use std::time::Duration;

use crate::connection;
use crate::error;
use crate::host::wasi::bindings::exports::integration::connector as contract;
use crate::host::wasi::bindings::integration::connector::types;
use crate::host::wasi::{Wasi, block_on, write_panics_to_stderr};
use crate::settings::Settings;

/// Converts an enum to another one with the same variants.
macro_rules! same_variants {
    ($ours:ty => $theirs:ty: $($variant:ident)*) => {
        impl From<$ours> for $theirs {
            fn from(ours: $ours) -> Self {
                match ours {
                    $(<$ours>::$variant => Self::$variant,)*
                }
            }
        }
    };
}

mod catalog;
mod source;

/// The component.
struct Connector;

mod entry_points {
    #![expect(
        unsafe_code,
        reason = "generated code: the functions that the host calls"
    )]

    use super::Connector;

    crate::host::wasi::bindings::export!(Connector with_types_in crate::host::wasi::bindings);
}

impl contract::connection::Guest for Connector {
    type Session = Session;

    fn describe() -> contract::connection::Description {
        contract::connection::Description {
            name: "dataverse".into(),
            title: "Microsoft Dataverse and Dynamics 365".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            settings_schema: Settings::schema().into(),
        }
    }

    fn origins(settings: types::Json) -> Result<Vec<String>, types::Error> {
        Ok(Settings::parse(&settings)?.origins())
    }

    fn required_role(settings: types::Json) -> Result<contract::connection::Role, types::Error> {
        Ok(connection::required_role(&settings)?.into())
    }
}

/// A connection through the WASI host.
pub(crate) struct Session(connection::Session<Wasi>);

impl contract::connection::GuestSession for Session {
    fn open(settings: types::Json) -> Result<contract::connection::Session, types::Error> {
        write_panics_to_stderr();
        let session = connection::Session::open(Rc::new(Wasi), &settings)?;
        Ok(contract::connection::Session::new(Self(session)))
    }

    fn check(&self) -> Result<contract::connection::Report, types::Error> {
        Ok(block_on(self.0.check()).into())
    }

    fn create_role(&self, name: String) -> Result<contract::connection::RoleChange, types::Error> {
        Ok(block_on(self.0.create_role(&name))?.into())
    }
}

impl contract::authorization::Guest for Connector {
    fn admin_consent(
        settings: types::Json,
        redirect_uri: String,
    ) -> Result<contract::authorization::Request, types::Error> {
        let authorization = authorization(&settings)?;
        Ok(block_on(authorization.admin_consent(&redirect_uri))?.into())
    }

    fn complete_admin_consent(
        pending: contract::authorization::Request,
        callback: String,
    ) -> Result<contract::authorization::Consent, types::Error> {
        let consent = connection::complete_admin_consent(&pending.into(), &callback)?;
        Ok(contract::authorization::Consent {
            tenant: consent.tenant,
            scope: consent.scope,
        })
    }

    fn sign_in(
        settings: types::Json,
        redirect_uri: String,
    ) -> Result<contract::authorization::Request, types::Error> {
        let authorization = authorization(&settings)?;
        Ok(block_on(authorization.sign_in(&redirect_uri))?.into())
    }

    fn complete(
        settings: types::Json,
        redirect_uri: String,
        pending: contract::authorization::Request,
        callback: String,
    ) -> Result<(), types::Error> {
        let authorization = authorization(&settings)?;
        let pending = pending.into();
        Ok(block_on(authorization.complete(
            &redirect_uri,
            &pending,
            &callback,
        ))?)
    }

    fn begin_device(
        settings: types::Json,
    ) -> Result<contract::authorization::DeviceCode, types::Error> {
        Ok(block_on(authorization(&settings)?.begin_device())?.into())
    }

    fn poll_device(
        settings: types::Json,
        continuation: String,
    ) -> Result<contract::authorization::DeviceProgress, types::Error> {
        let authorization = authorization(&settings)?;
        Ok(block_on(authorization.poll_device(&continuation))?.into())
    }
}

fn authorization(settings: &str) -> Result<connection::Interactive<Wasi>, error::Error> {
    write_panics_to_stderr();
    Ok(connection::Session::open(Rc::new(Wasi), settings)?.authorization())
}

impl From<error::Error> for types::Error {
    fn from(error: error::Error) -> Self {
        Self {
            kind: error.kind.into(),
            commit: error.commit.into(),
            message: error.message,
            retry_after_ms: error.retry_after.map(milliseconds),
            fault: error.fault.map(|fault| types::ServiceFault {
                status: fault.status,
                code: fault.code,
                request_id: fault.request_id,
            }),
        }
    }
}

impl From<connection::PageRequest> for contract::authorization::Request {
    fn from(request: connection::PageRequest) -> Self {
        Self {
            url: request.url,
            state: request.state,
            verifier: request.verifier,
        }
    }
}

impl From<contract::authorization::Request> for connection::PageRequest {
    fn from(request: contract::authorization::Request) -> Self {
        Self {
            url: request.url,
            state: request.state,
            verifier: request.verifier,
        }
    }
}

impl From<connection::DeviceCode> for contract::authorization::DeviceCode {
    fn from(code: connection::DeviceCode) -> Self {
        Self {
            user_code: code.user_code,
            verification_url: code.verification_url,
            message: code.message,
            continuation: code.continuation.reveal().to_owned(),
            interval_ms: milliseconds(code.interval),
            expires_in_ms: milliseconds(code.expires_in),
        }
    }
}

impl From<connection::Progress> for contract::authorization::DeviceProgress {
    fn from(progress: connection::Progress) -> Self {
        match progress {
            connection::Progress::Pending(wait) => Self::Pending(milliseconds(wait)),
            connection::Progress::Done => Self::Done,
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

same_variants!(error::ErrorKind => types::ErrorKind:
    InvalidSettings Unauthenticated Forbidden NotFound Conflict InvalidData CheckpointExpired
    Throttled Unavailable Unsupported Internal);
same_variants!(error::Commit => types::Commit: NotStarted Unknown Partial Done);
same_variants!(connection::Verdict => contract::connection::Verdict:
    Passed Warning Failed Skipped);

impl From<connection::Report> for contract::connection::Report {
    fn from(report: connection::Report) -> Self {
        Self {
            available: report.available,
            findings: report
                .findings
                .into_iter()
                .map(|finding| contract::connection::Finding {
                    id: finding.id.into_owned(),
                    verdict: finding.verdict.into(),
                    message: finding.message,
                    remedy: finding.remedy,
                })
                .collect(),
        }
    }
}

impl From<connection::Permission> for contract::connection::Permission {
    fn from(permission: connection::Permission) -> Self {
        Self {
            id: permission.id(),
            subject: permission.entry.subject,
            section: Some(permission.entry.section.to_string()),
            action: permission.entry.action,
            reach: permission.depth.to_string(),
            needed_for: permission.needed_for,
        }
    }
}

impl From<connection::Role> for contract::connection::Role {
    fn from(role: connection::Role) -> Self {
        Self {
            name: role.name,
            permissions: role.permissions.into_iter().map(Into::into).collect(),
            calls: role
                .calls
                .into_iter()
                .map(|call| contract::connection::Call {
                    title: call.title,
                    method: call.method.as_str().to_owned(),
                    url: call.url,
                    body: call.body,
                })
                .collect(),
        }
    }
}

impl From<connection::RoleChange> for contract::connection::RoleChange {
    fn from(change: connection::RoleChange) -> Self {
        Self {
            id: change.id.to_string(),
            created: change.created,
            added: change.added.into_iter().map(Into::into).collect(),
            unknown: change.unknown.into_iter().map(Into::into).collect(),
        }
    }
}
