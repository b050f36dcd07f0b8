//! `discover`: what there is to read, as a table, as JSON, or as a diagram.

mod diagram;
mod document;
#[cfg(test)]
mod tests;
mod text;
mod words;

use dataverse_host::contract::{ErrorKind, StreamDescription};
use dataverse_host::{CallError, Session};

use super::args::{DiscoverOptions, Format};
use super::exit::{Exit, Failure};
use super::{print, print_json};
use diagram::Diagram;
use document::{JsonStream, JsonView};

pub(super) use document::JsonColumn;
pub(super) use text::column as column_line;

/// How many streams are described in one call. Descriptions are large: each group is printed
/// before the next is asked for, so that an organization of any size takes no more memory.
const AT_ONCE: usize = 50;

/// Runs the command.
pub(super) async fn run(session: &mut Session, options: &DiscoverOptions) -> Result<Exit, Failure> {
    if options.views {
        return views(session, options).await;
    }
    if options.format == Format::Table && options.streams.is_empty() {
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
    // The groups that are still to be described, the next one last.
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
            // A stream without views, or a slip of the pen: describing it tells.
            session
                .describe_streams(std::slice::from_ref(stream))
                .await?;
        }
        views.extend(found);
    }
    match options.format {
        Format::Table => print(&text::views(&views))?,
        Format::Json => {
            let views: Vec<_> = views.iter().map(JsonView::from).collect();
            print_json(&views)?;
        }
        Format::Mermaid => {
            return Err(Failure::new(
                Exit::Usage,
                "views are not drawn; say --format table or --format json with --views",
            ));
        }
    }
    Ok(Exit::Done)
}

/// Writes descriptions one after the other.
enum Writer<'a> {
    Table,
    /// A JSON array.
    Json {
        begun: bool,
    },
    Mermaid {
        begun: bool,
        diagram: Diagram<'a>,
    },
}

impl<'a> Writer<'a> {
    fn new(format: Format, names: &'a [String]) -> Self {
        match format {
            Format::Table => Self::Table,
            Format::Json => Self::Json { begun: false },
            Format::Mermaid => Self::Mermaid {
                begun: false,
                diagram: Diagram::of(names),
            },
        }
    }

    /// The next stream's part of the output.
    fn stream(&mut self, stream: &StreamDescription) -> Result<String, Failure> {
        match self {
            Self::Table => Ok(text::stream(stream)),
            Self::Json { begun } => {
                let before = if std::mem::replace(begun, true) {
                    ",\n"
                } else {
                    "[\n"
                };
                let document = serde_json::to_string_pretty(&JsonStream::new(stream)?)
                    .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
                Ok(format!("{before}{document}"))
            }
            Self::Mermaid { begun, diagram } => {
                let before = if std::mem::replace(begun, true) {
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
            Self::Table => String::new(),
            Self::Json { begun: true } => "\n]\n".to_owned(),
            Self::Json { begun: false } => "[]\n".to_owned(),
            Self::Mermaid { begun, diagram } => {
                let before = if begun { "" } else { Diagram::head() };
                format!("{before}{}", diagram.tail())
            }
        }
    }
}
