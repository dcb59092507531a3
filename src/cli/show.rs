//! Formats broadcasts for people and for programs.

use arauto::wire::text::body_line;
use arauto::{Body, Event};
use serde_json::{Value, json};

use super::escape::one_line;

/// Formats a broadcast as one line, as the text dialect does. Text from other users is escaped:
/// it cannot break, colour or reorder the line.
pub(super) fn line(event: &Event) -> String {
    match event {
        Event::Message {
            seq, from, body, ..
        } => format!("{seq} {}: {}", one_line(from), body_line(body)),
        Event::Joined { seq, user, .. } => format!("{seq} * {} joined", one_line(user)),
        Event::Left { seq, user, .. } => format!("{seq} * {} left", one_line(user)),
        Event::Gap(gap) => format!("{}-{} * gap: no longer held", gap.from, gap.to),
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
        } => json!({"message": {"seq": seq, "from": from, "at": at, "body": json_body(body)}}),
        Event::Joined { seq, user, at } => json!({"joined": {"seq": seq, "user": user, "at": at}}),
        Event::Left { seq, user, at } => json!({"left": {"seq": seq, "user": user, "at": at}}),
        Event::Gap(gap) => json!({"gap": {"from": gap.from, "to": gap.to}}),
        _ => json!({"unknown": {"seq": event.seq()}}),
    }
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
    use super::*;
    use arauto::{Millis, Seq};

    #[test]
    fn text_of_other_users_stays_on_its_line() {
        let event = Event::Message {
            seq: Seq(1),
            from: "ana".to_owned(),
            at: Millis(2),
            body: Body::text("a\n\u{1b}[31m\u{202e}b"),
        };
        assert_eq!(line(&event), r"1 ana: a\n\u{1b}[31m\u{202e}b");
    }
}
