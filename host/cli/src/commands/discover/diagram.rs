//! An entity-relationship diagram in Mermaid: keys, names and references.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use dataverse_host::contract::{Cardinality, Column, StreamDescription};

use super::names;

/// A diagram that is drawn stream by stream.
pub(super) struct Diagram<'a> {
    /// The streams in the diagram; references to others are not shown.
    shown: BTreeSet<&'a str>,
    /// Lines between the streams. Each relationship is found at both of its ends, and some also at
    /// a column. The value is whether the reference is never null.
    edges: BTreeMap<Edge, bool>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    /// Rows of `from` refer to one row of `to`, or to none.
    Reference {
        from: String,
        to: String,
        column: String,
    },
    /// Rows of both are paired.
    Pairs {
        one: String,
        other: String,
        name: String,
    },
}

impl<'a> Diagram<'a> {
    pub(super) fn of(names: &'a [String]) -> Self {
        Self {
            shown: names.iter().map(String::as_str).collect(),
            edges: BTreeMap::new(),
        }
    }

    pub(super) fn head() -> &'static str {
        "erDiagram\n"
    }

    /// The box of a stream. Its references are collected for the end.
    pub(super) fn stream(&mut self, stream: &StreamDescription) -> String {
        self.collect_edges(stream);
        let mut text = format!("    {} {{\n", identifier(&stream.summary.name));
        for column in &stream.columns {
            let is_key = stream.primary_key.contains(&column.name);
            let is_reference = self.targets(column).next().is_some();
            let mark = match (is_key, is_reference) {
                (true, true) => " PK, FK",
                (true, false) => " PK",
                (false, true) => " FK",
                (false, false) if stream.name_column.as_ref() == Some(&column.name) => "",
                (false, false) => continue,
            };
            let kind = identifier(names::data_type(column.data_type));
            let _infallible = writeln!(text, "        {kind} {}{mark}", identifier(&column.name));
        }
        text.push_str("    }\n");
        text
    }

    /// The lines between the streams.
    pub(super) fn tail(self) -> String {
        let mut text = String::new();
        for (edge, always) in self.edges {
            let _infallible = match edge {
                Edge::Reference { from, to, column } => {
                    let end = if always { "||" } else { "o|" };
                    let (from, to) = (identifier(&from), identifier(&to));
                    writeln!(text, "    {from} }}o--{end} {to} : {}", identifier(&column))
                }
                Edge::Pairs { one, other, name } => {
                    writeln!(
                        text,
                        "    {} }}o--o{{ {} : {}",
                        identifier(&one),
                        identifier(&other),
                        identifier(&name)
                    )
                }
            };
        }
        text
    }

    fn collect_edges(&mut self, stream: &StreamDescription) {
        let this = &stream.summary.name;
        for column in &stream.columns {
            let targets: Vec<String> = self.targets(column).cloned().collect();
            for target in targets {
                let edge = Edge::Reference {
                    from: this.clone(),
                    to: target,
                    column: column.name.clone(),
                };
                *self.edges.entry(edge).or_default() |= !column.nullable;
            }
        }
        for relationship in &stream.relationships {
            let other = &relationship.stream;
            if !self.shown.contains(other.as_str()) {
                continue;
            }
            let reference = |from: &String, to: &String, column: &String| Edge::Reference {
                from: from.clone(),
                to: to.clone(),
                column: column.clone(),
            };
            let (first, second) = (this.min(other), this.max(other));
            let edge = match relationship.cardinality {
                Cardinality::ManyToOne => reference(this, other, &relationship.column),
                Cardinality::OneToMany => reference(other, this, &relationship.other_column),
                Cardinality::ManyToMany => Edge::Pairs {
                    one: first.clone(),
                    other: second.clone(),
                    name: relationship.name.clone(),
                },
            };
            self.edges.entry(edge).or_default();
        }
    }

    /// The shown streams that a column refers to.
    fn targets<'c>(&self, column: &'c Column) -> impl Iterator<Item = &'c String> {
        column
            .targets
            .iter()
            .filter(|target| self.shown.contains(target.as_str()))
    }
}

/// A name that Mermaid reads as one identifier.
fn identifier(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect()
}
