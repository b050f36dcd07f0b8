//! The contract's exports: calls go to the rooms, their answers become the contract's words.
//! Nothing is decided here.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::catalog;
use crate::connection;
use crate::error;
use crate::host::wasi::bindings::exports::integration::connector as contract;
use crate::host::wasi::bindings::integration::connector::types;
use crate::host::wasi::{Wasi, block_on, write_panics_to_stderr};
use crate::settings::Settings;
use crate::source;

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

/// A connection, and the host it lives in.
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

impl contract::catalog::Guest for Connector {
    fn list_streams(
        session: contract::catalog::SessionBorrow<'_>,
    ) -> Result<Vec<contract::catalog::Summary>, types::Error> {
        let session: &Session = session.get();
        Ok(block_on(catalog::list(&session.0))?
            .into_iter()
            .map(Into::into)
            .collect())
    }

    fn describe_streams(
        session: contract::catalog::SessionBorrow<'_>,
        names: Vec<String>,
    ) -> Result<Vec<contract::catalog::Description>, types::Error> {
        let session: &Session = session.get();
        Ok(block_on(catalog::describe(&session.0, &names))?
            .into_iter()
            .map(Into::into)
            .collect())
    }

    fn list_views(
        session: contract::catalog::SessionBorrow<'_>,
        stream: Option<String>,
    ) -> Result<Vec<contract::catalog::View>, types::Error> {
        let session: &Session = session.get();
        Ok(
            block_on(catalog::list_views(&session.0, stream.as_deref()))?
                .into_iter()
                .map(|view| contract::catalog::View {
                    name: view.name,
                    title: view.title,
                    stream: view.stream,
                    personal: view.personal,
                })
                .collect(),
        )
    }

    fn create_column(
        session: contract::catalog::SessionBorrow<'_>,
        stream: String,
        column: contract::catalog::NewColumn,
    ) -> Result<contract::catalog::Column, types::Error> {
        let session: &Session = session.get();
        let column = column.into();
        Ok(block_on(catalog::create_column(&session.0, &stream, &column))?.into())
    }
}

impl contract::source::Guest for Connector {
    type Sync = Sync;
}

/// A run over one or many streams.
pub(crate) struct Sync(RefCell<source::Sync<Wasi>>);

impl contract::source::GuestSync for Sync {
    fn start(
        session: contract::source::SessionBorrow<'_>,
        selections: Vec<contract::source::Selection>,
    ) -> Result<contract::source::Sync, types::Error> {
        let session: &Session = session.get();
        let selections = selections.into_iter().map(Into::into).collect();
        let sync = source::Sync::start(&session.0, selections)?;
        Ok(contract::source::Sync::new(Self(RefCell::new(sync))))
    }

    fn next(&self) -> Result<Option<contract::source::Event>, types::Error> {
        // A component instance serves one call at a time, so nobody else holds it.
        Ok(block_on(self.0.borrow_mut().next())?.map(Into::into))
    }
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

/// Translates an enumeration of ours into its equal in the contract, variant by variant.
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

same_variants!(error::ErrorKind => types::ErrorKind:
    InvalidSettings Unauthenticated Forbidden NotFound Conflict InvalidData CheckpointExpired
    Throttled Unavailable Unsupported Internal);
same_variants!(error::Commit => types::Commit: NotStarted Unknown Partial Done);
same_variants!(connection::Verdict => contract::connection::Verdict:
    Passed Warning Failed Skipped);
same_variants!(catalog::StreamKind => contract::catalog::StreamKind:
    Table View Query History Members);
same_variants!(catalog::ChangeDetection => contract::catalog::ChangeDetection:
    Tracked Watermark None);
same_variants!(catalog::DataType => contract::catalog::DataType:
    Text Integer BigInteger Decimal FloatingPoint Boolean Date Timestamp Identifier Choice
    ChoiceList Reference StreamName File Other);
same_variants!(catalog::Requirement => contract::catalog::Requirement:
    Optional Recommended Required SystemRequired);
same_variants!(contract::catalog::Requirement => catalog::Requirement:
    Optional Recommended Required SystemRequired);
same_variants!(catalog::Cardinality => contract::catalog::Cardinality:
    ManyToOne OneToMany ManyToMany);
same_variants!(source::Operation => contract::source::Operation:
    Snapshot Upsert Delete Present);
same_variants!(source::Change => contract::source::Change: Added Removed Retyped);
same_variants!(contract::source::FileForm => source::FileForm: Reference Content);

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
            subject: permission.words.subject,
            section: Some(permission.words.section.to_string()),
            action: permission.words.action,
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

impl From<catalog::Summary> for contract::catalog::Summary {
    fn from(summary: catalog::Summary) -> Self {
        Self {
            kind: summary.kind().into(),
            name: summary.name,
            title: summary.title,
            change_detection: summary.change_detection.into(),
        }
    }
}

impl From<catalog::Column> for contract::catalog::Column {
    fn from(column: catalog::Column) -> Self {
        Self {
            name: column.name,
            title: column.title,
            data_type: column.data_type.into(),
            format: column.format,
            nullable: column.nullable,
            requirement: column.requirement.into(),
            creatable: column.creatable,
            updatable: column.updatable,
            secured: column.secured,
            max_length: column.max_length,
            scale: column.scale,
            minimum: column.bounds.minimum,
            maximum: column.bounds.maximum,
            choices: column
                .choices
                .into_iter()
                .map(|choice| contract::catalog::Choice {
                    value: choice.value,
                    label: choice.label,
                })
                .collect(),
            choice_set: column.choice_set,
            targets: column.targets,
        }
    }
}

impl From<contract::catalog::NewColumn> for catalog::NewColumn {
    fn from(column: contract::catalog::NewColumn) -> Self {
        Self {
            name: column.name,
            title: column.title,
            description: column.description,
            new_type: column.new_type.into(),
            requirement: column.requirement.into(),
            solution: column.solution,
        }
    }
}

impl From<contract::catalog::NewType> for catalog::NewType {
    fn from(new_type: contract::catalog::NewType) -> Self {
        use contract::catalog::NewType;
        match new_type {
            NewType::Text(text) => Self::Text {
                max_length: text.max_length,
                multiline: text.multiline,
            },
            NewType::Integer => Self::Integer,
            NewType::Decimal(digits) => Self::Decimal(digits),
            NewType::Money(digits) => Self::Money(digits),
            NewType::Boolean => Self::Boolean,
            NewType::Choice(choices) => Self::Choice(new_choices(choices)),
            NewType::ChoiceList(choices) => Self::ChoiceList(new_choices(choices)),
            NewType::Date => Self::Date,
            NewType::Timestamp => Self::Timestamp,
            NewType::Reference(stream) => Self::Reference(stream),
        }
    }
}

fn new_choices(choices: Vec<contract::catalog::NewChoice>) -> Vec<catalog::NewChoice> {
    choices
        .into_iter()
        .map(|choice| catalog::NewChoice {
            value: choice.value,
            label: choice.label,
        })
        .collect()
}

impl From<catalog::Description> for contract::catalog::Description {
    fn from(description: catalog::Description) -> Self {
        Self {
            summary: description.summary.into(),
            primary_key: description.primary_key,
            name_column: description.name_column,
            columns: description.columns.into_iter().map(Into::into).collect(),
            alternate_keys: description
                .alternate_keys
                .into_iter()
                .map(|key| contract::catalog::AlternateKey {
                    name: key.name,
                    columns: key.columns,
                    usable: key.usable,
                })
                .collect(),
            change_detection_reason: description.change_detection_reason,
            relationships: description
                .relationships
                .into_iter()
                .map(|relationship| contract::catalog::Relationship {
                    name: relationship.name,
                    cardinality: relationship.cardinality.into(),
                    column: relationship.column,
                    stream: relationship.table,
                    other_column: relationship.other_column,
                    pairs: relationship.pairs,
                })
                .collect(),
            row_schema: description.row_schema,
        }
    }
}

impl From<contract::source::Selection> for source::Selection {
    fn from(selection: contract::source::Selection) -> Self {
        Self {
            stream: selection.stream,
            columns: selection.columns,
            labels: selection.labels,
            filter: selection.filter,
            since: selection.since,
            query: selection.query,
            files: selection.files.into(),
            sweep: selection.sweep,
            page_size: selection.page_size,
            checkpoint: selection.checkpoint,
        }
    }
}

impl From<source::Event> for contract::source::Event {
    fn from(event: source::Event) -> Self {
        match event {
            source::Event::Schema(schema) => Self::Schema(contract::source::Schema {
                stream: schema.stream,
                primary_key: schema.primary_key,
                row_schema: schema.row_schema,
                changes: schema
                    .changes
                    .into_iter()
                    .map(|change| contract::source::ColumnChange {
                        column: change.column,
                        change: change.change.into(),
                    })
                    .collect(),
            }),
            source::Event::Reset(reset) => Self::Reset(contract::source::Reset {
                stream: reset.stream,
                reason: reset.reason,
            }),
            source::Event::Page(page) => Self::Page(contract::source::Page {
                stream: page.stream,
                operation: page.operation.into(),
                count: page.count,
                ndjson: page.ndjson,
                checkpoint: page.checkpoint,
            }),
            source::Event::Sweep(stream) => Self::Sweep(stream),
            source::Event::Complete(stream) => Self::Complete(stream),
            source::Event::Failed(failure) => Self::Failed(contract::source::Failure {
                stream: failure.stream,
                error: failure.error.into(),
            }),
            source::Event::Warning(warning) => Self::Warning(contract::source::Warning {
                stream: warning.stream,
                id: warning.id,
                message: warning.message,
            }),
        }
    }
}
