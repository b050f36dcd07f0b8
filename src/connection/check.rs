//! Testing a connection step by step; what cannot work after a failure is skipped.

mod account;
mod organization;
mod purpose;

use std::borrow::Cow;
use std::time::Duration;

use super::report::{Finding, Report};
use crate::auth::Challenged;
use crate::dataverse::query::Query;
use crate::dataverse::rows::get;
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::retry::seconds_up;
use crate::settings::Auth;

const SETTINGS: &str = "settings";
const REACH: &str = "reach";
const SIGN_IN: &str = "sign-in";
const MEMBERSHIP: &str = "membership";
const ORGANIZATION: &str = "organization";
const PRIVILEGES: &str = "privileges";
const TOKEN_LIFETIME: &str = "token-lifetime";

/// Somebody is waiting for the report: no step waits out a busy service for longer.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Tokens that live for less than this make a connection sign in all the time.
const COMFORTABLE_TOKEN_LIFE: Duration = Duration::from_mins(10);

/// The tests that every connection goes through.
const STEPS: [&str; 4] = [REACH, SIGN_IN, MEMBERSHIP, ORGANIZATION];

pub(super) async fn check<H: Host>(client: &Client<H>) -> Report {
    let client = &client.clone().with_max_wait(MAX_WAIT);
    let mut findings = vec![settings(client)];
    if take_steps(client, &mut findings).await.is_none() {
        let purpose = (!client.settings().purpose.is_unknown()).then_some(PRIVILEGES);
        for step in STEPS.into_iter().chain(purpose) {
            if findings.iter().all(|finding| finding.id != step) {
                findings.push(Finding::skipped(step));
            }
        }
    }
    Report::new(findings)
}

/// Takes one step after the other; none where a failed one makes the others pointless.
async fn take_steps<H: Host>(client: &Client<H>, findings: &mut Vec<Finding>) -> Option<()> {
    add(findings, reach(client).await)?;
    sign_in(client, findings).await?;
    let user = membership(client, findings).await?;
    let organization = organization::check(client, findings).await;
    if !client.settings().purpose.is_unknown() {
        purpose::check(client, &user, organization.as_ref(), findings).await;
    }
    Some(())
}

fn add(findings: &mut Vec<Finding>, finding: Finding) -> Option<()> {
    let failed = finding.has_failed();
    findings.push(finding);
    (!failed).then_some(())
}

fn settings<H: Host>(client: &Client<H>) -> Finding {
    let settings = client.settings();
    Finding::passed(
        SETTINGS,
        format!(
            "The settings describe {} (Web API {}), signed in to {}.",
            settings.environment,
            client.environment().version(),
            settings.auth
        ),
    )
}

async fn reach<H: Host>(client: &Client<H>) -> Finding {
    let address = client.environment().address();
    let failed = |message: String, remedy: &str| Finding::failed(REACH, message, remedy);
    match client.challenge().await {
        Ok(Challenged::Bearer(_)) => Finding::passed(
            REACH,
            format!("{address} answers, and it is a Dataverse environment."),
        ),
        Ok(Challenged::OtherSchemes(schemes)) => failed(
            format!(
                "{address} wants to be signed in to by {}, as servers on premises do; this \
                 connector cannot do that.",
                schemes.join(" or ")
            ),
            "Use an environment that signs in through Microsoft Entra ID.",
        ),
        // With a tenant in the settings, the challenge is not needed to sign in.
        Ok(Challenged::Unclear) if client.settings().tenant.is_some() => Finding::warning(
            REACH,
            format!("{address} asks for a sign-in, but does not say where, as Dataverse does."),
            "If the next tests fail, compare \"environment\" with the environment's URL in the \
             Power Platform admin center."
                .to_owned(),
        ),
        Ok(Challenged::Unclear) => failed(
            format!("{address} asks for a sign-in, but not as Dataverse does."),
            "Set \"environment\" to the environment's URL as the Power Platform admin center \
             shows it.",
        ),
        Ok(Challenged::Status(status @ (400 | 404 | 410), _)) => failed(
            format!("{address} answers, but there is no environment there (status {status})."),
            "Compare \"environment\" with the environment's URL in the Power Platform admin \
             center; an environment that was deleted or renamed answers like this.",
        ),
        Ok(Challenged::Status(status @ 300..=399, location)) => failed(
            format!(
                "{address} redirects (status {status}) to {}, and redirects are not followed.",
                location.as_deref().unwrap_or("an unnamed place")
            ),
            "Set \"environment\" to the environment's own address.",
        ),
        Ok(Challenged::Status(status @ 200..=299, _)) => failed(
            format!(
                "{address} answers without a sign-in (status {status}), so it is not Dataverse."
            ),
            "Set \"environment\" to the environment's URL as the Power Platform admin center \
             shows it.",
        ),
        Ok(Challenged::Status(status @ (429 | 500..), _)) => failed(
            format!("{address} is busy or failing (status {status})."),
            "Try again in some minutes; look at the service health in the Microsoft 365 admin \
             center.",
        ),
        Ok(Challenged::Status(status, _)) => failed(
            format!("{address} refuses to be asked (status {status})."),
            "Look for a firewall or an IP rule of the environment that keeps this machine out.",
        ),
        Err(error) => from_error(REACH, &error),
    }
}

async fn sign_in<H: Host>(client: &Client<H>, findings: &mut Vec<Finding>) -> Option<()> {
    match client.sign_in().await {
        Ok(life) => {
            findings.push(Finding::passed(
                SIGN_IN,
                match client.settings().auth {
                    Auth::Application(_) => "The application signed in and got a token.",
                    Auth::Delegated(_) => "The sign-in was renewed with the refresh token.",
                    Auth::AccessToken(_) => "There is an access token.",
                }
                .to_owned(),
            ));
            let short = life.filter(|life| *life < COMFORTABLE_TOKEN_LIFE);
            findings.extend(short.map(short_lived));
            Some(())
        }
        Err(error) => add(findings, from_error(SIGN_IN, &error)),
    }
}

fn short_lived(life: Duration) -> Finding {
    let seconds = life.as_secs();
    Finding::warning(
        TOKEN_LIFETIME,
        format!("The token is good for {seconds} seconds only, so the connector signs in often."),
        "Look for a token lifetime policy of the application in Microsoft Entra; tokens live for \
         an hour or more by default.",
    )
}

/// Tells whom the environment takes the account for.
async fn membership<H: Host>(client: &Client<H>, findings: &mut Vec<Finding>) -> Option<Guid> {
    let query = Query::new("WhoAmI");
    let error = match get(client, &query, |me| me.key("UserId")).await {
        Ok(me) => {
            let message = match client.settings().auth {
                Auth::Application(_) => {
                    format!("The environment knows the application as user {me}.")
                }
                Auth::Delegated(_) | Auth::AccessToken(_) => match name(client, &me).await {
                    Some(name) => format!("Signed in is {name}, user {me} of the environment."),
                    None => format!("Signed in is user {me} of the environment."),
                },
            };
            findings.push(Finding::passed(MEMBERSHIP, message));
            return Some(me);
        }
        Err(error) => error,
    };
    if account::is_disabled(&error) {
        findings.push(Finding::passed(
            MEMBERSHIP,
            "The environment knows the application.".to_owned(),
        ));
        findings.push(from_error(account::DISABLED, &error));
    } else {
        findings.push(from_error(MEMBERSHIP, &error));
    }
    None
}

/// Who a user is, if the account may know.
async fn name<H: Host>(client: &Client<H>, user: &Guid) -> Option<String> {
    let query = Query::new(&format!("systemusers({user})")).select(&["fullname", "domainname"]);
    let name = get(client, &query, |row| {
        let name = row.text("fullname")?;
        Some(match row.word("domainname") {
            Some(address) => format!("{name} ({address})"),
            None => name,
        })
    });
    name.await.ok()
}

fn from_error(id: impl Into<Cow<'static, str>>, error: &Error) -> Finding {
    let (failure, advice) = error.parts();
    let mut remedy = advice.map_or_else(|| fallback_remedy(error.kind).to_owned(), sentence);
    if let Some(wait) = error.retry_after {
        let seconds = seconds_up(wait);
        remedy = format!("{remedy} The service asks to wait {seconds} seconds.");
    }
    Finding::failed(id, sentence(failure), remedy)
}

fn fallback_remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSettings => "Correct the settings.",
        ErrorKind::Unauthenticated => "Check the application's ID and secret.",
        ErrorKind::Forbidden => "Ask an administrator of the environment.",
        ErrorKind::Throttled | ErrorKind::Unavailable => "Try again later.",
        _ => "Report this to whoever maintains the connector.",
    }
}

/// The text with a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let mut sentence: String = characters
        .next()
        .map(|first| first.to_ascii_uppercase().into())
        .unwrap_or_default();
    sentence.push_str(characters.as_str().trim_end_matches('.'));
    sentence.push('.');
    sentence
}
