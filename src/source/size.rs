//! How many rows tables have, as far as the service says (reference §3).
//!
//! The numbers are up to a day old and count rows that the account may not see. They decide
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

/// How many tables are asked about at once: their names must fit into an address.
const MOST_NAMES: usize = 100;
/// How long the answer is worth waiting for.
const PATIENCE: Duration = Duration::from_secs(20);

type Counts = Map<String, u64>;

/// The sizes of the tables that a sync reads in full.
pub(super) struct Sizes<H> {
    client: Client<H>,
    state: RefCell<State>,
}

enum State {
    /// The answer is on its way.
    Asked(Started<Counts>),
    Known(Counts),
}

impl<H: Host> Sizes<H> {
    /// Asks about all these tables in one request.
    pub(super) async fn ask(client: &Client<H>, names: Vec<String>) -> Self {
        let client = client.clone().with_max_wait(PATIENCE);
        let state = if names.is_empty() {
            State::Known(Counts::default())
        } else {
            let client = client.clone();
            State::Asked(Started::new(async move { count_all(&client, &names).await }).await)
        };
        Self {
            client,
            state: RefCell::new(state),
        }
    }

    /// How many rows the table has, if the service says. It is asked alone if the first
    /// answer does not tell: one name that the service does not know spoils that for all.
    pub(super) async fn of(&self, table: &str) -> Option<u64> {
        let known = poll_fn(|context| self.poll_known(table, context)).await;
        if known.is_some() {
            return known;
        }
        let counts = count(&self.client, &[table.to_owned()]).await.ok()?;
        counts.get(table).copied()
    }

    /// Goes on with what is on its way.
    pub(super) fn poll(&self, context: &mut Context<'_>) {
        let mut state = self.state.borrow_mut();
        if let State::Asked(answer) = &mut *state
            && let Poll::Ready(counts) = Pin::new(answer).poll(context)
        {
            *state = State::Known(counts);
        }
    }

    /// Several streams may wait for the same answer: all are polled by the one task that
    /// drives the sync, so that whoever polled last wakes them all.
    fn poll_known(&self, table: &str, context: &mut Context<'_>) -> Poll<Option<u64>> {
        self.poll(context);
        match &*self.state.borrow() {
            State::Known(counts) => Poll::Ready(counts.get(table).copied()),
            State::Asked(_) => Poll::Pending,
        }
    }
}

async fn count_all<H: Host>(client: &Client<H>, names: &[String]) -> Counts {
    let mut all = Counts::default();
    for names in names.chunks(MOST_NAMES) {
        // Without an answer the tables are asked about one by one when they are opened.
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

/// The answer is a list of names and a list of numbers, in the same order.
fn counts(answer: &Object<'_>) -> Option<Counts> {
    let collection = answer.object("EntityRecordCountCollection")?;
    let names = collection.texts("Keys").into_iter();
    let counts = collection.elements("Values")?.into_iter();
    Some(
        names
            .zip(counts)
            .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
            .collect(),
    )
}
