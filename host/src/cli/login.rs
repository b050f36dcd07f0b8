//! `login` and `admin-consent`: what a person does in a browser or on another device.

use std::time::{Duration, Instant};

use dataverse_host::contract::Consent;
use dataverse_host::{
    Authorization, AuthorizationRequest, CallError, ConnectorHost, DeviceProgress, Session,
};

use super::args::{BrowserOptions, LoginOptions, Output};
use super::callback::{Arrival, Listener, Page};
use super::config::ConnectionFile;
use super::exit::{Exit, Failure};
use super::{print, show, tell, with_session};

/// Signs one person in and checks the connection.
pub(super) async fn login(
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
    tell("Signed in.\n");
    let check = async |session: &mut Session| show::check(session, Output::Text).await;
    with_session(host, &profile, check).await
}

/// Lets an administrator agree that the application may sign in.
pub(super) async fn admin_consent(
    host: &ConnectorHost,
    connection: &ConnectionFile,
    options: &BrowserOptions,
) -> Result<Exit, Failure> {
    let profile = connection.profile()?;
    let mut authorization = host.authorization(&profile).await?;
    let consent = consent_in_a_browser(&mut authorization, options).await?;
    print(&consent_text(&consent))?;
    Ok(Exit::Done)
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

async fn consent_in_a_browser(
    authorization: &mut Authorization,
    options: &BrowserOptions,
) -> Result<Consent, Failure> {
    let listener = Listener::bind(&options.callback).await?;
    let request = authorization.admin_consent(listener.redirect_uri()).await?;
    let arrival = send_to(&listener, &request, "give consent", options).await?;
    let outcome = authorization
        .complete_admin_consent(&request, &arrival.callback)
        .await;
    conclude(arrival, outcome).await
}

/// Sends the person to the page and waits until the browser comes back.
async fn send_to(
    listener: &Listener,
    request: &AuthorizationRequest,
    purpose: &str,
    options: &BrowserOptions,
) -> Result<Arrival, Failure> {
    tell(format_args!(
        "To {purpose}, open this page:\n\n{}\n",
        request.url
    ));
    if !options.no_browser {
        // The page is printed already: where no browser can be opened, nothing is lost.
        let _unopened = open::that_detached(&request.url);
    }
    let place = listener.redirect_uri();
    tell(format_args!("Waiting for the browser at {place} …"));
    tokio::time::timeout(options.timeout, listener.wait(&request.state))
        .await
        .unwrap_or_else(|_| {
            let seconds = options.timeout.as_secs();
            Err(Failure::new(
                Exit::Temporary,
                format!(
                    "no browser came back to {place} within {seconds} s; run this again and \
                     finish sooner, or give it more time with --timeout"
                ),
            ))
        })
}

/// Tells the browser how it ended.
async fn conclude<T>(arrival: Arrival, outcome: Result<T, CallError>) -> Result<T, Failure> {
    let page = if outcome.is_ok() {
        Page::Done
    } else {
        Page::Failed
    };
    arrival.answer(page).await;
    Ok(outcome?)
}

async fn on_another_device(authorization: &mut Authorization) -> Result<(), Failure> {
    let code = authorization.begin_device().await?;
    tell(format_args!(
        "{}\n\nPage: {}\nCode: {}\n\nWaiting until that is done …",
        code.message.trim(),
        code.verification_url,
        code.user_code
    ));
    let begun = Instant::now();
    let mut wait = code.interval;
    while begun.elapsed() < code.expires_in {
        tokio::time::sleep(wait.max(SHORTEST_WAIT)).await;
        match authorization.poll_device(&code.continuation).await {
            Ok(DeviceProgress::Done) => return Ok(()),
            Ok(DeviceProgress::Pending(next)) => wait = next,
            // The code is still good when the network is back.
            Err(CallError::Connector(error)) if error.is_temporary() => {
                tell(format_args!("note: {error}"));
                wait = error.retry_after.unwrap_or(wait * 2);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::new(
        Exit::Temporary,
        "the code was not used in time; run this again for a new one",
    ))
}

/// However little a connector asks for.
const SHORTEST_WAIT: Duration = Duration::from_millis(200);

fn consent_text(consent: &Consent) -> String {
    let mut text = "Consent was given".to_owned();
    if let Some(tenant) = &consent.tenant {
        text.push_str(" in the directory ");
        text.push_str(tenant);
    }
    if let Some(scope) = &consent.scope {
        text.push_str(", to ");
        text.push_str(scope);
    }
    text.push_str(", says the browser.\n");
    text
}
