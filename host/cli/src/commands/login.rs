//! `login`: signs one person in, in a browser or on another device, and checks the connection.

use std::time::{Duration, Instant};

use dataverse_host::{Authorization, CallError, ConnectorHost, DeviceProgress, Session};

use super::browser::{conclude, send_to};
use super::check;
use crate::args::{BrowserOptions, LoginOptions, Output};
use crate::callback::Listener;
use crate::connection::ConnectionFile;
use crate::exit::{Exit, Failure};
use crate::output::log;
use crate::session::with_session;

/// Runs the command.
pub(super) async fn run(
    host: &ConnectorHost,
    connection: &ConnectionFile,
    options: &LoginOptions,
) -> Result<Exit, Failure> {
    let profile = connection.profile()?;
    let mut authorization = host.authorization(&profile).await?;
    if options.device {
        on_another_device(&mut authorization).await?;
    } else {
        in_a_browser(&mut authorization, &options.browser).await?;
    }
    log("Signed in.\n");
    let check = async |session: &mut Session| check::run(session, Output::Text).await;
    with_session(host, &profile, check).await
}

async fn in_a_browser(
    authorization: &mut Authorization,
    options: &BrowserOptions,
) -> Result<(), Failure> {
    let listener = Listener::bind(&options.callback).await?;
    let redirect_uri = listener.redirect_uri();
    let request = authorization.sign_in(redirect_uri).await?;
    let arrival = send_to(&listener, &request, "sign in", options).await?;
    let outcome = authorization
        .complete(redirect_uri, &request, &arrival.callback)
        .await;
    conclude(arrival, outcome).await
}

/// The shortest pause between two polls, whatever the connector returns.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(200);

async fn on_another_device(authorization: &mut Authorization) -> Result<(), Failure> {
    let code = authorization.begin_device().await?;
    log(format_args!(
        "{}\n\nPage: {}\nCode: {}\n\nWaiting until you have signed in …",
        code.message.trim(),
        code.verification_url,
        code.user_code
    ));
    let started = Instant::now();
    let mut wait = code.interval;
    while started.elapsed() < code.expires_in {
        tokio::time::sleep(wait.max(MIN_POLL_INTERVAL)).await;
        match authorization.poll_device(&code.continuation).await {
            Ok(DeviceProgress::Done) => return Ok(()),
            Ok(DeviceProgress::Pending(next)) => wait = next,
            // The code stays valid while the network is down.
            Err(CallError::Connector(error)) if error.is_temporary() => {
                log(format_args!("note: {error}"));
                wait = error.retry_after.unwrap_or(wait * 2);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(
        Exit::Temporary,
        "the code expired before it was used; run this again for a new one",
    ))
}
