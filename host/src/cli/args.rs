//! The arguments of the command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::callback::Callback;
use super::create_column::NewChoiceArgument;
use super::selection::{Files, Since};

const COMPONENT_HELP: &str = "The connector component [default: $DATAVERSE_COMPONENT, else \
    dataverse_connector.wasm next to this program, else in target/component]";

/// Runs a connector component: what it is, signing in, whether a connection works and what it must
/// be allowed, what there is to read, and reading it.
#[derive(Debug, Parser)]
#[command(version, after_help = super::exit::HELP, arg_required_else_help = true)]
pub(super) struct Arguments {
    /// The connection: settings, where secrets are, network, limits; host/README.md shows one.
    #[arg(long, global = true, value_name = "FILE.toml")]
    pub(super) connection: Option<PathBuf>,

    #[arg(long, global = true, value_name = "PATH", help = COMPONENT_HELP)]
    pub(super) component: Option<PathBuf>,

    /// No progress on standard error; warnings and errors are still told.
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Who the connector is and which settings it takes. Needs no connection.
    Describe {
        #[arg(long = "format", alias = "output", value_enum, default_value_t)]
        output: Output,
    },
    /// Signs one person in, in a browser or on another device, keeps what later runs need in the
    /// connection's secrets, and checks the connection.
    Login(LoginOptions),
    /// Lets an administrator agree, for everybody, that the application may sign in.
    AdminConsent(BrowserOptions),
    /// Tests the connection end to end and says how to mend what is wrong.
    Check(CheckOptions),
    /// The least that the connection's account must be allowed, as a security role.
    Role(RoleOptions),
    /// Keeps a secret in the connection's stores.
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// What there is to read.
    Discover(DiscoverOptions),
    /// Adds a column to a stream, usable at once, and prints it.
    CreateColumn(ColumnOptions),
    /// Reads streams into files or a database, from where the last sync stopped.
    Sync(SyncOptions),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

#[derive(Debug, Args)]
pub(super) struct BrowserOptions {
    /// Where the browser comes back to, as it is registered with the application: on this
    /// machine, where this program waits for it. The port 0 takes any free one.
    #[arg(long, value_name = "URL", default_value = "http://localhost:33333")]
    pub(super) callback: Callback,

    /// Only prints the page to open.
    #[arg(long)]
    pub(super) no_browser: bool,

    /// How long to wait for the browser, such as 90s, 15m or 2h.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Args)]
pub(super) struct LoginOptions {
    /// Shows a code to type in on another device instead of using a browser on this one.
    #[arg(long, conflicts_with_all = ["callback", "no_browser", "timeout"])]
    pub(super) device: bool,

    #[command(flatten)]
    pub(super) browser: BrowserOptions,
}

#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// Checks for what this profile of use needs as well, such as revenue-intelligence; may be
    /// repeated.
    #[arg(long = "profile", value_name = "NAME")]
    pub(super) profiles: Vec<String>,

    #[arg(long = "format", alias = "output", value_enum, default_value_t)]
    pub(super) output: Output,
}

#[derive(Debug, Args)]
pub(super) struct RoleOptions {
    /// What the role is for, besides what the connection's settings say; may be repeated.
    #[arg(long = "profile", value_name = "NAME")]
    pub(super) profiles: Vec<String>,

    /// The environment that the calls are for, where there is no connection.
    #[arg(long, value_name = "URL")]
    pub(super) environment: Option<String>,

    #[arg(long, value_enum, default_value_t)]
    pub(super) format: RoleFormat,

    /// Creates the role, or adds to it what it lacks, with the connection's own account.
    #[arg(long)]
    pub(super) apply: bool,

    /// What to call it [default: as the connector suggests].
    #[arg(long, requires = "apply")]
    pub(super) name: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleFormat {
    /// What to tick in the role editor.
    #[default]
    Checklist,
    /// For programs.
    Json,
    /// The requests that create it.
    Calls,
}

#[derive(Debug, Subcommand)]
pub(super) enum SecretCommand {
    /// Reads a value from standard input, unseen on a terminal, or from a PKCS#12 file, and keeps
    /// it under this name.
    Set {
        /// As the settings name it.
        #[arg(value_name = "NAME")]
        name: String,

        /// Keeps the key and the certificates of this PKCS#12 file (.pfx, .p12), as PEM. Its
        /// password is read from standard input, unseen on a terminal.
        #[arg(long, value_name = "FILE")]
        pkcs12: Option<PathBuf>,

        /// Takes the file's password from this secret of the connection instead.
        #[arg(long, value_name = "NAME", requires = "pkcs12")]
        password_secret: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct DiscoverOptions {
    /// A list of streams, or the columns of the chosen ones; everything as JSON; or an
    /// entity-relationship diagram in Mermaid with keys, names and references.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,

    /// Only this stream; may be repeated.
    #[arg(long = "stream", value_name = "NAME")]
    pub(super) streams: Vec<String>,

    /// The saved queries over the streams, instead of the streams.
    #[arg(long)]
    pub(super) views: bool,
}

#[derive(Debug, Args)]
pub(super) struct ColumnOptions {
    /// The stream that is to have it.
    #[arg(value_name = "STREAM")]
    pub(super) stream: String,

    /// With the publisher's prefix, or without: then it is put before it.
    #[arg(value_name = "NAME")]
    pub(super) name: String,

    /// What people see.
    #[arg(long, value_name = "TEXT")]
    pub(super) title: String,

    /// What it is to hold.
    #[arg(long = "type", value_enum)]
    pub(super) column_type: ColumnType,

    /// Of a text: the most characters [default: 100].
    #[arg(long, value_name = "CHARACTERS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_length: Option<u32>,

    /// Of a text: it may have several lines.
    #[arg(long)]
    pub(super) multiline: bool,

    /// Of a decimal number or an amount of money: digits after the decimal point [default: 2].
    #[arg(long, value_name = "DIGITS")]
    pub(super) scale: Option<u8>,

    /// Of a choice or a choice list: a label, or VALUE=LABEL; may be repeated.
    #[arg(long = "choice", value_name = "LABEL")]
    pub(super) choices: Vec<NewChoiceArgument>,

    /// Of a reference: the stream that it refers to.
    #[arg(long, value_name = "STREAM")]
    pub(super) to: Option<String>,

    /// For people: what it is for.
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,

    /// Whether people must fill it in.
    #[arg(long, value_enum, default_value_t)]
    pub(super) requirement: ColumnRequirement,

    /// The solution it belongs to, by its unique name [default: the default solution].
    #[arg(long, value_name = "NAME")]
    pub(super) solution: Option<String>,

    #[arg(long = "format", alias = "output", value_enum, default_value_t)]
    pub(super) output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColumnType {
    Text,
    Integer,
    Decimal,
    Money,
    Boolean,
    /// One of several.
    Choice,
    /// Several of several.
    ChoiceList,
    Date,
    Timestamp,
    /// To a row of another stream.
    Reference,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColumnRequirement {
    #[default]
    Optional,
    Recommended,
    /// By forms; the service itself takes rows without it.
    Required,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Table,
    Json,
    Mermaid,
}

#[derive(Debug, Args)]
pub(super) struct SyncOptions {
    /// Where rows go: jsonl:DIRECTORY or sqlite:FILE.
    #[arg(long, value_name = "TARGET")]
    pub(super) to: Target,

    /// A stream to read: a name that `discover` lists; may be repeated [default: those of the
    /// selection].
    #[arg(long = "stream", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(super) streams: Vec<String>,

    /// A query of your own to read as the stream `query:<name of the file>`; may be repeated.
    #[arg(long = "query", value_name = "FILE")]
    pub(super) queries: Vec<PathBuf>,

    /// What to read of several streams, in the place of [sync] in the connection file;
    /// host/README.md shows one.
    #[arg(long, value_name = "FILE.toml")]
    pub(super) selection: Option<PathBuf>,

    /// Columns to read, of every stream [default: those of the selection, else all].
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = parse_column)]
    pub(super) columns: Vec<String>,

    /// Reads only rows that meet this condition, in the service's own filter language; for one
    /// stream.
    #[arg(long, value_name = "CONDITION")]
    pub(super) filter: Option<String>,

    /// Reads only rows changed since then, such as 2026-01-31 or 2026-01-31T08:00:00+01:00.
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<Since>,

    /// What to read of columns that hold files and images.
    #[arg(long, value_enum)]
    pub(super) files: Option<Files>,

    /// Reads every key at the end, to find deletions that the service does not report.
    #[arg(long)]
    pub(super) sweep: bool,

    /// Adds labels for people beside choices and references.
    #[arg(long)]
    pub(super) labels: bool,

    /// Rows per request to the service.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page_size: Option<u32>,

    /// Reads everything again instead of going on from the last sync.
    #[arg(long)]
    pub(super) full: bool,

    /// Stops after this time, such as 90s, 15m or 2h; the next sync goes on from there.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) max_duration: Option<Duration>,

    #[arg(long = "format", alias = "output", value_enum, default_value_t)]
    pub(super) output: Output,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    JsonLines(PathBuf),
    Sqlite(PathBuf),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("jsonl", path)) if !path.is_empty() => Ok(Self::JsonLines(path.into())),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err("say jsonl:DIRECTORY or sqlite:FILE".to_owned()),
        }
    }
}

/// A column's name, without the blank that people put after a comma.
fn parse_column(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("a column has no name; say their names with one comma between two"),
        name => Ok(name.to_owned()),
    }
}

fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "say a number and s, m or h: more than nothing, and no more than a year";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| WRONG)?;
    let seconds = match text.get(digits.len()..) {
        Some("" | "s") => Some(number),
        Some("m") => number.checked_mul(60),
        Some("h") => number.checked_mul(3600),
        _ => None,
    };
    // More than a year is a slip, and more than the clock can count would break it.
    let seconds = seconds.filter(|seconds| (1..=31_536_000).contains(seconds));
    seconds.map(Duration::from_secs).ok_or(WRONG)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn columns_have_names() {
        assert_eq!(parse_column(" revenue"), Ok("revenue".to_owned()));
        assert!(parse_column(" ").is_err());
    }

    #[test]
    fn targets_and_times_are_parsed() {
        assert_eq!("jsonl:out".parse(), Ok(Target::JsonLines("out".into())));
        assert_eq!(
            "sqlite:C:\\x.db".parse(),
            Ok(Target::Sqlite("C:\\x.db".into()))
        );
        for bad in ["", "out", "sqlite:", "csv:x"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
        for (text, seconds) in [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "s",
            "-1s",
            "1d",
            "1.5h",
            "0",
            "99999999999999999999h",
            "9999999999999h",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
