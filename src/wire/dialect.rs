//! The dialect of a listener.

use super::raw::Direction;
use super::{Charset, ClientFrame, Decoded, RawDialect, ServerFrame, WireError, cbor, raw, text};
use crate::framing::Framing;

/// The encoding of a listener's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Length-prefixed CBOR maps, for programs.
    Cbor,
    /// Lines, for people and scripts.
    Text(Charset),
    /// Bare bodies, for programs that know nothing of arauto.
    Raw(RawDialect),
}

impl Dialect {
    /// Decodes the first frame in `bytes`; `limit` is the longest frame allowed.
    ///
    /// # Errors
    /// The bytes are not a frame, or the frame is too long. After an error the start of the
    /// next frame is unknown, and the session must end.
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

    /// Whether [`Dialect::decode`] may return anything but [`Decoded::Partial`] for `bytes`, given
    /// that it returned `Partial` for the first `searched` bytes. Callers ask this before they
    /// decode, so that a long line that arrives in pieces is not searched from its start for each
    /// piece.
    pub fn is_worth_decoding(self, bytes: &[u8], searched: usize, limit: usize) -> bool {
        let charset = match self {
            Dialect::Cbor => return true, // only the length prefix is read
            Dialect::Text(charset) => charset,
            Dialect::Raw(raw) => raw.charset,
        };
        bytes.len() > limit || charset.ends_line(bytes, searched)
    }

    /// Decodes a message of a connection that preserves message boundaries. A message is exactly
    /// one frame.
    ///
    /// # Errors
    /// The message is not exactly one frame, or is too long.
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

    /// Appends the frame's bytes to `out`. Returns `false`, and appends nothing, if the dialect
    /// has no form for the frame.
    pub fn encode(self, framing: Framing, frame: &ServerFrame<'_>, out: &mut Vec<u8>) -> bool {
        match self {
            Dialect::Cbor => cbor::encode_server(frame, out),
            Dialect::Text(charset) => text::encode_server(charset, framing, frame, out),
            Dialect::Raw(raw) => return raw::encode_server(raw, framing, frame, out),
        }
        true
    }

    /// Whether the log's bytes can be sent unchanged.
    pub fn is_log_native(self, framing: Framing) -> bool {
        self == Dialect::Cbor && framing == Framing::Stream
    }

    /// Returns the options of the raw dialect, or `None` for another dialect.
    pub fn raw(self) -> Option<RawDialect> {
        match self {
            Dialect::Raw(raw) => Some(raw),
            Dialect::Cbor | Dialect::Text(_) => None,
        }
    }

    /// Whether only the server sends.
    pub fn is_outbound(self) -> bool {
        self.raw()
            .is_some_and(|raw| raw.direction == Direction::Outbound)
    }

    /// The most bytes that a message has in addition to its frame.
    pub const MESSAGE_OVERHEAD: usize = cbor::PREFIX;
}
