//! One run over several streams.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::checkpoint;
use super::event::{Event, Selection};
use super::kind::{self, Kind};
use super::read::ranged::sizes::Sizes;
use super::read::share::Share;
use super::stream::{Common, Stream, Waiting};
use crate::dataverse::Client;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::ordered::Set;

/// How many streams are read at a time.
const MAX_ACTIVE: usize = 3;

/// One run over one or several streams.
pub struct Sync<H> {
    client: Client<H>,
    share: Rc<Share>,
    waiting: VecDeque<Waiting<H>>,
    /// None before the first stream is opened.
    common: Option<Common<H>>,
    /// In the order in which they are polled.
    active: VecDeque<Stream>,
}

impl<H: Host> Sync<H> {
    /// Checks the selections against each other and against their checkpoints. Nothing is
    /// requested before [`next`](Self::next).
    ///
    /// # Errors
    /// `InvalidData` for an invalid selection, `CheckpointExpired` for a checkpoint that cannot
    /// be resumed.
    pub fn start(client: &Client<H>, selections: Vec<Selection>) -> Result<Self, Error> {
        let streams = selections.len().clamp(1, max_active(client));
        let ceiling = client.settings().limits.max_concurrency;
        let share = Share::new(streams, ceiling);
        let client = client.clone().with_max_body(share.page_bytes());
        let mut names = Set::default();
        let mut waiting = VecDeque::with_capacity(selections.len());
        for selection in selections {
            if !names.insert(selection.stream.clone()) {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    format!(
                        "the stream {} is selected twice; select it once, with all the columns \
                         you need",
                        selection.stream
                    ),
                ));
            }
            let kind: Box<dyn Kind<H>> = kind::resolve(&selection.stream);
            let environment = client.environment().identity();
            let binding = kind::plan::selection::check(environment, &selection, kind.options())?;
            let checkpoint = selection
                .checkpoint
                .as_deref()
                .map(|text| checkpoint::read(&client, &binding, text))
                .transpose()?;
            waiting.push_back(Waiting {
                selection,
                kind,
                binding,
                checkpoint,
            });
        }
        Ok(Self {
            client,
            share,
            waiting,
            common: None,
            active: VecDeque::new(),
        })
    }

    /// The next event, or none when every stream is complete or has failed.
    ///
    /// A call that is dropped before it returns loses nothing: the streams keep what they have
    /// read and requested.
    ///
    /// # Errors
    /// An error that concerns the connection. It ends the sync.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            self.activate().await;
            if self.active.is_empty() {
                return Ok(None);
            }
            let Some(event) = self.next_of_active().await else {
                continue;
            };
            if event.is_err() {
                self.waiting.clear();
                self.active.clear();
            }
            return event.map(Some);
        }
    }

    /// Opens streams while [there is room](Self::has_room).
    async fn activate(&mut self) {
        self.share.remain(self.active.len() + self.waiting.len());
        while self.has_room()
            && let Some(waiting) = self.waiting.pop_front()
        {
            let common = self.common(&waiting).await;
            self.active.push_back(Stream::open(common, waiting).await);
        }
    }

    /// Whether another stream can be opened: one always, more as far as the client may have the
    /// request of each in flight.
    fn has_room(&self) -> bool {
        let max = max_active(&self.client).min(self.client.concurrency());
        !self.waiting.is_empty()
            && self.active.len() < max
            && (self.active.is_empty() || self.client.spare_concurrency() > 0)
    }

    /// What the streams have in common. Before the first one is opened, the sizes of those that
    /// are read in full are requested, all at once.
    async fn common(&mut self, first: &Waiting<H>) -> Common<H> {
        if let Some(common) = &self.common {
            return common.clone();
        }
        let names = if self.client.settings().limits.max_concurrency > 1 {
            std::iter::once(first)
                .chain(&self.waiting)
                .filter_map(Waiting::table_in_full)
                .map(str::to_owned)
                .collect()
        } else {
            Vec::new()
        };
        let common = Common {
            client: self.client.clone(),
            share: Rc::clone(&self.share),
            sizes: Rc::new(Sizes::request(&self.client, names).await),
        };
        self.common.insert(common).clone()
    }

    /// Waits for the next event of any stream; `None` if there is room for another stream first.
    /// The stream of the event is polled last from then on.
    async fn next_of_active(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|context| {
            if let Some(common) = &self.common {
                // The response is received while the metadata is read, not only once a stream waits
                // for it.
                common.sizes.poll(context);
            }
            for index in 0..self.active.len() {
                let Some(stream) = self.active.get_mut(index) else {
                    break;
                };
                let Poll::Ready(event) = stream.poll(context) else {
                    continue;
                };
                let has_ended = stream.has_ended();
                self.active.rotate_left(index);
                if has_ended {
                    self.active.pop_front();
                } else {
                    self.active.rotate_left(1);
                }
                return Poll::Ready(Some(event));
            }
            if self.has_room() {
                Poll::Ready(None)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

fn max_active<H: Host>(client: &Client<H>) -> usize {
    client
        .settings()
        .limits
        .max_concurrency
        .clamp(1, MAX_ACTIVE)
}
