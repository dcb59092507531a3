//! Each topic's kept value: the newest message that was published to it with `keep`.
//!
//! Kept values are in the log so that one lock gives the values and the head together: a session
//! gets them as they were at that seq, and every later one as a broadcast.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use crate::wire::cbor::message_keys;

/// The kept values of all topics.
#[derive(Debug, Default)]
pub(super) struct KeptValues {
    by_topic: BTreeMap<Arc<str>, Bytes>,
    /// The bytes of all topics and values.
    bytes: usize,
}

impl KeptValues {
    /// Applies the frame of a message with `keep`. One with an empty text removes the value.
    pub(super) fn apply(&mut self, frame: &[u8]) {
        let Some(keys) = message_keys(frame) else {
            return;
        };
        let Some(topic) = keys.topic else {
            return;
        };
        if let Some((topic, before)) = self.by_topic.remove_entry(topic) {
            self.bytes -= topic.len() + before.len();
        }
        if !keys.is_empty_text {
            // A copy, as the log's memory is shared by many frames.
            let value = Bytes::copy_from_slice(frame);
            self.bytes += topic.len() + value.len();
            self.by_topic.insert(Arc::from(topic), value);
        }
    }

    /// Returns the messages by their topics.
    pub(super) fn values(&self) -> &BTreeMap<Arc<str>, Bytes> {
        &self.by_topic
    }

    /// Returns each topic above `after`, in order.
    pub(super) fn topics_after(&self, after: &str) -> impl Iterator<Item = &str> {
        let above = (Bound::Excluded(after), Bound::Unbounded);
        let values = self.by_topic.range::<str, _>(above);
        values.map(|(topic, _)| &**topic)
    }

    /// Returns the message that is a topic's value.
    pub(super) fn value(&self, topic: &str) -> Option<&[u8]> {
        self.by_topic.get(topic).map(|value| &**value)
    }
}

/// The bounds of the kept values of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptLimits {
    /// The most topics with a kept value.
    pub topics: usize,
    /// The most bytes of these topics and their values.
    pub bytes: usize,
}

impl KeptLimits {
    /// As many as there is memory for.
    pub const NONE: KeptLimits = KeptLimits {
        topics: usize::MAX,
        bytes: usize::MAX,
    };
}

/// A limit that a kept value would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum KeptLimit {
    /// The number of topics.
    #[error("the server keeps the values of {0} topics, and no more are allowed")]
    Topics(usize),
    /// The bytes of all values.
    #[error("the kept values would have more than {0} bytes, and no more are allowed")]
    Bytes(usize),
}

/// The sizes of the kept values that there will be once everything that was pushed is visible.
///
/// The appender judges by them, because a batch that is being written may bring many new topics.
#[derive(Debug)]
pub(super) struct KeptSizes {
    limits: KeptLimits,
    /// The bytes of each topic's value.
    by_topic: HashMap<Arc<str>, usize>,
    /// The bytes of all topics and values.
    bytes: usize,
}

impl KeptSizes {
    /// The sizes of values that are visible, without limits.
    pub(super) fn of(values: &KeptValues) -> KeptSizes {
        let sizes = values.by_topic.iter();
        KeptSizes {
            limits: KeptLimits::NONE,
            by_topic: sizes
                .map(|(topic, value)| (Arc::clone(topic), value.len()))
                .collect(),
            bytes: values.bytes,
        }
    }

    pub(super) fn set_limits(&mut self, limits: KeptLimits) {
        self.limits = limits;
    }

    /// Forgets what was pushed and is not visible.
    pub(super) fn reset(&mut self, visible: KeptSizes) {
        *self = KeptSizes {
            limits: self.limits,
            ..visible
        };
    }

    /// Counts a value of `length` bytes in place of the topic's one before; `None` removes that.
    ///
    /// # Errors
    /// Returns the limit that the value would exceed. A value that is no longer than the one before
    /// never does.
    pub(super) fn admit(&mut self, topic: &str, length: Option<usize>) -> Result<(), KeptLimit> {
        let before = self.by_topic.get(topic).copied();
        let counted = |value: Option<usize>| value.map_or(0, |length| topic.len() + length);
        let (is_new, KeptLimits { topics, bytes }) = (before.is_none(), self.limits);
        if is_new && length.is_some() && self.by_topic.len() >= topics {
            return Err(KeptLimit::Topics(topics));
        }
        let sum = self.bytes - counted(before) + counted(length);
        if sum > self.bytes.max(bytes) {
            return Err(KeptLimit::Bytes(bytes));
        }
        self.bytes = sum;
        match (self.by_topic.get_mut(topic), length) {
            (Some(value), Some(length)) => *value = length,
            (Some(_), None) => drop(self.by_topic.remove(topic)),
            (None, Some(length)) => drop(self.by_topic.insert(Arc::from(topic), length)),
            (None, None) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::wire::cbor::{MessageFrames, encode_content};
    use crate::wire::{Body, Millis, Publish, PublishOptions, Seq};

    fn frame(seq: u64, topic: &str, body: &str) -> Vec<u8> {
        let mut publish = Publish::new(1, Body::text(body));
        publish.topic = Some(Cow::Borrowed(topic));
        publish.options = Some(Box::new(PublishOptions {
            keep: Some(true),
            ..PublishOptions::default()
        }));
        let (mut content, mut frame) = (Vec::new(), Vec::new());
        let keys = encode_content(&publish, &mut content).count;
        let frames = MessageFrames::new("ana", Millis(0));
        frames.encode_with_keys(Seq(seq), &content, keys, &mut frame);
        frame
    }

    #[test]
    fn newest_value_of_each_topic_is_kept_until_an_empty_text() {
        let mut kept = KeptValues::default();
        for (seq, topic, body) in [(1, "b", "old"), (2, "a/x", "1"), (3, "b", "new")] {
            kept.apply(&frame(seq, topic, body));
        }
        let values: Vec<&Bytes> = kept.values().values().collect();
        assert_eq!(values, [&frame(2, "a/x", "1"), &frame(3, "b", "new")]);
        kept.apply(&frame(4, "b", ""));
        kept.apply(&frame(5, "a/x", ""));
        assert_eq!((kept.by_topic.len(), kept.bytes), (0, 0));
    }

    #[test]
    fn new_topic_above_a_limit_is_refused_and_known_ones_may_change() {
        let mut sizes = KeptSizes::of(&KeptValues::default());
        let limits = KeptLimits {
            topics: 2,
            bytes: 22,
        };
        sizes.set_limits(limits);
        assert_eq!(sizes.admit("a", Some(9)), Ok(()));
        assert_eq!(sizes.admit("b", Some(9)), Ok(()));
        assert_eq!(sizes.admit("c", Some(1)), Err(KeptLimit::Topics(2)));
        assert_eq!(sizes.admit("b", Some(12)), Err(KeptLimit::Bytes(22)));
        assert_eq!(sizes.admit("b", Some(11)), Ok(()));
        assert_eq!(sizes.admit("c", None), Ok(()), "there is nothing to remove");
        assert_eq!(sizes.admit("a", None), Ok(()));
        assert_eq!(sizes.admit("c", Some(9)), Ok(()));
        sizes.reset(KeptSizes::of(&KeptValues::default()));
        assert_eq!((sizes.limits, sizes.bytes), (limits, 0));
    }
}
