//! Installs Debian packages.

use std::path::Path;
use std::process::Command;

use crate::run::{Failure, output, run};

/// Tries to install packages, if this runs as root on Debian. The caller checks whether it
/// worked.
pub(crate) fn install(packages: &[&str]) {
    let may_install = Path::new("/usr/bin/apt-get").exists()
        && output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !may_install {
        return;
    }
    eprintln!("Installing {} …", packages.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-qq", "-y"])
            .args(arguments);
        run(&mut command)
    };
    let installed = apt(&["update"])
        .and_then(|()| apt(&[&["install", "--no-install-recommends"], packages].concat()));
    if let Err(Failure(message)) = installed {
        eprintln!("{message}");
    }
}
