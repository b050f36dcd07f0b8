//! Finding deletions that the service does not report, by reading every key.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::event::{Event, Operation};
use super::keys::{Found, Keys};
use super::output::Output;
use super::plan::Plan;
use super::sequence::Answered;
use crate::dataverse::Client;
use crate::error::{Error, Recovery};
use crate::host::Host;

/// Reads the keys of a stream whose changes have been read.
pub(super) struct Sweep<H> {
    client: Client<H>,
    plan: Rc<Plan>,
    keys: Keys<H>,
    output: Output,
}

impl<H: Host> Sweep<H> {
    /// Begins. The first request is on its way when this returns.
    ///
    /// # Errors
    /// When there is no address for it.
    pub(super) async fn start(
        client: Client<H>,
        plan: Rc<Plan>,
        output: Output,
        events: &mut VecDeque<Event>,
    ) -> Result<Self, Error> {
        let keys = Keys::sweep(&client, &plan, plan.most_rows())?;
        let mut this = Self {
            client,
            plan,
            keys,
            output,
        };
        this.begin(events).await;
        Ok(this)
    }

    async fn begin(&mut self, events: &mut VecDeque<Event>) {
        self.keys.ask().await;
        events.push_back(Event::Sweep(self.plan.table.name.clone()));
    }

    /// Whether the page that was asked for has come.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answered> {
        self.keys.poll(context)
    }

    /// Makes events of an answer and asks for the next page. Returns whether it was the last.
    ///
    /// # Errors
    /// When the keys cannot be read; then nothing is proven.
    pub(super) async fn accept(
        &mut self,
        answered: Answered,
        events: &mut VecDeque<Event>,
    ) -> Result<bool, Error> {
        let found = match self.keys.accept(answered).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(false),
            Err(error)
                if error.recovery == Some(Recovery::SmallerPages) && self.keys.page_size() > 1 =>
            {
                let page_size = (self.keys.page_size() / 4).max(1);
                self.keys = Keys::sweep(&self.client, &self.plan, page_size)?;
                self.begin(events).await;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let keys = self.keys.take_keys();
        let goes_on = matches!(found, Found::Next(_));
        if goes_on {
            self.keys.ask().await;
        }
        self.output.beside(keys, Operation::Present, events);
        Ok(!goes_on)
    }
}
