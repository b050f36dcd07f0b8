//! `sync`: reads streams into a target and reports what it did.

mod report;

use std::time::Duration;

use dataverse_host::sink::{JsonLines, Sink, Sqlite};
use dataverse_host::{
    ConnectorHost, End, Outcome, Progress, Silent, Stop, StreamReport, StreamRequest, SyncReport,
    run_sync,
};

use crate::args::{Output, SyncOptions, Target};
use crate::connection::ConnectionFile;
use crate::exit::{Exit, Failure};
use crate::hints;
use crate::interrupt::interrupt;
use crate::output::{log, print, print_json};
use crate::progress::{Lines, warning_line};
use crate::session::log_refusals;

/// Runs the command.
pub(super) async fn run(
    host: &ConnectorHost,
    connection: &ConnectionFile,
    requests: &[StreamRequest],
    options: &SyncOptions,
    quiet: bool,
) -> Result<Exit, Failure> {
    let sink: Box<dyn Sink> = match &options.to {
        Target::JsonLines(directory) => Box::new(JsonLines::open(directory)?),
        Target::Sqlite(file) => Box::new(Sqlite::open(file)?),
    };
    let profile = connection.profile()?;
    let mut lines = Lines::new();
    let progress: &mut dyn Progress = if quiet { &mut Silent } else { &mut lines };
    let stop = stop(options.max_duration);
    let report = run_sync(host, &profile, requests, sink, progress, stop).await;
    if quiet {
        // Warnings are printed even so.
        for warning in &report.warnings {
            log(warning_line(warning));
        }
    } else {
        lines.finish();
    }
    match options.output {
        // A table of zeros would only hide the error.
        Output::Text if read_nothing(&report) => {}
        Output::Text => print(&report::table(&report, profile.metrics()))?,
        Output::Json => print_json(&report::document(&report, profile.metrics()))?,
    }
    log_refusals(profile.metrics());
    conclude(&report)
}

/// Whether nothing was read of any stream, because of an error.
fn read_nothing(report: &SyncReport) -> bool {
    if let End::Stopped(_) = report.end {
        return false;
    }
    let nothing = |stream: &StreamReport| stream.pages == 0 && stream.outcome != Outcome::Complete;
    report.streams.iter().all(nothing)
}

/// Ready when the user interrupts, the system asks to end, or the time limit is reached. A second
/// interrupt ends the program at once; stored rows are kept as well.
async fn stop(max_duration: Option<Duration>) -> Stop {
    let deadline = async {
        match max_duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupt() => {
            tokio::spawn(async {
                interrupt().await;
                std::process::exit(130);
            });
            Stop::Interrupted
        }
        () = deadline => Stop::DeadlineReached,
    }
}

/// The errors, of which the caller prints the last, and the exit code.
fn conclude(report: &SyncReport) -> Result<Exit, Failure> {
    let error = |stream: &StreamReport| match &stream.outcome {
        Outcome::Failed(error) => {
            let message = format!("{}: {error}", stream.stream);
            let failure = Failure::new(Exit::from(error.kind), message);
            Some(failure.with_hint(hints::for_kind(error.kind)))
        }
        Outcome::NotStored(reason) => Some(Failure::new(Exit::Local, reason)),
        Outcome::NotResumed(reason) => {
            Some(Failure::new(Exit::Local, reason).with_hint(Some(hints::FULL)))
        }
        Outcome::Complete | Outcome::Unfinished => None,
    };
    let mut failed: Vec<_> = report.streams.iter().filter_map(error).collect();
    let all = failed.len() == report.streams.len();
    let last = match &report.end {
        End::Finished => failed.pop().map(|last| {
            let first = failed.first().map_or(last.exit(), Failure::exit);
            last.with_exit(if all { first } else { Exit::Partial })
        }),
        End::Stopped(Stop::Interrupted) => Some(Failure::new(
            Exit::Interrupted,
            "interrupted; stored rows are kept, the next sync resumes from there",
        )),
        End::Stopped(Stop::DeadlineReached) => Some(Failure::new(
            Exit::Partial,
            "--max-duration reached; the next sync resumes from here",
        )),
        End::Call(error) => Some(error.into()),
        End::Sink(error) => Some(error.into()),
    };
    for failure in failed {
        log(format_args!("error: {failure}"));
    }
    last.map_or(Ok(Exit::Done), Err)
}
