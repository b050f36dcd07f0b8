//! The browser in which the sign-in pages are tested.

use std::process::Command;

use crate::debian;
use crate::run::output;

const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];
const DEBIAN_PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Finds or installs a browser; says which tests are skipped without one.
pub(crate) fn find() {
    if !is_installed() {
        debian::install(&DEBIAN_PACKAGES);
    }
    if !is_installed() {
        eprintln!(
            "No browser found: the tests that sign in with one are skipped. Install {} to run \
             them.",
            DEBIAN_PACKAGES.join(" and ")
        );
    }
}

fn is_installed() -> bool {
    PROGRAMS
        .iter()
        .all(|program| output(Command::new(program).arg("--version")).is_some())
}
