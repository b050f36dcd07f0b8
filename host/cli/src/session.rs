//! A session for one command.

use std::convert::Infallible;

use dataverse_host::{ConnectorHost, Metrics, Profile, Session};

use crate::exit::{Exit, Failure};
use crate::hints;
use crate::output::log;
use crate::progress::Waits;

/// Does this in a session. Reports waits while it runs, and at the end what the network layer
/// refused.
pub(crate) async fn with_session(
    host: &ConnectorHost,
    profile: &Profile,
    work: impl AsyncFnOnce(&mut Session) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut session = host.open(profile).await?;
    let outcome = tokio::select! {
        outcome = work(&mut session) => outcome,
        never = report_waits(profile.metrics()) => match never {},
    };
    log_refusals(profile.metrics());
    outcome
}

async fn report_waits(metrics: &Metrics) -> Infallible {
    let mut throttling = metrics.throttling();
    let mut waits = Waits::default();
    loop {
        if let Some(line) = waits.line(&throttling.next().await) {
            log(line);
        }
    }
}

/// Logs what the network layer refused, and which setting of the connection file would allow it.
pub(crate) fn log_refusals(metrics: &Metrics) {
    for note in hints::for_network(metrics) {
        log(format_args!("note: {note}"));
    }
}
