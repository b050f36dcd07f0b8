//! Standard output for results, standard error for everything else.

use std::io::Write;

use crate::exit::{Exit, Failure};

/// Writes a result to standard output. A reader that has closed the pipe, such as `head`, is not a
/// failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Local,
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Writes a value to standard output as JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Internal, error.to_string()))?;
    print(&format!("{text}\n"))
}

/// Writes a line to standard error. A failure to write it changes nothing.
pub(crate) fn log(line: impl std::fmt::Display) {
    // In one write, so that the lines of two programs that share a log stay whole.
    let _unwritten = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A number with its noun, such as `1 request` and `2 requests`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
