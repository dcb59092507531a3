//! Which of the log's frames a reader gets that looks at each of them.
//!
//! Most sessions with a filter are told by the log which broadcasts are for them. That does not work
//! where nearly all are: with the pattern `#`, which messages without a topic match too, and
//! without a filter where presence changes are not wanted.

use crate::topic::{Pattern, Topic};
use crate::wire::Seq;
use crate::wire::cbor::message_keys;

/// The choice of a reader that looks at each frame.
#[derive(Debug)]
pub(super) struct Scan {
    filter: Option<Vec<Pattern<'static>>>,
    presence: bool,
    /// The last seq that the client was told of.
    pub(super) told: Seq,
}

impl Scan {
    pub(super) fn new(filter: Option<Vec<Pattern<'static>>>, presence: bool, told: Seq) -> Scan {
        Scan {
            filter,
            presence,
            told,
        }
    }

    /// Returns the filter; `None` if every message is chosen.
    pub(super) fn filter(&self) -> Option<&[Pattern<'static>]> {
        self.filter.as_deref()
    }

    pub(super) fn wants_presence(&self) -> bool {
        self.presence
    }
}

/// Whether a frame of the log is for this user, and among what it chose.
pub(super) fn is_for(frame: &[u8], user: &str, scan: Option<&Scan>) -> bool {
    let Some(keys) = message_keys(frame) else {
        return scan.is_none_or(|scan| scan.presence);
    };
    if let Some(to) = keys.to {
        return to == user;
    }
    let Some(filter) = scan.and_then(|scan| scan.filter.as_deref()) else {
        return true;
    };
    let topic = keys.topic.map(Topic::of_checked);
    let mut filter = filter.iter();
    filter.any(|pattern| pattern.matches_message(topic.as_ref()))
}
