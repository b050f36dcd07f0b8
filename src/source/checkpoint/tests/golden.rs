//! Checkpoints byte for byte, as released versions wrote them.
//!
//! A stream that was stopped under an older version resumes under this one, so these texts
//! never change: a format that differs gets a new number and a file of its own.

use super::*;

const FORMAT_1: &str = include_str!("golden/format-1.jsonl");
const FORMAT_2: &str = include_str!("golden/format-2.jsonl");
const FORMAT_3: &str = include_str!("golden/format-3.jsonl");

const METHODS: [Method; 9] = [
    Method::Tracked { plain: false },
    Method::Tracked { plain: true },
    watermark(MarkColumn::ModifiedOn, false),
    watermark(MarkColumn::ModifiedOn, true),
    watermark(MarkColumn::VersionNumber, false),
    watermark(MarkColumn::VersionNumber, true),
    watermark(MarkColumn::CreatedOn, false),
    watermark(MarkColumn::CreatedOn, true),
    Method::Full,
];

const fn watermark(column: MarkColumn, fallback: bool) -> Method {
    Method::Watermark { column, fallback }
}

const MARKS: [Option<Mark>; 3] = [
    None,
    Some(Mark::Time(1_709_208_000)),
    Some(Mark::Version(9_007_199_254_740_993)),
];

/// Positions that every format can hold.
fn first_positions() -> Vec<Position> {
    let mut positions: Vec<Position> = METHODS.map(|method| Position::Start { method }).to_vec();
    for (method, newest) in METHODS.into_iter().zip(MARKS.into_iter().cycle()) {
        for phase in [Phase::Snapshot, Phase::Changes] {
            positions.push(Position::Paged(PagedPosition {
                method,
                phase,
                next: "accounts?$select=name&$skiptoken=%3Ccookie%20a=%22%C3%A9%22/%3E".to_owned(),
                page_size: 5_000,
                newest,
                began: None,
            }));
        }
    }
    for plain in [false, true] {
        positions.push(Position::CaughtUp(Cursor::Delta(Delta {
            link: "accounts?$select=name&$deltatoken=919042%2108/22/2026%2008%3a10%3a44".to_owned(),
            plain,
            at: None,
        })));
    }
    for column in [MarkColumn::ModifiedOn, MarkColumn::VersionNumber] {
        for mark in MARKS {
            positions.push(Position::CaughtUp(Cursor::Watermark(Watermark {
                column,
                fallback: column == MarkColumn::VersionNumber,
                mark,
                seen: None,
            })));
        }
    }
    positions.push(Position::CaughtUp(Cursor::Done {
        at: 1_700_000_000_123,
    }));
    positions
}

/// Positions since ranges are read.
fn ranged_positions() -> Vec<Position> {
    let mut positions = Vec::new();
    let two = [(-1, 4_711), (4_711, 9_007_199_254_740_993)];
    let two = two.map(|(after, until)| Range { after, until }).to_vec();
    let ways = [
        LaterChanges::Baseline {
            plain: true,
            next: "accounts?$select=accountid&$skiptoken=a".to_owned(),
            page_size: 5_000,
        },
        LaterChanges::Delta {
            plain: false,
            link: "accounts?$deltatoken=1".to_owned(),
        },
        LaterChanges::Versions { fallback: false },
        LaterChanges::Versions { fallback: true },
    ];
    for later in ways {
        for (phase, remaining) in [(Phase::Snapshot, two.clone()), (Phase::Changes, Vec::new())] {
            positions.push(Position::Ranged(Ranges {
                phase,
                remaining,
                tail: 9_007_199_254_740_993,
                later: later.clone(),
            }));
        }
    }
    positions
}

/// Positions since queries, histories and the age of change tokens.
fn latest_positions() -> Vec<Position> {
    let mut positions = Vec::new();
    for cookie in [
        None,
        Some("<cookie page=\"1\"><k last=\"{\u{e9}}\" /></cookie>"),
    ] {
        for query in ["1a2b3c4d", "", "00000000-0000-0000-0000-00000000000c"] {
            positions.push(Position::Queried(QueryPosition {
                query: query.to_owned(),
                page: 2,
                page_size: 5_000,
                rows: 5_000,
                cookie: cookie.map(str::to_owned),
            }));
        }
    }
    positions.push(Position::Paged(PagedPosition {
        method: Method::Tracked { plain: false },
        phase: Phase::Snapshot,
        next: "accounts?$skiptoken=a".to_owned(),
        page_size: 1,
        newest: None,
        began: Some(1_700_000_000),
    }));
    positions.push(Position::CaughtUp(Cursor::Delta(Delta {
        link: "accounts?$deltatoken=1".to_owned(),
        plain: true,
        at: Some(1_700_000_000),
    })));
    positions.push(Position::CaughtUp(Cursor::Watermark(Watermark {
        column: MarkColumn::CreatedOn,
        fallback: false,
        mark: Some(Mark::Time(1_709_208_000)),
        seen: Some("00000001a1b2c3d4 00000002a1b2c3d4".to_owned()),
    })));
    positions
}

/// What a checkpoint of a selection with every option belongs to.
fn every_option() -> Binding {
    Binding {
        environment: API_ROOT.to_owned(),
        table: "query:mine".to_owned(),
        columns: None,
        labels: true,
        filter: Some("contains(name,'\u{e9}\"\\')".to_owned()),
        since: Some("2024-02-29T12:00:00Z".to_owned()),
        query: Some("0a1b2c3d".to_owned()),
        files: true,
    }
}

fn assert_read(binding: &Binding, text: &str, position: &Position) {
    let checkpoint =
        read(&client(), binding, text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(checkpoint.position, *position, "{text}");
}

#[test]
fn format_1_stays_readable() {
    let positions = first_positions();
    let texts: Vec<&str> = FORMAT_1.lines().collect();
    assert_eq!(texts.len(), positions.len());
    for (text, position) in texts.into_iter().zip(&positions) {
        assert_read(&binding(), text, position);
    }
}

#[test]
fn format_2_stays_readable() {
    let positions = [first_positions(), ranged_positions()].concat();
    let texts: Vec<&str> = FORMAT_2.lines().collect();
    assert_eq!(texts.len(), positions.len());
    for (text, position) in texts.into_iter().zip(&positions) {
        assert_read(&binding(), text, position);
    }
}

#[test]
fn format_3_stays_readable_and_byte_equal() {
    let positions = [first_positions(), ranged_positions(), latest_positions()].concat();
    let texts: Vec<&str> = FORMAT_3.lines().collect();
    assert_eq!(texts.len(), 2 * positions.len());
    let bindings = positions
        .iter()
        .flat_map(|position| [(binding(), position), (every_option(), position)]);
    for (text, (binding, position)) in texts.into_iter().zip(bindings) {
        assert_eq!(write(&binding, TYPES, position).unwrap(), text);
        assert_read(&binding, text, position);
    }
}
