//! Calls of `next` that are dropped before they return.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::checkpoints::{Case, cases};
use super::*;

/// Every event of a sync in which most calls of `next` are dropped after this many polls.
fn run_with_dropped_calls(case: &Case, polls: usize) -> Vec<Event> {
    let client = simulation::client(&case.host, SETTINGS);
    let mut sync = Sync::start(&client, vec![case.selection.clone()]).unwrap();
    let mut events = Vec::new();
    loop {
        let dropped = {
            let mut next = pin!(sync.next());
            let mut left = polls;
            case.host.block_on(poll_fn(|context| {
                left -= 1;
                match next.as_mut().poll(context) {
                    Poll::Ready(event) => Poll::Ready(Some(event)),
                    Poll::Pending if left == 0 => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            }))
        };
        let event = match dropped {
            Some(event) => event,
            None => case.host.block_on(sync.next()),
        };
        match event.unwrap() {
            Some(event) => events.push(event),
            None => return events,
        }
    }
}

fn rows(events: &[Event]) -> Vec<&str> {
    let pages = events.iter().filter_map(|event| match event {
        Event::Page(page) => Some(page.ndjson.as_str()),
        _ => None,
    });
    pages.collect()
}

#[test]
fn a_dropped_call_of_next_loses_nothing() {
    for polls in 1..4 {
        for (case, same) in cases().iter().zip(cases()) {
            let expected = run(&case.host, vec![case.selection.clone()]).unwrap();
            let events = run_with_dropped_calls(&same, polls);
            assert_eq!(
                summary(&events),
                summary(&expected),
                "{} {polls}",
                case.name
            );
            assert_eq!(rows(&events), rows(&expected), "{} {polls}", case.name);
            let (requests, expected) = (same.host.requests(), case.host.requests());
            assert_eq!(requests.len(), expected.len(), "{} {polls}", case.name);
        }
    }
}
