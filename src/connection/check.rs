//! Checking a connection step by step. Steps that a failure makes impossible are skipped.

mod account;
mod organization;
mod purpose;

use std::borrow::Cow;
use std::time::Duration;

use super::report::{Finding, Report};
use crate::auth::Challenged;
use crate::call::seconds_up;
use crate::dataverse::query::Query;
use crate::dataverse::rows::get;
use crate::dataverse::{Client, Guid};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::settings::Auth;

const SETTINGS: &str = "settings";
const REACH: &str = "reach";
const SIGN_IN: &str = "sign-in";
const MEMBERSHIP: &str = "membership";
const ORGANIZATION: &str = "organization";
const PRIVILEGES: &str = "privileges";
const TOKEN_LIFETIME: &str = "token-lifetime";

/// A person waits for the report: no step retries for longer.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Tokens that are valid for less than this make a connection sign in very often.
const COMFORTABLE_TOKEN_LIFETIME: Duration = Duration::from_mins(10);

/// The tests of every connection.
const STEPS: [&str; 4] = [REACH, SIGN_IN, MEMBERSHIP, ORGANIZATION];

pub(super) async fn check<H: Host>(client: &Client<H>) -> Report {
    let client = &client.clone().with_max_wait(MAX_WAIT);
    let mut findings = vec![settings(client)];
    if run_steps(client, &mut findings).await.is_none() {
        let purpose = (!client.settings().purpose.is_unknown()).then_some(PRIVILEGES);
        for step in STEPS.into_iter().chain(purpose) {
            if findings.iter().all(|finding| finding.id != step) {
                findings.push(Finding::skipped(step));
            }
        }
    }
    Report::new(findings)
}

/// Runs the steps in order, and stops after a failure that makes the others impossible.
async fn run_steps<H: Host>(client: &Client<H>, findings: &mut Vec<Finding>) -> Option<()> {
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
            "{} (Web API {}), signing in {}.",
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
            format!("{address} responds, and it is a Dataverse environment."),
        ),
        Ok(Challenged::OtherSchemes(schemes)) => failed(
            format!(
                "{address} requires {} sign-in, as servers on premises do, which this connector does \
                 not support.",
                schemes.join(" or ")
            ),
            "Use an environment that signs in through Microsoft Entra ID.",
        ),
        // With a tenant in the settings, signing in needs no challenge.
        Ok(Challenged::Unclear) if client.settings().tenant.is_some() => Finding::warning(
            REACH,
            format!(
                "{address} requires a sign-in, but does not name an authority as Dataverse \
                    does."
            ),
            "If the next tests fail, compare \"environment\" with the environment's URL in the \
             Power Platform admin center."
                .to_owned(),
        ),
        Ok(Challenged::Unclear) => failed(
            format!("{address} requires a sign-in, but not as Dataverse does."),
            "Set \"environment\" to the environment's URL as the Power Platform admin center \
             shows it.",
        ),
        Ok(Challenged::Status(status @ (400 | 404 | 410), _)) => failed(
            format!("{address} responds, but there is no environment (status {status})."),
            "Compare \"environment\" with the environment's URL in the Power Platform admin \
             center; an environment that was deleted or renamed responds like this.",
        ),
        Ok(Challenged::Status(status @ 300..=399, location)) => failed(
            format!(
                "{address} redirects (status {status}) to {}, and redirects are not followed.",
                location.as_deref().unwrap_or("an unknown address")
            ),
            "Set \"environment\" to the environment's own address.",
        ),
        Ok(Challenged::Status(status @ 200..=299, _)) => failed(
            format!(
                "{address} responds without a sign-in (status {status}), so it is not Dataverse."
            ),
            "Set \"environment\" to the environment's URL as the Power Platform admin center \
             shows it.",
        ),
        Ok(Challenged::Status(status @ (429 | 500..), _)) => failed(
            format!("{address} is busy or failing (status {status})."),
            "Try again in some minutes; see the service health in the Microsoft 365 admin center.",
        ),
        Ok(Challenged::Status(status, _)) => failed(
            format!("{address} rejected the request (status {status})."),
            "Look for a firewall, or an IP rule of the environment, that blocks this machine.",
        ),
        Err(error) => from_error(REACH, &error),
    }
}

async fn sign_in<H: Host>(client: &Client<H>, findings: &mut Vec<Finding>) -> Option<()> {
    match client.sign_in().await {
        Ok(lifetime) => {
            findings.push(Finding::passed(
                SIGN_IN,
                match client.settings().auth {
                    Auth::Application(_) => "The application signed in and got a token.",
                    Auth::Delegated(_) => "The sign-in was renewed with the refresh token.",
                    Auth::AccessToken(_) => "The secret holds an access token.",
                }
                .to_owned(),
            ));
            let short = lifetime.filter(|lifetime| *lifetime < COMFORTABLE_TOKEN_LIFETIME);
            findings.extend(short.map(short_lived));
            Some(())
        }
        Err(error) => add(findings, from_error(SIGN_IN, &error)),
    }
}

fn short_lived(lifetime: Duration) -> Finding {
    let seconds = lifetime.as_secs();
    Finding::warning(
        TOKEN_LIFETIME,
        format!("The token is valid for only {seconds} seconds, so the connector signs in often."),
        "Look for a token lifetime policy of the application in Microsoft Entra; tokens are valid \
         for an hour or more by default.",
    )
}

/// Finds out which user of the environment the account is.
async fn membership<H: Host>(client: &Client<H>, findings: &mut Vec<Finding>) -> Option<Guid> {
    let query = Query::new("WhoAmI");
    let error = match get(client, &query, |me| me.key("UserId")).await {
        Ok(me) => {
            let message = match client.settings().auth {
                Auth::Application(_) => {
                    format!("The application is user {me} of the environment.")
                }
                Auth::Delegated(_) | Auth::AccessToken(_) => match name(client, &me).await {
                    Some(name) => format!("The account is {name}, user {me} of the environment."),
                    None => format!("The account is user {me} of the environment."),
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
            "The application is a user of the environment.".to_owned(),
        ));
        findings.push(from_error(account::DISABLED, &error));
    } else {
        findings.push(from_error(MEMBERSHIP, &error));
    }
    None
}

/// The name of a user, if the account may read it.
async fn name<H: Host>(client: &Client<H>, user: &Guid) -> Option<String> {
    let query = Query::new(&format!("systemusers({user})")).select(&["fullname", "domainname"]);
    let name = get(client, &query, |row| {
        let name = row.text("fullname")?;
        Some(match row.non_empty_text("domainname") {
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
        remedy = format!("{remedy} Wait {seconds} seconds, as the service requests.");
    }
    Finding::failed(id, sentence(failure), remedy)
}

fn fallback_remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSettings => "Correct the settings.",
        ErrorKind::Unauthenticated => "Check the application's ID and secret.",
        ErrorKind::Forbidden => "Ask an administrator of the environment.",
        ErrorKind::Throttled | ErrorKind::Unavailable => "Try again later.",
        ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::InvalidData
        | ErrorKind::CheckpointExpired
        | ErrorKind::Unsupported
        | ErrorKind::Internal => "Report this to the maintainers of the connector.",
    }
}

/// The text as a sentence: with a capital letter and a full stop.
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
