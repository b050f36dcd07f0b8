//! `describe`: who the connector is and which settings it takes.

use serde::Serialize;
use serde_json::value::RawValue;

use dataverse_host::ConnectorHost;

use super::raw_json::{invalid, raw};
use crate::args::Output;
use crate::exit::{Exit, Failure};
use crate::output::{print, print_json};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'a> {
    name: &'a str,
    title: &'a str,
    version: &'a str,
    settings_schema: &'a RawValue,
}

/// Runs the command.
pub(super) async fn run(host: &ConnectorHost, output: Output) -> Result<Exit, Failure> {
    let description = host.describe().await?;
    match output {
        Output::Json => {
            let settings_schema = raw(&description.settings_schema)?;
            print_json(&Description {
                name: &description.name,
                title: &description.title,
                version: &description.version,
                settings_schema,
            })?;
        }
        Output::Text => {
            let schema: serde_json::Value = serde_json::from_str(&description.settings_schema)
                .map_err(|_| invalid("a settings schema"))?;
            let schema =
                serde_json::to_string_pretty(&schema).map_err(|_| invalid("a settings schema"))?;
            print(&format!(
                "{} ({} {})\n\nSettings, as JSON Schema:\n{schema}\n",
                description.title, description.name, description.version
            ))?;
        }
    }
    Ok(Exit::Done)
}
