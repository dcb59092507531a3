//! The bytes that were received and not served.

use super::window::Window;

/// Input that waits to be served.
#[derive(Debug)]
pub(super) enum Unserved {
    /// The session's own memory: what earlier passes did not serve.
    Own {
        bytes: Vec<u8>,
        /// How much of the bytes this pass has served.
        served: usize,
    },
    /// The thread's buffer, from the moment that a pass receives to its end.
    Shared(Window),
}

impl Unserved {
    pub(super) fn own(bytes: Vec<u8>) -> Unserved {
        Unserved::Own { bytes, served: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Unserved::Own { bytes, served } => &bytes[*served..],
            Unserved::Shared(window) => window.unserved(),
        }
    }

    /// Moves behind bytes that have been served.
    pub(super) fn consume(&mut self, length: usize) {
        match self {
            Unserved::Own { served, .. } => *served += length,
            Unserved::Shared(window) => window.consume(length),
        }
    }

    /// Appends bytes; a thread's buffer must have room for them.
    pub(super) fn append(&mut self, more: &[u8]) {
        match self {
            Unserved::Own { bytes, .. } => bytes.extend_from_slice(more),
            Unserved::Shared(window) => window.append(more),
        }
    }

    /// Ends a pass: what is left moves into memory of its own, of which an idle session has none.
    pub(super) fn settle(&mut self) {
        match self {
            Unserved::Own { bytes, served } if *served < bytes.len() => {
                bytes.drain(..std::mem::take(served));
            }
            Unserved::Own { .. } => *self = Unserved::default(),
            Unserved::Shared(window) => *self = Unserved::own(window.unserved().to_vec()),
        }
    }
}

impl Default for Unserved {
    fn default() -> Self {
        Unserved::own(Vec::new())
    }
}
