//! A message that is to be published.

use std::borrow::Cow;

use super::{Body, Headers, Publish, PublishOptions};

/// A message to publish: a body, and where wanted a topic, headers, or the only user that gets it.
///
/// A function that publishes takes a body by itself as well. The server checks topic, headers and
/// receiver, and the error names what is wrong. Everything but the body needs a server with the
/// feature `topics`.
///
/// ```
/// use arauto::NewMessage;
///
/// let reading = NewMessage::new("21.5").topic("home/kitchen/temperature").keep();
/// let order = NewMessage::new("open").to("rui").header("reply-to", "home/door/answers");
/// # let _ = (reading, order);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it is not published yet"]
pub struct NewMessage<'a> {
    body: Body<'a>,
    topic: Option<Cow<'a, str>>,
    headers: Headers<'a>,
    is_kept: bool,
    to: Option<Cow<'a, str>>,
}

impl<'a> NewMessage<'a> {
    /// Creates a message without a topic, for every session.
    pub fn new(body: impl Into<Body<'a>>) -> NewMessage<'a> {
        NewMessage {
            body: body.into(),
            topic: None,
            headers: Headers::default(),
            is_kept: false,
            to: None,
        }
    }

    /// Sets the topic: 1 to 256 bytes, with levels that `/` separates.
    pub fn topic(mut self, topic: impl Into<Cow<'a, str>>) -> NewMessage<'a> {
        self.topic = Some(topic.into());
        self
    }

    /// Adds a header, in place of an earlier one of the same name. A message has at most 32, with
    /// at most 4096 bytes of names and values.
    pub fn header(
        mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<Cow<'a, str>>,
    ) -> NewMessage<'a> {
        self.headers.set(name, value);
        self
    }

    /// Makes the message the kept value of its topic. With an empty text as the body, the topic has
    /// no kept value any more.
    pub fn keep(mut self) -> NewMessage<'a> {
        self.is_kept = true;
        self
    }

    /// Sends the message to the sessions of one user only, whatever their filter is.
    pub fn to(mut self, user: impl Into<Cow<'a, str>>) -> NewMessage<'a> {
        self.to = Some(user.into());
        self
    }

    /// Returns the same message without borrowed data.
    pub fn into_owned(self) -> NewMessage<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        NewMessage {
            body: self.body.into_owned(),
            topic: self.topic.map(owned),
            headers: self.headers.into_owned(),
            is_kept: self.is_kept,
            to: self.to.map(owned),
        }
    }
}

#[cfg_attr(
    not(all(feature = "client", feature = "server")),
    allow(dead_code, reason = "each side uses its half of it")
)]
impl NewMessage<'_> {
    /// Returns the length of everything in the message, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let length = |text: &Option<Cow<'_, str>>| text.as_ref().map_or(0, |text| text.len());
        let body = self.body.as_bytes().len();
        body + length(&self.topic) + length(&self.to) + self.headers.bytes()
    }

    /// Whether there is more than a body.
    pub(crate) fn has_options(&self) -> bool {
        self.topic.is_some() || self.needs_map()
    }

    /// Whether there are keys that few messages have.
    fn needs_map(&self) -> bool {
        self.is_kept || self.to.is_some() || !self.headers.is_empty()
    }

    /// Returns the frame that publishes the message. `number` is the producer's name, and the number
    /// that it gave the message.
    pub(crate) fn frame<'b>(&'b self, id: u64, number: Option<(&'b str, u64)>) -> Publish<'b> {
        let body = match &self.body {
            Body::Text(text) => Body::text(text),
            Body::Bytes(bytes) => Body::bytes(bytes),
        };
        let mut publish = Publish::new(id, body);
        publish.topic = self.topic.as_deref().map(Cow::Borrowed);
        if self.needs_map() || number.is_some() {
            let headers = || {
                let mut headers = Headers::default();
                for (name, value) in self.headers.iter() {
                    headers.push(name, value);
                }
                headers
            };
            publish.options = Some(Box::new(PublishOptions {
                headers: (!self.headers.is_empty()).then(headers),
                keep: self.is_kept.then_some(true),
                to: self.to.as_deref().map(Cow::Borrowed),
                producer: number.map(|(producer, _)| Cow::Borrowed(producer)),
                n: number.map(|(_, n)| n),
            }));
        }
        publish
    }
}

impl<'a, B: Into<Body<'a>>> From<B> for NewMessage<'a> {
    fn from(body: B) -> NewMessage<'a> {
        NewMessage::new(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_without_options_is_a_bare_publish() {
        let message = NewMessage::from("olá");
        assert!(!message.has_options());
        assert_eq!(message.frame(7, None), Publish::new(7, Body::text("olá")));
        let numbered = message.frame(7, Some(("p", 3))).options;
        let numbered = numbered.expect("it has a number");
        assert_eq!(
            (numbered.producer.as_deref(), numbered.n),
            (Some("p"), Some(3))
        );
    }

    #[test]
    fn message_has_the_options_that_were_set() {
        let message = NewMessage::new("olá")
            .topic("a/b")
            .header("k", "old")
            .header("k", "v")
            .keep();
        assert!(message.has_options());
        assert_eq!(message.bytes(), "olá".len() + "a/b".len() + "kv".len());
        let frame = message.frame(7, None);
        assert_eq!(frame.topic.as_deref(), Some("a/b"));
        let options = frame.options.expect("it has options");
        let headers = options.headers.expect("it has a header");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("k", "v")]);
        assert_eq!((options.keep, options.to), (Some(true), None));
        let to = NewMessage::new("olá").to("rui").into_owned();
        let options = to.frame(7, None).options.expect("it has a receiver");
        assert_eq!((options.keep, options.to.as_deref()), (None, Some("rui")));
    }
}
