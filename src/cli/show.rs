//! Formats broadcasts for people and for programs.

use arauto::wire::text::body_line;
use arauto::{Body, Event, Headers, KeptValue, Millis, Seq};
use serde_json::{Value, json};

use super::escape::one_line;

/// Formats a broadcast as one line. Text from other users is escaped: it cannot break, colour or
/// reorder the line.
pub(super) fn line(event: &Event) -> String {
    match event {
        Event::Message {
            seq,
            from,
            body,
            topic,
            to,
            ..
        } => {
            let mut line = format!("{seq} {}", one_line(from));
            if let Some(to) = to {
                line.push_str(&format!(" -> {}", one_line(to)));
            }
            if let Some(topic) = topic {
                line.push_str(&format!(" [{}]", one_line(topic)));
            }
            format!("{line}: {}", body_line(body))
        }
        Event::Joined { seq, user, .. } => format!("{seq} * {} joined", one_line(user)),
        Event::Left { seq, user, .. } => format!("{seq} * {} left", one_line(user)),
        Event::Gap(gap) => format!("{}-{} * gap: no longer held", gap.from, gap.to),
        Event::Passed(passed) => format!("{} * nothing for this session up to here", passed.to),
        _ => format!("{} * unknown to this version of arauto", event.seq()),
    }
}

/// Formats a broadcast as one JSON object, with the names of the protocol.
pub(super) fn json(event: &Event) -> Value {
    match event {
        Event::Message {
            seq,
            from,
            at,
            body,
            topic,
            headers,
            keep,
            to,
        } => {
            let mut fields = json_message(*seq, from, *at, body, headers);
            if let Some(topic) = topic {
                fields["topic"] = json!(topic);
            }
            if *keep {
                fields["keep"] = json!(true);
            }
            if let Some(to) = to {
                fields["to"] = json!(to);
            }
            json!({ "message": fields })
        }
        Event::Joined { seq, user, at } => json!({"joined": {"seq": seq, "user": user, "at": at}}),
        Event::Left { seq, user, at } => json!({"left": {"seq": seq, "user": user, "at": at}}),
        Event::Gap(gap) => json!({"gap": {"from": gap.from, "to": gap.to}}),
        Event::Passed(passed) => json!({"passed": {"to": passed.to}}),
        _ => json!({"unknown": {"seq": event.seq()}}),
    }
}

/// Formats a kept value as one line, escaped as in [`line`].
pub(super) fn kept_line(kept: &KeptValue) -> String {
    let (from, topic) = (one_line(&kept.from), one_line(&kept.topic));
    format!(
        "kept {} {from} [{topic}]: {}",
        kept.seq,
        body_line(&kept.body)
    )
}

/// Formats a kept value as one JSON object, with the names of the protocol.
pub(super) fn kept_json(kept: &KeptValue) -> Value {
    let mut fields = json_message(kept.seq, &kept.from, kept.at, &kept.body, &kept.headers);
    fields["topic"] = json!(kept.topic);
    fields["keep"] = json!(true);
    json!({ "kept": fields })
}

/// Formats what every message has.
fn json_message(seq: Seq, from: &str, at: Millis, body: &Body<'_>, headers: &Headers<'_>) -> Value {
    let mut fields = json!({"seq": seq, "from": from, "at": at, "body": json_body(body)});
    if !headers.is_empty() {
        fields["headers"] = headers
            .iter()
            .map(|(name, value)| (name, json!(value)))
            .collect();
    }
    fields
}

/// Formats a body: text as a string, bytes as an object with hexadecimal digits.
fn json_body(body: &Body<'_>) -> Value {
    match body {
        Body::Text(text) => json!(text),
        Body::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "hex": hex })
        }
    }
}

#[cfg(test)]
mod tests {
    use arauto::wire::{Message, ServerFrame};

    use super::*;

    fn event(message: Message<'_>) -> Event {
        Event::of(ServerFrame::Message(message)).expect("it is a broadcast")
    }

    #[test]
    fn text_of_other_users_stays_on_its_line() {
        let text = "a\n\u{1b}[31m\u{202e}b";
        let mut message = Message::new(Seq(1), "ana", Millis(2), Body::text(text));
        assert_eq!(
            line(&event(message.clone())),
            r"1 ana: a\n\u{1b}[31m\u{202e}b"
        );
        message.topic = Some("t/\u{202e}".into());
        message.to = Some("rui\u{1b}".into());
        let expected = r"1 ana -> rui\u{1b} [t/\u{202e}]: a\n\u{1b}[31m\u{202e}b";
        assert_eq!(line(&event(message.clone())), expected);
        let kept = KeptValue::of(message);
        let expected = r"kept 1 ana [t/\u{202e}]: a\n\u{1b}[31m\u{202e}b";
        assert_eq!(kept_line(&kept), expected);
    }

    #[test]
    fn json_of_a_message_has_the_keys_that_it_has() {
        let mut message = Message::new(Seq(1), "ana", Millis(2), Body::text("x"));
        let bare = json!({"message": {"seq": 1, "from": "ana", "at": 2, "body": "x"}});
        assert_eq!(json(&event(message.clone())), bare);
        message.topic = Some("a/b".into());
        let mut headers = Headers::default();
        headers.push("k", "v");
        message.headers = Some(headers);
        message.keep = true;
        let kept = json!({
            "seq": 1, "from": "ana", "at": 2, "body": "x",
            "topic": "a/b", "headers": {"k": "v"}, "keep": true,
        });
        assert_eq!(json(&event(message.clone())), json!({"message": kept}));
        assert_eq!(kept_json(&KeptValue::of(message)), json!({"kept": kept}));
    }
}
