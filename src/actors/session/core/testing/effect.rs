//! The effects of the core, as a test sees them.

use crate::actors::session::core::effects::{Ask, AskCursors};
use crate::wire::Seq;

/// Something that the core did, beside its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    Follow(Seq),
    StopFollowing,
    ShutOutput,
    AbandonOutput,
    /// A login with this name was given to auth.
    LogIn(String),
    AbandonLogin,
    Enter(String),
    /// The handler was asked, by this user.
    Request(String),
    /// Contents of this user, of this length in bytes together, were published directly.
    PublishNow(String, usize),
    /// Numbered messages of this user, of this length in bytes together, were judged directly.
    JudgeNow(String, usize),
    /// The hub was given this many publishes of a user.
    Publish(String, usize),
    /// The hub was given this many numbered publishes of a user, whose contents have this length in
    /// bytes together.
    PublishJudged(String, usize, usize),
    Ask(Ask),
    AskCursors(AskCursors),
    /// The session's cursor was moved.
    Ack(Seq),
    Leave(String),
    /// A service was offered, with this limit.
    Offer(String, Option<u64>),
    Withdraw(String, u64),
    RevokeOffer(String),
    RetireOffers,
    StopAnswering,
    /// A service was called, and the call got this number or was refused.
    Call(String, Option<u64>),
    AnswerCall(u64, bool),
    CancelCall(u64),
    LeaveServices,
    CarriedOut,
    /// The filter, and the seq up to which.
    SendKept(Option<Vec<String>>, Seq),
    /// The variant of the event that was logged.
    Log(&'static str),
}
