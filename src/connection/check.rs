//! Testing a connection step by step; what cannot work after a failure is skipped.

use std::time::Duration;

use serde::Deserialize;

use super::report::{Finding, Report};
use crate::auth::Challenged;
use crate::dataverse::query::Query;
use crate::dataverse::{Client, Prefer};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::settings::ApiVersion;

const SETTINGS: &str = "settings";
const REACH: &str = "reach";
const SIGN_IN: &str = "sign-in";
const MEMBERSHIP: &str = "membership";
const ORGANIZATION: &str = "organization";

/// Somebody is waiting for the report: no step waits out a busy service for longer.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Changes that are kept for fewer days than this are easily missed by a paused sync.
const COMFORTABLE_RETENTION: i64 = 3;

pub(super) async fn check<H: Host>(client: &Client<H>) -> Report {
    let client = &client.clone().waiting_at_most(MAX_WAIT);
    let mut findings = vec![settings(client)];
    let mut go_on = true;
    for id in [REACH, SIGN_IN, MEMBERSHIP, ORGANIZATION] {
        let finding = match id {
            _ if !go_on => Finding::skipped(id),
            REACH => reach(client).await,
            SIGN_IN => sign_in(client).await,
            MEMBERSHIP => membership(client).await,
            _ => organization(client).await,
        };
        go_on = !finding.has_failed();
        findings.push(finding);
    }
    Report::new(findings)
}

fn settings<H: Host>(client: &Client<H>) -> Finding {
    let settings = client.settings();
    Finding::passed(
        SETTINGS,
        format!(
            "The settings describe {} (Web API {}), signed in to {}.",
            settings.environment,
            settings.api_version.unwrap_or(ApiVersion::CURRENT),
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

async fn sign_in<H: Host>(client: &Client<H>) -> Finding {
    match client.sign_in().await {
        Ok(()) => Finding::passed(
            SIGN_IN,
            "The application signed in and got a token.".to_owned(),
        ),
        Err(error) => from_error(SIGN_IN, &error),
    }
}

#[derive(Deserialize)]
struct WhoAmI {
    #[serde(rename = "UserId")]
    user_id: String,
}

async fn membership<H: Host>(client: &Client<H>) -> Finding {
    match read::<H, WhoAmI>(client, Query::new("WhoAmI")).await {
        Ok(me) => Finding::passed(
            MEMBERSHIP,
            format!(
                "The environment knows the application as user {}.",
                me.user_id
            ),
        ),
        Err(error) => from_error(MEMBERSHIP, &error),
    }
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "Version")]
    version: String,
}

#[derive(Deserialize)]
struct Organizations {
    value: Vec<Organization>,
}

#[derive(Deserialize)]
struct Organization {
    name: Option<String>,
    expirechangetrackingindays: Option<i64>,
}

async fn organization<H: Host>(client: &Client<H>) -> Finding {
    let columns = ["organizationid", "name", "expirechangetrackingindays"];
    let query = Query::new("organizations").select(&columns);
    let organization = match read::<H, Organizations>(client, query).await {
        Ok(organizations) => organizations.value.into_iter().next(),
        Err(error) => return unknown_organization(&error),
    };
    let (name, retention) = organization.map_or((None, None), |organization| {
        (organization.name, organization.expirechangetrackingindays)
    });
    // Not every environment tells its version, and nothing depends on it.
    let version = read::<H, Version>(client, Query::new("RetrieveVersion()")).await;
    let version = version.ok().map(|answer| answer.version);
    let mut message = format!(
        "The organization is {}, version {}",
        name.as_deref().unwrap_or("without a name"),
        version.as_deref().unwrap_or("unknown")
    );
    if let Some(days) = retention {
        message = format!("{message}; it keeps changes for {days} days");
    }
    message.push('.');
    let api_version = client.settings().api_version.unwrap_or(ApiVersion::CURRENT);
    if api_version < ApiVersion::CURRENT
        && version.is_some_and(|version| version.starts_with(&format!("{}.", ApiVersion::CURRENT)))
    {
        return Finding::warning(
            ORGANIZATION,
            message,
            format!(
                "Set \"apiVersion\" to {}: the organization speaks it, and {api_version} lacks \
                 what came later.",
                ApiVersion::CURRENT
            ),
        );
    }
    match retention {
        Some(days) if days < COMFORTABLE_RETENTION => Finding::warning(
            ORGANIZATION,
            message,
            format!(
                "Sync at least once in {days} days, or raise expirechangetrackingindays of the \
                 organization: after a longer break every tracked table is read from its \
                 beginning."
            ),
        ),
        _ => Finding::passed(ORGANIZATION, message),
    }
}

/// The organization's particulars are good to know, not needed: a failure warns.
fn unknown_organization(error: &Error) -> Finding {
    Finding::warning(
        ORGANIZATION,
        sentence(&format!(
            "the organization's settings are not known: {error}"
        )),
        "Let the application user's security role read the Organization table.".to_owned(),
    )
}

async fn read<H: Host, T: for<'de> Deserialize<'de>>(
    client: &Client<H>,
    query: Query,
) -> Result<T, Error> {
    let link = client.resource(query.as_str())?;
    client.get_json(&link, &Prefer::default()).await
}

fn from_error(id: &'static str, error: &Error) -> Finding {
    let (failure, advice) = error.parts();
    let mut remedy = advice.map_or_else(|| fallback_remedy(error.kind).to_owned(), sentence);
    if let Some(wait) = error.retry_after {
        let seconds = wait.as_secs_f64().ceil();
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
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    sentence.push_str(characters.as_str().trim_end_matches('.'));
    sentence.push('.');
    sentence
}
