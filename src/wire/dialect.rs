//! A listener's dialect: how frames become bytes there.

use super::{Charset, ClientFrame, ServerFrame, WireError, cbor, text};

/// How a listener's sessions speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Length-prefixed CBOR maps, for programs.
    Cbor,
    /// Lines, for people and scripts.
    Text(Charset),
}

/// What the front of a buffer holds.
#[derive(Debug, PartialEq)]
pub enum Decoded<T> {
    /// Not yet a whole frame.
    Partial,
    /// A frame, and how many bytes it took.
    Frame(T, usize),
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
        }
    }

    /// Appends the frame's bytes to `out`.
    pub fn encode(self, frame: &ServerFrame<'_>, out: &mut Vec<u8>) {
        match self {
            Dialect::Cbor => cbor::encode_server(frame, out),
            Dialect::Text(charset) => text::encode_server(charset, frame, out),
        }
    }

    /// Whether the log's bytes can be sent as they are.
    pub fn is_log_native(self) -> bool {
        self == Dialect::Cbor
    }
}
