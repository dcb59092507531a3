//! A listener's dialect: how frames become bytes there.

use super::raw::Direction;
use super::{Charset, ClientFrame, RawDialect, ServerFrame, WireError, cbor, raw, text};
use crate::framing::Framing;

/// How a listener's sessions speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Length-prefixed CBOR maps, for programs.
    Cbor,
    /// Lines, for people and scripts.
    Text(Charset),
    /// Bare bodies, for programs that know nothing of arauto.
    Raw(RawDialect),
}

/// What the front of a buffer holds.
#[derive(Debug, PartialEq)]
pub enum Decoded<T> {
    /// Not yet a whole frame.
    Partial,
    /// A frame, and how many bytes it took.
    Frame(T, usize),
    /// A server's frame of a name that is not known here, and how many bytes it took: a
    /// client passes over it.
    Ignored(usize),
}

impl Dialect {
    /// Decodes the first frame in `bytes`; `limit` is the longest frame allowed.
    ///
    /// # Errors
    /// The bytes are no frame, or one that is too long. After an error the place
    /// of the next frame is unknown: the session must end.
    pub fn decode<'a>(
        self,
        bytes: &'a [u8],
        limit: usize,
    ) -> Result<Decoded<ClientFrame<'a>>, WireError> {
        match self {
            Dialect::Cbor => cbor::decode_client(bytes, limit),
            Dialect::Text(charset) => text::decode_client(charset, bytes, limit),
            Dialect::Raw(raw) => raw::decode_client(raw.charset, bytes, limit),
        }
    }

    /// Whether [`Dialect::decode`] may say more of `bytes` than that they are partial, as
    /// it said of the first `searched` of them. IdFrame before each piece of a long line
    /// is decoded, so that a line is not gone through from its beginning for each.
    pub fn is_worth_decoding(self, bytes: &[u8], searched: usize, limit: usize) -> bool {
        let charset = match self {
            Dialect::Cbor => return true, // it looks at a length only
            Dialect::Text(charset) => charset,
            Dialect::Raw(raw) => raw.charset,
        };
        bytes.len() > limit || charset.ends_line(bytes, searched)
    }

    /// Decodes a message of a connection that keeps their boundaries: exactly one
    /// frame.
    ///
    /// # Errors
    /// It is no frame, more than one, or too long.
    pub fn decode_message<'a>(
        self,
        message: &'a [u8],
        limit: usize,
    ) -> Result<ClientFrame<'a>, WireError> {
        match self {
            Dialect::Cbor => cbor::decode_message(message, limit),
            Dialect::Text(charset) => text::decode_message(charset, message, limit),
            Dialect::Raw(raw) => raw::decode_message(raw.charset, message, limit),
        }
    }

    /// Appends the frame's bytes to `out`. `false`: this frame is not sent, as the
    /// dialect has no words for it.
    pub fn encode(self, framing: Framing, frame: &ServerFrame<'_>, out: &mut Vec<u8>) -> bool {
        match self {
            Dialect::Cbor => cbor::encode_server(frame, out),
            Dialect::Text(charset) => text::encode_server(charset, framing, frame, out),
            Dialect::Raw(raw) => return raw::encode_server(raw, framing, frame, out),
        }
        true
    }

    /// Whether the log's bytes can be sent as they are.
    pub fn is_log_native(self, framing: Framing) -> bool {
        self == Dialect::Cbor && framing == Framing::Stream
    }

    /// What a raw listener is like.
    pub fn raw(self) -> Option<RawDialect> {
        match self {
            Dialect::Raw(raw) => Some(raw),
            Dialect::Cbor | Dialect::Text(_) => None,
        }
    }

    /// Whether only the server speaks.
    pub fn is_outbound(self) -> bool {
        self.raw()
            .is_some_and(|raw| raw.direction == Direction::Outbound)
    }

    /// What a message is longer by than its frame, at most.
    pub const MESSAGE_OVERHEAD: usize = cbor::PREFIX;
}
