//! Chooses the broadcasts and the kept values that are sent.

use super::Outlet;
use super::reader::{Reader, Recipient};
use crate::actors::session::core::hears::Hears;
use crate::log::KeptSearch;
use crate::topic::Pattern;
use crate::wire::Seq;

impl Outlet {
    /// From now on, what follows `after` is sent, to this recipient.
    pub(in crate::actors::session) fn follow(
        &mut self,
        after: Seq,
        recipient: Recipient,
        hears: &Hears,
        sends_files: bool,
    ) {
        let takes_files = self.is_log_native() && sends_files && hears.is_everything();
        let mut reader = Reader::new(&self.log, after, takes_files, recipient);
        reader.choose(&self.log, self.shard, hears);
        self.reader = Some(reader);
    }

    /// Changes what is sent, and returns behind which seq that holds.
    pub(in crate::actors::session) fn set_hears(&mut self, hears: &Hears) -> Seq {
        let reader = self.reader.as_mut();
        reader.map_or(Seq::ZERO, |reader| {
            reader.choose(&self.log, self.shard, hears)
        })
    }

    /// Sends the kept values of the topics that a filter matches, but those above `until`, before any
    /// further broadcast.
    pub(in crate::actors::session) fn send_kept(
        &mut self,
        filter: Option<&[Pattern<'_>]>,
        until: Seq,
    ) {
        self.kept = Some(Box::new(KeptSearch::new(filter, until)));
        self.queue_kept(); // before the answer to a later frame
    }

    /// Returns what is sent.
    pub(in crate::actors::session) fn hears(&self) -> Hears {
        let reader = self.reader.as_ref();
        reader.map_or(Hears::EVERYTHING, Reader::hears_now)
    }
}
