//! The command-line tool: a thin layer over the library.

mod args;
mod callback;
mod config;
mod create_column;
mod discover;
mod exit;
mod interrupt;
mod login;
mod progress;
mod role;
mod secret;
mod selection;
mod show;
mod stores;
mod sync;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use dataverse_host::{ConnectorHost, Denial, LoadError, Metrics, Profile, Session};

use args::{Arguments, Command, SecretCommand};
use config::ConnectionFile;
use exit::{Exit, Failure};
use interrupt::unless_interrupted;
use secret::Source;

/// The component's file name, as the build leaves it.
const COMPONENT: &str = "dataverse_connector.wasm";

/// Parses the arguments, runs the command, and turns what came of it into an exit code.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(until_interrupted(&arguments));
            // A name lookup that still hangs must not hold up the end.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::new(
            Exit::Internal,
            format!("cannot start: {error}"),
        )),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            tell(format_args!("error: {failure}"));
            failure.exit().into()
        }
    }
}

/// Runs the command until it is done or interrupted. Said here, because the first process of a
/// container is not ended by a signal that it does not listen to.
async fn until_interrupted(arguments: &Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        // A sync ends in order; and who waits for a line from a terminal hears no signal.
        Command::Sync(_) | Command::Secret { .. } => run(arguments).await,
        _ => unless_interrupted(run(arguments)).await,
    }
}

async fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Describe { output } => show::describe(&load(arguments)?, *output).await,
        Command::Login(options) => {
            let connection = connection(arguments)?;
            // Better now than after the person has signed in.
            connection.stores()?.require_a_writable_one()?;
            login::login(&load(arguments)?, &connection, options).await
        }
        Command::AdminConsent(options) => {
            let connection = connection(arguments)?;
            login::admin_consent(&load(arguments)?, &connection, options).await
        }
        Command::Check(options) => {
            let profile = connection(arguments)?.profile_for(&options.profiles)?;
            let check = async |session: &mut Session| show::check(session, options.output).await;
            with_session(&load(arguments)?, &profile, check).await
        }
        Command::Role(options) => {
            let path = arguments.connection.as_deref();
            let connection = path.map(ConnectionFile::read).transpose()?;
            role::run(&load(arguments)?, connection.as_ref(), options).await
        }
        Command::Secret {
            command:
                SecretCommand::Set {
                    name,
                    pkcs12,
                    password_secret,
                },
        } => {
            let source = match pkcs12 {
                Some(file) => Source::Pkcs12 {
                    file,
                    password: password_secret.as_deref(),
                },
                None => Source::Input,
            };
            secret::set(&connection(arguments)?, name, source).await
        }
        Command::Discover(options) => {
            let connection = connection(arguments)?;
            let discover = async |session: &mut Session| discover::run(session, options).await;
            with_session(&load(arguments)?, &connection.profile()?, discover).await
        }
        Command::CreateColumn(options) => {
            let connection = connection(arguments)?;
            // What cannot be meant is told before anybody signs in.
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

/// Does this in a session, and says what the session was kept from: the connector is not told why.
async fn with_session(
    host: &ConnectorHost,
    profile: &Profile,
    work: impl AsyncFnOnce(&mut Session) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut session = host.open(profile).await?;
    let outcome = work(&mut session).await;
    tell_denied(profile.metrics());
    outcome
}

/// Says what the connection was kept from, and which line of its file would let it.
fn tell_denied(metrics: &Metrics) {
    if let Some(denied) = metrics.last_denied() {
        let remedy = match denied.reason {
            Denial::NotAllowed => "; add it to allowed-origins of [network] if it should be",
            Denial::Private(_) => "; [network] allow-private = true allows it",
            Denial::Unstated | Denial::Address(_) => "",
        };
        tell(format_args!("note: {denied}{remedy}"));
    }
}

fn connection(arguments: &Arguments) -> Result<ConnectionFile, Failure> {
    let path = arguments.connection.as_ref().ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "this command needs a connection: --connection FILE.toml",
        )
    })?;
    ConnectionFile::read(path)
}

/// A command has one session, and a new one after an instance that broke off.
const MOST_INSTANCES: u32 = 4;

fn load(arguments: &Arguments) -> Result<ConnectorHost, Failure> {
    let path = arguments
        .component
        .clone()
        .or_else(|| {
            let path = std::env::var_os("DATAVERSE_COMPONENT")?;
            (!path.is_empty()).then(|| path.into())
        })
        .unwrap_or_else(beside_or_built);
    let host = ConnectorHost::builder()
        .component_file(&path)
        .most_instances(MOST_INSTANCES)
        .build();
    host.map_err(|error| match error {
        LoadError::File { .. } | LoadError::Runtime(_) => error.into(),
        _ => Failure::new(Exit::Usage, format!("{}: {error}", path.display())),
    })
}

/// The component next to this program, else where the build leaves it.
fn beside_or_built() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .map(|program| program.with_file_name(COMPONENT));
    beside
        .filter(|path| path.exists())
        .unwrap_or_else(|| ["target", "component", COMPONENT].iter().collect())
}

/// Writes a result to standard output. A reader who has gone away, such as `head`, is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Local,
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Says something on standard error. Whether anybody listens is no reason to stop.
fn tell(line: impl std::fmt::Display) {
    // In one piece, so that two programs that share a log do not tear each other's lines.
    let _unheard = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    print(&format!("{text}\n"))
}
