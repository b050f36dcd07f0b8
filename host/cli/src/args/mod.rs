//! The arguments of the command line.

mod column;
mod sync;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::callback::Callback;
use crate::exit;
use values::{parse_duration, parse_name};

pub(crate) use column::{ColumnOptions, ColumnRequirement, ColumnType};
pub(crate) use sync::SyncOptions;
pub(crate) use values::{Files, NewChoiceArgument, Since, Target};

const COMPONENT_HELP: &str = "The connector component [default: $DATAVERSE_COMPONENT, else \
    dataverse_connector.wasm next to this program, else in target/component]";

/// Runs a connector component: checks a connection and its permissions, signs in, lists what can
/// be read, and syncs it.
#[derive(Debug, Parser)]
#[command(name = "dataverse-host", version, after_help = exit::HELP, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// The connection file: settings, stores of secrets, network, limits [default: connection.toml
    /// in the working directory]. host/cli/README.md shows one.
    #[arg(long, global = true, value_name = "FILE.toml")]
    pub(crate) connection: Option<PathBuf>,

    #[arg(long, global = true, value_name = "PATH", help = COMPONENT_HELP)]
    pub(crate) component: Option<PathBuf>,

    /// Prints no progress on standard error, only warnings and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prints the connector's name, version and settings schema. Needs no connection.
    Describe {
        /// The output format.
        #[arg(long = "format", alias = "output", value_enum, default_value_t)]
        output: Output,
    },
    /// Signs one person in, in a browser or on another device, stores what later runs need in the
    /// connection's secrets, and checks the connection.
    Login(LoginOptions),
    /// Lets an administrator consent, for everybody, that the application may sign in.
    AdminConsent(BrowserOptions),
    /// Tests the connection end to end and prints how to fix what is wrong.
    Check(CheckOptions),
    /// Prints or creates the security role with the permissions that the connection's account
    /// needs, and no others.
    Role(RoleOptions),
    /// Stores a secret of the connection.
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// Lists streams, their columns, or saved queries.
    Discover(DiscoverOptions),
    /// Creates a column, makes it usable at once, and prints it.
    CreateColumn(ColumnOptions),
    /// Reads streams into files or a database, from where the last sync stopped.
    Sync(SyncOptions),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct BrowserOptions {
    /// The redirect URI that is registered with the application, on this machine: this program
    /// listens there. The port 0 stands for any free port.
    #[arg(long, value_name = "URL", default_value = "http://localhost:33333")]
    pub(crate) callback: Callback,

    /// Only prints the page to open.
    #[arg(long)]
    pub(crate) no_browser: bool,

    /// How long to wait for the browser, such as 90s, 15m or 2h.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct LoginOptions {
    /// Shows a code to enter on another device instead of opening a browser on this one.
    #[arg(long, conflicts_with_all = ["callback", "no_browser", "timeout"])]
    pub(crate) device: bool,

    #[command(flatten)]
    pub(crate) browser: BrowserOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// Checks the permissions of these profiles as well; `role --help` lists the profiles.
    #[arg(
        long = "profile", value_name = "NAME,…", value_delimiter = ',', value_parser = parse_name
    )]
    pub(crate) profiles: Vec<String>,

    /// The output format.
    #[arg(long = "format", alias = "output", value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// The profiles of the Dataverse connector. `describe` prints the settings schema, which lists those of
/// any connector.
const PROFILES_HELP: &str = "\
Profiles of the Dataverse connector:
    revenue-intelligence     reads the sales pipeline and its history
    sales-assistant          reads and writes accounts, contacts, opportunities and notes
    account-based-marketing  reads accounts, people, activities and campaigns, creates columns
    access-sync              reads who may do what
    access-provisioning      changes who may do what

A connection can also name tables to read and to write in [settings.purpose].";

#[derive(Debug, Args)]
#[command(after_help = PROFILES_HELP)]
pub(crate) struct RoleOptions {
    /// Profiles that the role is for, besides those in the connection's settings.
    #[arg(
        long = "profile", value_name = "NAME,…", value_delimiter = ',', value_parser = parse_name
    )]
    pub(crate) profiles: Vec<String>,

    /// The environment to print requests for, without a connection.
    #[arg(long, value_name = "URL")]
    pub(crate) environment: Option<String>,

    /// The output format.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: RoleFormat,

    /// Creates the role, or adds missing permissions to it, with the connection's own account.
    #[arg(long)]
    pub(crate) apply: bool,

    /// The role's name [default: suggested by the connector].
    #[arg(long, requires = "apply")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleFormat {
    /// What to select in the role editor.
    #[default]
    Checklist,
    /// For programs.
    Json,
    /// The HTTP requests that create the role.
    Calls,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Reads a value from standard input, hidden on a terminal, or from a PKCS#12 file, and stores
    /// it under this name.
    Set(SecretOptions),
}

#[derive(Debug, Args)]
pub(crate) struct SecretOptions {
    /// The name that the settings use.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Stores the private key and the certificates of this PKCS#12 file (.pfx, .p12), as PEM. Its
    /// password is read from standard input, hidden on a terminal.
    #[arg(long, value_name = "FILE")]
    pub(crate) pkcs12: Option<PathBuf>,

    /// Takes the file's password from this secret of the connection instead.
    #[arg(long, value_name = "NAME", requires = "pkcs12")]
    pub(crate) password_secret: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DiscoverOptions {
    /// The output format.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DiscoverFormat,

    /// Describes only these streams. A view whose title has a comma is named by its id.
    #[arg(
        long = "stream", value_name = "NAME,…", value_delimiter = ',', value_parser = parse_name
    )]
    pub(crate) streams: Vec<String>,

    /// Lists the saved queries over the streams, instead of the streams.
    #[arg(long)]
    pub(crate) views: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiscoverFormat {
    /// A list of streams, or the columns of the named streams.
    #[default]
    #[value(alias = "table")]
    Text,
    /// Everything about the streams, for programs.
    Json,
    /// An entity-relationship diagram with keys, names and references.
    Mermaid,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_valid() {
        Arguments::command().debug_assert();
    }
}
