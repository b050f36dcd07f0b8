//! Names of files and tables for streams.

use std::fmt::Write;

/// The longest readable part, in characters.
const LONGEST: usize = 48;

/// Names that some systems reserve for devices, also with an extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The name of the file (without its extension) or table that holds the rows of a stream.
///
/// A name of lower-case letters, digits, `_`, `-` and `:` is kept, with `.` for `:`. Any other name
/// is reduced to its readable characters, and eight hexadecimal digits of its hash make it unique:
/// file systems and databases may ignore the case of letters.
///
/// ```
/// use dataverse_host::sink::stored_name;
///
/// assert_eq!(stored_name("account"), "account");
/// assert_eq!(stored_name("audit-history:account"), "audit-history.account");
/// assert_eq!(stored_name("view:Active Accounts"), "view.active_accounts_820a810c");
/// ```
pub fn stored_name(stream: &str) -> String {
    let name = stream.replace(':', ".");
    if is_plain(&name) {
        return name;
    }
    let mut readable = String::with_capacity(LONGEST);
    for c in name.to_lowercase().chars().take(LONGEST) {
        if c.is_alphanumeric() || matches!(c, '.' | '-') {
            readable.push(c);
        } else if !readable.ends_with('_') {
            readable.push('_');
        }
    }
    let mut name = readable.trim_matches(['.', '_', '-']).to_owned();
    name.push('_');
    for byte in blake3::hash(stream.as_bytes()).as_bytes().iter().take(4) {
        let _infallible = write!(name, "{byte:02x}");
    }
    name
}

fn is_plain(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.');
    let first = name.split('.').next().unwrap_or_default();
    let device = first.trim_end_matches(|c: char| c.is_ascii_digit());
    name.len() <= 2 * LONGEST
        && name.bytes().all(allowed)
        && !name.starts_with('.')
        && !name.contains("..")
        && !first.is_empty()
        && !DEVICES.contains(&device)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_safe_readable_and_differ() {
        for plain in ["account", "new_thing", "audit-history", "list-members"] {
            assert_eq!(stored_name(plain), plain);
        }
        assert_eq!(stored_name("query:won-deals"), "query.won-deals");
        let long = "é".repeat(300);
        let strange = [
            "view:Active Accounts",
            "view:active accounts",
            "view:active_accounts",
            "view:account/Active Accounts",
            "view:account.Active Accounts",
            "Account",
            "../../etc/passwd",
            "..",
            ".",
            "",
            "a\0b",
            "a\nb",
            "con",
            "com1:x",
            "view:有効な取引先企業",
            &long,
            &format!("{long}e"),
            &"a".repeat(300),
        ];
        let mut seen = BTreeSet::new();
        for stream in strange {
            let name = stored_name(stream);
            let safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
            assert!(name.chars().all(safe), "{name}");
            assert!(!name.starts_with('.') && !name.contains(".."), "{name}");
            assert!(name.len() <= 200, "{name}");
            assert!(
                seen.insert(name.to_lowercase()),
                "{name} is the name of two streams"
            );
        }
        assert!(
            seen.iter()
                .any(|name| name.starts_with("view.有効な取引先企業_"))
        );
    }
}
