//! `secret set`: puts a value into the connection's stores.

use std::io::{IsTerminal, Read};

use zeroize::Zeroizing;

use dataverse_host::secrets::{Secret, SecretError, SecretStore, is_secret_name};

use super::config::ConnectionFile;
use super::exit::{Exit, Failure};

/// The longest value, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads a value and keeps it.
pub(super) async fn set(connection: &ConnectionFile, name: &str) -> Result<Exit, Failure> {
    if !is_secret_name(name) {
        return Err(Failure::new(
            Exit::Usage,
            "a secret's name has letters, digits, `-`, `_` and `.`, at most 128, and does not \
             begin with a dot",
        ));
    }
    let stores = connection.stores()?;
    stores.require_a_writable_one()?;
    let value = read(name)?;
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
    eprintln!("The secret {name} is kept.");
    Ok(Exit::Done)
}

/// From a terminal a line that is not shown; from elsewhere everything, without the newline at
/// its end.
fn read(name: &str) -> Result<Secret, Failure> {
    let unread = |error: std::io::Error| {
        Failure::new(Exit::Local, format!("the value cannot be read: {error}"))
    };
    let mut input = std::io::stdin();
    let text = if input.is_terminal() {
        Zeroizing::new(rpassword::prompt_password(format!("{name}: ")).map_err(unread)?)
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
        return Err(Failure::new(Exit::Usage, "the value is larger than 1 MiB"));
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "the value is empty; give it on standard input",
        ));
    }
    Ok(Secret::new(value))
}
