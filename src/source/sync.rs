//! One run over several streams.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::binding::Binding;
use super::checkpoint;
use super::event::{Event, Selection};
use super::share::Share;
use super::size::Sizes;
use super::stream::{Common, Stream, Turn, Waiting};
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
    waiting: VecDeque<Waiting>,
    /// None before the first stream is opened.
    common: Option<Common<H>>,
    /// In the order of their turns.
    active: VecDeque<Stream<H>>,
}

impl<H: Host> Sync<H> {
    /// Checks the selections against each other and against their checkpoints. Nothing is
    /// sent before [`next`](Self::next).
    ///
    /// # Errors
    /// `InvalidData` for selections that cannot be meant, `CheckpointExpired` for a checkpoint
    /// that cannot be resumed.
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
                        "the stream {} is selected twice; select it once with all the columns \
                         you need",
                        selection.stream
                    ),
                ));
            }
            if selection.page_size == Some(0) {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    format!(
                        "the page size of {} is 0; give a number from 1 to {}",
                        selection.stream,
                        super::plan::MAX_PAGE_SIZE
                    ),
                ));
            }
            let binding = Binding::new(client.environment().identity(), &selection)?;
            let resume = selection
                .checkpoint
                .as_deref()
                .map(|text| checkpoint::read(&client, &binding, text))
                .transpose()?;
            waiting.push_back(Waiting {
                selection,
                binding,
                resume,
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
    /// # Errors
    /// What concerns the connection. It ends the sync.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            self.activate().await;
            if self.active.is_empty() {
                return Ok(None);
            }
            let turn = self.turn().await;
            let Some(stream) = self.active.front_mut() else {
                continue;
            };
            if let Err(error) = stream.take(turn).await {
                self.waiting.clear();
                self.active.clear();
                return Err(error);
            }
            let event = stream.next_event();
            if stream.is_over() {
                self.active.pop_front();
            } else {
                self.active.rotate_left(1);
            }
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Opens streams until as many are active as may be: one always, more as far as the
    /// service welcomes the page that each has on its way.
    async fn activate(&mut self) {
        let most = max_active(&self.client);
        self.share.remain(self.active.len() + self.waiting.len());
        while self.active.len() < most.min(self.client.concurrency())
            && (self.active.is_empty() || self.client.spare_concurrency() > 0)
        {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            let common = self.common(&waiting).await;
            self.active.push_back(Stream::open(common, waiting).await);
        }
    }

    /// What the streams have in common. Before the first one is opened, the sizes of those
    /// that are read in full are asked for, all at once.
    async fn common(&mut self, first: &Waiting) -> Common<H> {
        if let Some(common) = &self.common {
            return common.clone();
        }
        let names = if self.client.settings().limits.max_concurrency > 1 {
            std::iter::once(first)
                .chain(&self.waiting)
                .filter(|waiting| waiting.is_table_in_full())
                .map(|waiting| waiting.selection.stream.clone())
                .collect()
        } else {
            Vec::new()
        };
        let common = Common {
            client: self.client.clone(),
            share: Rc::clone(&self.share),
            sizes: Rc::new(Sizes::ask(&self.client, names).await),
        };
        self.common.insert(common).clone()
    }

    /// Waits until a stream can take its turn and moves it to the front.
    async fn turn(&mut self) -> Turn {
        poll_fn(|context| {
            if let Some(common) = &self.common {
                // Its answer comes beside the metadata, not only once somebody asks for it.
                common.sizes.poll(context);
            }
            for index in 0..self.active.len() {
                let Some(stream) = self.active.get_mut(index) else {
                    break;
                };
                if let Poll::Ready(turn) = stream.poll(context) {
                    self.active.rotate_left(index);
                    return Poll::Ready(turn);
                }
            }
            Poll::Pending
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
