//! What the streams of a sync may have in hand: requests under way, and bytes.

use std::cell::Cell;
use std::rc::Rc;

/// What all pages in hand may take together, in bytes; the rest of the 64 MiB that a host
/// gives is for everything else.
const MEMORY: usize = 48 << 20;
/// Pages that are read in ranges are not made smaller than this, in bytes, to read more of
/// them at once: many requests cost more than few large ones.
const LEAST_PAGE: usize = 3 << 20;

/// How the streams of a sync share one session.
///
/// Each stream that is read page after page holds one page: on its way, or as rows to be
/// handed out. One of them is between the two, and holds both. So the memory is divided into
/// one part for each stream and one more. Streams that are read in ranges share what the
/// others leave.
#[derive(Debug)]
pub(super) struct Share {
    /// Into how many parts the memory is divided.
    parts: usize,
    /// Requests at once in the whole session, at most.
    ceiling: usize,
    /// Streams that are being read or wait for their turn, as far as they are read at once.
    streams: Cell<usize>,
    /// Those of them that are read in ranges.
    ranged: Cell<usize>,
}

/// A stream's place among those that are read in ranges, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Rc<Share>);

impl Share {
    /// For so many streams at once and so many requests at once.
    pub(super) fn new(streams: usize, ceiling: usize) -> Rc<Self> {
        let streams = streams.max(1);
        Rc::new(Self {
            parts: streams + 1,
            ceiling: ceiling.max(1),
            streams: Cell::new(streams),
            ranged: Cell::new(0),
        })
    }

    /// Notes how many streams are left to be read at once.
    pub(super) fn remain(&self, streams: usize) {
        self.streams.set(streams.min(self.parts - 1));
    }

    /// Takes a place for a stream that is read in ranges.
    pub(super) fn place(self: &Rc<Self>) -> Place {
        self.ranged.set(self.ranged.get() + 1);
        Place(Rc::clone(self))
    }

    /// The largest page, in bytes, of a stream that is read page after page.
    pub(super) fn page_bytes(&self) -> usize {
        MEMORY / self.parts
    }

    fn serial(&self) -> usize {
        self.streams.get().saturating_sub(self.ranged.get())
    }
}

impl Place {
    /// How many requests at once the stream may have under way when the service welcomes so
    /// many in all.
    pub(super) fn lanes(&self, welcome: usize) -> usize {
        let left = welcome.saturating_sub(self.0.serial());
        let fair = left.div_ceil(self.0.ranged.get().max(1));
        fair.min(self.memory() / LEAST_PAGE).max(1)
    }

    /// The largest page of this stream, in bytes.
    pub(super) fn page_bytes(&self) -> usize {
        let lanes = self.lanes(self.0.ceiling);
        if self.is_alone() {
            // One more than there are lanes is between its body and its rows.
            MEMORY / (lanes + 1)
        } else {
            // The part that is set aside for that is as large as this.
            (self.memory() / lanes).min(self.0.page_bytes())
        }
    }

    /// What the pages of this stream may take on their way, in bytes.
    fn memory(&self) -> usize {
        if self.is_alone() {
            return MEMORY - LEAST_PAGE;
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
                        assert!(page >= LEAST_PAGE.min(share.page_bytes()));
                    }
                    share.remain(streams);
                }
            }
        }
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
