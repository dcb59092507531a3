//! The contents of the outbox: one JSON object on one line.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

use arauto::{Body, NewMessage};
use serde::{Deserialize, Serialize};

/// The messages that have no answer yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Outbox {
    /// The name of the producer.
    pub producer: String,
    /// The number of the first message; of the next one if there is none.
    pub first: u64,
    /// The messages, in the order of their numbers.
    pub messages: VecDeque<OutboxMessage>,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxMessage {
    /// Text or bytes.
    pub body: Body<'static>,
    /// Everything else.
    pub options: MessageOptions,
}

/// The keys of a message beside its body.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MessageOptions {
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Whether the message becomes its topic's kept value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep: bool,
    /// The only user that gets the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

impl MessageOptions {
    /// Returns the message with this body.
    #[cfg_attr(
        fuzzing,
        allow(dead_code, reason = "fuzz targets read and write files only")
    )]
    pub fn message(&self, body: Body<'static>) -> NewMessage<'static> {
        let mut message = NewMessage::new(body);
        if let Some(topic) = &self.topic {
            message = message.topic(topic.clone());
        }
        if let Some(to) = &self.to {
            message = message.to(to.clone());
        }
        for (name, value) in &self.headers {
            message = message.header(name.clone(), value.clone());
        }
        if self.keep { message.keep() } else { message }
    }

    /// Returns the most bytes that it adds to a frame.
    #[cfg_attr(
        fuzzing,
        allow(dead_code, reason = "fuzz targets read and write files only")
    )]
    pub fn overhead(&self) -> usize {
        /// A key or a name, and the head of a value, at most.
        const HEADS: usize = 16;
        if *self == MessageOptions::default() {
            return 0;
        }
        let length = |text: &Option<String>| text.as_ref().map_or(0, |text| text.len() + HEADS);
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.len() + value.len() + HEADS);
        let headers = headers.sum::<usize>();
        length(&self.topic) + length(&self.to) + headers + 2 * HEADS
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    producer: String,
    /// The number of the first message.
    n: u64,
    messages: Vec<Message>,
}

/// A message: a text by itself, or everything that it has.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    Fields(Box<Fields>),
}

/// A message with its body as text, or as bytes in hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(flatten)]
    options: MessageOptions,
}

/// Why a text is not an outbox.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("its n is 0, and numbers begin with 1")]
    Number,
    #[error("a message has hex digits that are none")]
    Hex,
    #[error("a message has not one of text and hex")]
    Body,
}

/// Parses the contents of an outbox.
pub(super) fn read(bytes: &[u8]) -> Result<Outbox, StateError> {
    let State {
        producer,
        n,
        messages,
    } = serde_json::from_slice(bytes)?;
    if n == 0 {
        return Err(StateError::Number);
    }
    let messages = messages.into_iter().map(from_state);
    Ok(Outbox {
        producer,
        first: n,
        messages: messages.collect::<Result<_, _>>()?,
    })
}

/// Writes the contents of an outbox, for [`read`].
pub(super) fn write(outbox: &Outbox, file: &mut dyn Write) -> io::Result<()> {
    let state = State {
        producer: outbox.producer.clone(),
        n: outbox.first,
        messages: outbox.messages.iter().map(to_state).collect(),
    };
    serde_json::to_writer(&mut *file, &state)?;
    file.write_all(b"\n")
}

fn to_state(message: &OutboxMessage) -> Message {
    let text = message.body.as_text().map(str::to_owned);
    match text {
        Some(text) if message.options == MessageOptions::default() => Message::Text(text),
        text => Message::Fields(Box::new(Fields {
            hex: text.is_none().then(|| digits(message.body.as_bytes())),
            text,
            options: message.options.clone(),
        })),
    }
}

fn from_state(message: Message) -> Result<OutboxMessage, StateError> {
    let (body, options) = match message {
        Message::Text(text) => (Body::from(text), MessageOptions::default()),
        Message::Fields(fields) => match (fields.text, fields.hex) {
            (Some(text), None) => (Body::from(text), fields.options),
            (None, Some(hex)) => (Body::from(bytes(&hex)?), fields.options),
            _ => return Err(StateError::Body),
        },
    };
    Ok(OutboxMessage { body, options })
}

/// Reads bytes from hexadecimal digits.
fn bytes(hex: &str) -> Result<Vec<u8>, StateError> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|pair| {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(pair[0])? * 16 + digit(pair[1])?;
        u8::try_from(value).ok()
    });
    let bytes = bytes.collect::<Option<Vec<u8>>>();
    bytes.filter(|_| rest.is_empty()).ok_or(StateError::Hex)
}

/// Writes bytes as hexadecimal digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outbox_reads_back_as_written() {
        let plain = |body| OutboxMessage {
            body,
            options: MessageOptions::default(),
        };
        let bytes = Body::from(vec![0, 0xff]);
        let posted = OutboxMessage {
            body: Body::text("x"),
            options: MessageOptions {
                topic: Some("a/b".to_owned()),
                keep: true,
                to: None,
                headers: [("k".to_owned(), "v".to_owned())].into(),
            },
        };
        let outbox = Outbox {
            producer: "p".to_owned(),
            first: 7,
            messages: [plain(Body::text("olá\n\u{1b}")), plain(bytes), posted].into(),
        };
        let mut bytes = Vec::new();
        write(&outbox, &mut bytes).expect("a Vec takes it");
        assert_eq!(read(&bytes).expect("it was written"), outbox);
        let text = String::from_utf8(bytes).expect("JSON is text");
        let expected = concat!(
            r#"{"producer":"p","n":7,"messages":["olá\n\u001b",{"hex":"00ff"},"#,
            r#"{"text":"x","topic":"a/b","keep":true,"headers":{"k":"v"}}]}"#,
            "\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn text_that_is_no_outbox_is_refused_with_its_problem() {
        for (text, problem) in [
            ("", "EOF"),
            ("{\"stream\":\"s\",\"seq\":1}", "unknown field"),
            (
                "{\"producer\":\"p\",\"n\":0,\"messages\":[]}",
                "begin with 1",
            ),
            (
                "{\"producer\":\"p\",\"n\":1,\"messages\":[{\"topic\":\"a\"}]}",
                "one of text and hex",
            ),
            (
                "{\"producer\":\"p\",\"n\":1,\"messages\":[{\"hex\":\"0\"}]}",
                "hex digits",
            ),
            (
                "{\"producer\":\"p\",\"n\":1,\"messages\":[{\"hex\":\"0g\"}]}",
                "hex digits",
            ),
        ] {
            let error = read(text.as_bytes()).expect_err("it is none").to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
