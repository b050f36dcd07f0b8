//! What `sync` reads: `[sync]` of the connection file or a selection file, and the command line.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use dataverse_host::StreamRequest;
use dataverse_host::contract::Selection;

use crate::args::{Files, Since, SyncOptions};
use crate::exit::{Exit, Failure};
use crate::toml_file;

/// The prefix of streams that are queries of the user's own.
const QUERY: &str = "query:";

/// `[sync]` of the connection file, or a selection file. Its own keys are the defaults of its
/// streams.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SelectionFile {
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

impl SelectionFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = toml_file::read(path)?;
        let mut file: Self = toml_file::parse(&text, &path.display().to_string())?;
        file.set_directory(path.parent().unwrap_or(Path::new("")));
        Ok(file)
    }

    /// Sets the directory of the file, where relative paths start.
    pub(crate) fn set_directory(&mut self, directory: &Path) {
        directory.clone_into(&mut self.directory);
    }

    /// The selection of a stream, whether the file names it or not.
    fn selection(&self, name: &str) -> Result<Selection, Failure> {
        let unnamed = Stream::default();
        let named = self.streams.iter().find(|stream| stream.name == name);
        let stream = named.unwrap_or(&unnamed);
        let query = match (&stream.query, &stream.query_file) {
            (Some(_), Some(_)) => {
                return Err(usage(format!(
                    "the stream `{name}` has both query and query-file; remove one"
                )));
            }
            (Some(query), None) => Some(query.clone()),
            (None, Some(file)) => Some(toml_file::read(&self.directory.join(file))?),
            (None, None) => None,
        };
        let since = stream.since.as_ref().or(self.since.as_ref());
        let mut selection = Selection::of(name)
            .with_columns(&stream.columns)
            .with_files(stream.files.unwrap_or(self.files).into());
        selection.labels = stream.labels.unwrap_or(self.labels);
        selection.page_size = stream.page_size.or(self.page_size).map(NonZeroU32::get);
        selection.filter.clone_from(&stream.filter);
        selection.since = since.map(|Since(since)| since.clone());
        selection.sweep = stream.sweep.unwrap_or(self.sweep);
        selection.query = query;
        Ok(selection)
    }
}

/// The streams to read: those of the command line, else all of the selection. Options of the
/// command line override the selection.
pub(crate) fn requests(
    configured: &SelectionFile,
    options: &SyncOptions,
) -> Result<Vec<StreamRequest>, Failure> {
    let own = options
        .selection
        .as_deref()
        .map(SelectionFile::read)
        .transpose()?;
    let file = own.as_ref().unwrap_or(configured);
    let mut selections = Vec::new();
    if options.streams.is_empty() && options.queries.is_empty() {
        for stream in &file.streams {
            selections.push(file.selection(&stream.name)?);
        }
    }
    for name in &options.streams {
        selections.push(file.selection(name)?);
    }
    for query in &options.queries {
        let stem = query.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.ok_or_else(|| {
            usage(format!(
                "{}: a stream cannot have the name of this file; rename it",
                query.display()
            ))
        })?;
        let selection = file.selection(&format!("{QUERY}{stem}"))?;
        selections.push(selection.with_query(toml_file::read(query)?));
    }
    let mut names = HashSet::new();
    if let Some(repeated) = selections.iter().find(|it| !names.insert(&it.stream)) {
        return Err(usage(format!(
            "the stream `{}` is named twice; name it once, with all its columns and options",
            repeated.stream
        )));
    }
    if selections.is_empty() {
        return Err(usage(
            "no stream to read; name streams with --stream NAME, --query FILE, --selection \
             FILE.toml, or [[sync.streams]] in the connection file; `discover` lists the streams",
        ));
    }
    if options.filter.is_some() && selections.len() > 1 {
        return Err(usage(
            "--filter is for one stream; write the filters of several into a file for --selection",
        ));
    }
    let requests = selections.into_iter().map(|mut selection| {
        apply(options, &mut selection);
        let mut request = StreamRequest::of(selection);
        request.full = options.full;
        request
    });
    Ok(requests.collect())
}

/// Applies the options of the command line, which hold for every stream.
fn apply(options: &SyncOptions, selection: &mut Selection) {
    if !options.columns.is_empty() {
        selection.columns.clone_from(&options.columns);
    }
    if let Some(filter) = &options.filter {
        selection.filter = Some(filter.clone());
    }
    if let Some(Since(since)) = &options.since {
        selection.since = Some(since.clone());
    }
    if let Some(files) = options.files {
        selection.files = files.into();
    }
    if let Some(rows) = options.page_size {
        selection.page_size = Some(rows);
    }
    selection.labels |= options.labels;
    selection.sweep |= options.sweep;
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use dataverse_host::contract::FileForm;

    use super::*;
    use crate::args::{Arguments, Command};

    fn options(arguments: &[&str]) -> SyncOptions {
        let program = ["dataverse-host", "sync", "--to", "sqlite:x.db"];
        let line = program.iter().chain(arguments);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Sync(options) => options,
            other => panic!("{other:?}"),
        }
    }

    fn streams(text: &str) -> SelectionFile {
        toml_file::parse(text, "s.toml").unwrap()
    }

    #[test]
    fn a_stream_overrides_the_defaults_of_the_file() {
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
        let account = Selection::of("account")
            .with_columns(["name"])
            .with_labels()
            .with_filter("statecode eq 0")
            .with_since("2026-02-01T08:00:00+01:00")
            .with_files(FileForm::Content)
            .with_page_size(7);
        let won = Selection::of("query:won")
            .with_query("<fetch/>")
            .with_since("2026-01-31T00:00:00Z")
            .with_sweep()
            .with_page_size(7);
        assert_eq!(requests, [account, won].map(StreamRequest::of));
    }

    #[test]
    fn the_command_line_overrides_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("won deals.xml"), "<fetch/>").unwrap();
        let selection = "[[streams]]\nname = \"query:lost\"\nquery-file = \"won deals.xml\"\n";
        std::fs::write(path("s.toml"), selection).unwrap();
        let configured = streams("[[streams]]\nname = \"account\"\nfilter = \"a eq 1\"\n");

        let of = |arguments: &[&str]| requests(&configured, &options(arguments));
        let filtered = of(&["--filter", "b eq 2", "--since", "2026-01-31", "--sweep"]).unwrap();
        let filtered = &filtered[0].selection;
        assert_eq!(filtered.filter.as_deref(), Some("b eq 2"));
        assert_eq!(filtered.since.as_deref(), Some("2026-01-31T00:00:00Z"));
        assert!(filtered.sweep);

        let file = path("s.toml");
        let lost = &of(&["--selection", &file]).unwrap()[0].selection;
        assert_eq!(
            (lost.stream.as_str(), lost.query.as_deref()),
            ("query:lost", Some("<fetch/>"))
        );

        let (query, names) = (path("won deals.xml"), ["query:won deals"]);
        let won = of(&["--query", &query]).unwrap();
        assert_eq!(
            won.iter().map(StreamRequest::stream).collect::<Vec<_>>(),
            names
        );
        assert_eq!(won[0].selection.query.as_deref(), Some("<fetch/>"));

        let several = of(&["--filter", "b eq 2", "--stream", "a", "--stream", "b"]);
        assert!(several.unwrap_err().to_string().contains("--selection"));
        let listed = of(&["--stream", "a, b", "--stream", "c"]).unwrap();
        let listed: Vec<_> = listed.iter().map(StreamRequest::stream).collect();
        assert_eq!(listed, ["a", "b", "c"]);
        let repeated = of(&["--stream", "a,a"]).unwrap_err().to_string();
        assert!(repeated.contains("`a` is named twice"), "{repeated}");
        assert!(requests(&streams(""), &options(&[])).is_err());
        assert!(
            of(&["--query", "absent.xml"])
                .unwrap_err()
                .to_string()
                .contains("absent.xml")
        );
    }

    #[test]
    fn a_wrong_time_is_named_by_line() {
        let text = "labels = true\nsince = 5\n";
        let wrong = toml_file::parse::<SelectionFile>(text, "s.toml").unwrap_err();
        let message = wrong.to_string();
        assert!(
            message.starts_with("s.toml, line 2: use a day or a time"),
            "{message}"
        );
    }
}
