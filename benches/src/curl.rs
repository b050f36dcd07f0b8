//! The baseline: `curl` fetches the same pages and discards them.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use dataverse_emulator::{CLIENT_ID, CLIENT_SECRET, Emulator, TENANT_ID};
use serde_json::Value;

/// Requests that `curl` sends one after another over one connection.
pub(crate) struct Pages {
    requests: PathBuf,
    pub(crate) count: usize,
}

impl Pages {
    /// Follows the pages of a query once, to know all their addresses.
    pub(crate) fn of(
        emulator: &Emulator,
        query: &str,
        folder: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let token = token(emulator)?;
        let mut requests = String::new();
        let mut count = 0;
        let mut next = Some(format!("{}/api/data/v9.2/{query}", emulator.base_url()));
        while let Some(address) = next {
            let headers = [
                format!("Authorization: Bearer {token}"),
                "Accept: application/json".into(),
                "Prefer: odata.track-changes,odata.maxpagesize=5000".into(),
            ];
            let mut command = Command::new("curl");
            command.args(["--silent", "--fail", "--globoff", &address]);
            for header in &headers {
                command.args(["--header", header]);
            }
            if count > 0 {
                requests.push_str("next\n");
            }
            writeln!(requests, "url = \"{address}\"\ngloboff\noutput = /dev/null")?;
            for header in &headers {
                writeln!(requests, "header = \"{header}\"")?;
            }
            count += 1;
            let page: Value = serde_json::from_slice(&output(&mut command)?)?;
            next = page
                .get("@odata.nextLink")
                .and_then(Value::as_str)
                .map(str::to_owned);
        }
        let path = folder.join("requests");
        fs::write(&path, requests)?;
        Ok(Self {
            requests: path,
            count,
        })
    }

    /// Fetches them all.
    pub(crate) fn fetch(&self) -> Result<Duration, Box<dyn Error>> {
        let start = Instant::now();
        output(
            Command::new("curl")
                .args(["--silent", "--fail-early", "--config"])
                .arg(&self.requests),
        )?;
        Ok(start.elapsed())
    }
}

fn token(emulator: &Emulator) -> Result<String, Box<dyn Error>> {
    let form = format!(
        "grant_type=client_credentials&client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&scope={}/.default",
        emulator.base_url()
    );
    let address = format!("{}/{TENANT_ID}/oauth2/v2.0/token", emulator.authority_url());
    let response =
        output(Command::new("curl").args(["--silent", "--fail", "--data", &form, &address]))?;
    let response: Value = serde_json::from_slice(&response)?;
    Ok(response
        .get("access_token")
        .and_then(Value::as_str)
        .ok_or("no token")?
        .to_owned())
}

fn output(command: &mut Command) -> Result<Vec<u8>, Box<dyn Error>> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run curl: {error}; install it"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("curl failed: {}", output.status).into())
    }
}
