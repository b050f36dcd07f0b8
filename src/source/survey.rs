//! Whether a full read goes by ranges, and by which.

use std::rc::Rc;

use super::checkpoint::Method;
use super::keys::{Found, Keys};
use super::plan::Plan;
use super::ranges::{Later, Ranges};
use super::sequence::Start;
use super::size::Sizes;
use super::tracked;
use super::watermark::Column;
use crate::dataverse::Client;
use crate::dataverse::query::Query;
use crate::error::{Error, Recovery};
use crate::host::{Host, Started};
use crate::json::Object;

/// How many pages a table must have to be read in ranges. Asking for the bounds, a page or two
/// of each range and the tail take about as long as four pages, one after another.
const LEAST_PAGES: u64 = 8;

/// What was found out.
pub(super) struct Survey {
    /// Where the full read begins; it was asked for, so this is handed through.
    pub(super) start: Start,
    /// The ranges, if it goes by ranges.
    pub(super) ranges: Option<Ranges>,
    /// Why the service does not track changes here, if that turned out.
    pub(super) untracked: Option<&'static str>,
}

/// Finds out whether the table is large enough for ranges, and where they begin and end. Of a
/// tracked table the first page of its baseline is read: only what is read after that may
/// count as part of it.
///
/// # Errors
/// What every other request for the table would meet too.
pub(super) async fn survey<H: Host>(
    client: Client<H>,
    plan: Rc<Plan>,
    sizes: Rc<Sizes<H>>,
    method: Method,
    most_rows: u32,
    start: Start,
) -> Result<Survey, Error> {
    let mut survey = Survey {
        start,
        ranges: None,
        untracked: None,
    };
    let page_size = plan.page_size().min(most_rows).max(1);
    let pages = sizes.of(&plan.table.name).await.unwrap_or(0) / u64::from(page_size);
    if pages < LEAST_PAGES {
        return Ok(survey);
    }
    let newest = politely(&client, bound(&client, &plan, "desc").await).await;
    let oldest = politely(&client, bound(&client, &plan, "asc").await).await;
    let later = match method {
        Method::Tracked { plain } => match begin(&client, &plan, most_rows).await {
            (page_size, Ok(Found::Next(next))) => Later::Baseline {
                plain,
                next,
                page_size,
            },
            (_, Ok(Found::Delta(link))) => Later::Delta { plain, link },
            (_, Ok(Found::Opaque)) => return Ok(survey),
            (_, Ok(Found::Nothing)) => {
                survey.untracked = Some("the service does not say where they begin");
                Later::Versions { fallback: true }
            }
            (_, Err(error)) => {
                survey.untracked = Some(tracked::unavailable(&error).ok_or(error)?);
                Later::Versions { fallback: true }
            }
        },
        Method::Watermark { fallback, .. } => Later::Versions { fallback },
        Method::Full => return Ok(survey),
    };
    let (Some(newest), Some(oldest)) = (known(newest.await)?, known(oldest.await)?) else {
        return Ok(Survey {
            untracked: None,
            ..survey
        });
    };
    let pages = usize::try_from(pages).unwrap_or(usize::MAX);
    let parts = client.settings().limits.max_concurrency.min(pages);
    survey.ranges = Some(Ranges::new(oldest, newest, parts, page_size, later));
    Ok(survey)
}

/// Waits for the answer if the service does not welcome another request beside this one.
async fn politely<H: Host, T: Unpin + 'static>(
    client: &Client<H>,
    request: Started<T>,
) -> Started<T> {
    if client.spare_concurrency() > 0 {
        request
    } else {
        Started::new(std::future::ready(request.await)).await
    }
}

/// Begins the baseline, with pages as large as the service bears, and says how large they are.
async fn begin<H: Host>(
    client: &Client<H>,
    plan: &Rc<Plan>,
    most_rows: u32,
) -> (u32, Result<Found, Error>) {
    let mut page_size = plan.most_rows().min(most_rows).max(1);
    loop {
        match Keys::begin(client, plan, page_size).await {
            Err(error) if error.recovery == Some(Recovery::SmallerPages) && page_size > 1 => {
                page_size = (page_size / 4).max(1);
            }
            found => return (page_size, found),
        }
    }
}

/// Asks for the first version in an order.
async fn bound<H: Host>(
    client: &Client<H>,
    plan: &Plan,
    order: &str,
) -> Started<Result<Option<i64>, Error>> {
    let column = Column::VersionNumber.name();
    let query = Query::new(&plan.table.entity_set).select(&[column]);
    let query = plan
        .under(query, None)
        .option("$orderby", &format!("{column} {order}"))
        .option("$top", "1");
    let client = client.clone();
    Started::new(async move {
        let link = client.resource(query.as_str())?;
        client.read(&link, first_version).await
    })
    .await
}

/// The version in the first row, if there is one.
#[expect(
    clippy::option_option,
    reason = "no row is an answer, and no list of rows is none"
)]
fn first_version(answer: &Object<'_>) -> Option<Option<i64>> {
    let first = answer.list("value")?.next();
    Some(first.and_then(|row| row.whole(Column::VersionNumber.name())))
}

/// The version that was asked for; none if there is no row, or if the service does not put
/// this table in order by version.
fn known(version: Result<Option<i64>, Error>) -> Result<Option<i64>, Error> {
    match version {
        Err(error) if is_unsupported(&error) || fails(&error) => Ok(None),
        version => version,
    }
}

/// Whether the service stumbled over the request. Reading page after page asks for less.
pub(super) fn fails(error: &Error) -> bool {
    error.status() == Some(500)
}

/// Whether the service does not put this table in order by version. That it does is not
/// documented; and where it has no index to do so, it gives up in the end.
pub(super) fn is_unsupported(error: &Error) -> bool {
    error.recovery == Some(Recovery::SmallerPages) || error.is_not_offered()
}
