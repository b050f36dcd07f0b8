//! The command line before a component is loaded: exit codes, error messages, no secrets.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dataverse-host"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("DATAVERSE_COMPONENT")
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    assert!(
        output.stdout.is_empty(),
        "nothing but results on standard output"
    );
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn usage_errors_end_with_2_and_name_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(
        path.join("typo.toml"),
        "[settings]\n[secret]\nfrom = \"environment\"\n",
    )
    .unwrap();
    std::fs::write(
        path.join("value.toml"),
        "[settings]\n[secrets]\nkey = \"hunter2\"\n",
    )
    .unwrap();
    std::fs::write(path.join("good.toml"), "[settings]\n").unwrap();
    std::fs::write(path.join("not.wasm"), "MZ").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (
            &["describe", "--component", "absent.wasm"],
            "cargo xtask build",
        ),
        (
            &["describe", "--component", "not.wasm"],
            "not.wasm: the component cannot be compiled: it is not WebAssembly",
        ),
        (&["check"], "--connection FILE.toml"),
        (
            &["check", "--connection", "absent.toml"],
            "absent.toml cannot be read",
        ),
        (
            &["check", "--connection", "typo.toml"],
            "typo.toml, line 2: unknown field `secret`",
        ),
        (
            &["check", "--connection", "value.toml"],
            "this file never contains",
        ),
        (
            &["login", "--connection", "good.toml"],
            "a new secret cannot be stored",
        ),
        (
            &[
                "login",
                "--connection",
                "good.toml",
                "--callback",
                "http://192.168.0.1",
            ],
            "this program listens on this machine only",
        ),
        (
            &[
                "login",
                "--connection",
                "good.toml",
                "--device",
                "--no-browser",
            ],
            "--no-browser",
        ),
        (&["role", "--name", "x"], "--apply"),
        (
            &[
                "create-column",
                "--connection",
                "good.toml",
                "account",
                "score",
                "--title",
                "Score",
                "--type",
                "integer",
                "--scale",
                "2",
            ],
            "--scale is for --type decimal and money",
        ),
        (
            &[
                "sync",
                "--connection",
                "good.toml",
                "--to",
                "jsonl:x",
                "--max-duration",
                "1y",
            ],
            "use a duration such as 90s, 15m or 2h (at most 1 year)",
        ),
    ];
    for (arguments, words) in cases {
        let output = run(path, arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(words), "{arguments:?}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn selections_are_checked_before_anything_runs() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join("c.toml"), "[settings]\n").unwrap();
    std::fs::write(path.join("typo.toml"), "[[streams]]\nnmae = \"account\"\n").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[], "no stream to read"),
        (
            &["--selection", "typo.toml"],
            "typo.toml, line 2: unknown field `nmae`",
        ),
        (
            &["--selection", "absent.toml"],
            "absent.toml cannot be read",
        ),
        (&["--query", "absent.xml"], "absent.xml cannot be read"),
        (
            &["--stream", "account", "--since", "yesterday"],
            "such as 2026-01-31",
        ),
        (
            &["--stream", "a", "--stream", "b", "--filter", "x eq 1"],
            "--filter is for one stream",
        ),
        (&["--stream", "a", "--stream", "a"], "`a` is named twice"),
        (&["--stream", ""], "--stream"),
        (&["--stream", "a", "--columns", "b,"], "a name is empty"),
    ];
    for (arguments, words) in cases {
        let sync = ["sync", "--connection", "c.toml", "--to", "jsonl:x"];
        let output = run(path, &[&sync, *arguments].concat());
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
    assert!(!path.join("x").exists());
}

const FILE_STORE: &str = "[settings]\n[secrets]\nfrom = \"file\"\npath = \"kept/secrets.json\"\n";

/// Runs `secret set` with this on standard input.
fn set_secret(directory: &Path, connection: &str, name: &str, value: &[u8]) -> Output {
    set_secret_with(directory, connection, &[name], value)
}

fn set_secret_with(directory: &Path, connection: &str, arguments: &[&str], value: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dataverse-host"))
        .args(["--connection", connection, "secret", "set"])
        .args(arguments)
        .current_dir(directory)
        // There is no key ring at this address, on any machine.
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses first does not read it.
    let _unread = child.stdin.take().unwrap().write_all(value);
    child.wait_with_output().unwrap()
}

#[test]
fn a_secret_is_stored_in_the_first_writable_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let chain = FILE_STORE.replace("[secrets]", "[[secrets]]\nprefix = \"T_\"\n[[secrets]]");
    std::fs::write(path.join("c.toml"), chain).unwrap();
    let key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n";
    for (name, value) in [("certificate", key), ("token", "hunter2\r\n")] {
        let output = set_secret(path, "c.toml", name, value.as_bytes());
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let kept = std::fs::read(path.join("kept/secrets.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    let expected = serde_json::json!({"certificate": key.trim_end(), "token": "hunter2"});
    assert_eq!(kept, expected);
}

#[test]
fn the_key_of_a_pkcs12_file_is_stored_as_pem() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join("c.toml"), FILE_STORE).unwrap();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/secrets/testdata");
    let file = testdata.join("modern.p12");
    let pkcs12 = ["--pkcs12", file.to_str().unwrap()];
    let password = "pässwörd\n".as_bytes();

    let with = |name, more: &[&str], input: &[u8]| {
        let arguments = [&[name], &pkcs12[..], more].concat();
        let output = set_secret_with(path, "c.toml", &arguments, input);
        let text = stderr(&output);
        assert!(!text.contains("pässwörd"), "{text}");
        (output.status.code(), text)
    };
    let (code, text) = with("certificate", &[], b"wrong");
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("modern.p12 is encrypted with another password"),
        "{text}"
    );
    let (code, text) = with("certificate", &["--password-secret", "pfx"], b"");
    assert_eq!(code, Some(8), "{text}");
    assert!(text.contains("the secret pfx cannot be read"), "{text}");

    let (code, text) = with("certificate", &[], password);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(
        set_secret(path, "c.toml", "pfx", password).status.code(),
        Some(0)
    );
    let (code, text) = with("again", &["--password-secret", "pfx"], b"");
    assert_eq!(code, Some(0), "{text}");

    let kept = std::fs::read(path.join("kept/secrets.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    let read = |name| std::fs::read_to_string(testdata.join(name)).unwrap();
    let expected = read("key.pem") + &read("chain.pem");
    assert_eq!(kept["certificate"], expected);
    assert_eq!(kept["again"], expected);
}

#[test]
fn a_secret_that_cannot_be_stored_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join("environment.toml"), "[settings]\n").unwrap();
    std::fs::write(path.join("file.toml"), FILE_STORE).unwrap();
    std::fs::write(
        path.join("keyring.toml"),
        "[settings]\n[secrets]\nfrom = \"keyring\"\n",
    )
    .unwrap();
    let mut cases = vec![
        ("environment.toml", "x", "hunter2", 2, "cannot be stored"),
        ("file.toml", "../x", "hunter2", 2, "a secret's name"),
        ("file.toml", "x", "\n", 2, "the value is empty"),
    ];
    if cfg!(target_os = "linux") {
        cases.push((
            "keyring.toml",
            "x",
            "hunter2",
            8,
            "no key ring can be reached",
        ));
    }
    for (connection, name, value, code, words) in cases {
        let output = set_secret(path, connection, name, value.as_bytes());
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{connection}: {text}");
        assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
    }
    assert!(!path.join("kept").exists());
}

/// A standard error that cannot be written, as on a full disk, does not change the exit code.
#[cfg(target_os = "linux")]
#[test]
fn a_failing_standard_error_changes_nothing() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let status = Command::new(env!("CARGO_BIN_EXE_dataverse-host"))
        .args(["check", "--connection", "absent.toml"])
        .stderr(full.unwrap())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}

/// `connection.toml` of the working directory needs no option.
#[test]
fn the_connection_of_the_working_directory_is_the_default() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::write(path.join("connection.toml"), "[setings]\n").unwrap();
    let output = run(path, &["check"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("connection.toml, line 1: unknown field `setings`"),
        "{text}"
    );
}

#[test]
fn the_help_of_role_lists_the_profiles() {
    let output = run(Path::new("."), &["role", "--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for profile in ["revenue-intelligence", "access-sync"] {
        assert!(help.contains(profile), "{help}");
    }
}

#[test]
fn the_help_lists_the_exit_codes() {
    let output = run(Path::new("."), &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for line in ["2  usage or settings", "9  partial", "130  interrupted"] {
        assert!(help.contains(line), "{help}");
    }
}
