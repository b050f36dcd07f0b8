//! `secret set`: stores a secret of the connection.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use dataverse_host::secrets::{Secret, SecretError, SecretStore, is_secret_name};

use crate::args::SecretOptions;
use crate::connection::ConnectionFile;
use crate::exit::{Exit, Failure};
use crate::output::log;
use crate::secrets::pkcs12_to_pem;

/// The maximum size of a value, or of its file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a value and stores it.
pub(super) async fn set(
    connection: &ConnectionFile,
    options: &SecretOptions,
) -> Result<Exit, Failure> {
    let name = &options.name;
    if !is_secret_name(name) {
        return Err(usage(
            "a secret's name has at most 128 letters, digits, `-`, `_` and `.`, and does not begin \
             with a dot",
        ));
    }
    let stores = connection.stores()?;
    stores.require_writable()?;
    let value = match &options.pkcs12 {
        None => {
            let text = line(name)?;
            if text.is_empty() {
                return Err(usage("the value is empty; pass it on standard input"));
            }
            Secret::new(text.as_str())
        }
        Some(file) => {
            let bytes = read_file(file)?;
            let password = match &options.password_secret {
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
                "no store accepts the secret {name}: all are read-only, or a read-only one has a \
                 secret of this name"
            ),
        ),
        error => Failure::from(error),
    })?;
    log(format_args!("The secret {name} is stored."));
    Ok(Exit::Done)
}

/// Reads a hidden line from a terminal, or else all of standard input without the newline at its
/// end.
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
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(unread)?;
        text
    };
    if text.len() as u64 > MAX_BYTES {
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
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(usage(format!("{} is larger than 1 MiB", path.display())));
    }
    Ok(bytes)
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, message)
}
