//! Messages that go to the hub together.

use std::ops::Range;

use smallvec::SmallVec;

use crate::actors::spare;
use crate::log::Content;
use crate::topic::Route;
use crate::wire::cbor::{self, ContentKeys};
use crate::wire::{Body, Publish};

/// The bodies of messages, and the keys behind them, in one buffer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Contents {
    /// For each message a CBOR item, and the keys behind it as [`cbor::encode_content`] writes them.
    items: Vec<u8>,
    /// The end of each message in `items`.
    ends: SmallVec<[usize; 4]>,
    /// The messages with keys behind their bodies, in their order.
    keyed: Vec<Keyed>,
}

/// The keys of a message behind its body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Keyed {
    index: usize,
    keys: u8,
    /// Where the topic and the addressed user are in `items`.
    topic: Option<Range<usize>>,
    to: Option<Range<usize>>,
    is_kept: bool,
}

impl Default for Contents {
    fn default() -> Self {
        Contents {
            items: spare::take(),
            ends: SmallVec::new(),
            keyed: Vec::new(),
        }
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        spare::give(std::mem::take(&mut self.items));
    }
}

impl Contents {
    /// Adds a message with a body alone.
    pub fn push(&mut self, body: &Body<'_>) {
        cbor::encode_body(body, &mut self.items);
        self.ends.push(self.items.len());
    }

    /// Adds a message with its topic, headers, `keep` and `to`, which must have been checked.
    pub fn push_publish(&mut self, publish: &Publish<'_>) {
        if publish.has_body_alone() {
            return self.push(&publish.body);
        }
        let ContentKeys { count, topic, to } = cbor::encode_content(publish, &mut self.items);
        self.keyed.push(Keyed {
            index: self.ends.len(),
            keys: count,
            topic,
            to,
            is_kept: publish.is_kept(),
        });
        self.ends.push(self.items.len());
    }

    /// Adds no body, for a message that has none.
    pub(super) fn push_empty(&mut self) {
        self.ends.push(self.items.len());
    }

    /// Returns the length of all messages in bytes.
    pub fn bytes(&self) -> usize {
        self.items.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Content<'_>> {
        let (mut start, mut keyed) = (0, self.keyed.iter().peekable());
        self.ends.iter().enumerate().map(move |(index, end)| {
            let bytes = &self.items[std::mem::replace(&mut start, *end)..*end];
            match keyed.next_if(|keyed| keyed.index == index) {
                None => Content::body(bytes),
                Some(keyed) => Content {
                    bytes,
                    keys: keyed.keys,
                    route: self.route(keyed),
                    is_kept: keyed.is_kept,
                },
            }
        })
    }

    fn route(&self, keyed: &Keyed) -> Option<Route<'_>> {
        let text = |place: &Range<usize>| {
            std::str::from_utf8(&self.items[place.clone()]).expect("it was copied from a text")
        };
        let to = keyed.to.as_ref().map(|place| Route::User(text(place)));
        to.or_else(|| keyed.topic.as_ref().map(|place| Route::Topic(text(place))))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::wire::PublishOptions;

    #[test]
    fn messages_have_the_routes_of_their_publishes() {
        let mut contents = Contents::default();
        contents.push(&Body::text("a"));
        let mut publish = Publish::new(1, Body::text("b"));
        publish.topic = Some(Cow::Borrowed("t/ç"));
        contents.push_publish(&publish);
        contents.push_publish(&Publish::new(2, Body::text("c")));
        publish.options = Some(Box::new(PublishOptions {
            to: Some(Cow::Borrowed("rui")),
            ..PublishOptions::default()
        }));
        contents.push_publish(&publish);
        publish.options = Some(Box::new(PublishOptions {
            keep: Some(true),
            ..PublishOptions::default()
        }));
        contents.push_publish(&publish);
        let found = contents.iter();
        let found = found.map(|content| (content.route, content.keys, content.is_kept));
        let topic = Some(Route::Topic("t/ç"));
        let expected = [
            (None, 0, false),
            (topic, 1, false),
            (None, 0, false),
            (Some(Route::User("rui")), 2, false),
            (topic, 2, true),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert!(
            contents
                .iter()
                .next()
                .is_some_and(|content| content.bytes == b"\x61a")
        );
    }
}
