//! The newest calls to services, as a report lists them.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::wire::SessionId;

/// The newest calls to services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecentCalls {
    /// The number of the last call.
    pub last: u64,
    /// How many calls had ended before those that are listed.
    pub unlisted: u64,
    /// The calls that ended last, and those that had not ended, by number.
    pub listed: Vec<RecordedCall>,
}

/// The record of one call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordedCall {
    /// Its number.
    pub call: u64,
    /// The service's name.
    pub service: String,
    /// The session that made it.
    pub caller: CallParty,
    /// The session that was to answer it; absent where it waited for a free one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responder: Option<CallParty>,
    /// Whether it was sent to that session.
    pub sent: bool,
    /// When it was made, in microseconds since the stop began: negative before.
    pub made_us: i64,
    /// The time to the service's reply or error; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<Micros>,
    /// How it ended; absent where it had not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<CallEnd>,
}

/// A session that made a call, or was to answer it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallParty {
    /// Its number; 0 is the server itself.
    pub session: SessionId,
    /// Its user.
    pub user: String,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CallEnd {
    /// The service replied.
    Replied,
    /// The service answered with an error of its own.
    Failed,
    /// It did not fit into a frame for the responder.
    TooLong,
    /// The service replied, and the caller had too many unread replies.
    ReplyDropped,
    /// No session offered the service any more, before it was sent.
    NotOffered,
    /// The session that had it ended.
    ResponderEnded,
    /// There was no answer in time.
    Timeout,
    /// The caller's session ended.
    CallerEnded,
}

impl CallEnd {
    /// Returns the end in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            CallEnd::Replied => "replied",
            CallEnd::Failed => "failed",
            CallEnd::TooLong => "too-long",
            CallEnd::ReplyDropped => "reply-dropped",
            CallEnd::NotOffered => "not-offered",
            CallEnd::ResponderEnded => "responder-ended",
            CallEnd::Timeout => "timeout",
            CallEnd::CallerEnded => "caller-ended",
        }
    }
}

/// The knowledge that a report has of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownCall<'r> {
    /// The call's record.
    Listed(&'r RecordedCall),
    /// The call ended before those that are listed.
    Unlisted,
    /// There was no such call.
    Never,
}

impl RecentCalls {
    /// Returns what is known of a call.
    pub fn of(&self, call: u64) -> KnownCall<'_> {
        let found = self.listed.binary_search_by_key(&call, |line| line.call);
        match found {
            Ok(index) => KnownCall::Listed(&self.listed[index]),
            Err(_) if (1..=self.last).contains(&call) => KnownCall::Unlisted,
            Err(_) => KnownCall::Never,
        }
    }
}
