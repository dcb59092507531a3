//! Each topic's kept value: the newest message that was published to it with `keep`.
//!
//! Kept values are in the log so that one lock gives the values and the head together: a session
//! gets them as they were at that seq, and every later one as a broadcast.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::topic::{Pattern, Topic};
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

    /// Returns the messages that a filter matches, in the order of their topics; without a filter
    /// all of them.
    pub(super) fn select(&self, filter: Option<&[Pattern<'_>]>) -> Vec<Bytes> {
        let is_matched = |topic: &str| match filter {
            None => true,
            Some(filter) => {
                let topic = Topic::of_checked(topic);
                filter.iter().any(|pattern| pattern.matches(&topic))
            }
        };
        let values = self.by_topic.iter();
        let selected = values.filter(|(topic, _)| is_matched(topic));
        selected.map(|(_, value)| value.clone()).collect()
    }

    /// Whether a topic has a value.
    pub(super) fn has(&self, topic: &str) -> bool {
        self.by_topic.contains_key(topic)
    }

    /// Returns the count of values.
    pub(super) fn len(&self) -> usize {
        self.by_topic.len()
    }

    /// Returns the bytes of all topics and values.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
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
        let keys = encode_content(&publish, &mut content);
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
        assert_eq!(
            kept.select(None),
            [frame(2, "a/x", "1"), frame(3, "b", "new")]
        );
        let filter = [Pattern::new("a/+").expect("a pattern")];
        assert_eq!(kept.select(Some(&filter)), [frame(2, "a/x", "1")]);
        assert!(kept.has("b") && kept.len() == 2);
        kept.apply(&frame(4, "b", ""));
        kept.apply(&frame(5, "a/x", ""));
        assert_eq!((kept.len(), kept.bytes()), (0, 0));
    }
}
