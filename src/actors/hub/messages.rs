//! The hub's messages and its answers.

use actix::Message;

use super::contents::Contents;
use super::judged::{JudgedContents, Verdict};
use super::not_published::NotPublished;
use super::presence::PresenceLimits;
use crate::accounts::UserName;
use crate::log::{InFlightBytes, KeptLimits, Retention};
use crate::wire::Seq;

/// Publishes messages with consecutive seqs, in their order. The answer is the first seq.
#[derive(Message)]
#[rtype(result = "Result<Seq, NotPublished>")]
pub struct Publish {
    /// The publisher.
    pub from: UserName,
    /// The messages, none of which is to be judged.
    pub contents: Contents,
    /// Counts the bytes as in flight until readers can see them, even if the session that sent
    /// them ends before that. `None` where the publisher did not wait for readers.
    pub in_flight: Option<InFlightBytes>,
}

/// The verdicts on messages, in their order.
pub type Verdicts = Vec<Verdict>;

/// Judges messages in their order and publishes those that are new, with consecutive
/// seqs. The answer is the verdict on each.
#[derive(Message)]
#[rtype(result = "Result<Verdicts, NotPublished>")]
pub struct PublishJudged {
    /// The publisher.
    pub from: UserName,
    /// The messages.
    pub messages: JudgedContents,
    /// As in [`Publish`].
    pub in_flight: Option<InFlightBytes>,
}

/// Forgets the producers and cursors of these accounts, which were removed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Forget(pub Vec<UserName>);

/// Changes the hub's limits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetLimits(pub HubLimits);

/// The limits of a hub that can change while it runs.
#[derive(Debug, Clone, Copy)]
pub struct HubLimits {
    /// The limits of announcements.
    pub presence: PresenceLimits,
    /// The most producers of an account.
    pub producers: usize,
    /// The most cursors of an account.
    pub cursors: usize,
    /// The limits of kept values.
    pub kept: KeptLimits,
    /// How much the journal keeps; its age does not change. `None` without a journal.
    pub retention: Option<Retention>,
}

/// Reports that a session of this user has logged in.
#[derive(Message)]
#[rtype(result = "Result<Joined, NotPublished>")]
pub struct Join(pub UserName);

/// The log's state when a session joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The newest seq before the login's own `joined`.
    pub before: Seq,
    /// The newest seq, that `joined` included.
    pub head: Seq,
}

impl Joined {
    /// The answer to a session whose `joined` is `own`, if it has one.
    pub(super) fn behind(own: Option<Seq>, head: Seq) -> Joined {
        let before = own.map_or(head, |own| Seq(own.0 - 1));
        Joined { before, head }
    }
}

/// Reports that a session of this user has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Leave(pub UserName);

/// Asks for the users who are present.
#[derive(Message)]
#[rtype(result = "Vec<UserName>")]
pub struct Who;

/// Seals the log. The answer is its head, which no longer moves.
#[derive(Message)]
#[rtype(result = "Seq")]
pub struct Seal;

/// Stops the hub.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stop;
