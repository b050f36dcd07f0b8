//! How the streams of a sync share requests in flight and memory.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// How much memory all pages may take together, in bytes; the rest of the 64 MiB that a host
/// gives is for everything else.
const MEMORY: usize = 48 << 20;
/// Pages of ranges are not made smaller than this, in bytes, to read more of them at once: many
/// small requests cost more than few large ones.
const MIN_PAGE: usize = 3 << 20;

/// How the streams of a sync share one client.
///
/// Each stream that is read page after page holds one page: in flight, or as rows that the host
/// has not taken. A stream that turns a page into rows holds both; the [permit](Self::permit) makes
/// sure that it is only one. So the memory is divided into one part for each stream and one more.
/// Streams that are read in ranges share the rest.
#[derive(Debug)]
pub(in crate::source) struct Share {
    /// Into how many parts the memory is divided.
    parts: usize,
    /// Requests in flight at most.
    ceiling: usize,
    /// Streams that are being read or will be, as far as they are read at once.
    streams: Cell<usize>,
    /// Those of them that are read in ranges.
    ranged: Cell<usize>,
    /// Whether a stream is turning a page into rows.
    is_working: Cell<bool>,
    /// Wakes the streams that wait for that. One is enough: one task polls them all.
    waiting: RefCell<Option<Waker>>,
}

/// The right to turn a page into rows, until it is dropped.
#[derive(Debug)]
pub(in crate::source) struct Permit<'s>(&'s Share);

/// A stream's place among those that are read in ranges, until it is dropped.
#[derive(Debug)]
pub(in crate::source) struct Place(Rc<Share>);

impl Share {
    /// For this many streams at once and this many requests in flight.
    pub(in crate::source) fn new(streams: usize, ceiling: usize) -> Rc<Self> {
        let streams = streams.max(1);
        Rc::new(Self {
            parts: streams + 1,
            ceiling: ceiling.max(1),
            streams: Cell::new(streams),
            ranged: Cell::new(0),
            is_working: Cell::new(false),
            waiting: RefCell::default(),
        })
    }

    /// Records how many streams are left.
    pub(in crate::source) fn remain(&self, streams: usize) {
        self.streams.set(streams.min(self.parts - 1));
    }

    /// Takes a place for a stream that is read in ranges.
    pub(in crate::source) fn place(self: &Rc<Self>) -> Place {
        self.ranged.set(self.ranged.get() + 1);
        Place(Rc::clone(self))
    }

    /// The largest page, in bytes, of a stream that is read page after page.
    pub(in crate::source) fn page_bytes(&self) -> usize {
        MEMORY / self.parts
    }

    /// Waits until no other stream turns a page into rows.
    pub(in crate::source) async fn permit(&self) -> Permit<'_> {
        poll_fn(|context| {
            if self.is_working.replace(true) {
                *self.waiting.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(Permit(self))
            }
        })
        .await
    }

    fn serial(&self) -> usize {
        self.streams.get().saturating_sub(self.ranged.get())
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.is_working.set(false);
        if let Some(waker) = self.0.waiting.take() {
            waker.wake();
        }
    }
}

impl Place {
    /// How many requests the stream may have in flight when the client may have this many in all.
    pub(super) fn lanes(&self, concurrency: usize) -> usize {
        let left = concurrency.saturating_sub(self.0.serial());
        let fair = left.div_ceil(self.0.ranged.get().max(1));
        fair.min(self.memory() / MIN_PAGE).max(1)
    }

    /// The largest page of this stream, in bytes.
    pub(in crate::source) fn page_bytes(&self) -> usize {
        let lanes = self.lanes(self.0.ceiling);
        if self.is_alone() {
            // One more than there are lanes is being turned into rows.
            MEMORY / (lanes + 1)
        } else {
            // The part that is reserved for that is as large as this.
            (self.memory() / lanes).min(self.0.page_bytes())
        }
    }

    /// What the pages of this stream may take on their way, in bytes.
    fn memory(&self) -> usize {
        if self.is_alone() {
            return MEMORY - MIN_PAGE;
        }
        let others = (self.0.serial() + 1) * self.0.page_bytes();
        MEMORY.saturating_sub(others) / self.0.ranged.get().max(1)
    }

    fn is_alone(&self) -> bool {
        self.0.serial() == 0 && self.0.ranged.get() == 1
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.ranged.set(self.0.ranged.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pages_at_once_fit_into_memory() {
        for ceiling in 1..=52 {
            for streams in 1..=3 {
                let share = Share::new(streams, ceiling);
                for ranged in 1..=streams {
                    let places: Vec<Place> = (0..ranged).map(|_| share.place()).collect();
                    for left in ranged..=streams {
                        share.remain(left);
                        let lanes: usize = places.iter().map(|place| place.lanes(ceiling)).sum();
                        let page = places[0].page_bytes();
                        let serial = (left - ranged) * share.page_bytes();
                        let walked = if left > ranged {
                            share.page_bytes().max(page)
                        } else {
                            page
                        };
                        let all = lanes * page + serial + walked;
                        assert!(all <= MEMORY, "{ceiling} {streams} {ranged} {left}: {all}");
                        assert!(page >= MIN_PAGE.min(share.page_bytes()));
                    }
                    share.remain(streams);
                }
            }
        }
    }

    #[test]
    fn one_stream_at_a_time_turns_a_page_into_rows() {
        let share = Share::new(2, 8);
        let mut context = std::task::Context::from_waker(Waker::noop());
        let mut poll = || std::pin::pin!(share.permit()).poll(&mut context);
        let Poll::Ready(permit) = poll() else {
            panic!()
        };
        assert!(poll().is_pending());
        drop(permit);
        assert!(poll().is_ready());
    }

    #[test]
    fn lanes_are_shared_fairly() {
        let share = Share::new(3, 8);
        let first = share.place();
        assert_eq!((first.lanes(8), first.lanes(2)), (4, 1));
        let second = share.place();
        assert_eq!((first.lanes(8), second.lanes(8)), (4, 4));
        share.remain(2);
        drop(first);
        share.remain(1);
        assert_eq!(second.lanes(8), 8);
        assert_eq!(second.lanes(0), 1);
    }
}
