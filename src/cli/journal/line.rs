//! The lines of an exported journal.

use std::borrow::Cow;

use arauto::internal::accounts::CONSOLE;
use arauto::wire::{Headers, LONGEST_HEADERS, MOST_HEADERS, Message, Presence, ServerFrame};
use arauto::{Body, Millis, Seq, Topic, UserName};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};

/// The version of the form.
pub(super) const VERSION: u64 = 1;

/// The first line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) arauto: HeaderTag,
    pub(super) version: u64,
    /// The stream that was exported. An import gives its stream another name.
    pub(super) stream: String,
    /// The first seq.
    pub(super) from: Seq,
    /// The last seq; one less than `from` if there are no broadcasts.
    pub(super) to: Seq,
}

/// The mark of a header.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HeaderTag {
    Journal,
}

/// The last line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Footer {
    pub(super) arauto: FooterTag,
    /// The number of kept values.
    pub(super) kept: u64,
    /// The number of broadcasts.
    pub(super) broadcasts: u64,
}

/// The mark of a footer.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FooterTag {
    End,
}

/// The start of a header and of a footer, and of no other line.
pub(super) const MARK: &[u8] = b"{\"arauto\"";

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Kept,
    Message,
    Joined,
    Left,
}

/// A broadcast, or a kept value, with the names of the protocol.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    pub(super) kind: Kind,
    seq: Seq,
    at: Millis,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    from: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    topic: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    headers: Option<Headers<'a>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    keep: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    to: Option<Cow<'a, str>>,
    /// A body of text.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    /// A body of bytes.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    /// Returns the line of a broadcast; `None` for another frame.
    pub(super) fn of_broadcast(frame: &'a ServerFrame<'_>) -> Option<Line<'a>> {
        match frame {
            ServerFrame::Message(message) => Some(Line::of_message(Kind::Message, message)),
            ServerFrame::Joined(presence) => Some(Line::of_presence(Kind::Joined, presence)),
            ServerFrame::Left(presence) => Some(Line::of_presence(Kind::Left, presence)),
            _ => None,
        }
    }

    /// Returns the line of a kept value; `None` if the frame is no message.
    pub(super) fn of_kept(frame: &'a ServerFrame<'_>) -> Option<Line<'a>> {
        match frame {
            ServerFrame::Message(message) => Some(Line::of_message(Kind::Kept, message)),
            _ => None,
        }
    }

    fn of_message(kind: Kind, message: &'a Message<'_>) -> Line<'a> {
        let text = |text: &'a Option<Cow<'_, str>>| text.as_deref().map(Cow::Borrowed);
        let (body, body_base64) = match &message.body {
            Body::Text(text) => (Some(Cow::Borrowed(&**text)), None),
            Body::Bytes(bytes) => (None, Some(Cow::Owned(BASE64_STANDARD.encode(bytes)))),
        };
        Line {
            from: Some(Cow::Borrowed(&message.from)),
            topic: text(&message.topic),
            headers: message.headers.as_ref().map(borrowed),
            keep: message.keep,
            to: text(&message.to),
            body,
            body_base64,
            ..Line::new(kind, message.seq, message.at)
        }
    }

    fn of_presence(kind: Kind, presence: &'a Presence<'_>) -> Line<'a> {
        Line {
            user: Some(Cow::Borrowed(&presence.user)),
            ..Line::new(kind, presence.seq, presence.at)
        }
    }

    fn new(kind: Kind, seq: Seq, at: Millis) -> Line<'a> {
        Line {
            kind,
            seq,
            at,
            user: None,
            from: None,
            topic: None,
            headers: None,
            keep: false,
            to: None,
            body: None,
            body_base64: None,
        }
    }

    /// Returns the frame of the line.
    ///
    /// # Errors
    /// A key is missing, too much, or has a value that no server would have accepted.
    pub(super) fn into_frame(self) -> Result<ServerFrame<'a>, String> {
        match self.kind {
            Kind::Kept | Kind::Message => self.into_message().map(ServerFrame::Message),
            Kind::Joined => self.into_presence().map(ServerFrame::Joined),
            Kind::Left => self.into_presence().map(ServerFrame::Left),
        }
    }

    fn into_presence(self) -> Result<Presence<'a>, String> {
        let is_message = self.from.is_some()
            || self.topic.is_some()
            || self.headers.is_some()
            || self.keep
            || self.to.is_some()
            || self.body.is_some()
            || self.body_base64.is_some();
        if is_message {
            return Err("it has a key that only messages have".to_owned());
        }
        let user = self.user.ok_or("the user is missing")?;
        check_user("user", &user)?;
        Ok(Presence {
            seq: self.seq,
            user,
            at: self.at,
        })
    }

    fn into_message(self) -> Result<Message<'a>, String> {
        if self.user.is_some() {
            return Err("it has a user, which only joined and left have".to_owned());
        }
        let body = match (self.body, self.body_base64) {
            (Some(text), None) => Body::Text(text),
            (None, Some(encoded)) => {
                let bytes = BASE64_STANDARD.decode(encoded.as_bytes());
                Body::from(bytes.map_err(|error| format!("body_base64: {error}"))?)
            }
            _ => return Err("it needs one of body and body_base64".to_owned()),
        };
        let from = self.from.ok_or("from is missing")?;
        check_user("from", &from)?;
        if let Some(to) = &self.to {
            check_user("to", to)?;
        }
        if let Some(topic) = &self.topic {
            Topic::new(&**topic).map_err(|error| format!("topic: {error}"))?;
        }
        if let Some(headers) = &self.headers {
            check_headers(headers)?;
        }
        if self.keep && (self.topic.is_none() || self.to.is_some()) {
            return Err("keep needs a topic, and excludes to".to_owned());
        }
        let mut message = Message::new(self.seq, from, self.at, body);
        message.topic = self.topic;
        message.headers = self.headers;
        message.keep = self.keep;
        message.to = self.to;
        Ok(message)
    }
}

fn borrowed<'a>(headers: &'a Headers<'_>) -> Headers<'a> {
    let mut copy = Headers::default();
    for (name, value) in headers.iter() {
        copy.push(name, value);
    }
    copy
}

/// Checks that a name is one that a server writes: a user's in its normal form, or the console's.
fn check_user(key: &str, text: &str) -> Result<(), String> {
    if text == CONSOLE {
        return Ok(());
    }
    match UserName::parse(text) {
        Ok(name) if name.as_str() == text => Ok(()),
        Ok(name) => Err(format!("{key}: the name is written {name}")),
        Err(error) => Err(format!("{key}: {error}")),
    }
}

fn check_headers(headers: &Headers<'_>) -> Result<(), String> {
    let (count, bytes) = (headers.len(), headers.bytes());
    if count > MOST_HEADERS {
        return Err(format!("headers: there are more than {MOST_HEADERS}"));
    }
    if bytes > LONGEST_HEADERS {
        return Err(format!(
            "headers: they have {bytes} bytes, and {LONGEST_HEADERS} are allowed"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message<'static> {
        let mut message = Message::new(Seq(7), "ana", Millis(9), Body::text("olá\n\u{1b}"));
        message.topic = Some("a/b".into());
        message.keep = true;
        let mut headers = Headers::default();
        headers.push("z", "1");
        headers.push("a", "2");
        message.headers = Some(headers);
        message
    }

    fn text(frame: &ServerFrame<'_>) -> String {
        let line = Line::of_broadcast(frame).expect("it is a broadcast");
        serde_json::to_string(&line).expect("it is text")
    }

    fn read(text: &str) -> Result<ServerFrame<'_>, String> {
        let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        line.into_frame()
    }

    #[test]
    fn broadcast_is_read_as_it_was_written() {
        let mut direct = Message::new(Seq(1), "ana", Millis(2), Body::bytes(b"\xff\x00a"));
        direct.to = Some("rui".into());
        let mut bare = Message::new(Seq(1), CONSOLE, Millis(2), Body::bytes(b"text"));
        bare.headers = Some(Headers::default());
        let presence = Presence {
            seq: Seq(3),
            user: "ana".into(),
            at: Millis(4),
        };
        let frames = [
            ServerFrame::Message(message()),
            ServerFrame::Message(direct),
            ServerFrame::Message(bare),
            ServerFrame::Joined(presence.clone()),
            ServerFrame::Left(presence),
        ];
        for frame in frames {
            assert_eq!(read(&text(&frame)), Ok(frame));
        }
    }

    #[test]
    fn line_of_a_message_has_the_keys_that_it_has() {
        let expected = r#"{"kind":"message","seq":7,"at":9,"from":"ana","topic":"a/b","#.to_owned()
            + r#""headers":{"z":"1","a":"2"},"keep":true,"body":"olá\n\u001b"}"#;
        assert_eq!(text(&ServerFrame::Message(message())), expected);
    }

    #[test]
    fn line_that_no_server_writes_is_refused_by_its_key() {
        for (line, problem) in [
            (r#"{"kind":"message","seq":1,"at":1,"from":"ana"}"#, "body"),
            (r#"{"kind":"message","seq":1,"at":1,"body":"x"}"#, "from"),
            (
                r#"{"kind":"message","seq":1,"at":1,"from":"ana","body":"x","body_base64":""}"#,
                "one of body",
            ),
            (
                r#"{"kind":"message","seq":1,"at":1,"from":"ana","body_base64":"%"}"#,
                "body_base64",
            ),
            (
                r#"{"kind":"message","seq":1,"at":1,"from":"a b","body":"x"}"#,
                "from",
            ),
            (
                r#"{"kind":"message","seq":1,"at":1,"from":"ana","topic":"a/#","body":"x"}"#,
                "topic",
            ),
            (
                r#"{"kind":"message","seq":1,"at":1,"from":"ana","keep":true,"body":"x"}"#,
                "keep",
            ),
            (r#"{"kind":"joined","seq":1,"at":1}"#, "user"),
            (
                r#"{"kind":"left","seq":1,"at":1,"user":"ana","body":"x"}"#,
                "only messages",
            ),
            (r#"{"kind":"moved","seq":1,"at":1}"#, "moved"),
            (r#"{"kind":"joined","seq":-1,"at":1,"user":"ana"}"#, "-1"),
            (
                r#"{"kind":"joined","seq":1,"at":1,"user":"ana","x":1}"#,
                "`x`",
            ),
        ] {
            let error = read(line).expect_err(line);
            assert!(error.contains(problem), "{line}: {error}");
        }
    }
}
