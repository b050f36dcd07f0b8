//! The organization's own properties: informative, not required.

use super::{ORGANIZATION, sentence};
use crate::connection::report::Finding;
use crate::dataverse::Client;
use crate::dataverse::query::Query;
use crate::dataverse::rows::{get, pages};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::json::Object;
use crate::settings::ApiVersion;

const API_VERSION: &str = "api-version";

/// Changes that are kept for fewer days than this are easily missed by a paused sync.
const COMFORTABLE_RETENTION: i64 = 3;

/// The row of the organization.
#[derive(Default)]
pub(super) struct Organization {
    name: Option<String>,
    expirechangetrackingindays: Option<i64>,
    /// Whether any history is kept (reference §10).
    pub(super) isauditenabled: Option<bool>,
}

impl Organization {
    /// Reads the only row.
    fn read(pages: &[Vec<u8>]) -> Option<Self> {
        let page = Object::parse(pages.first()?)?;
        let row = page.objects("value").next()?;
        Some(Self {
            name: row.text("name"),
            expirechangetrackingindays: row.integer("expirechangetrackingindays"),
            isauditenabled: row.flag("isauditenabled"),
        })
    }
}

/// Adds the findings, and returns what later steps need.
pub(super) async fn check<H: Host>(
    client: &Client<H>,
    findings: &mut Vec<Finding>,
) -> Option<Organization> {
    let columns = [
        "organizationid",
        "name",
        "expirechangetrackingindays",
        "isauditenabled",
    ];
    let query = Query::new("organizations");
    let mut found = pages(client, &query.clone().select(&columns)).await;
    if found.as_ref().is_err_and(Error::is_not_offered) {
        // Older organizations do not have all of the columns.
        found = pages(client, &query).await;
    }
    let organization = match found {
        Ok(pages) => Organization::read(&pages).unwrap_or_default(),
        Err(error) => {
            findings.push(unknown(&error));
            return None;
        }
    };
    // Not every environment returns its version, and nothing depends on it.
    let query = Query::new("RetrieveVersion()");
    let version = get(client, &query, |it| it.text("Version")).await;
    let version = version.ok();
    findings.push(properties(&organization, version.as_deref()));
    findings.extend(api_version(client, version.as_deref()));
    Some(organization)
}

fn properties(organization: &Organization, version: Option<&str>) -> Finding {
    let mut message = format!(
        "The organization is {}, version {}",
        organization.name.as_deref().unwrap_or("without a name"),
        version.unwrap_or("unknown")
    );
    let retention = organization.expirechangetrackingindays;
    if let Some(days) = retention {
        message = format!("{message}; it keeps changes for {days} days");
    }
    message.push('.');
    match retention {
        Some(days) if days < COMFORTABLE_RETENTION => Finding::warning(
            ORGANIZATION,
            message,
            format!(
                "Sync at least once in {days} days, or raise expirechangetrackingindays of the \
                 organization: after a longer break every tracked table is read in \
                 full."
            ),
        ),
        _ => Finding::passed(ORGANIZATION, message),
    }
}

/// An older version of the Web API than the organization's has fewer features.
fn api_version<H: Host>(client: &Client<H>, version: Option<&str>) -> Option<Finding> {
    let current = ApiVersion::CURRENT;
    let used = client.environment().version();
    let supports_current = version?.starts_with(&format!("{current}."));
    (used < current && supports_current).then(|| {
        Finding::warning(
            API_VERSION,
            format!("The connection uses version {used} of the Web API, and the organization supports a newer one."),
            format!(
                "Set \"apiVersion\" to {current}, which the organization supports; {used} has \
                 fewer features."
            ),
        )
    })
}

fn unknown(error: &Error) -> Finding {
    let (failure, advice) = error.parts();
    let remedy = match (error.kind, advice) {
        (ErrorKind::Forbidden, _) => {
            "In a security role of the account, set \"Read\" of Organization to Organization."
                .to_owned()
        }
        (ErrorKind::NotFound | ErrorKind::Unsupported, _) | (_, None) => {
            "No action is required: these settings are informative.".to_owned()
        }
        (_, Some(advice)) => sentence(advice),
    };
    Finding::warning(
        ORGANIZATION,
        sentence(&format!(
            "the organization's settings are unknown: {failure}"
        )),
        remedy,
    )
}
