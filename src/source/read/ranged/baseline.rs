//! The baseline of a read in ranges: the tracked read of the keys whose delta link brings later
//! changes.

use super::super::keys::{Found, KeysPage};
use super::super::restart::{PAGES_TOO_LARGE, Restart, place_lost};
use super::super::start::{ListingResume, Start};
use super::super::warnings::tracking_unavailable;
use super::survey::NO_DELTA_LINK;
use super::{Ranged, Step};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::source::output::Output;
use crate::source::position::{LaterChanges, Phase, Position};
use crate::source::rejection;

/// How many pages of the baseline are read once the ranges are done. More than that would cost
/// what reading in ranges has gained; they are left to the next sync.
const MAX_PAGES_BEHIND: i64 = 8;

impl<H: Host> Ranged<H> {
    /// Takes a page of the baseline.
    pub(super) async fn accept_baseline(
        &mut self,
        page: KeysPage<H>,
        output: &mut Output,
    ) -> Result<Step, Error> {
        let Some(keys) = &mut self.baseline else {
            return Err(self.defect());
        };
        let found = match keys.accept(page).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) => {
                return self
                    .recover_baseline(error)
                    .map(|restart| Some(restart.into()));
            }
        };
        let LaterChanges::Baseline {
            plain,
            next,
            page_size,
        } = &mut self.state.later
        else {
            return Err(self.defect());
        };
        match found {
            Found::Next(link) => {
                *next = link;
                self.behind -= i64::from(*page_size);
            }
            Found::Delta(link) => {
                let plain = *plain;
                self.state.later = LaterChanges::Delta { plain, link };
                self.baseline = None;
            }
            Found::DeltaOfKeysOnly => return Ok(Some(self.restart_page_after_page().into())),
            Found::Nothing => {
                self.state.later = LaterChanges::Versions { fallback: true };
                self.baseline = None;
                let stream = self.listing.stream();
                let message = tracking_unavailable(stream, NO_DELTA_LINK, self.state.method());
                output.warn("change-tracking-unavailable", message);
            }
        }
        self.fill().await?;
        if self.state.phase == Phase::Changes {
            let position = Position::Ranged(self.state.clone());
            output.page(Vec::new(), self.operation(), &position)?;
        }
        Ok(None)
    }

    /// The restart after the rejection of a page of the baseline, or the error if there is none.
    fn recover_baseline(&self, error: Error) -> Result<Restart<ListingResume>, Error> {
        let LaterChanges::Baseline { page_size, .. } = &self.state.later else {
            return Err(error);
        };
        let method = self.state.method();
        if rejection::needs_smaller_pages(&error) && *page_size > 1 {
            let start = Start::full(method, PAGES_TOO_LARGE);
            return Ok(Restart::at(start).with_smaller_pages(*page_size));
        }
        if rejection::is_permanent(&error) {
            let start = Start::full(method, place_lost(&error));
            return Ok(Restart::at(start).because_of(error));
        }
        Err(error)
    }

    /// The error for a baseline that the state does not have.
    fn defect(&self) -> Error {
        Error::new(
            ErrorKind::Internal,
            format!(
                "a page of keys of {} came without a baseline; this is a defect of the connector",
                self.listing.stream()
            ),
        )
    }

    /// Whether the baseline is finished before the tail is read, so that the next sync reads
    /// nothing again.
    pub(super) fn waits_for_baseline(&self) -> bool {
        match &self.state.later {
            LaterChanges::Baseline { page_size, .. } => {
                self.state.phase == Phase::Changes
                    || self.behind <= MAX_PAGES_BEHIND * i64::from(*page_size)
            }
            LaterChanges::Delta { .. } | LaterChanges::Versions { .. } => false,
        }
    }
}
