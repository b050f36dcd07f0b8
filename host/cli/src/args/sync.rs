//! The options of `sync`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Output;
use super::values::{Files, Since, Target, parse_duration, parse_name};

#[derive(Debug, Args)]
pub(crate) struct SyncOptions {
    /// Where rows go: jsonl:DIRECTORY or sqlite:FILE. A leading ~/ is the home directory.
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: Target,

    /// Streams to read, by the names that `discover` lists; may be repeated. A view whose title has
    /// a comma is named by its id, or in a selection [default: those of the selection].
    #[arg(
        long = "stream", value_name = "NAME,…", value_delimiter = ',', value_parser = parse_name
    )]
    pub(crate) streams: Vec<String>,

    /// A file with a query of your own, read as the stream `query:<file name>`; may be repeated.
    #[arg(long = "query", value_name = "FILE")]
    pub(crate) queries: Vec<PathBuf>,

    /// What to read of several streams, instead of [sync] in the connection file; host/cli/README.md
    /// shows one.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) selection: Option<PathBuf>,

    /// Columns to read, of every stream [default: those of the selection, else all].
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = parse_name)]
    pub(crate) columns: Vec<String>,

    /// Reads only rows that meet this condition, in the service's own filter language; for one
    /// stream.
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Option<String>,

    /// Reads only rows changed since then, such as 2026-01-31 or 2026-01-31T08:00:00+01:00.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,

    /// What columns of files and images contain.
    #[arg(long, value_enum)]
    pub(crate) files: Option<Files>,

    /// Reads every key at the end, to find deletions that the service does not report.
    #[arg(long)]
    pub(crate) sweep: bool,

    /// Adds a column with a label for people beside each choice and reference.
    #[arg(long)]
    pub(crate) labels: bool,

    /// Rows per request to the service.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page_size: Option<u32>,

    /// Reads everything again instead of resuming from the last sync.
    #[arg(long)]
    pub(crate) full: bool,

    /// Stops after this time, such as 90s, 15m or 2h; the next sync resumes from there.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) max_duration: Option<Duration>,

    /// The output format.
    #[arg(long = "format", alias = "output", value_enum, default_value_t)]
    pub(crate) output: Output,
}
