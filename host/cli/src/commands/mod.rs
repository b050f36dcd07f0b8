//! The commands, one file each.

mod admin_consent;
mod browser;
mod check;
mod create_column;
mod describe;
mod discover;
mod login;
mod raw_json;
mod role;
mod secret;
mod sync;

use std::path::Path;

use dataverse_host::{ConnectorHost, Session};

use crate::args::{Arguments, Command, SecretCommand};
use crate::component;
use crate::connection::ConnectionFile;
use crate::exit::{Exit, Failure};
use crate::selection;
use crate::session::with_session;

/// The connection file when none is named.
const DEFAULT_CONNECTION: &str = "connection.toml";

/// Runs the command that the arguments name.
pub(crate) async fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Describe { output } => describe::run(&load(arguments)?, *output).await,
        Command::Login(options) => {
            let connection = connection(arguments)?;
            // Before the person signs in, not after.
            connection.stores()?.require_writable()?;
            login::run(&load(arguments)?, &connection, options).await
        }
        Command::AdminConsent(options) => {
            let connection = connection(arguments)?;
            admin_consent::run(&load(arguments)?, &connection, options).await
        }
        Command::Check(options) => {
            let profile = connection(arguments)?.profile_for(&options.profiles)?;
            let check = async |session: &mut Session| check::run(session, options.output).await;
            with_session(&load(arguments)?, &profile, check).await
        }
        Command::Role(options) => {
            let connection = if options.environment.is_some() && arguments.connection.is_none() {
                None
            } else {
                optional_connection(arguments)?
            };
            role::run(&load(arguments)?, connection.as_ref(), options).await
        }
        Command::Secret {
            command: SecretCommand::Set(options),
        } => secret::set(&connection(arguments)?, options).await,
        Command::Discover(options) => {
            let connection = connection(arguments)?;
            let discover = async |session: &mut Session| discover::run(session, options).await;
            with_session(&load(arguments)?, &connection.profile()?, discover).await
        }
        Command::CreateColumn(options) => {
            let connection = connection(arguments)?;
            // Invalid options are reported before the sign-in.
            let column = create_column::parse(options)?;
            let create =
                async |session: &mut Session| create_column::run(session, options, &column).await;
            with_session(&load(arguments)?, &connection.profile()?, create).await
        }
        Command::Sync(options) => {
            let connection = connection(arguments)?;
            let requests = selection::requests(&connection.sync, options)?;
            let host = load(arguments)?;
            sync::run(&host, &connection, &requests, options, arguments.quiet).await
        }
    }
}

fn load(arguments: &Arguments) -> Result<ConnectorHost, Failure> {
    component::load(arguments.component.as_deref())
}

/// The named connection, else that of the working directory.
fn connection(arguments: &Arguments) -> Result<ConnectionFile, Failure> {
    optional_connection(arguments)?.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format!(
                "this command needs a connection: --connection FILE.toml, or {DEFAULT_CONNECTION} \
                 in the working directory"
            ),
        )
    })
}

fn optional_connection(arguments: &Arguments) -> Result<Option<ConnectionFile>, Failure> {
    let default = Path::new(DEFAULT_CONNECTION);
    let named = arguments.connection.as_deref();
    let path = named.or_else(|| default.exists().then_some(default));
    path.map(ConnectionFile::read).transpose()
}
