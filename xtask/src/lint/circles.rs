//! No circle among the files and folders of one folder. A parent and its child may know each
//! other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::arrows::{Arrow, Graph};
use super::modules::Names;

/// Describes one circle for each group of siblings that import from one another.
pub(crate) fn find(graph: &Graph) -> Vec<String> {
    let parents: BTreeSet<&[String]> = graph
        .modules
        .iter()
        .filter_map(|module| module.split_last())
        .map(|(_, parent)| parent)
        .collect();
    parents
        .into_iter()
        .flat_map(|parent| circles_below(parent, &graph.arrows))
        .collect()
}

/// For each sibling, the siblings that it imports from, each with one import to show.
type Siblings<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Arrow>>;

fn circles_below(parent: &[String], arrows: &[Arrow]) -> Vec<String> {
    let mut siblings = Siblings::new();
    for arrow in arrows {
        if let (Some(from), Some(to)) = (child(parent, &arrow.from), child(parent, &arrow.to))
            && from != to
        {
            siblings.entry(from).or_default().entry(to).or_insert(arrow);
        }
    }
    let mut reported = BTreeSet::new();
    let mut circles = Vec::new();
    for start in siblings.keys() {
        if reported.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(start, &siblings) {
            reported.extend(circle.iter().copied());
            circles.push(describe(parent, &circle, &siblings));
        }
    }
    circles
}

/// The child of `parent` that a module is or is below.
fn child<'a>(parent: &[String], module: &'a Names) -> Option<&'a str> {
    let below = module.strip_prefix(parent)?;
    below.first().map(String::as_str)
}

/// The shortest way from a sibling back to itself, the start first.
fn shortest_circle<'a>(start: &'a str, siblings: &Siblings<'a>) -> Option<Vec<&'a str>> {
    let mut reached_from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(place) = queue.pop_front() {
        for next in siblings.get(place).into_iter().flat_map(BTreeMap::keys) {
            if *next == start {
                let back =
                    std::iter::successors(Some(place), |place| reached_from.get(place).copied());
                let mut circle: Vec<&str> = back.collect();
                circle.reverse();
                return Some(circle);
            }
            if !reached_from.contains_key(next) {
                reached_from.insert(*next, place);
                queue.push_back(next);
            }
        }
    }
    None
}

fn describe(parent: &[String], circle: &[&str], siblings: &Siblings) -> String {
    let place = [&["crate".to_owned()], parent].concat().join("::");
    let around: Vec<&str> = circle.iter().chain(circle.first()).copied().collect();
    let mut lines = vec![format!("circle in {place}: {}", around.join(" → "))];
    for (from, to) in around.iter().zip(around.iter().skip(1)) {
        if let Some(arrow) = siblings.get(from).and_then(|targets| targets.get(to)) {
            lines.push(format!(
                "    {}:{} names {}",
                arrow.file.display(),
                arrow.line,
                arrow.written
            ));
        }
    }
    lines.join("\n")
}
