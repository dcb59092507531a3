//! Compares the server's output in the text and the raw dialect with the client's input.

use arauto::fuzzing::{Conversation, Framing};
use arauto::wire::raw::Direction;
use arauto::wire::text::hides;
use arauto::wire::{Charset, RawDialect};

use crate::asked::Asked;
use crate::script::Choices;

/// The lines, or messages, that were written whole.
fn lines(charset: Charset, outcome: &Conversation, choices: &Choices<'_>) -> Vec<String> {
    let text = |bytes: &[u8]| {
        charset
            .decode(bytes)
            .expect("it is in the encoding")
            .into_owned()
    };
    if choices.framing == Framing::Messages {
        return outcome
            .written
            .iter()
            .map(|message| text(message))
            .collect();
    }
    let written = outcome
        .written
        .first()
        .map_or(&[][..], |written| &written[..]);
    let (mut rest, mut lines) = (written, Vec::new());
    while let Some((end, next)) = charset.find_line(rest) {
        lines.push(text(&rest[..end]));
        rest = &rest[next..];
    }
    // A client that only reads is gone when it has closed its side.
    let is_gone = choices.gone_after.is_some() || choices.is_outbound();
    assert!(rest.is_empty() || is_gone, "{rest:?}");
    lines
}

pub fn judge_text(charset: Charset, outcome: &Conversation, asked: &Asked, choices: &Choices<'_>) {
    let lines = lines(charset, outcome, choices);
    assert!(lines.iter().all(|line| !line.contains(hides)), "{lines:?}");
    assert!(
        lines.first().is_none_or(|line| line == "+ arauto 1"),
        "{lines:?}"
    );
    let (mut answers, mut closing) = (0, None);
    for line in lines.iter().skip(1) {
        assert!(closing.is_none(), "closing is the last line: {lines:?}");
        match line.split_once(' ') {
            Some(("+" | "=" | "-", _)) => answers += 1,
            Some((".", reason)) => closing = Some(reason),
            Some(("*", _)) => {}
            _ => panic!("no line of the server's: {line:?}"),
        }
    }
    let Some(reason) = closing else {
        assert!(
            choices.gone_after.is_some(),
            "there is no closing: {lines:?}"
        );
        return;
    };
    if let Some(expected) = asked.answers_until(reason) {
        // The error that ends it answers no line.
        let expected = expected + usize::from(reason == "bad-frame");
        assert_eq!(answers, expected, "{lines:?}");
    }
    assert!(answers <= asked.frames.len() + 1, "{lines:?}");
}

pub fn judge_raw(raw: RawDialect, outcome: &Conversation, asked: &Asked, choices: &Choices<'_>) {
    if raw.direction == Direction::Outbound {
        // One for each that was published, and the last word.
        let most = choices.pieces().len() + 1;
        let count = match choices.framing {
            Framing::Messages => outcome.written.len(),
            Framing::Stream => lines(raw.charset, outcome, choices).len(),
        };
        assert!(count <= most);
        return;
    }
    let replies = lines(raw.charset, outcome, choices);
    assert!(replies.len() <= asked.frames.len() + 1, "{replies:?}");
    let is_cut_short = choices.gone_after.is_some()
        || choices.stop_at.is_some()
        || replies
            .iter()
            .any(|reply| reply.starts_with("- frame-too-large"));
    if !is_cut_short {
        assert!(
            !asked.ends_in_error,
            "a line that is too long is answered with an error"
        );
        let expected = asked.before_fim.unwrap_or(asked.frames.len());
        assert_eq!(replies.len(), expected, "{asked:?} {replies:?}");
    }
}
