//! The order of reading, storing and stopping, with scripted events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::contract::{Operation, Page, Reset, Warning};
use crate::network::Metrics;
use crate::sink::{Applied, SinkError};

/// Records its calls, and can be slow or fail.
#[derive(Clone, Default)]
struct Recorder {
    log: Arc<Mutex<Vec<String>>>,
    checkpoint: Arc<Mutex<Option<String>>>,
    pause: Duration,
    fails_at: Option<&'static str>,
}

impl Recorder {
    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Sink for Recorder {
    fn checkpoint(&self, _stream: &str) -> Result<Option<String>, SinkError> {
        Ok(self.checkpoint.lock().unwrap().clone())
    }

    fn apply(&mut self, event: &Event) -> Result<Applied, SinkError> {
        std::thread::sleep(self.pause);
        let line = match event {
            Event::Page(page) => {
                if Some(page.checkpoint.as_str()) == self.fails_at {
                    return Err(SinkError::Broken);
                }
                *self.checkpoint.lock().unwrap() = Some(page.checkpoint.clone());
                page.checkpoint.clone()
            }
            Event::Reset(_) => {
                *self.checkpoint.lock().unwrap() = None;
                "reset".to_owned()
            }
            Event::Complete(_) => "complete".to_owned(),
            _ => "other".to_owned(),
        };
        self.log.lock().unwrap().push(format!("stored {line}"));
        Ok(Applied::default())
    }
}

/// What a connector does when the runner wants the next event.
enum Step {
    Give(Event),
    Trap,
    Hang,
}

struct Script {
    steps: std::vec::IntoIter<Step>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn new(recorder: &Recorder, steps: Vec<Step>) -> Self {
        Self {
            steps: steps.into_iter(),
            log: Arc::clone(&recorder.log),
        }
    }
}

impl Events for Script {
    async fn next(&mut self) -> Result<Option<Event>, CallError> {
        self.log.lock().unwrap().push("next".to_owned());
        match self.steps.next() {
            Some(Step::Give(event)) => Ok(Some(event)),
            Some(Step::Trap) => Err(CallError::Trap {
                call: "next",
                reason: "test".to_owned(),
            }),
            Some(Step::Hang) => std::future::pending().await,
            None => Ok(None),
        }
    }
}

fn page(checkpoint: &str) -> Step {
    Step::Give(Event::Page(Page {
        stream: "t".to_owned(),
        operation: Operation::Upsert,
        count: 1,
        ndjson: "{}\n".to_owned(),
        checkpoint: checkpoint.to_owned(),
    }))
}

fn reset() -> Step {
    Step::Give(Event::Reset(Reset {
        stream: "t".to_owned(),
        reason: String::new(),
    }))
}

fn complete() -> Step {
    Step::Give(Event::Complete("t".to_owned()))
}

fn request(full: bool) -> [StreamRequest; 1] {
    let mut request = StreamRequest::all_of("t");
    request.full = full;
    [request]
}

fn new_run<'a>(
    requests: &'a [StreamRequest],
    sink: impl Sink + 'static,
    progress: &'a mut dyn Progress,
) -> Run<'a> {
    Run::new(
        requests,
        Box::new(sink),
        Metrics::default().throttling(),
        progress,
    )
}

#[tokio::test]
async fn the_connector_reads_at_most_one_event_ahead_of_the_sink() {
    let recorder = Recorder {
        pause: Duration::from_millis(30),
        ..Recorder::default()
    };
    let requests = request(false);
    let mut silent = Silent;
    let mut run = new_run(&requests, recorder.clone(), &mut silent);
    let mut script = Script::new(&recorder, vec![page("1"), page("2"), complete()]);
    run.drain(&mut script, pin!(std::future::pending()))
        .await
        .unwrap();
    let expected = [
        "next",
        "next",
        "stored 1",
        "next",
        "stored 2",
        "next",
        "stored complete",
    ];
    assert_eq!(recorder.log(), expected);
    let (reports, _) = run.tally.finish();
    assert_eq!((reports[0].rows, reports[0].pages), (2, 2));
    assert_eq!(reports[0].outcome, Outcome::Complete);
}

#[tokio::test]
async fn a_stop_finishes_the_current_write_and_starts_nothing() {
    let recorder = Recorder {
        pause: Duration::from_millis(80),
        ..Recorder::default()
    };
    let requests = request(false);
    let mut silent = Silent;
    let mut run = new_run(&requests, recorder.clone(), &mut silent);
    let mut script = Script::new(&recorder, vec![page("1"), Step::Hang]);
    let stop = pin!(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Stop::Interrupted
    });
    let end = run.drain(&mut script, stop).await;
    assert!(matches!(end, Err(End::Stopped(Stop::Interrupted))));
    assert_eq!(recorder.log(), ["next", "next", "stored 1"]);
    assert_eq!(
        run.selections().unwrap()[0].checkpoint.as_deref(),
        Some("1")
    );
    assert_eq!(run.tally.finish().0[0].outcome, Outcome::Unfinished);
}

#[tokio::test]
async fn after_a_trap_the_next_instance_resumes_from_the_last_stored_page() {
    let recorder = Recorder::default();
    let requests = request(false);
    let mut silent = Silent;
    let mut run = new_run(&requests, recorder.clone(), &mut silent);
    run.crashes = 2;
    let mut script = Script::new(&recorder, vec![reset(), page("1"), page("2"), Step::Trap]);
    let end = run.drain(&mut script, pin!(std::future::pending())).await;
    assert!(matches!(end, Err(End::Call(CallError::Trap { .. }))));
    assert_eq!(run.crashes, 0, "there was a durable page");
    assert_eq!(
        run.selections().unwrap()[0].checkpoint.as_deref(),
        Some("2")
    );
    let mut script = Script::new(&recorder, vec![page("3"), complete()]);
    run.drain(&mut script, pin!(std::future::pending()))
        .await
        .unwrap();
    assert!(
        run.selections().unwrap().is_empty(),
        "a complete stream is not read again"
    );
    let (reports, _) = run.tally.finish();
    assert_eq!((reports[0].rows, reports[0].pages), (3, 3));
}

#[tokio::test]
async fn rows_that_are_read_again_are_counted_once() {
    let recorder = Recorder::default();
    let requests = request(false);
    let mut silent = Silent;
    let mut run = new_run(&requests, recorder.clone(), &mut silent);
    let steps = vec![
        reset(),
        page("1"),
        reset(),
        page("1"),
        page("2"),
        complete(),
    ];
    let mut script = Script::new(&recorder, steps);
    run.drain(&mut script, pin!(std::future::pending()))
        .await
        .unwrap();
    let (reports, _) = run.tally.finish();
    assert_eq!(
        (reports[0].rows, reports[0].pages, reports[0].full),
        (2, 2, true)
    );
}

#[tokio::test]
async fn repeated_warnings_are_reported_once() {
    let recorder = Recorder::default();
    let requests = request(false);
    let mut silent = Silent;
    let mut run = new_run(&requests, recorder.clone(), &mut silent);
    let warn = || {
        Step::Give(Event::Warning(Warning {
            stream: Some("t".to_owned()),
            id: "deletions-not-observable".to_owned(),
            message: "They are not seen.".to_owned(),
        }))
    };
    for steps in [vec![warn(), Step::Trap], vec![warn(), complete()]] {
        let mut script = Script::new(&recorder, steps);
        let _broken = run.drain(&mut script, pin!(std::future::pending())).await;
    }
    let (_, warnings) = run.tally.finish();
    assert_eq!(warnings.len(), 1);
}

#[tokio::test]
async fn a_full_read_ignores_the_checkpoint_until_its_reset_is_stored() {
    let recorder = Recorder::default();
    *recorder.checkpoint.lock().unwrap() = Some("old".to_owned());
    let requests = request(true);
    let mut silent = Silent;
    let mut run = new_run(&requests, recorder.clone(), &mut silent);
    assert_eq!(run.selections().unwrap()[0].checkpoint, None);
    let mut script = Script::new(&recorder, vec![Step::Trap]);
    assert!(
        run.drain(&mut script, pin!(std::future::pending()))
            .await
            .is_err()
    );
    assert_eq!(run.selections().unwrap()[0].checkpoint, None);
    let mut script = Script::new(&recorder, vec![reset(), page("1"), Step::Trap]);
    assert!(
        run.drain(&mut script, pin!(std::future::pending()))
            .await
            .is_err()
    );
    assert_eq!(
        run.selections().unwrap()[0].checkpoint.as_deref(),
        Some("1")
    );
}

/// The file of its stream `t` is missing.
struct FileMissing;

impl Sink for FileMissing {
    fn checkpoint(&self, stream: &str) -> Result<Option<String>, SinkError> {
        match stream {
            "t" => Err(SinkError::Changed {
                target: "t.jsonl".to_owned(),
                reason: "is missing".to_owned(),
            }),
            _ => Ok(None),
        }
    }

    fn apply(&mut self, _event: &Event) -> Result<Applied, SinkError> {
        Ok(Applied::default())
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_stored_does_not_stop_the_others() {
    let requests = ["t", "u"].map(StreamRequest::all_of);
    let mut silent = Silent;
    let mut run = new_run(&requests, FileMissing, &mut silent);
    let selections = run.selections().unwrap();
    let names: Vec<_> = selections.iter().map(|chosen| &chosen.stream).collect();
    assert_eq!(names, ["u"]);

    let taken = SinkError::Stream {
        stream: "u".to_owned(),
        reason: "taken".to_owned(),
    };
    assert!(run.skip("u", &taken) && !run.skip("u", &taken));
    assert!(run.selections().unwrap().is_empty());
    let (reports, _) = run.tally.finish();
    let outcomes = reports.iter().map(|report| match &report.outcome {
        Outcome::NotStored(reason) | Outcome::NotResumed(reason) => reason.as_str(),
        other => panic!("{other:?}"),
    });
    let outcomes: Vec<_> = outcomes.collect();
    assert_eq!(
        outcomes,
        [
            "t.jsonl is missing",
            "the stream `u` cannot be stored here: taken"
        ]
    );
}

#[tokio::test]
async fn a_sink_that_fails_ends_the_sync() {
    let recorder = Recorder {
        fails_at: Some("2"),
        ..Recorder::default()
    };
    let requests = request(false);
    let mut silent = Silent;
    let mut run = new_run(&requests, recorder.clone(), &mut silent);
    let mut script = Script::new(&recorder, vec![page("1"), page("2"), page("3"), complete()]);
    let end = run.drain(&mut script, pin!(std::future::pending())).await;
    assert!(matches!(end, Err(End::Sink(SinkError::Broken))));
    assert!(!recorder.log().contains(&"stored 3".to_owned()));
    assert_eq!(run.tally.finish().0[0].pages, 1);
}
