//! `discover`: lists streams, columns and views, as text, as JSON, or as a diagram.

mod diagram;
mod document;
mod names;
#[cfg(test)]
mod tests;
mod text;

use dataverse_host::contract::{ErrorKind, StreamDescription};
use dataverse_host::{CallError, Session};

use crate::args::{DiscoverFormat, DiscoverOptions};
use crate::exit::{Exit, Failure};
use crate::output::{print, print_json};
use diagram::Diagram;
use document::{JsonStream, JsonView};

pub(super) use document::JsonColumn;
pub(super) use text::column as column_line;

/// How many streams are described in one call. Descriptions are large: each group is printed
/// before the next is requested, so that memory does not grow with the organization.
const AT_ONCE: usize = 50;

/// Runs the command.
pub(super) async fn run(session: &mut Session, options: &DiscoverOptions) -> Result<Exit, Failure> {
    if options.views {
        return views(session, options).await;
    }
    if options.format == DiscoverFormat::Text && options.streams.is_empty() {
        print(&text::list(&session.list_streams().await?))?;
        return Ok(Exit::Done);
    }
    let names = if options.streams.is_empty() {
        let streams = session.list_streams().await?;
        streams.into_iter().map(|summary| summary.name).collect()
    } else {
        options.streams.clone()
    };
    let mut writer = Writer::new(options.format, &names);
    // The groups that are not described yet, the next one last.
    let mut groups: Vec<&[String]> = names.chunks(AT_ONCE).rev().collect();
    while let Some(group) = groups.pop() {
        match session.describe_streams(group).await {
            Ok(descriptions) => {
                for description in descriptions {
                    print(&writer.stream(&description)?)?;
                }
            }
            // Streams of very many columns are too much for one call.
            Err(CallError::Connector(error))
                if error.kind == ErrorKind::Unsupported && group.len() > 1 =>
            {
                let (first, second) = group.split_at(group.len() / 2);
                groups.extend([second, first]);
            }
            Err(error) => return Err(error.into()),
        }
    }
    print(&writer.end())?;
    Ok(Exit::Done)
}

/// The saved queries over the chosen streams, or over all.
async fn views(session: &mut Session, options: &DiscoverOptions) -> Result<Exit, Failure> {
    let mut views = Vec::new();
    if options.streams.is_empty() {
        views = session.list_views(None).await?;
    }
    for stream in &options.streams {
        let found = session.list_views(Some(stream)).await?;
        if found.is_empty() {
            // A stream without views, or a wrong name: describing it reports that.
            session
                .describe_streams(std::slice::from_ref(stream))
                .await?;
        }
        views.extend(found);
    }
    match options.format {
        DiscoverFormat::Text => print(&text::views(&views))?,
        DiscoverFormat::Json => {
            let views: Vec<_> = views.iter().map(JsonView::from).collect();
            print_json(&views)?;
        }
        DiscoverFormat::Mermaid => {
            return Err(Failure::new(
                Exit::Usage,
                "--views cannot be drawn as a diagram; use --format text or --format json",
            ));
        }
    }
    Ok(Exit::Done)
}

/// Writes descriptions one after the other.
enum Writer<'a> {
    Text,
    /// A JSON array.
    Json {
        started: bool,
    },
    Mermaid {
        started: bool,
        diagram: Diagram<'a>,
    },
}

impl<'a> Writer<'a> {
    fn new(format: DiscoverFormat, names: &'a [String]) -> Self {
        match format {
            DiscoverFormat::Text => Self::Text,
            DiscoverFormat::Json => Self::Json { started: false },
            DiscoverFormat::Mermaid => Self::Mermaid {
                started: false,
                diagram: Diagram::of(names),
            },
        }
    }

    /// The next stream's part of the output.
    fn stream(&mut self, stream: &StreamDescription) -> Result<String, Failure> {
        match self {
            Self::Text => Ok(text::stream(stream)),
            Self::Json { started } => {
                let before = if std::mem::replace(started, true) {
                    ",\n"
                } else {
                    "[\n"
                };
                let document = serde_json::to_string_pretty(&JsonStream::new(stream)?)
                    .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
                Ok(format!("{before}{document}"))
            }
            Self::Mermaid { started, diagram } => {
                let before = if std::mem::replace(started, true) {
                    ""
                } else {
                    Diagram::head()
                };
                Ok(format!("{before}{}", diagram.stream(stream)))
            }
        }
    }

    /// The end of the output.
    fn end(self) -> String {
        match self {
            Self::Text => String::new(),
            Self::Json { started: true } => "\n]\n".to_owned(),
            Self::Json { started: false } => "[]\n".to_owned(),
            Self::Mermaid { started, diagram } => {
                let before = if started { "" } else { Diagram::head() };
                format!("{before}{}", diagram.tail())
            }
        }
    }
}
