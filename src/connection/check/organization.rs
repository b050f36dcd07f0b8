//! The organization's own particulars: good to know, not needed.

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
    /// The only row of pages.
    fn on(pages: &[Vec<u8>]) -> Option<Self> {
        let page = Object::parse(pages.first()?)?;
        let row = page.objects("value").next()?;
        Some(Self {
            name: row.text("name"),
            expirechangetrackingindays: row.whole("expirechangetrackingindays"),
            isauditenabled: row.flag("isauditenabled"),
        })
    }
}

/// Adds what is found, and gives what later steps need of it.
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
        // Older organizations lack some of the columns.
        found = pages(client, &query).await;
    }
    let organization = match found {
        Ok(pages) => Organization::on(&pages).unwrap_or_default(),
        Err(error) => {
            findings.push(unknown(&error));
            return None;
        }
    };
    // Not every environment tells its version, and nothing depends on it.
    let query = Query::new("RetrieveVersion()");
    let version = get(client, &query, |it| it.text("Version")).await;
    let version = version.ok();
    findings.push(particulars(&organization, version.as_deref()));
    findings.extend(api_version(client, version.as_deref()));
    Some(organization)
}

fn particulars(organization: &Organization, version: Option<&str>) -> Finding {
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
                 organization: after a longer break every tracked table is read from its \
                 beginning."
            ),
        ),
        _ => Finding::passed(ORGANIZATION, message),
    }
}

/// What an older version of the Web API than the organization's lacks is missed.
fn api_version<H: Host>(client: &Client<H>, version: Option<&str>) -> Option<Finding> {
    let current = ApiVersion::CURRENT;
    let spoken = client.environment().version();
    let speaks_current = version?.starts_with(&format!("{current}."));
    (spoken < current && speaks_current).then(|| {
        Finding::warning(
            API_VERSION,
            format!("The Web API is spoken in version {spoken}, and the organization's is newer."),
            format!(
                "Set \"apiVersion\" to {current}: the organization speaks it, and {spoken} lacks \
                 what came later."
            ),
        )
    })
}

fn unknown(error: &Error) -> Finding {
    let (failure, advice) = error.parts();
    let remedy = match (error.kind, advice) {
        (ErrorKind::Forbidden, _) => {
            "Let the application user's security role read the Organization table.".to_owned()
        }
        (ErrorKind::NotFound | ErrorKind::Unsupported, _) | (_, None) => {
            "Nothing needs to be done: it is good to know, and not needed.".to_owned()
        }
        (_, Some(advice)) => sentence(advice),
    };
    Finding::warning(
        ORGANIZATION,
        sentence(&format!(
            "the organization's settings are not known: {failure}"
        )),
        remedy,
    )
}
