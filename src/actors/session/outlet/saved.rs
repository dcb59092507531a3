//! The rest of a connection's output, written down: what is queued, a broadcast that was written
//! in part, and the reader's place in the log.
//!
//! The bytes that the connection itself holds (those of a TLS session) are not here: they are
//! the connection's.

use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::queue::Queue;
use super::queue::saved::SavedQueue;
use super::reader::Reader;
use super::reader::saved::{SavedReader, patterns};
use super::{Broken, Outlet, OutletSetup, Recipient, Rest};
use crate::actors::session::saved::error::RestoreError;
use crate::actors::session::saved::plain::SavedBytes;
use crate::framing::Failure;
use crate::log::{KeptPlace, KeptSearch, PartialFrame};
use crate::topic::Pattern;
use crate::wire::Seq;

/// The state of an [`Outlet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedOutlet {
    /// With the seq of the broadcast.
    rest: Option<(SavedBytes, Seq)>,
    queue: SavedQueue,
    kept: Option<SavedKept>,
    reader: Option<SavedReader>,
    last_answer: Option<Seq>,
    /// With the last seq that had been written whole.
    broken: Option<(SavedFailure, Seq)>,
    write_shut: bool,
}

/// The side that has failed, so that nothing more can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum SavedFailure {
    Peer,
    Own,
}

/// A search for kept values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedKept {
    filter: Option<Vec<String>>,
    until: Seq,
    place: KeptPlace,
}

impl SavedKept {
    fn save(search: &KeptSearch) -> SavedKept {
        let texts = |filter: &[Pattern<'_>]| filter.iter().map(Pattern::to_string).collect();
        SavedKept {
            filter: search.filter().map(texts),
            until: search.until(),
            place: search.place().clone(),
        }
    }

    fn restore(self) -> Result<Box<KeptSearch>, RestoreError> {
        let filter = self.filter.map(patterns).transpose()?;
        let search = KeptSearch::new(filter.as_deref(), self.until);
        Ok(Box::new(search.at(self.place)))
    }
}

impl Outlet {
    pub(in super::super) fn save(&self, now: Instant) -> SavedOutlet {
        let Outlet {
            session: _, // these six follow from the listener and the connection
            dialect: _,
            longest: _,
            log: _,
            shard: _,
            rest,
            queue,
            kept,
            reader,
            last_answer,
            broken,
            write_shut,
            counters: _,
        } = self;
        SavedOutlet {
            rest: rest.as_deref().map(|rest| {
                let Rest { frame, seq } = rest;
                let PartialFrame { bytes, pages: _ } = frame;
                (SavedBytes(bytes.to_vec()), *seq)
            }),
            queue: queue.save(),
            kept: kept.as_deref().map(SavedKept::save),
            reader: reader.as_ref().map(|reader| reader.save(now)),
            last_answer: *last_answer,
            broken: broken
                .as_deref()
                .map(|&Broken { failure, sent }| match failure {
                    Failure::PeerGone => (SavedFailure::Peer, sent),
                    Failure::Transient | Failure::MessageTooLong | Failure::OwnSide => {
                        (SavedFailure::Own, sent)
                    }
                }),
            write_shut: *write_shut,
        }
    }

    /// Returns the outlet that was saved, for a connection and a log of the same kind.
    pub(in super::super) fn restore(
        saved: SavedOutlet,
        setup: OutletSetup,
        (recipient, sends_files): (Recipient, bool),
        now: Instant,
    ) -> Result<Outlet, RestoreError> {
        let mut outlet = Outlet::new(setup);
        outlet.queue = Queue::restore(saved.queue, outlet.framing())?;
        outlet.kept = saved.kept.map(SavedKept::restore).transpose()?;
        let restored = saved.reader.map(|saved| {
            Reader::restore(
                saved,
                (&outlet.log, outlet.shard),
                sends_files,
                recipient,
                now,
            )
        });
        outlet.reader = restored.transpose()?;
        if let Some((SavedBytes(bytes), seq)) = saved.rest {
            let is_possible = !bytes.is_empty() && seq > Seq::ZERO && seq <= outlet.reached();
            if !is_possible {
                return Err(RestoreError::Impossible("no broadcast was written in part"));
            }
            let frame = PartialFrame {
                bytes: Bytes::from(bytes),
                pages: Default::default(),
            };
            outlet.rest = Some(Box::new(Rest { frame, seq }));
        }
        outlet.last_answer = saved.last_answer;
        outlet.broken = saved.broken.map(|(failure, sent)| {
            let failure = match failure {
                SavedFailure::Peer => Failure::PeerGone,
                SavedFailure::Own => Failure::OwnSide,
            };
            Box::new(Broken { failure, sent })
        });
        outlet.write_shut = saved.write_shut;
        Ok(outlet)
    }
}
