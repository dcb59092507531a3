//! The contents of the outbox: one JSON object on one line.

use std::collections::VecDeque;
use std::io::{self, Write};

use arauto::Body;
use serde::{Deserialize, Serialize};

/// The messages that have no answer yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Outbox {
    /// The name of the producer.
    pub producer: String,
    /// The number of the first message; of the next one if there is none.
    pub first: u64,
    /// The messages, in the order of their numbers.
    pub messages: VecDeque<Body<'static>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    producer: String,
    /// The number of the first message.
    n: u64,
    messages: Vec<Message>,
}

/// A message: text, or bytes as hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Message {
    Text(String),
    Bytes { hex: String },
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
    let messages = messages.into_iter().map(body);
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
        messages: outbox.messages.iter().map(message).collect(),
    };
    serde_json::to_writer(&mut *file, &state)?;
    file.write_all(b"\n")
}

fn message(body: &Body<'_>) -> Message {
    match body.as_text() {
        Some(text) => Message::Text(text.to_owned()),
        None => Message::Bytes {
            hex: digits(body.as_bytes()),
        },
    }
}

fn body(message: Message) -> Result<Body<'static>, StateError> {
    match message {
        Message::Text(text) => Ok(Body::from(text)),
        Message::Bytes { hex } => {
            let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
            let bytes = pairs.iter().map(|pair| {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let value = digit(pair[0])? * 16 + digit(pair[1])?;
                u8::try_from(value).ok()
            });
            let bytes = bytes.collect::<Option<Vec<u8>>>();
            let bytes = bytes.filter(|_| rest.is_empty());
            bytes.map(Body::from).ok_or(StateError::Hex)
        }
    }
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
        let outbox = Outbox {
            producer: "p".to_owned(),
            first: 7,
            messages: [Body::text("olá\n\u{1b}"), Body::from(vec![0, 0xff])].into(),
        };
        let mut bytes = Vec::new();
        write(&outbox, &mut bytes).expect("a Vec takes it");
        assert_eq!(read(&bytes).expect("it was written"), outbox);
        let text = String::from_utf8(bytes).expect("JSON is text");
        let expected =
            "{\"producer\":\"p\",\"n\":7,\"messages\":[\"olá\\n\\u001b\",{\"hex\":\"00ff\"}]}\n";
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
