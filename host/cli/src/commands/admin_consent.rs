//! `admin-consent`: an administrator consents, for everybody, that the application may sign in.

use dataverse_host::ConnectorHost;
use dataverse_host::contract::Consent;

use super::browser::{conclude, send_to};
use crate::args::BrowserOptions;
use crate::callback::Listener;
use crate::connection::ConnectionFile;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Runs the command.
pub(super) async fn run(
    host: &ConnectorHost,
    connection: &ConnectionFile,
    options: &BrowserOptions,
) -> Result<Exit, Failure> {
    let profile = connection.profile()?;
    let mut authorization = host.authorization(&profile).await?;
    let listener = Listener::bind(&options.callback).await?;
    let request = authorization.admin_consent(listener.redirect_uri()).await?;
    let arrival = send_to(&listener, &request, "give consent", options).await?;
    let outcome = authorization
        .complete_admin_consent(&request, &arrival.callback)
        .await;
    let consent = conclude(arrival, outcome).await?;
    print(&text(&consent))?;
    Ok(Exit::Done)
}

fn text(consent: &Consent) -> String {
    let mut text = "The browser reports that consent was given".to_owned();
    if let Some(tenant) = &consent.tenant {
        text.push_str(" in the directory ");
        text.push_str(tenant);
    }
    if let Some(scope) = &consent.scope {
        text.push_str(", to ");
        text.push_str(scope);
    }
    text.push_str(".\n");
    text
}
