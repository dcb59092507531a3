//! Topics, subjects and channels: how a reader chooses among messages.
//!
//! All systems have the same topics, `a/00000/c`, `a/00001/c` and so on, with the separator that
//! each has for levels. All names are of the same length.

use anyhow::{Result, bail};

use super::uniform::Uniform;
use super::{AnyGrammar, Meter, System, arauto, mosquitto, nats, redis};
use crate::net::Socket;

/// The messages that a reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Those of one topic.
    Topic(usize),
    /// Those whose topic matches `a/+/c`, as all do.
    Pattern,
    /// All of them; the reader has no filter.
    Everything,
}

/// Returns a topic's name, with `separator` between its levels.
fn name(topic: usize, separator: char) -> String {
    format!("a{separator}{topic:05}{separator}c")
}

impl Wants {
    /// Returns the text of a subscription, in a system in which `any` is any level and `all` every
    /// topic.
    fn text(self, separator: char, any: char, all: &str) -> String {
        match self {
            Wants::Topic(topic) => name(topic, separator),
            Wants::Pattern => format!("a{separator}{any}{separator}c"),
            Wants::Everything => all.to_owned(),
        }
    }

    /// Returns the topic of a message that the reader gets.
    fn sample(self) -> usize {
        match self {
            Wants::Topic(topic) => topic,
            Wants::Pattern | Wants::Everything => 0,
        }
    }

    /// Returns the grammar of messages whose heads are as this one, but for their topics.
    /// `before_topic` is the head up to the topic.
    fn messages(
        self,
        before_topic: &[u8],
        topic: &str,
        behind_topic: &[u8],
        rest: usize,
    ) -> Uniform {
        let length = before_topic.len() + topic.len() + behind_topic.len() + rest;
        let head = match self {
            Wants::Topic(_) => [before_topic, topic.as_bytes(), behind_topic].concat(),
            // Up to where topics differ.
            Wants::Pattern | Wants::Everything => [before_topic, &topic.as_bytes()[..2]].concat(),
        };
        Uniform::new(length, &head)
    }
}

impl System {
    /// Subscribes this connection to some of the messages of `size` bytes, which one publisher
    /// writes to `topics` topics in turn.
    pub fn subscribe_to(
        self,
        socket: &mut Socket,
        wants: Wants,
        size: usize,
        topics: usize,
    ) -> Result<Meter> {
        let sample = wants.sample();
        match self {
            _ if self.is_arauto() => {
                let pattern = wants.text('/', '+', "#");
                let topic = name(sample, '/');
                let stream = match wants {
                    Wants::Everything => {
                        let seq = arauto::log_in(socket)?;
                        arauto::Stream::after(seq, size).with_topic(topic)
                    }
                    Wants::Pattern => {
                        let seq = arauto::log_in_with_filter(socket, &[pattern])?;
                        arauto::Stream::after(seq, size)
                            .with_topic(topic)
                            .of_every(1)
                    }
                    Wants::Topic(_) => {
                        let seq = arauto::log_in_with_filter(socket, &[pattern])?;
                        let stream = arauto::Stream::after(seq, size).with_topic(topic);
                        stream.of_every(topics as u64)
                    }
                };
                Ok(Meter::new(AnyGrammar::Arauto(stream)))
            }
            System::Nats | System::NatsDebian => {
                nats::subscribe_to(socket, &wants.text('.', '*', ">"))?;
                let behind = format!(" 1 {size}\r\n");
                let topic = name(sample, '.');
                let messages = wants.messages(b"MSG ", &topic, behind.as_bytes(), size + 2);
                Ok(messages.with_ping(nats::PING).into())
            }
            System::Redis => {
                let text = wants.text('/', '*', "*");
                let topic = name(sample, '/');
                let before = match wants {
                    Wants::Topic(_) => {
                        redis::subscribe_to(socket, "subscribe", &text)?;
                        "*3\r\n$7\r\nmessage\r\n".to_owned()
                    }
                    Wants::Pattern | Wants::Everything => {
                        redis::subscribe_to(socket, "psubscribe", &text)?;
                        format!("*4\r\n$8\r\npmessage\r\n${}\r\n{text}\r\n", text.len())
                    }
                };
                let before = format!("{before}${}\r\n", topic.len());
                let behind = format!("\r\n${size}\r\n");
                let messages =
                    wants.messages(before.as_bytes(), &topic, behind.as_bytes(), size + 2);
                Ok(messages.into())
            }
            System::Mosquitto => {
                mosquitto::subscribe_to(socket, &wants.text('/', '+', "#"))?;
                let topic = name(sample, '/');
                let message = mosquitto::publish_to(&topic, &"x".repeat(size));
                let before = &message[..message.len() - size - topic.len()];
                Ok(wants.messages(before, &topic, b"", size).into())
            }
            _ => bail!("{} has no topics", self.name()),
        }
    }

    /// Returns what a publisher writes for one message to a topic, with a body of `size` bytes.
    pub fn publish_to(self, topic: usize, size: usize) -> Vec<u8> {
        let body = "x".repeat(size);
        match self {
            System::ArautoNoTopic => arauto::publish(&body),
            System::Nats | System::NatsDebian => nats::publish_to(&name(topic, '.'), &body),
            System::Redis => redis::command(&["PUBLISH", &name(topic, '/'), &body]),
            System::Mosquitto => mosquitto::publish_to(&name(topic, '/'), &body),
            _ => arauto::publish_to(&name(topic, '/'), &body),
        }
    }
}
