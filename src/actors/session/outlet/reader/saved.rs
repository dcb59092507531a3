//! A session's place among the broadcasts, written down.
//!
//! The place is a seq: where the successor's log holds that is its own matter. A chunk of the
//! journal that was read or requested is requested again.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::listed::{LISTED, Listed};
use super::{Past, Reader, Recipient};
use crate::actors::session::core::hears::Hears;
use crate::actors::session::saved::error::RestoreError;
use crate::actors::session::saved::plain::list;
use crate::log::{Log, SavedProgress};
use crate::topic::Pattern;
use crate::wire::Seq;

/// The state of a [`Reader`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedReader {
    /// The last seq that the client was told of, or will be by what is queued.
    seq: Seq,
    /// The last seq that was read, whether its broadcast was for the client or not. What the session
    /// wants to hear holds for what is behind it.
    read: Seq,
    /// Whether it reads the journal.
    is_past: bool,
    is_fresh: bool,
    rendered: Seq,
    taken: u64,
    progress: SavedProgress,
    takes_files: bool,
    #[serde(deserialize_with = "list")]
    gaps: Vec<(Seq, Seq)>,
    gaps_unlisted_to: Option<Seq>,
    /// The latest broadcasts that rules kept from the client.
    #[serde(deserialize_with = "list")]
    withheld: Vec<Seq>,
    withheld_unlisted_to: Option<Seq>,
    /// The seq behind which `hears` holds, for a report.
    chosen_after: Seq,
    /// `None` if it gets everything.
    hears: Option<SavedHears>,
}

/// The broadcasts that the session wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedHears {
    filter: Option<Vec<String>>,
    presence: bool,
}

impl SavedHears {
    fn save(hears: &Hears) -> Option<SavedHears> {
        let filter = hears.filter.as_ref();
        let texts = |filter: &Vec<Pattern<'_>>| filter.iter().map(Pattern::to_string).collect();
        (!hears.is_everything()).then(|| SavedHears {
            filter: filter.map(texts),
            presence: hears.presence,
        })
    }

    fn restore(self) -> Result<Hears, RestoreError> {
        let filter = self.filter.map(patterns);
        Ok(Hears {
            filter: filter.transpose()?,
            presence: self.presence,
            is_told: true,
        })
    }
}

/// Reads the patterns of a filter.
pub(in super::super) fn patterns(
    texts: Vec<String>,
) -> Result<Vec<Pattern<'static>>, RestoreError> {
    let pattern = |text: String| {
        Pattern::new(text).map_err(|_| RestoreError::Impossible("no pattern is like that"))
    };
    texts.into_iter().map(pattern).collect()
}

impl Reader {
    pub(in super::super) fn save(&self, now: Instant) -> SavedReader {
        let Reader {
            cursor: _,    // the seq says where it is
            waker: _,     // of this process; without one the task that reads is woken
            recipient: _, // the caller has it
            rules: _,     // taken anew, as they may have changed meanwhile
            rules_after: _,
            selected: _, // `hears_now` says what these two are for
            scan: _,
            past,
            is_fresh,
            rendered,
            taken,
            tracked,
            read_wait: _, // it registers again when it has read everything
            sendfile,
            gaps,
            withheld,
            chosen_after,
        } = self;
        let (gaps, gaps_unlisted_to) = gaps.listed();
        let (withheld, withheld_unlisted_to) = withheld.listed();
        SavedReader {
            seq: self.seq(),
            read: self.done_until(),
            is_past: past.is_some(),
            is_fresh: *is_fresh,
            rendered: *rendered,
            taken: *taken,
            progress: tracked.save(now),
            takes_files: sendfile.is_some(),
            gaps: gaps.to_vec(),
            gaps_unlisted_to,
            withheld: withheld.to_vec(),
            withheld_unlisted_to,
            chosen_after: *chosen_after,
            hears: SavedHears::save(&self.hears_now()),
        }
    }

    /// Returns the reader that was saved, at its place in `log`; `sends_files`: whether the
    /// connection can be sent a file's bytes.
    pub(in super::super) fn restore(
        saved: SavedReader,
        (log, shard): (&Arc<Log>, usize),
        sends_files: bool,
        recipient: Recipient,
        now: Instant,
    ) -> Result<Reader, RestoreError> {
        let (told, read, head) = (saved.seq, saved.read, log.head());
        if told > read {
            return Err(RestoreError::Impossible(
                "no client is told what is not read",
            ));
        }
        if read > head {
            return Err(RestoreError::AheadOfLog { read, head });
        }
        let are_gaps = saved.gaps.iter().all(|(from, to)| from <= to);
        let is_withheld_possible = saved.withheld.len() <= LISTED && saved.chosen_after <= read;
        if !is_withheld_possible
            || saved.gaps.len() > LISTED
            || !are_gaps
            || saved.taken > u64::MAX / 4
        {
            return Err(RestoreError::Impossible("no reader has read that"));
        }
        let takes_files = saved.takes_files && sends_files;
        let mut reader = Reader::new(log, read, takes_files, recipient);
        reader.tracked = log.backpressure().restore(saved.progress, now)?;
        if let Some(hears) = saved.hears {
            reader.choose_told(log, shard, &hears.restore()?, told);
        }
        // Without a journal the log itself tells the gap.
        if saved.is_past && log.journal().is_some() && reader.selected.is_none() {
            reader.past = Some(Box::new(Past::behind(read)));
        }
        reader.is_fresh = saved.is_fresh;
        reader.rendered = saved.rendered;
        reader.taken = saved.taken;
        reader.gaps = Listed::new(saved.gaps, saved.gaps_unlisted_to);
        reader.withheld = Listed::new(saved.withheld, saved.withheld_unlisted_to);
        reader.chosen_after = saved.chosen_after;
        Ok(reader)
    }
}
