//! The contract in `wit/` names no particular service.

/// What would tie the contract to one service, in lower case.
const NAMES: [&str; 8] = [
    "dataverse",
    "dynamics",
    "entra id",
    "fetchxml",
    "microsoft",
    "odata",
    "power apps",
    "power platform",
];

/// Finds the lines of a file of the contract that name a service.
pub(crate) fn check(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        for name in NAMES.iter().filter(|name| names(&lower, name)) {
            found.push(format!(
                "{file}:{}: the contract names {name}: {}",
                number + 1,
                line.trim()
            ));
        }
    }
    found
}

/// Whether a word of the line begins with the name.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        before.is_none_or(|sign| !sign.is_alphanumeric())
    })
}
