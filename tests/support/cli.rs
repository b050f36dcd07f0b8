//! The program `dataverse-host`, run as a user runs it.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use dataverse_emulator::CLIENT_SECRET;
use serde_json::Value;
use tempfile::TempDir;

use crate::{component_path, leaks, program, target};

/// Where a connection may keep secrets, beside its file.
const KEPT: &str = "kept";

/// A directory with a connection file, in which the program is run.
pub struct Cli {
    directory: TempDir,
    secret: Option<String>,
}

impl Drop for Cli {
    /// Whatever was left behind holds no secret.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            leaks::assert_none_below(self.path(), &self.file(KEPT));
        }
    }
}

/// How a run ended, and everything it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    /// A connection with these settings and the emulator's secret.
    pub fn new(settings: &Value) -> Self {
        Self::with_secret(settings, Some(CLIENT_SECRET))
    }

    /// The same with another secret, or with none.
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

    /// A connection that keeps its secrets in a file, with these in it.
    pub fn with_kept_secrets(settings: &Value, secrets: &[(&str, &str)]) -> Self {
        let cli = Self::with_secret(settings, None);
        cli.append(&format!(
            "[secrets]\nfrom = \"file\"\npath = \"{KEPT}/secrets.json\""
        ));
        for (name, value) in secrets {
            leaks::watch(value);
            let mut child = cli.prepared(&["secret", "set", name], Stdio::piped());
            let mut input = child.stdin.take().unwrap();
            input.write_all(value.as_bytes()).unwrap();
            drop(input);
            Ended::of(child).succeeded();
        }
        cli
    }

    /// A secret of that file.
    pub fn kept(&self, name: &str) -> Option<String> {
        let text = std::fs::read(self.file(KEPT).join("secrets.json")).ok()?;
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

    /// The program below a shell that first does something, such as setting a limit.
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
            // Compiled once for all runs, and apart from the user's own.
            .env("XDG_CACHE_HOME", target().join("tmp/end-to-end"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(secret) = &self.secret {
            command.env("CONNECTOR_SECRET_CLIENT_SECRET", secret);
        }
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let mut all = vec!["--connection", "connection.toml"];
        all.extend(arguments);
        Ended::of(self.command(&all).spawn().unwrap())
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.prepared(arguments, Stdio::null())
    }

    /// Starts the program and listens to it.
    pub fn listen(&self, arguments: &[&str]) -> Running {
        let mut child = self.start(arguments);
        let stderr = child.stderr.take().unwrap();
        Running {
            child,
            lines: BufReader::new(stderr).lines(),
            said: String::new(),
        }
    }

    fn prepared(&self, arguments: &[&str], input: Stdio) -> Child {
        let mut all = vec!["--connection", "connection.toml"];
        all.extend(arguments);
        self.command(&all).stdin(input).spawn().unwrap()
    }

    /// Fails if one of these texts stands in any file of the directory.
    #[track_caller]
    pub fn assert_kept_out(&self, secrets: &[&str]) {
        let mut looked_at = 0;
        let mut directories = vec![self.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                looked_at += 1;
                for secret in secrets {
                    let found = bytes
                        .windows(secret.len())
                        .any(|part| part == secret.as_bytes());
                    assert!(!found, "a secret stands in {}", path.display());
                }
            }
        }
        assert!(looked_at > 0, "there was nothing to look at");
    }
}

/// A run that says something on standard error and then waits.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    said: String,
}

impl Running {
    /// What is said after these words, on the first line that begins with them.
    pub fn told(&mut self, words: &str) -> String {
        loop {
            let Some(line) = self.lines.next() else {
                panic!("it never said {words}: {}", self.said);
            };
            let line = line.unwrap();
            self.said.push_str(&line);
            self.said.push('\n');
            if let Some(rest) = line.strip_prefix(words) {
                return rest.to_owned();
            }
        }
    }

    /// The page that it wants opened.
    pub fn page(&mut self) -> String {
        format!("http{}", self.told("http"))
    }

    /// Does what Ctrl-C does.
    pub fn interrupt(&self) {
        let id = i32::try_from(self.child.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }

    /// Waits for its end.
    pub fn ended(mut self) -> Ended {
        for line in self.lines {
            self.said.push_str(&line.unwrap());
            self.said.push('\n');
        }
        let mut ended = Ended::of(self.child);
        leaks::assert_none("standard error", self.said.as_bytes());
        ended.stderr = self.said;
        ended
    }
}

impl Ended {
    /// Waits for the end of a run.
    pub fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        for (place, bytes) in [
            ("standard output", &output.stdout),
            ("standard error", &output.stderr),
        ] {
            leaks::assert_none(place, bytes);
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Fails unless the run was a success.
    #[track_caller]
    pub fn succeeded(&self) {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
    }

    /// Fails unless a check found the connection unusable, and said so with all of these words.
    #[track_caller]
    pub fn found_unavailable(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        let found = &self.stdout;
        assert!(found.starts_with("Connection unavailable\n"), "{found}");
        assert!(found.contains("→"), "there is no remedy: {found}");
        for word in words {
            assert!(found.contains(word), "`{word}` is not in: {found}");
        }
    }

    /// Fails unless a check found the connection good.
    #[track_caller]
    pub fn found_available(&self) {
        self.succeeded();
        let found = &self.stdout;
        assert!(found.starts_with("Connection available\n"), "{found}");
    }

    /// Fails unless the run ended with this code, one sentence that has all of these words, and
    /// nothing secret anywhere.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str], secrets: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        let told: Vec<_> = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        let [sentence] = told.as_slice() else {
            panic!("one error is to be told: {}", self.stderr);
        };
        for word in words {
            assert!(sentence.contains(word), "`{word}` is not in: {sentence}");
        }
        self.keeps(secrets);
    }

    /// Fails if a secret, or anything like a token, was printed.
    #[track_caller]
    pub fn keeps(&self, secrets: &[&str]) {
        for secret in secrets.iter().chain(&["eyJ", "Bearer "]) {
            for text in [&self.stdout, &self.stderr] {
                assert!(!text.contains(secret), "`{secret}` was printed: {text}");
            }
        }
    }
}
