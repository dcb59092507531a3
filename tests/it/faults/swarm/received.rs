//! The frames that clients received.

use std::collections::HashMap;

use arauto::wire::{CloseReason, Closing, Decoded, Named, ServerFrame, cbor};

/// The frames that a client sent and received.
///
/// Counts suffice, because each answer is compared with the next expected id when it arrives.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) name: usize,
    /// The session's number.
    pub(crate) session: u64,
    /// The seq of its login.
    pub(crate) since: u64,
    /// The last broadcast.
    pub(crate) last: u64,
    /// The number of whole frames that it sent since the login, with ids from 1.
    pub(crate) sent: u64,
    /// The number of frames that were answered; they are the first ones.
    pub(crate) answered: u64,
    /// The number of frames that were refused; they follow the answered ones.
    pub(crate) refused: u64,
    /// The id and the seq of each publish that was answered.
    pub(crate) published: Vec<(u64, u64)>,
    pub(crate) is_logged_in: bool,
    pub(crate) is_stopping: bool,
    pub(crate) closing: Option<Closed>,
}

/// The contents of `closing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) reason: Named<CloseReason>,
    pub(crate) last_seq: u64,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
}

impl From<&Closing> for Closed {
    fn from(closing: &Closing) -> Closed {
        Closed {
            reason: closing.reason.clone(),
            last_seq: closing.last_seq.0,
            accepted: closing.accepted,
            refused: closing.refused,
        }
    }
}

/// The bytes of the broadcast under each seq.
#[derive(Default)]
pub(crate) struct Broadcasts(HashMap<u64, Box<[u8]>>);

impl Broadcasts {
    fn is(&self, seq: u64, frame: &[u8]) -> bool {
        self.0.get(&seq).is_some_and(|known| **known == *frame)
    }

    fn note(&mut self, seq: u64, frame: &[u8]) {
        let before = self.0.insert(seq, frame.into());
        assert!(
            before.is_none_or(|before| *before == *frame),
            "{seq} is the same for everybody"
        );
    }

    /// The text that was broadcast under this seq.
    pub(crate) fn text(&self, seq: u64) -> Option<String> {
        let frame = self.0.get(&seq)?;
        match cbor::decode_server(frame, usize::MAX) {
            Ok(Decoded::Frame(ServerFrame::Message(message), _)) => {
                message.body.as_text().map(str::to_owned)
            }
            _ => None,
        }
    }
}

impl Received {
    /// Records a frame with its prefix. Returns whether it answers one of the client's frames.
    pub(super) fn take(&mut self, frame: &[u8], broadcasts: &mut Broadcasts) -> bool {
        assert!(self.closing.is_none(), "closing is the last frame");
        if broadcasts.is(self.last + 1, frame) {
            self.last += 1;
            return false;
        }
        let before = self.answered + self.refused;
        match cbor::decode_server(frame, usize::MAX) {
            Ok(Decoded::Frame(decoded, _)) => self.note(&decoded, frame, broadcasts),
            other => panic!("no frame: {other:?}"),
        }
        self.answered + self.refused > before
    }

    fn note(&mut self, decoded: &ServerFrame<'_>, bytes: &[u8], broadcasts: &mut Broadcasts) {
        match decoded {
            ServerFrame::Welcome(welcome) => self.session = welcome.session.0,
            ServerFrame::LoggedIn(login) => {
                self.is_logged_in = true;
                (self.since, self.last) = (login.seq.0, login.seq.0);
            }
            ServerFrame::Reply(reply) => self.answer(reply.id),
            ServerFrame::Published(published) => {
                self.answer(published.id);
                self.published.push((published.id, published.seq.0));
            }
            ServerFrame::Message(message) => self.broadcast(message.seq.0, bytes, broadcasts),
            ServerFrame::Joined(presence) | ServerFrame::Left(presence) => {
                self.broadcast(presence.seq.0, bytes, broadcasts);
            }
            ServerFrame::Error(error) => {
                assert_eq!(error.code.as_str(), "stopping", "{error:?}");
                assert!(
                    self.is_stopping,
                    "stopping comes first: {error:?}, {self:?}"
                );
                self.refused += 1;
                assert_eq!(error.id, Some(self.answered + self.refused), "in order");
            }
            ServerFrame::Stopping(_) => self.is_stopping = true,
            ServerFrame::Closing(closing) => self.closing = Some(closing.into()),
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn answer(&mut self, id: u64) {
        assert_eq!(self.refused, 0, "no answer follows a refusal");
        self.answered += 1;
        assert_eq!(id, self.answered, "in the order of the frames, once each");
    }

    fn broadcast(&mut self, seq: u64, bytes: &[u8], broadcasts: &mut Broadcasts) {
        assert_eq!(seq, self.last + 1, "no gap, no repeat");
        self.last = seq;
        broadcasts.note(seq, bytes);
    }

    /// Returns the number of frames that were neither answered nor refused.
    pub(crate) fn unread(&self) -> u64 {
        self.sent - self.answered - self.refused
    }
}
