//! The frames of a client, decoded from its bytes in one piece.

use std::borrow::Cow;

use arauto::fuzzing::Framing;
use arauto::wire::{ClientFrame, Decoded, Dialect, Login, Message};
use arauto::{Pattern, Topic};

use crate::script::Choices;

/// The frames of a whole conversation, as far as they are ones.
#[derive(Debug, Default)]
pub struct Asked {
    /// Those that are answered with their id, in their order but for some that say so.
    pub frames: Vec<Question>,
    /// How many of these stand in front of the first `fim`, where there is one.
    pub before_fim: Option<usize>,
    /// Whether bytes follow that are no frame.
    pub ends_in_error: bool,
    /// Whether the server may have stopped meanwhile: then `fim` may have been passed over.
    pub may_stop: bool,
    /// Whether it was asked to stop at once.
    pub hurries: bool,
    /// Whether it may have used topics: then it is told with `passed` what was not for it.
    pub may_use_topics: bool,
    /// Whether it may have no filter.
    may_hear_all: bool,
    /// All patterns that may have been in its filter.
    patterns: Vec<Pattern<'static>>,
}

/// A frame that is answered.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub id: u64,
    pub is_login: bool,
    /// Whether the answer may overtake others, and be overtaken.
    pub is_any_order: bool,
}

impl Asked {
    pub fn of(choices: &Choices<'_>) -> Asked {
        let mut asked = Asked {
            may_stop: choices.stop_at.is_some(),
            ..Asked::default()
        };
        let limit = choices.max_frame;
        match (choices.is_outbound(), choices.framing) {
            (true, _) => {} // nobody listens
            (false, Framing::Stream) => asked.stream(choices, limit),
            (false, Framing::Messages) => asked.messages(choices, limit),
        }
        asked
    }

    fn stream(&mut self, choices: &Choices<'_>, limit: usize) {
        let mut rest = choices.bytes;
        loop {
            match choices.dialect.decode(rest, limit) {
                Ok(Decoded::Frame(frame, used)) => {
                    self.note(&frame);
                    rest = &rest[used..];
                }
                Ok(Decoded::Ignored(used)) => rest = &rest[used..],
                Ok(Decoded::Partial) => break,
                Err(_) => {
                    self.ends_in_error = true;
                    return;
                }
            }
        }
        // A program that knows nothing of arauto may end with its text.
        if matches!(choices.dialect, Dialect::Raw(_)) && !rest.is_empty() {
            match choices.dialect.decode_message(rest, limit) {
                Ok(frame) => self.note(&frame),
                Err(_) => self.ends_in_error = true,
            }
        }
    }

    fn messages(&mut self, choices: &Choices<'_>, limit: usize) {
        let mut message = Vec::new();
        for piece in choices.pieces() {
            message.extend_from_slice(&piece.bytes);
            // A message that grows too long is given up before its end.
            let is_too_long = message.len() > choices.max_frame + Dialect::MESSAGE_OVERHEAD;
            if !piece.is_whole && !is_too_long {
                continue;
            }
            match choices.dialect.decode_message(&message, limit) {
                Ok(frame) if !is_too_long => self.note(&frame),
                _ => {
                    self.ends_in_error = true;
                    return;
                }
            }
            message.clear();
        }
    }

    fn note(&mut self, frame: &ClientFrame<'_>) {
        match frame {
            ClientFrame::Fim(_) => {
                self.before_fim.get_or_insert(self.frames.len());
            }
            ClientFrame::Shutdown(shutdown) => {
                self.may_stop = true;
                self.hurries |= shutdown.now == Some(true);
            }
            ClientFrame::Login(login) => self.note_login(login),
            ClientFrame::Subscribe(subscribe) => {
                self.may_use_topics = true;
                self.note_patterns(&subscribe.add);
            }
            _ => {}
        }
        if let Some(id) = frame.id().filter(|_| !matches!(frame, ClientFrame::Fim(_))) {
            let is_login = match frame {
                ClientFrame::Login(_) => true,
                ClientFrame::Unserved(unserved) => unserved.is_login,
                _ => false,
            };
            let is_any_order = match frame {
                ClientFrame::Request(request) => request.options.is_some(),
                ClientFrame::Withdraw(_) => true,
                _ => false,
            };
            self.frames.push(Question {
                id,
                is_login,
                is_any_order,
            });
        }
    }

    fn note_login(&mut self, login: &Login<'_>) {
        let options = login.options.as_deref();
        let filter = options.and_then(|options| options.filter.as_ref());
        self.may_hear_all |= filter.is_none();
        self.may_use_topics |= options.is_some_and(|options| {
            options.filter.is_some() || options.presence.is_some() || options.kept.is_some()
        });
        filter
            .into_iter()
            .for_each(|patterns| self.note_patterns(patterns));
    }

    fn note_patterns(&mut self, patterns: &[Cow<'_, str>]) {
        let patterns = patterns
            .iter()
            .map(|pattern| Pattern::new(pattern.to_string()));
        self.patterns.extend(patterns.flatten());
    }

    /// Whether the session may be sent this message: it goes to one user, or one of its patterns
    /// matches.
    pub fn may_hear(&self, message: &Message<'_>) -> bool {
        let topic = message.topic.as_deref().map(Topic::new);
        let topic = topic.transpose().expect("the server checks topics");
        let mut patterns = self.patterns.iter();
        self.may_hear_all
            || message.to.is_some()
            || patterns.any(|pattern| pattern.matches_message(topic.as_ref()))
    }

    /// How many answers there must be where the session ended for this reason; `None`
    /// where it may have been cut short.
    pub fn answers_until(&self, reason: &str) -> Option<usize> {
        match reason {
            "fim" => Some(self.before_fim.expect("it was said")),
            "disconnected" => {
                assert!(self.before_fim.is_none() && !self.ends_in_error);
                Some(self.frames.len())
            }
            "bad-frame" | "unsupported" if !self.may_stop => {
                assert!(self.before_fim.is_none() && self.ends_in_error);
                Some(self.frames.len())
            }
            _ => None,
        }
    }
}
