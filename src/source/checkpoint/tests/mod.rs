mod golden;

use proptest::prelude::*;

use super::*;
use crate::simulation::{self, API_ROOT, Reply, SETTINGS, Simulation};
use crate::source::position::{
    Delta, Mark, MarkColumn, Method, PagedPosition, Phase, QueryPosition, Range, Ranges, Watermark,
};

fn client() -> Client<Simulation> {
    let host = Simulation::new(|_| Reply::status(500));
    simulation::client(&host, SETTINGS)
}

fn binding() -> Binding {
    Binding {
        environment: API_ROOT.to_owned(),
        table: "account".to_owned(),
        columns: Some(vec!["name".to_owned(), "revenue".to_owned()]),
        ..Binding::default()
    }
}

/// What a checkpoint keeps of the columns.
const TYPES: &str = "decimal:revenue;text:name";

fn delta(link: &str) -> Position {
    Position::CaughtUp(Cursor::Delta(Delta {
        link: link.to_owned(),
        plain: false,
        at: Some(1_700_000_000),
    }))
}

fn rejection(binding: &Binding, text: &str) -> String {
    let error = read(&client(), binding, text).unwrap_err();
    assert_eq!(error.kind, ErrorKind::CheckpointExpired);
    error.message
}

#[test]
fn a_checkpoint_is_readable_json() {
    assert_eq!(
        write(
            &binding(),
            TYPES,
            &delta("accounts?$deltatoken=919042%2108")
        )
        .unwrap(),
        "{\"v\":3,\"environment\":\"https://contoso.crm.dynamics.com/api/data/v9.2/\",\
         \"table\":\"account\",\"columns\":[\"name\",\"revenue\"],\"labels\":false,\
         \"types\":\"decimal:revenue;text:name\",\
         \"position\":{\"caught-up\":{\"delta\":{\"link\":\"accounts?$deltatoken=919042%2108\",\
         \"plain\":false,\"at\":1700000000}}},\"sum\":\"a529c685\"}"
    );
}

#[test]
fn a_foreign_checkpoint_is_rejected_with_the_difference() {
    let text = write(&binding(), TYPES, &delta("accounts?$deltatoken=1")).unwrap();
    assert!(read(&client(), &binding(), &text).is_ok());
    let table = Binding {
        table: "contact".to_owned(),
        ..binding()
    };
    assert!(rejection(&table, &text).contains("the stream account, not contact"));
    let environment = Binding {
        environment: "https://other/".to_owned(),
        ..binding()
    };
    assert!(rejection(&environment, &text).contains("contoso.crm.dynamics.com"));
    let labels = Binding {
        labels: true,
        ..binding()
    };
    assert!(rejection(&labels, &text).contains("without labels"));
    let all = Binding {
        columns: None,
        ..binding()
    };
    assert!(rejection(&all, &text).contains("some columns"));
    let fewer = Binding {
        columns: Some(vec!["name".to_owned()]),
        ..binding()
    };
    assert!(rejection(&fewer, &text).contains("also has the column revenue"));
    let more = Binding {
        columns: Some(vec![
            "fax".to_owned(),
            "name".to_owned(),
            "revenue".to_owned(),
        ]),
        ..binding()
    };
    assert!(rejection(&more, &text).contains("without the column fax"));
}

#[test]
fn every_other_selection_is_distinguished() {
    let text = write(&binding(), TYPES, &delta("accounts?$deltatoken=1")).unwrap();
    let conditioned = Binding {
        filter: Some("statecode eq 0".to_owned()),
        ..binding()
    };
    assert!(rejection(&conditioned, &text).contains("another filter"));
    let later = Binding {
        since: Some("2024-01-01T00:00:00Z".to_owned()),
        ..binding()
    };
    assert!(rejection(&later, &text).contains("another start time"));
    let queried = Binding {
        query: Some("00000000".to_owned()),
        ..binding()
    };
    assert!(rejection(&queried, &text).contains("another query"));
    let filled = Binding {
        files: true,
        ..binding()
    };
    assert!(rejection(&filled, &text).contains("another form of files"));
    for binding in [conditioned, later, queried, filled] {
        let text = write(&binding, TYPES, &delta("accounts?$deltatoken=1")).unwrap();
        assert!(read(&client(), &binding, &text).is_ok(), "{text}");
    }
}

#[test]
fn earlier_formats_are_read() {
    // Format 1 is in the tests of ranges.
    let text = "{\"v\":2,\"environment\":\"https://contoso.crm.dynamics.com/api/data/v9.2/\",\
                \"table\":\"account\",\"columns\":[\"name\",\"revenue\"],\"labels\":false,\
                \"position\":{\"caught-up\":{\"delta\":{\
                \"link\":\"accounts?$deltatoken=919042%2108\",\"plain\":false}}},\
                \"sum\":\"68498eb4\"}";
    let checkpoint = read(&client(), &binding(), text).unwrap();
    let position = Position::CaughtUp(Cursor::Delta(Delta {
        link: "accounts?$deltatoken=919042%2108".to_owned(),
        plain: false,
        at: None,
    }));
    assert_eq!((checkpoint.position, checkpoint.types), (position, None));
}

#[test]
fn a_newer_format_is_rejected() {
    assert!(rejection(&binding(), r#"{"v":4,"whatever":[]}"#).contains("newer version"));
    assert!(rejection(&binding(), "{}").contains("damaged"));
    assert!(rejection(&binding(), "").contains("cut off"));
}

#[test]
fn links_cannot_leave_the_web_api() {
    for link in ["../../evil", "%2e%2e/x", "accounts/..%2f..%2fx", "a\\b"] {
        let text = write(&binding(), TYPES, &delta(link)).unwrap();
        assert!(
            rejection(&binding(), &text).contains("links outside"),
            "{link}"
        );
    }
    let client = client();
    for (link, expected) in [
        (
            format!("{API_ROOT}accounts?$deltatoken=1%2f"),
            Some("accounts?$deltatoken=1%2f"),
        ),
        (
            format!(
                "{}accounts",
                API_ROOT
                    .replace("https", "HTTPS")
                    .replace("contoso", "Contoso")
            ),
            Some("accounts"),
        ),
        (
            format!("{}accounts", API_ROOT.replace(".com", ".com:443")),
            Some("accounts"),
        ),
        (
            "https://contoso.crm.dynamics.com/other/accounts".to_owned(),
            None,
        ),
    ] {
        assert_eq!(relative(&client, &link).ok().as_deref(), expected, "{link}");
    }
}

fn position() -> impl Strategy<Value = Position> {
    let mark = prop_oneof![
        any::<i64>().prop_map(Mark::Version),
        (-60_000_000_000..250_000_000_000_i64).prop_map(Mark::Time),
    ];
    let column = prop::sample::select(MarkColumn::ALL.to_vec());
    let method = prop_oneof![
        any::<bool>().prop_map(|plain| Method::Tracked { plain }),
        (column.clone(), any::<bool>())
            .prop_map(|(column, fallback)| Method::Watermark { column, fallback }),
        Just(Method::Full),
    ];
    let link = "accounts\\?[ -\\[\\]-~é\u{1F600}]{0,40}".prop_map(|link| link.replace('#', ""));
    let phase = prop_oneof![Just(Phase::Snapshot), Just(Phase::Changes)];
    let newest = prop::option::of(mark);
    let seen = prop::option::of("[0-9a-f]{16}( [0-9a-f]{16}){0,3}");
    let later = prop_oneof![
        (any::<bool>(), link.clone(), 1..5000_u32).prop_map(|(plain, next, page_size)| {
            LaterChanges::Baseline {
                plain,
                next,
                page_size,
            }
        }),
        (any::<bool>(), link.clone()).prop_map(|(plain, link)| LaterChanges::Delta { plain, link }),
        any::<bool>().prop_map(|fallback| LaterChanges::Versions { fallback }),
    ];
    let remaining = prop::collection::vec(
        any::<(i64, i64)>().prop_map(|(after, until)| Range { after, until }),
        0..4,
    );
    let ranged = (phase.clone(), remaining, any::<i64>(), later).prop_map(
        |(phase, remaining, tail, later)| {
            Position::Ranged(Ranges {
                phase,
                remaining,
                tail,
                later,
            })
        },
    );
    let fetched = (
        1..9_u32,
        1..5000_u32,
        any::<u64>(),
        prop::option::of("<[ -~]{0,20}>"),
    )
        .prop_map(|(page, page_size, rows, cookie)| {
            Position::Queried(QueryPosition {
                query: "1a2b3c4d".to_owned(),
                page,
                page_size,
                rows,
                cookie,
            })
        });
    prop_oneof![
        ranged,
        fetched,
        method.clone().prop_map(|method| Position::Start { method }),
        (method, phase, link.clone(), 1..5000_u32, newest.clone()).prop_map(
            |(method, phase, next, page_size, newest)| Position::Paged(PagedPosition {
                method,
                phase,
                next,
                page_size,
                newest,
                began: Some(7),
            })
        ),
        (link, any::<bool>(), prop::option::of(any::<u64>())).prop_map(|(link, plain, at)| {
            Position::CaughtUp(Cursor::Delta(Delta { link, plain, at }))
        }),
        (column, any::<bool>(), newest, seen).prop_map(|(column, fallback, mark, seen)| {
            Position::CaughtUp(Cursor::Watermark(Watermark {
                column,
                fallback,
                mark,
                seen,
            }))
        }),
        any::<u64>().prop_map(|at| Position::CaughtUp(Cursor::Done { at })),
    ]
}

proptest! {
    #[test]
    fn written_checkpoints_are_read(position in position()) {
        let text = write(&binding(), TYPES, &position).unwrap();
        prop_assert_eq!(read(&client(), &binding(), &text).unwrap().position, position);
    }

    #[test]
    fn damage_is_rejected_or_harmless(
        position in position(),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let text = write(&binding(), TYPES, &position).unwrap();
        let at = at.index(text.len());
        if text.is_char_boundary(at) {
            prop_assert!(parse(&binding(), &text[..at]).is_err());
        }
        let mut bytes = text.into_bytes();
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes)
            && let Ok(read) = parse(&binding(), &changed)
        {
            prop_assert_eq!(read.position, position);
        }
    }
}
