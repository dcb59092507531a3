//! The bounds of services.

/// How much services may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServiceLimits {
    /// The most services that a session may offer.
    pub offers: usize,
    /// The most calls that a session may have made and that are in work.
    pub calls: usize,
    /// The most calls of one service that may wait for a free responder.
    pub waiting_calls: usize,
    /// The most bytes of these calls together.
    pub waiting_bytes: usize,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        ServiceLimits {
            offers: 64,
            calls: 256,
            waiting_calls: 1024,
            waiting_bytes: 8 << 20,
        }
    }
}

/// The most calls in work of one offer.
pub const MOST_IN_WORK: u32 = 1024;

/// A session with more bytes of calls that it has not taken gets no further call.
pub(super) const UNTAKEN_BYTES: usize = 1 << 20;

/// The most bytes of replies that wait until the caller takes them.
pub(super) const REPLY_BYTES: usize = 8 << 20;

/// The most `withdraw` frames of one service that wait for its last call.
pub(super) const WITHDRAWALS: usize = 16;
