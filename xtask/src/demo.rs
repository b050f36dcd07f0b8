//! `cargo xtask demo`: shows the connector at work, with the programs that a user runs.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use clap::Args;

use crate::component;
use crate::run::{
    EMULATOR, Failure, HOST, build_programs, program, run as run_command, target_directory,
};

/// What to show.
#[derive(Args)]
pub(crate) struct Options {
    /// How many rows are created, changed and deleted between the two syncs.
    #[arg(long, default_value_t = 60)]
    changes: u32,
}

/// The tables that are synced: the customers of a CRM, their deals, and the activities.
const STREAMS: [&str; 8] = [
    "account",
    "appointment",
    "contact",
    "email",
    "lead",
    "opportunity",
    "phonecall",
    "task",
];

/// Builds the component and the two programs, then shows a check, discovery, a full sync, changes
/// in the service, and an incremental sync.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    component::build()?;
    build_programs()?;
    let begun = Instant::now();

    let folder = target_directory().join("demo");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(Failure::while_doing(
        "cannot create the folder of the demonstration",
    ))?;

    heading("Starting a local Dataverse with sample data");
    let emulator = Emulator::start()?;
    let demo = Demo {
        connection: emulator.write_connection(&folder)?,
        secret: emulator.secret.clone(),
    };

    heading("Describing the connector");
    demo.host(&["describe", "--format", "text"], Lines::First(1))?;
    heading("Checking the connection");
    demo.host(&["check"], Lines::All)?;
    heading("Discovering the streams");
    demo.host(&["discover"], Lines::First(12))?;

    let target = format!("sqlite:{}", folder.join("crm.db").display());
    let mut sync = vec!["sync", "--to", &target];
    sync.extend(STREAMS.iter().flat_map(|stream| ["--stream", stream]));
    heading("Full sync into a local database");
    demo.host(&sync, Lines::All)?;

    heading("Simulating a day of changes in the service");
    println!(
        "{}",
        emulator.control(
            "POST",
            "day",
            &format!(r#"{{"seed":1,"changes":{}}}"#, options.changes)
        )?
    );
    heading("Incremental sync: only what has changed");
    demo.host(&sync, Lines::All)?;

    println!("\nThe rows are in {}.", folder.join("crm.db").display());
    println!(
        "The demonstration took {:.1} s.",
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn heading(text: &str) {
    println!("\n== {text}");
}

/// How much of a command's output is shown.
#[derive(Clone, Copy)]
enum Lines {
    All,
    First(usize),
}

/// The host's command-line tool, as a user runs it.
struct Demo {
    connection: PathBuf,
    secret: String,
}

impl Demo {
    fn host(&self, arguments: &[&str], lines: Lines) -> Result<(), Failure> {
        println!(
            "$ dataverse-host --connection connection.toml {}",
            arguments.join(" ")
        );
        let mut command = Command::new(program(HOST));
        command
            .arg("--component")
            .arg(component::connector())
            .arg("--connection")
            .arg(&self.connection)
            .args(arguments)
            .env("CRM_CLIENT_SECRET", &self.secret);
        let Lines::First(count) = lines else {
            return run_command(&mut command);
        };
        let output = command.stderr(Stdio::inherit()).output();
        let output = output.map_err(Failure::while_doing("cannot run dataverse-host"))?;
        if !output.status.success() {
            return Err(Failure(format!(
                "dataverse-host failed ({})",
                output.status
            )));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().take(count).for_each(|line| println!("{line}"));
        match text.lines().count().saturating_sub(count) {
            0 => {}
            more => println!("… and {more} more lines"),
        }
        Ok(())
    }
}

/// The emulator as a process, which is ended with the demonstration.
struct Emulator {
    process: Child,
    environment: String,
    client: String,
    secret: String,
}

impl Emulator {
    fn start() -> Result<Self, Failure> {
        let mut process = Command::new(program(EMULATOR))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Failure::while_doing("cannot start dataverse-emulator"))?;
        let output = process
            .stdout
            .take()
            .ok_or_else(|| Failure("the emulator has no output".into()))?;
        let mut emulator = Self {
            process,
            environment: String::new(),
            client: String::new(),
            secret: String::new(),
        };
        for line in BufReader::new(output).lines() {
            let line = line.map_err(Failure::while_doing(
                "cannot read the output of the emulator",
            ))?;
            println!("{line}");
            let value = |label| {
                line.strip_prefix(label)
                    .and_then(|rest: &str| rest.split_whitespace().next())
            };
            if let Some(value) = value("environment") {
                emulator.environment = value.into();
            } else if let Some(value) = value("client id") {
                emulator.client = value.into();
            } else if let Some(value) = value("client secret") {
                emulator.secret = value.into();
            } else if line.starts_with("control") {
                return Ok(emulator);
            }
        }
        Err(Failure(
            "the emulator ended before it was ready; its own messages say why".into(),
        ))
    }

    fn write_connection(&self, folder: &Path) -> Result<PathBuf, Failure> {
        let path = folder.join("connection.toml");
        let text = format!(
            r#"[settings]
environment = "{}"
auth = {{ type = "client-secret", clientId = "{}", secret = "client-secret" }}

[secrets]
from = "environment"
prefix = "CRM_"  # client-secret is read from CRM_CLIENT_SECRET
"#,
            self.environment, self.client
        );
        fs::write(&path, &text).map_err(Failure::while_doing("cannot write connection.toml"))?;
        println!("\nconnection.toml:\n{text}");
        Ok(path)
    }

    /// Sends a request to the emulator's control interface, which the real service does not have.
    /// Plain HTTP over loopback: one request needs no client library.
    fn control(&self, method: &str, command: &str, body: &str) -> Result<String, Failure> {
        let authority = self.environment.trim_start_matches("http://");
        let exchange = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(authority)?;
            write!(
                stream,
                "{method} /__emulator/{command} HTTP/1.1\r\nHost: {authority}\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )?;
            let mut response = String::new();
            stream.read_to_string(&mut response)?;
            Ok(response)
        };
        let response = exchange().map_err(Failure::while_doing("no response from the emulator"))?;
        match response.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.into()),
            _ => Err(Failure(format!(
                "the emulator rejected `{command}`: {response}"
            ))),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
