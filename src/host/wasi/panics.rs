//! The message of a panic, which ends the instance.

use std::panic;

use super::bindings::wasi::cli::stderr;

/// Makes a panic write its place and message to standard error. Without this the component's
/// target prints nothing, and the host would see a bare trap.
pub fn write_panics_to_stderr() {
    panic::set_hook(Box::new(|defect| {
        let text = format!("{defect}\n");
        // A failure here cannot be reported.
        let _ = stderr::get_stderr().blocking_write_and_flush(text.as_bytes());
    }));
}
