//! The broadcasts that a client with a filter got, or was told of.

use proptest::prelude::*;

use crate::wire::{Decoded, Gap, Seq, ServerFrame, cbor};

/// The broadcasts that a client got, and those that it was told are lost.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The last seq that the client was told of.
    pub(super) last: Seq,
    pub(super) got: Vec<Seq>,
    pub(super) lost: Vec<Gap>,
}

impl Received {
    /// Takes the whole frames at the begin of `bytes`, whose seqs must rise. Returns the rest.
    pub(super) fn take<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], TestCaseError> {
        while let Ok(Decoded::Frame(frame, used)) = cbor::decode_server(bytes, usize::MAX) {
            bytes = &bytes[used..];
            let (from, to) = match &frame {
                ServerFrame::Message(message) => (message.seq, message.seq),
                ServerFrame::Joined(presence) => (presence.seq, presence.seq),
                ServerFrame::Gap(gap) => (gap.from, gap.to),
                ServerFrame::Passed(passed) => (passed.to, passed.to),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            let last = self.last;
            prop_assert!(from > last && from <= to, "{from} to {to} behind {last}");
            self.last = to;
            match frame {
                ServerFrame::Gap(gap) => self.lost.push(gap),
                ServerFrame::Passed(_) => {}
                _ => self.got.push(from),
            }
        }
        Ok(bytes)
    }

    /// Checks that the client got a broadcast only if it may get it, and got it or was told that it is
    /// lost unless it may go without it.
    pub(super) fn check(
        &self,
        seq: Seq,
        may_get: bool,
        may_miss: bool,
    ) -> Result<(), TestCaseError> {
        let is_got = self.got.contains(&seq);
        let is_lost = self.lost.iter().any(|gap| gap.from <= seq && seq <= gap.to);
        prop_assert!(!is_got || may_get, "{seq} is not for it");
        prop_assert!(is_got || is_lost || may_miss, "{seq} is missing");
        prop_assert!(!(is_got && is_lost), "{seq} was sent, and called lost");
        Ok(())
    }
}
