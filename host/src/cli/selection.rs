//! What `sync` is to read: by the connection file or a file of its own, and by the command line.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;
use serde::Deserialize;
use toml::value::Datetime;

use dataverse_host::StreamRequest;
use dataverse_host::contract::FileForm;

use super::args::SyncOptions;
use super::config::parse_toml;
use super::exit::{Exit, Failure};

/// What begins the name of a stream that is a query of the user's own.
const QUERY: &str = "query:";

/// Selection and what to read of them: `[sync]` of the connection file, or a selection file. What
/// is said here holds for every stream that does not say otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Selection {
    #[serde(default)]
    labels: bool,
    page_size: Option<NonZeroU32>,
    since: Option<Since>,
    #[serde(default)]
    files: Files,
    #[serde(default)]
    sweep: bool,
    #[serde(default)]
    streams: Vec<Stream>,
    /// Relative paths start here.
    #[serde(skip)]
    directory: PathBuf,
}

/// One stream of a selection.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Stream {
    name: String,
    #[serde(default)]
    columns: Vec<String>,
    labels: Option<bool>,
    page_size: Option<NonZeroU32>,
    filter: Option<String>,
    since: Option<Since>,
    files: Option<Files>,
    sweep: Option<bool>,
    query: Option<String>,
    query_file: Option<PathBuf>,
}

/// What comes for columns that hold files and images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Files {
    /// As the service refers to them.
    #[default]
    Reference,
    /// As their content in base64.
    Content,
}

impl From<Files> for FileForm {
    fn from(files: Files) -> Self {
        match files {
            Files::Reference => Self::Reference,
            Files::Content => Self::Content,
        }
    }
}

/// A moment, or the beginning of a day in UTC, as RFC 3339 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) struct Since(String);

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "say a day, such as 2026-01-31, or a moment with its offset, such as \
             2026-01-31T08:00:00+01:00"
                .to_owned()
        };
        let time: Datetime = text.parse().map_err(|_| wrong())?;
        match time {
            Datetime {
                date: Some(_),
                time: Some(_),
                offset: Some(_),
            } => Ok(Self(time.to_string())),
            Datetime {
                date: Some(day),
                time: None,
                offset: None,
            } => Ok(Self(format!("{day}T00:00:00Z"))),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<toml::Value> for Since {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Datetime(time) => time.to_string().parse(),
            toml::Value::String(text) => text.parse(),
            _ => Err("a time is a day or a moment, such as 2026-01-31".to_owned()),
        }
    }
}

impl Selection {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = read(path)?;
        let mut streams: Self = parse_toml(&text, &path.display().to_string())?;
        streams.stand_in(path.parent().unwrap_or(Path::new("")));
        Ok(streams)
    }

    /// Tells where the file is that this was read from.
    pub(super) fn stand_in(&mut self, directory: &Path) {
        directory.clone_into(&mut self.directory);
    }

    /// What the selection says of a stream, whether it names it or not.
    fn request(&self, name: &str) -> Result<StreamRequest, Failure> {
        let unnamed = Stream::default();
        let named = self.streams.iter().find(|stream| stream.name == name);
        let stream = named.unwrap_or(&unnamed);
        let query = match (&stream.query, &stream.query_file) {
            (Some(_), Some(_)) => {
                return Err(usage(format!(
                    "the stream `{name}` has a query and a query-file; leave one out"
                )));
            }
            (Some(query), None) => Some(query.clone()),
            (None, Some(file)) => Some(read(&self.directory.join(file))?),
            (None, None) => None,
        };
        let since = stream.since.as_ref().or(self.since.as_ref());
        Ok(StreamRequest {
            columns: stream.columns.clone(),
            labels: stream.labels.unwrap_or(self.labels),
            page_size: stream.page_size.or(self.page_size).map(NonZeroU32::get),
            filter: stream.filter.clone(),
            since: since.map(|Since(since)| since.clone()),
            files: stream.files.unwrap_or(self.files).into(),
            sweep: stream.sweep.unwrap_or(self.sweep),
            query,
            ..StreamRequest::all_of(name)
        })
    }
}

/// The streams to read: those of the command line, else all of the selection; what the command
/// line says of them goes before what the selection says.
pub(super) fn requests(
    configured: &Selection,
    options: &SyncOptions,
) -> Result<Vec<StreamRequest>, Failure> {
    let own = options
        .selection
        .as_deref()
        .map(Selection::read)
        .transpose()?;
    let selection = own.as_ref().unwrap_or(configured);
    let mut requests = Vec::new();
    if options.streams.is_empty() && options.queries.is_empty() {
        for stream in &selection.streams {
            requests.push(selection.request(&stream.name)?);
        }
    }
    for name in &options.streams {
        requests.push(selection.request(name)?);
    }
    for file in &options.queries {
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.ok_or_else(|| {
            usage(format!(
                "{} has no name that a stream can take",
                file.display()
            ))
        })?;
        requests.push(StreamRequest {
            query: Some(read(file)?),
            ..selection.request(&format!("{QUERY}{stem}"))?
        });
    }
    let mut names = HashSet::new();
    if let Some(again) = requests.iter().find(|found| !names.insert(&found.stream)) {
        return Err(usage(format!(
            "the stream `{}` is named twice; name it once, with all that is to be read of it",
            again.stream
        )));
    }
    if requests.is_empty() {
        return Err(usage(
            "say what to read: --stream NAME, --query FILE, --selection FILE.toml, or \
             [[sync.streams]] in the connection file; `discover` lists the streams",
        ));
    }
    if options.filter.is_some() && requests.len() > 1 {
        return Err(usage(
            "--filter is for one stream; write the filters of several into a file for --selection",
        ));
    }
    for request in &mut requests {
        apply(options, request);
    }
    Ok(requests)
}

fn apply(options: &SyncOptions, request: &mut StreamRequest) {
    if !options.columns.is_empty() {
        request.columns.clone_from(&options.columns);
    }
    if let Some(filter) = &options.filter {
        request.filter = Some(filter.clone());
    }
    if let Some(Since(since)) = &options.since {
        request.since = Some(since.clone());
    }
    if let Some(files) = options.files {
        request.files = files.into();
    }
    if let Some(rows) = options.page_size {
        request.page_size = Some(rows);
    }
    request.labels |= options.labels;
    request.sweep |= options.sweep;
    request.full = options.full;
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| usage(format!("{} cannot be read: {error}", path.display())))
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Arguments, Command};
    use super::*;

    fn options(arguments: &[&str]) -> SyncOptions {
        let program = ["dataverse-host", "sync", "--to", "sqlite:x.db"];
        let line = program.iter().chain(arguments);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Sync(options) => options,
            other => panic!("{other:?}"),
        }
    }

    fn streams(text: &str) -> Selection {
        parse_toml(text, "s.toml").unwrap()
    }

    #[test]
    fn a_stream_has_its_own_words_before_those_for_all() {
        let selection = streams(
            r#"
            labels = true
            since = 2026-01-31
            sweep = true
            [[streams]]
            name = "account"
            columns = ["name"]
            filter = "statecode eq 0"
            since = "2026-02-01T08:00:00+01:00"
            sweep = false
            files = "content"
            [[streams]]
            name = "query:won"
            query = "<fetch/>"
            labels = false
            "#,
        );
        let requests = requests(&selection, &options(&["--page-size", "7"])).unwrap();
        let account = StreamRequest {
            columns: vec!["name".to_owned()],
            labels: true,
            filter: Some("statecode eq 0".to_owned()),
            since: Some("2026-02-01T08:00:00+01:00".to_owned()),
            files: FileForm::Content,
            page_size: Some(7),
            ..StreamRequest::all_of("account")
        };
        let won = StreamRequest {
            query: Some("<fetch/>".to_owned()),
            since: Some("2026-01-31T00:00:00Z".to_owned()),
            sweep: true,
            page_size: Some(7),
            ..StreamRequest::all_of("query:won")
        };
        assert_eq!(requests, [account, won]);
    }

    #[test]
    fn the_command_line_goes_before_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("won deals.xml"), "<fetch/>").unwrap();
        let selection = "[[streams]]\nname = \"query:lost\"\nquery-file = \"won deals.xml\"\n";
        std::fs::write(path("s.toml"), selection).unwrap();
        let configured = streams("[[streams]]\nname = \"account\"\nfilter = \"a eq 1\"\n");

        let of = |arguments: &[&str]| requests(&configured, &options(arguments));
        let filtered = of(&["--filter", "b eq 2", "--since", "2026-01-31", "--sweep"]).unwrap();
        assert_eq!(filtered[0].filter.as_deref(), Some("b eq 2"));
        assert_eq!(filtered[0].since.as_deref(), Some("2026-01-31T00:00:00Z"));
        assert!(filtered[0].sweep);

        let file = path("s.toml");
        let lost = &of(&["--selection", &file]).unwrap()[0];
        assert_eq!(
            (lost.stream.as_str(), lost.query.as_deref()),
            ("query:lost", Some("<fetch/>"))
        );

        let (query, names) = (path("won deals.xml"), ["query:won deals"]);
        let won = of(&["--query", &query]).unwrap();
        assert_eq!(
            won.iter().map(|r| r.stream.as_str()).collect::<Vec<_>>(),
            names
        );
        assert_eq!(won[0].query.as_deref(), Some("<fetch/>"));

        let several = of(&["--filter", "b eq 2", "--stream", "a", "--stream", "b"]);
        assert!(several.unwrap_err().to_string().contains("--selection"));
        let twice = of(&["--stream", "a", "--stream", "a"]).unwrap_err();
        assert!(twice.to_string().contains("`a` is named twice"), "{twice}");
        assert!(requests(&streams(""), &options(&[])).is_err());
        assert!(
            of(&["--query", "absent.xml"])
                .unwrap_err()
                .to_string()
                .contains("absent.xml")
        );
    }

    #[test]
    fn times_are_days_or_moments_with_an_offset() {
        for (text, expected) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31 08:00:00.5-05:00", "2026-01-31T08:00:00.5-05:00"),
        ] {
            assert_eq!(text.parse(), Ok(Since(expected.to_owned())));
        }
        for wrong in [
            "",
            "yesterday",
            "08:00:00",
            "2026-01-31T08:00:00",
            "2026-02-30",
        ] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
        let wrong = parse_toml::<Selection>("labels = true\nsince = 5\n", "s.toml").unwrap_err();
        assert!(
            wrong.to_string().starts_with("s.toml, line 2: a time is"),
            "{wrong}"
        );
    }
}
