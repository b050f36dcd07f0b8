//! The checkpoints of whole syncs, byte for byte: a stream of any kind that was stopped under an
//! older version resumes under this one.

use std::rc::Rc;

use super::history::Log;
use super::queries::{Queries, alpha, query};
use super::service::Kind;
use super::*;
use crate::source::FileForm;

/// One line for each page: the name of the sync, a tab, the page's checkpoint.
const GOLDEN: &str = include_str!("golden/checkpoints.tsv");

const AGGREGATE: &str = "<fetch aggregate='true'><entity name='alpha'>\
    <attribute name='statuscode' groupby='true' alias='status'/><order alias='status'/>\
    </entity></fetch>";
const VIEW: &str = "view:00000000-0000-0000-0000-00000000000a";

/// A sync of one stream, by name.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) host: Rc<Simulation>,
    pub(super) selection: Selection,
}

fn case(name: impl Into<String>, host: Rc<Simulation>, selection: Selection) -> Case {
    Case {
        name: name.into(),
        host,
        selection,
    }
}

fn tables() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        for labels in [false, true] {
            let selection = Selection {
                labels,
                ..selection("alpha")
            };
            let name = if labels { "labels" } else { "table" };
            cases.push(case(
                format!("{name} {kind:?}"),
                host(&world(kind, 17)),
                selection,
            ));
        }
    }
    for kind in [
        Kind::Tracked,
        Kind::Versioned,
        Kind::TrackingForbidden,
        Kind::NoVersionOrder,
    ] {
        for hint in ["2", "8"] {
            let selection = Selection {
                page_size: Some(10),
                ..selection("alpha")
            };
            cases.push(case(
                format!("ranges {kind:?} {hint}"),
                host_recommending(&world(kind, 100), hint),
                selection,
            ));
        }
    }
    let some = Selection {
        columns: vec!["statuscode".to_owned(), "parent".to_owned()],
        filter: Some("statuscode eq 1".to_owned()),
        ..selection("alpha")
    };
    cases.push(case("filter", host(&world(Kind::Tracked, 17)), some));
    let recent = Selection {
        since: Some("2023-11-14T22:13:20+00:00".to_owned()),
        sweep: true,
        ..selection("alpha")
    };
    cases.push(case("since", host(&world(Kind::Modified, 17)), recent));
    let filled = Selection {
        files: FileForm::Content,
        ..selection("alpha")
    };
    let with_files = world(Kind::Tracked, 9);
    with_files.borrow_mut().file_size = Some(10);
    cases.push(case("files", host(&with_files), filled));
    cases
}

fn derived() -> Vec<Case> {
    let queries = Queries::host(&Queries::new((0..17).map(alpha).collect()));
    let log = Log::host(&Log::new(10));
    let streams = [
        ("query", &queries, query("mine", AGGREGATE)),
        ("view", &queries, selection(VIEW)),
        ("members", &queries, selection("list-members")),
        ("history", &log, selection("audit-history")),
        ("history of a table", &log, selection("audit-history:alpha")),
    ];
    streams
        .map(|(name, host, selection)| case(name, Rc::clone(host), selection))
        .into()
}

pub(super) fn cases() -> Vec<Case> {
    tables().into_iter().chain(derived()).collect()
}

/// The checkpoints of two syncs, one after the other, each with the name of the sync.
fn checkpoints(case: &Case) -> Vec<(String, String)> {
    let mut checkpoints: Vec<(String, String)> = Vec::new();
    for sync in ["first", "second"] {
        let selection = Selection {
            checkpoint: checkpoints.last().map(|(_, text)| text.clone()),
            ..case.selection.clone()
        };
        for event in run(&case.host, vec![selection]).unwrap() {
            if let Event::Page(page) = event {
                checkpoints.push((format!("{}, {sync} sync", case.name), page.checkpoint));
            }
        }
    }
    checkpoints
}

#[test]
fn checkpoints_of_every_kind_stay_byte_equal() {
    let mut lines = Vec::new();
    for case in cases() {
        for (name, checkpoint) in checkpoints(&case) {
            lines.push(format!("{name}\t{checkpoint}"));
        }
    }
    for (line, golden) in lines.iter().zip(GOLDEN.lines()) {
        assert_eq!(line, golden);
    }
    assert_eq!(lines.len(), GOLDEN.lines().count());
}

#[test]
fn a_stream_of_every_kind_resumes_after_each_of_its_checkpoints() {
    for case in cases() {
        let lines = GOLDEN.lines().filter_map(|line| line.split_once('\t'));
        let stopped = lines.filter(|(name, _)| {
            let (name, _) = name.rsplit_once(", ").unwrap();
            name == case.name
        });
        for (name, checkpoint) in stopped {
            let resumed = Selection {
                checkpoint: Some(checkpoint.to_owned()),
                ..case.selection.clone()
            };
            let events = run(&case.host, vec![resumed]).unwrap();
            assert_eq!(summary(&events).last().unwrap(), "complete", "{name}");
        }
    }
}
