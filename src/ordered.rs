//! Ordered sets and maps, filled one item after another.
//!
//! The library's `collect` sorts what it is given first, with a sorting algorithm that is
//! compiled anew for every type: far more code than a few hundred items are worth.

use std::collections::{BTreeMap, BTreeSet};

/// The set of these items.
pub(crate) fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for item in items {
        set.insert(item);
    }
    set
}

/// The map of these pairs; the last one of several with the same key counts.
pub(crate) fn map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}
