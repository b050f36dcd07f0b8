//! What `login` and `admin-consent` share: a page is opened in a browser, which returns here.

use dataverse_host::{AuthorizationRequest, CallError};

use crate::args::BrowserOptions;
use crate::callback::{Arrival, Listener, Page};
use crate::exit::{Exit, Failure};
use crate::output::log;

/// Sends the person to the page and waits until the browser returns.
pub(super) async fn send_to(
    listener: &Listener,
    request: &AuthorizationRequest,
    purpose: &str,
    options: &BrowserOptions,
) -> Result<Arrival, Failure> {
    log(format_args!(
        "To {purpose}, open this page:\n\n{}\n",
        request.url
    ));
    if !options.no_browser {
        // The page is printed already, for machines where no browser can be opened.
        let _unopened = open::that_detached(&request.url);
    }
    let place = listener.redirect_uri();
    log(format_args!("Waiting for the browser at {place} …"));
    tokio::time::timeout(options.timeout, listener.wait(&request.state))
        .await
        .unwrap_or_else(|_| {
            let seconds = options.timeout.as_secs();
            Err(Failure::new(
                Exit::Temporary,
                format!(
                    "no browser returned to {place} within {seconds} s; run this again, or give it \
                     more time with --timeout"
                ),
            ))
        })
}

/// Shows the outcome in the browser.
pub(super) async fn conclude<T>(
    arrival: Arrival,
    outcome: Result<T, CallError>,
) -> Result<T, Failure> {
    let page = if outcome.is_ok() {
        Page::Done
    } else {
        Page::Failed
    };
    arrival.respond(page).await;
    Ok(outcome?)
}
