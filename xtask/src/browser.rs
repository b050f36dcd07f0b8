//! The browser in which the pages of signing in are tested.

use std::process::Command;

use crate::debian;
use crate::run::output;

const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const DEBIAN_PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Tries to have a browser, and says what comes of having none.
pub(crate) fn find() {
    if !is_here() {
        debian::install(&DEBIAN_PACKAGES);
    }
    if !is_here() {
        eprintln!(
            "There is no browser here, so the tests that sign in with one are skipped: install \
             {} to run them.",
            DEBIAN_PACKAGES.join(" and ")
        );
    }
}

fn is_here() -> bool {
    PROGRAMS
        .iter()
        .all(|program| output(Command::new(program).arg("--version")).is_some())
}
