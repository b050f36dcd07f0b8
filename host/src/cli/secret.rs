//! `secret set`: puts a value into the connection's stores.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use dataverse_host::secrets::{Secret, SecretError, SecretStore, is_secret_name, pkcs12_to_pem};

use super::config::ConnectionFile;
use super::exit::{Exit, Failure};
use super::tell;

/// The longest value, or file of one, in bytes.
const LONGEST: u64 = 1 << 20;

/// Where a value comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// Standard input, unseen on a terminal.
    Input,
    /// A file of a key and certificates.
    Pkcs12 {
        file: &'a Path,
        /// The name of the secret that unlocks it; none to ask for it.
        password: Option<&'a str>,
    },
}

/// Reads a value and keeps it.
pub(super) async fn set(
    connection: &ConnectionFile,
    name: &str,
    source: Source<'_>,
) -> Result<Exit, Failure> {
    if !is_secret_name(name) {
        return Err(usage(
            "a secret's name has letters, digits, `-`, `_` and `.`, at most 128, and does not \
             begin with a dot",
        ));
    }
    let stores = connection.stores()?;
    stores.require_a_writable_one()?;
    let value = match source {
        Source::Input => {
            let text = line(name)?;
            if text.is_empty() {
                return Err(usage("the value is empty; give it on standard input"));
            }
            Secret::new(text.as_str())
        }
        Source::Pkcs12 { file, password } => {
            let bytes = read_file(file)?;
            let password = match password {
                Some(name) => stores.get(name).await.map_err(|error| {
                    Failure::new(
                        Exit::Local,
                        format!("the secret {name} cannot be read: {error}"),
                    )
                })?,
                None => Secret::new(line(&format!("password of {}", file.display()))?.as_str()),
            };
            pkcs12_to_pem(&bytes, password.expose())
                .map_err(|error| usage(format!("{} {error}", file.display())))?
        }
    };
    stores.put(name, value).await.map_err(|error| match error {
        SecretError::Denied => Failure::new(
            Exit::Local,
            format!(
                "no store takes the secret {name}: it cannot be written, or the name is set in \
                 one that is only read"
            ),
        ),
        error => Failure::from(error),
    })?;
    tell(format_args!("The secret {name} is kept."));
    Ok(Exit::Done)
}

/// From a terminal a line that is not shown; from elsewhere everything, without the newline at
/// its end.
fn line(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let unread = |error: std::io::Error| {
        Failure::new(Exit::Local, format!("the value cannot be read: {error}"))
    };
    let mut input = std::io::stdin();
    let mut text = if input.is_terminal() {
        Zeroizing::new(rpassword::prompt_password(format!("{prompt}: ")).map_err(unread)?)
    } else {
        let mut text = Zeroizing::new(String::new());
        input
            .by_ref()
            .take(LONGEST + 1)
            .read_to_string(&mut text)
            .map_err(unread)?;
        text
    };
    if text.len() as u64 > LONGEST {
        return Err(usage("the value is larger than 1 MiB"));
    }
    if text.ends_with('\n') {
        text.pop();
    }
    if text.ends_with('\r') {
        text.pop();
    }
    Ok(text)
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unread = |error| usage(format!("{} cannot be read: {error}", path.display()));
    let mut bytes = Zeroizing::new(Vec::new());
    let file = File::open(path).map_err(unread)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    if bytes.len() as u64 > LONGEST {
        return Err(usage(format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(bytes)
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}
