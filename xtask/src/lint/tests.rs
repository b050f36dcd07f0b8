//! Each rule on a small made-up project, first broken and then kept.

use std::path::Path;

use super::arrows::Graph;
use super::layers::{Found, Order};
use super::twins::{self, Tokens, Twin};
use super::{circles, contract, layers};

/// A crate whose files are these, `src/lib.rs` first.
fn graph(files: &[(&str, &str)]) -> Graph {
    let reader = |path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| (*text).to_owned())
    };
    Graph::read(Path::new("src/lib.rs"), &reader).unwrap()
}

/// The arrows as `from -> to`, in order and without repetitions.
fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let mut arrows: Vec<String> = graph(files)
        .arrows
        .iter()
        .map(|arrow| format!("{} -> {}", arrow.from.join("::"), arrow.to.join("::")))
        .collect();
    arrows.sort();
    arrows.dedup();
    arrows
}

const TWO_LAYERS: Order = Order {
    parent: &[],
    lines: &[&["ground"], &["left", "right"]],
    is_complete: true,
};

fn layers_of(files: &[(&str, &str)]) -> Found {
    layers::check(&TWO_LAYERS, &graph(files))
}

#[test]
fn every_way_to_write_an_import_is_found() {
    let lib = ("src/lib.rs", "mod a; mod b;");
    let b = ("src/b.rs", "pub struct B; pub mod c { pub fn f() {} }");
    for code in [
        "use crate::b::B;",
        "use super::b::{self, B as Other};",
        "use crate::{b::B};",
        "fn f(_: crate::b::B) {}",
        "fn f() { let _ = super::b::B; }",
        "fn f() { assert_eq!(1, vec![crate::b::one()].len()); }",
        "mod inner { fn f(_: super::super::b::B) {} }",
        "impl From<crate::b::B> for u8 { fn from(_: crate::b::B) -> u8 { 0 } }",
    ] {
        let found = arrows(&[lib, ("src/a.rs", code), b]);
        assert!(
            found
                .iter()
                .any(|arrow| arrow == "a -> b" || arrow == "a::inner -> b"),
            "{code}: {found:?}"
        );
    }
}

#[test]
fn imports_of_tests_do_not_count() {
    let lib = ("src/lib.rs", "mod a; mod b; #[cfg(test)] mod absent;");
    let b = ("src/b.rs", "pub struct B;");
    for code in [
        "#[cfg(test)] mod tests;",
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] use crate::b::B;",
        "#[test] fn works() { crate::b::run(); }",
        "struct A; impl A { #[cfg(test)] fn a() -> crate::b::B { crate::b::B } }",
        "// crate::b::B\n/// See `crate::b::B`.\nconst TEXT: &str = \"crate::b::B\";",
        "use b::B;",
        "use std::fmt;",
    ] {
        let found = arrows(&[lib, ("src/a.rs", code), b]);
        assert!(found.is_empty(), "{code}: {found:?}");
    }
}

#[test]
fn a_reexport_leads_to_the_module_that_defines_the_name() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::b::Name;"),
        (
            "src/b/mod.rs",
            "mod inner; pub use crate::c::*; pub use inner::Other;",
        ),
        ("src/b/inner.rs", "pub struct Other;"),
        ("src/c/mod.rs", "mod deep; pub use deep::Name;"),
        ("src/c/deep.rs", "pub struct Name;"),
    ];
    let found = arrows(&files);
    assert!(found.contains(&"a -> b".to_owned()), "{found:?}");
    assert!(found.contains(&"a -> c::deep".to_owned()), "{found:?}");
    assert!(!found.contains(&"a -> b::inner".to_owned()), "{found:?}");
}

#[test]
fn a_child_that_uses_what_its_parent_imports_depends_on_where_that_is_from() {
    let files = [
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a/mod.rs", "mod child; use crate::b::B;"),
        ("src/a/child.rs", "use super::B;"),
        ("src/b.rs", "pub struct B;"),
    ];
    assert!(arrows(&files).contains(&"a::child -> b".to_owned()));
}

#[test]
fn a_room_must_not_import_from_a_room_above_it() {
    let files = |ground| {
        [
            ("src/lib.rs", "mod ground; mod left; mod right;"),
            ("src/ground.rs", ground),
            ("src/left.rs", "use crate::ground::Ground;"),
            ("src/right.rs", ""),
        ]
    };
    assert_eq!(
        layers_of(&files("\nuse crate::left::Left;")).violations,
        ["src/ground.rs:2: ground must not import from left: crate::left::Left"]
    );
    assert_eq!(layers_of(&files("pub struct Ground;")), Found::default());
}

#[test]
fn rooms_of_one_line_must_not_import_from_each_other() {
    let found = layers_of(&[
        ("src/lib.rs", "mod ground; mod left; mod right;"),
        ("src/ground.rs", ""),
        ("src/left.rs", "fn f() { crate::right::g(); }"),
        ("src/right.rs", ""),
    ]);
    assert_eq!(
        found.violations,
        ["src/left.rs:1: left must not import from right: crate::right::g"]
    );
}

#[test]
fn missing_rooms_are_named_and_new_rooms_need_a_place() {
    let found = layers_of(&[
        ("src/lib.rs", "mod ground; mod left; mod attic;"),
        ("src/ground.rs", ""),
        ("src/left.rs", ""),
        ("src/attic.rs", ""),
    ]);
    assert_eq!(found.missing, ["right"]);
    assert_eq!(found.violations.len(), 1);
    assert!(found.violations.concat().contains("attic has no place"));
}

#[test]
fn an_order_of_inner_rooms_takes_effect_when_they_exist() {
    let order = Order {
        parent: &["house"],
        lines: &[&["cellar"], &["roof"]],
        is_complete: false,
    };
    let files = [
        ("src/lib.rs", "mod house;"),
        ("src/house/mod.rs", "mod cellar; mod roof; mod garden;"),
        ("src/house/cellar/mod.rs", "mod deep;"),
        ("src/house/cellar/deep.rs", "use crate::house::roof::Tile;"),
        ("src/house/roof.rs", "pub struct Tile;"),
        ("src/house/garden.rs", "use super::roof::Tile;"),
    ];
    let found = layers::check(&order, &graph(&files));
    assert_eq!(found.missing, [""; 0]);
    assert_eq!(
        found.violations,
        [
            "src/house/cellar/deep.rs:1: house::cellar must not import from house::roof: \
             crate::house::roof::Tile"
        ]
    );
    let empty = layers::check(&order, &graph(&[("src/lib.rs", "")]));
    assert_eq!(empty.missing, ["house::cellar", "house::roof"]);
    assert!(empty.violations.is_empty());
}

#[test]
fn siblings_must_not_form_a_circle() {
    let files = |c| {
        [
            ("src/lib.rs", "mod folder;"),
            ("src/folder/mod.rs", "mod a; mod b; mod c; use a::A;"),
            ("src/folder/a.rs", "use super::b::B;"),
            ("src/folder/b/mod.rs", "mod inner;"),
            ("src/folder/b/inner.rs", "\nuse crate::folder::c::C;"),
            ("src/folder/c.rs", c),
        ]
    };
    assert_eq!(
        circles::find(&graph(&files("fn f() { super::a::g(); }"))),
        [
            "circle in crate::folder: a → b → c → a\n    src/folder/a.rs:1 names super::b::B\n    \
             src/folder/b/inner.rs:2 names crate::folder::c::C\n    src/folder/c.rs:1 names \
             super::a::g"
        ]
    );
    assert_eq!(circles::find(&graph(&files("pub struct C;"))), [""; 0]);
}

#[test]
fn a_parent_and_its_child_may_know_each_other() {
    let files = [
        ("src/lib.rs", "mod a;"),
        ("src/a/mod.rs", "mod b; use b::B; pub struct A;"),
        ("src/a/b.rs", "use super::A; pub struct B;"),
    ];
    assert_eq!(circles::find(&graph(&files)), [""; 0]);
}

#[test]
fn every_group_of_circles_is_reported_once() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::B;"),
        ("src/b.rs", "use crate::a::A;"),
        ("src/c.rs", "use crate::d::D;"),
        ("src/d.rs", "use crate::c::C;"),
    ];
    assert_eq!(circles::find(&graph(&files)).len(), 2);
}

fn twins(ours: &str, theirs: &str) -> Vec<Twin> {
    let tokens = |file: &str, text| Tokens::parse(Path::new(file), text).unwrap();
    twins::find(
        &[tokens("ours.rs", ours)],
        &[tokens("theirs.rs", theirs)],
        10,
    )
}

const LEAP: &str = "fn leap(y: i32) -> bool { y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) }";

#[test]
fn equal_code_on_both_sides_is_found_whatever_surrounds_it() {
    let theirs = format!(
        "use std::fmt;\n\n/// Whether a year is one.\n#[must_use]\n{}",
        LEAP.replace("&& ", "// every fourth\n && ")
    );
    let found = twins(LEAP, &theirs);
    assert_eq!(found.len(), 1, "{found:?}");
    let [twin] = found.as_slice() else { return };
    assert!(twin.tokens > 30, "{twin}");
    assert_eq!(
        twin.places,
        [("ours.rs".into(), 1), ("theirs.rs".into(), 5)]
    );
}

#[test]
fn short_or_different_code_is_no_twin() {
    assert_eq!(twins(LEAP, "fn leap() -> bool { y % 4 > 1 }"), []);
    assert_eq!(
        twins(LEAP, "fn other() { call(1, 2, 3, 4, 5, 6, 7, 8); }"),
        []
    );
}

#[test]
fn equal_tests_are_no_twins() {
    let tests = format!("#[cfg(test)] mod tests {{ {LEAP} }}");
    assert_eq!(twins(&tests, &tests), []);
}

#[test]
fn the_contract_must_not_name_a_service() {
    let found = contract::check(
        "a.wit",
        "interface a {\n  /// For FetchXML of Dataverse.\n}",
    );
    assert_eq!(
        found,
        [
            "a.wit:2: the contract names dataverse: /// For FetchXML of Dataverse.",
            "a.wit:2: the contract names fetchxml: /// For FetchXML of Dataverse."
        ]
    );
    let found = contract::check(
        "a.wit",
        "/// Central to those in power.\nrecord model-data {}",
    );
    assert!(found.is_empty(), "{found:?}");
}
