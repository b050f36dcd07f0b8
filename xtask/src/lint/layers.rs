//! The declared order of rooms: each imports only from the rooms below it.

use std::collections::BTreeSet;

use super::arrows::Graph;
use super::modules::Names;

/// The order of the modules of one module, from the ground up. The rooms of one line do not know
/// one another.
pub(crate) struct Order {
    /// The module whose children are put in order; the crate itself if empty.
    pub(crate) parent: &'static [&'static str],
    pub(crate) lines: &'static [&'static [&'static str]],
    /// Whether every child must have its place in the order.
    pub(crate) is_complete: bool,
}

/// The rooms of the component.
pub(crate) const COMPONENT: Order = Order {
    parent: &[],
    lines: &[
        &["error"],
        &["ordered"],
        &["calendar", "json", "text"],
        &["host"],
        &["uuid"],
        &["settings"],
        &["call"],
        &["auth"],
        &["dataverse"],
        &["catalog"],
        &["source", "destination", "access"],
        &["connection"],
        &["exports"],
    ],
    is_complete: true,
};

/// The rooms in which streams are read.
pub(crate) const SOURCE: Order = Order {
    parent: &["source"],
    lines: &[
        &["position"],
        &["checkpoint"],
        &["kind"],
        &["read"],
        &["stream"],
        &["sync"],
    ],
    is_complete: false,
};

/// What a check of an order found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// What must be corrected.
    pub(crate) violations: Vec<String>,
    /// Declared rooms that do not exist. Their rules take effect once they do.
    pub(crate) missing: Vec<String>,
}

/// Compares the imports of a crate with an order.
pub(crate) fn check(order: &Order, graph: &Graph) -> Found {
    let present: BTreeSet<&str> = graph
        .modules
        .iter()
        .filter_map(|module| room(order, module))
        .collect();
    let place = |name: &str| order.lines.iter().position(|line| line.contains(&name));
    let full = |name: &str| [order.parent, &[name]].concat().join("::");

    let mut found = Found::default();
    for name in order.lines.concat() {
        if !present.contains(name) {
            found.missing.push(full(name));
        }
    }
    if order.is_complete {
        for name in present.iter().filter(|name| place(name).is_none()) {
            found.violations.push(format!(
                "room {} has no place in the declared order; add it to xtask/src/lint/layers.rs",
                full(name)
            ));
        }
    }
    // One import of a file from a room is enough to show.
    let mut reported = BTreeSet::new();
    for arrow in &graph.arrows {
        let (Some(from), Some(to)) = (room(order, &arrow.from), room(order, &arrow.to)) else {
            continue;
        };
        if let (Some(lower), Some(upper)) = (place(from), place(to))
            && from != to
            && lower <= upper
            && reported.insert((&arrow.file, to))
        {
            found.violations.push(format!(
                "{}:{}: {} must not import from {}: {}",
                arrow.file.display(),
                arrow.line,
                full(from),
                full(to),
                arrow.written
            ));
        }
    }
    found
}

/// The ordered room that a module is or is below.
fn room<'a>(order: &Order, module: &'a Names) -> Option<&'a str> {
    let (above, below) = module.split_at_checked(order.parent.len())?;
    let is_below = above
        .iter()
        .zip(order.parent)
        .all(|(name, parent)| name == parent);
    below.first().filter(|_| is_below).map(String::as_str)
}
