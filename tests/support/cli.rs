//! Runs the program `dataverse-host` as a user does.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use dataverse_emulator::CLIENT_SECRET;
use serde_json::Value;
use tempfile::TempDir;

use crate::{component_path, program, secret_scan, target};

/// The directory for secrets, beside the connection file.
const SECRETS: &str = "secrets";

/// A directory with a connection file, in which the program runs.
pub struct Cli {
    directory: TempDir,
    secret: Option<String>,
}

impl Drop for Cli {
    /// Fails if a file outside of the secrets' directory contains a secret.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            secret_scan::assert_no_secret_in_files(self.path(), &self.file(SECRETS));
        }
    }
}

/// The exit code and the output of a run.
#[derive(Debug)]
pub struct RunOutput {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    /// A connection with these settings and the emulator's secret.
    pub fn new(settings: &Value) -> Self {
        Self::with_secret(settings, Some(CLIENT_SECRET))
    }

    /// The same with another secret, or without one.
    pub fn with_secret(settings: &Value, secret: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let settings = toml::to_string(settings).unwrap();
        // Keys of the settings become keys of their section.
        let nested = settings.replace("\n[", "\n[settings.");
        let nested = match nested.strip_prefix('[') {
            Some(rest) => format!("[settings.{rest}"),
            None => nested,
        };
        let file = format!("[settings]\n{nested}");
        std::fs::write(directory.path().join("connection.toml"), file).unwrap();
        Self {
            directory,
            secret: secret.map(str::to_owned),
        }
    }

    /// A connection that stores its secrets in a file, which contains these.
    pub fn with_stored_secrets(settings: &Value, secrets: &[(&str, &str)]) -> Self {
        let cli = Self::with_secret(settings, None);
        cli.append(&format!(
            "[secrets]\nfrom = \"file\"\npath = \"{SECRETS}/secrets.json\""
        ));
        for (name, value) in secrets {
            secret_scan::register(value);
            let mut child = cli.spawn(&["secret", "set", name], Stdio::piped());
            let mut input = child.stdin.take().unwrap();
            input.write_all(value.as_bytes()).unwrap();
            drop(input);
            RunOutput::of(child).assert_success();
        }
        cli
    }

    /// A secret of that file.
    pub fn stored_secret(&self, name: &str) -> Option<String> {
        let text = std::fs::read(self.file(SECRETS).join("secrets.json")).ok()?;
        let secrets: Value = serde_json::from_slice(&text).unwrap();
        secrets[name].as_str().map(str::to_owned)
    }

    /// The directory in which the program runs.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A file in that directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Adds sections to the connection file.
    pub fn append(&self, sections: &str) {
        let path = self.file("connection.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}\n{sections}\n")).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("dataverse-host"));
        self.prepare(&mut command);
        command.args(arguments);
        command
    }

    /// The program in a shell that first runs a command, such as setting a limit.
    pub fn shell(&self, first: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        self.prepare(&mut command);
        command
            .arg("-c")
            .arg(format!("{first} && exec \"$0\" \"$@\""));
        command.arg(program("dataverse-host")).args(arguments);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATAVERSE_COMPONENT", component_path())
            // Shared by all runs, so that the component is compiled once; not the user's own cache.
            .env("XDG_CACHE_HOME", target().join("tmp/end-to-end"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(secret) = &self.secret {
            command.env("CONNECTOR_SECRET_CLIENT_SECRET", secret);
        }
    }

    /// Runs the program and waits for its end.
    pub fn run(&self, arguments: &[&str]) -> RunOutput {
        let mut all = vec!["--connection", "connection.toml"];
        all.extend(arguments);
        RunOutput::of(self.command(&all).spawn().unwrap())
    }

    /// Starts the program without waiting for it.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.spawn(arguments, Stdio::null())
    }

    /// Starts the program, to interact with it by its standard error.
    pub fn start_interactive(&self, arguments: &[&str]) -> InteractiveRun {
        let mut child = self.start(arguments);
        let stderr = child.stderr.take().unwrap();
        InteractiveRun {
            child,
            lines: BufReader::new(stderr).lines(),
            stderr: String::new(),
        }
    }

    fn spawn(&self, arguments: &[&str], input: Stdio) -> Child {
        let mut all = vec!["--connection", "connection.toml"];
        all.extend(arguments);
        self.command(&all).stdin(input).spawn().unwrap()
    }

    /// Fails if a file of the directory contains one of these texts.
    #[track_caller]
    pub fn assert_not_in_files(&self, secrets: &[&str]) {
        let mut searched = 0;
        let mut directories = vec![self.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                searched += 1;
                for secret in secrets {
                    let found = bytes
                        .windows(secret.len())
                        .any(|part| part == secret.as_bytes());
                    assert!(!found, "{} contains a secret", path.display());
                }
            }
        }
        assert!(searched > 0, "there are no files to search");
    }
}

/// A run that prints to standard error and then waits for the user.
pub struct InteractiveRun {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    stderr: String,
}

impl InteractiveRun {
    /// Waits for a line that begins with `prefix`, and returns the rest of it.
    pub fn wait_for_line(&mut self, prefix: &str) -> String {
        loop {
            let Some(line) = self.lines.next() else {
                panic!("no line with {prefix}: {}", self.stderr);
            };
            let line = line.unwrap();
            self.stderr.push_str(&line);
            self.stderr.push('\n');
            if let Some(rest) = line.strip_prefix(prefix) {
                return rest.to_owned();
            }
        }
    }

    /// Waits for the address of the page to open.
    pub fn page(&mut self) -> String {
        format!("http{}", self.wait_for_line("http"))
    }

    /// Sends the signal of Ctrl-C.
    pub fn interrupt(&self) {
        let id = i32::try_from(self.child.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }

    /// Waits for the end.
    pub fn wait(mut self) -> RunOutput {
        for line in self.lines {
            self.stderr.push_str(&line.unwrap());
            self.stderr.push('\n');
        }
        let mut output = RunOutput::of(self.child);
        secret_scan::assert_no_secret("standard error", self.stderr.as_bytes());
        output.stderr = self.stderr;
        output
    }
}

impl RunOutput {
    /// Waits for the end of a run.
    pub fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        for (name, bytes) in [
            ("standard output", &output.stdout),
            ("standard error", &output.stderr),
        ] {
            secret_scan::assert_no_secret(name, bytes);
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Fails unless the exit code is 0.
    #[track_caller]
    pub fn assert_success(&self) {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
    }

    /// Fails unless this is a `check` that found the connection unavailable, with a remedy and all
    /// of these words.
    #[track_caller]
    pub fn assert_unavailable(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        let found = &self.stdout;
        assert!(found.starts_with("Connection unavailable\n"), "{found}");
        assert!(found.contains("→"), "the remedy is missing: {found}");
        for word in words {
            assert!(found.contains(word), "`{word}` is not in: {found}");
        }
    }

    /// Fails unless this is a `check` that found the connection available.
    #[track_caller]
    pub fn assert_available(&self) {
        self.assert_success();
        let found = &self.stdout;
        assert!(found.starts_with("Connection available\n"), "{found}");
    }

    /// Fails unless the run ended with this exit code and one error that contains all of these
    /// words, and printed none of these secrets.
    #[track_caller]
    pub fn assert_error(&self, code: i32, words: &[&str], secrets: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        let errors: Vec<_> = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        let [error] = errors.as_slice() else {
            panic!("expected one error: {}", self.stderr);
        };
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
        self.assert_no_secrets(secrets);
    }

    /// Fails if one of these secrets, or a token, was printed.
    #[track_caller]
    pub fn assert_no_secrets(&self, secrets: &[&str]) {
        for secret in secrets.iter().chain(&["eyJ", "Bearer "]) {
            for text in [&self.stdout, &self.stderr] {
                assert!(!text.contains(secret), "`{secret}` was printed: {text}");
            }
        }
    }
}
