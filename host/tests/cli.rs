//! The program's manners before a component comes into play: exit codes, clear words, no secret.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dataverse-host"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("DATAVERSE_COMPONENT")
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    assert!(
        output.stdout.is_empty(),
        "nothing but results on standard output"
    );
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn mistakes_end_with_2_and_say_what_to_mend() {
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
            "cannot be compiled",
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
            "never stand in this file",
        ),
        (
            &["sync", "--connection", "good.toml", "--to", "csv:x"],
            "jsonl:DIRECTORY",
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
            "s, m or h",
        ),
    ];
    for (arguments, words) in cases {
        let output = run(path, arguments);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(words), "{arguments:?}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
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
