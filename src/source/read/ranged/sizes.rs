//! How many rows tables have, as far as the service says (reference §3).
//!
//! The numbers are up to a day old and include rows that the account may not see. They decide
//! how a table is read, never what is read.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::dataverse::Client;
use crate::dataverse::query::Query;
use crate::error::Error;
use crate::host::{Host, Started};
use crate::json::{Object, array, quoted};
use crate::ordered::Map;

/// How many tables one request counts: their names must fit into an address.
const MAX_NAMES: usize = 100;
/// How long the response may take.
const MAX_WAIT: Duration = Duration::from_secs(20);

type Counts = Map<String, u64>;

/// The sizes of the tables that a sync reads in full.
pub(in crate::source) struct Sizes<H> {
    client: Client<H>,
    state: RefCell<State>,
}

enum State {
    /// The response is in flight.
    Requested(Started<Counts>),
    Known(Counts),
}

impl<H: Host> Sizes<H> {
    /// Requests the sizes of all these tables at once.
    pub(in crate::source) async fn request(client: &Client<H>, names: Vec<String>) -> Self {
        let client = client.clone().with_max_wait(MAX_WAIT);
        let state = if names.is_empty() {
            State::Known(Counts::default())
        } else {
            let client = client.clone();
            State::Requested(Started::new(async move { count_all(&client, &names).await }).await)
        };
        Self {
            client,
            state: RefCell::new(state),
        }
    }

    /// How many rows the table has, if the service says. The table is counted alone if the first
    /// response does not say: one unknown name makes that request fail for all.
    pub(super) async fn of(&self, table: &str) -> Option<u64> {
        let known = poll_fn(|context| self.poll_known(table, context)).await;
        if known.is_some() {
            return known;
        }
        let counts = count(&self.client, &[table.to_owned()]).await.ok()?;
        counts.get(table).copied()
    }

    /// Polls the request that is in flight.
    pub(in crate::source) fn poll(&self, context: &mut Context<'_>) {
        let mut state = self.state.borrow_mut();
        if let State::Requested(response) = &mut *state
            && let Poll::Ready(counts) = Pin::new(response).poll(context)
        {
            *state = State::Known(counts);
        }
    }

    /// Several streams may wait for the same response: one task polls them all, so the last one
    /// that polled wakes them all.
    fn poll_known(&self, table: &str, context: &mut Context<'_>) -> Poll<Option<u64>> {
        self.poll(context);
        match &*self.state.borrow() {
            State::Known(counts) => Poll::Ready(counts.get(table).copied()),
            State::Requested(_) => Poll::Pending,
        }
    }
}

async fn count_all<H: Host>(client: &Client<H>, names: &[String]) -> Counts {
    let mut all = Counts::default();
    for names in names.chunks(MAX_NAMES) {
        // After a failure the tables are counted one by one when they are opened.
        if let Ok(counts) = count(client, names).await {
            all.extend(counts);
        }
    }
    all
}

async fn count<H: Host>(client: &Client<H>, names: &[String]) -> Result<Counts, Error> {
    let list = array(names.iter().map(|name| quoted(name)));
    let query = Query::new("RetrieveTotalRecordCount(EntityNames=@p1)").option("@p1", &list);
    let link = client.resource(query.as_str())?;
    client.read(&link, counts).await
}

/// The response is a list of names and a list of numbers, in the same order.
fn counts(response: &Object<'_>) -> Option<Counts> {
    let collection = response.object("EntityRecordCountCollection")?;
    let names = collection.texts("Keys").into_iter();
    let counts = collection.elements("Values")?.into_iter();
    Some(
        names
            .zip(counts)
            .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
            .collect(),
    )
}
