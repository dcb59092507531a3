//! The record of one session.

use serde::{Deserialize, Serialize};

use super::selection::is_zero;
use super::{CloseReason, Evidence, SessionCalls, SessionFilter, SubscribeRules, Times};
use crate::wire::{Named, Seq, SessionId};

/// The record of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its number.
    pub session: SessionId,
    /// Its user; absent where it never logged in.
    pub user: Option<String>,
    /// The listener that it came in by.
    pub endpoint: String,
    /// Why it ended.
    pub reason: Named<CloseReason>,
    /// Frames admitted since the login.
    pub accepted: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// Frames answered with the error `stopping`.
    pub refused: u64,
    /// Its calls to services, and those that it was to answer; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<SessionCalls>,
    /// Its broadcasts begin behind this seq; absent where it gets none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// The last seq that it had to get.
    pub cut: Seq,
    /// The last seq that was written to it whole.
    pub sent: Seq,
    /// Ranges of broadcasts that it had to get and did not, both ends included.
    pub missing: Vec<(Seq, Seq)>,
    /// Up to this seq the ranges may also hold broadcasts that were not for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_undecided_to: Option<Seq>,
    /// How many broadcasts behind the last one that it was sent, up to its cut, were not for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_for_it: u64,
    /// Its choice of broadcasts; absent where that is everything that is for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<SessionFilter>,
    /// The operator's rules about what it receives, at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<SubscribeRules>,
    /// The latest broadcasts that it chose and that rules kept from it, by seq.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Seq>,
    /// Up to this seq there were others, which are not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld_unlisted_to: Option<Seq>,
    /// The latest ranges that had fallen off the log before it read them; its client was
    /// told so by `gap`, where its dialect has that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<(Seq, Seq)>,
    /// Whether it was owed every broadcast up to the log's sealed head.
    #[serde(skip)]
    pub(crate) is_owed_head: bool,
    /// There were earlier gaps, up to this seq, which are not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gaps_unlisted_to: Option<Seq>,
    /// The last seq that the client said it has read.
    #[serde(default)]
    pub acked: Seq,
    /// How far its bytes are known to have got.
    pub evidence: Evidence,
    /// When it came to each point of its end.
    #[serde(default)]
    pub times_us: Times,
}

/// How a session's end is to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SessionOutcome {
    /// Everything that was promised to it is known to be kept.
    Complete,
    /// The client broke the connection: it was promised nothing more.
    Lost,
    /// All that was for it is written, and nobody knows whether it has arrived, or it was not told
    /// how far the stream went on behind that.
    Unproven,
    /// Accepted frames were not answered.
    Unanswered,
    /// Broadcasts that it had to get were not written to it.
    Missing,
}

impl SessionOutcome {
    /// The outcome in a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            SessionOutcome::Complete => "complete",
            SessionOutcome::Lost => "lost",
            SessionOutcome::Unproven => "unproven",
            SessionOutcome::Unanswered => "unanswered",
            SessionOutcome::Missing => "missing",
        }
    }
}

impl SessionRecord {
    /// How its end is to be judged; of several words the gravest.
    pub fn outcome(&self) -> SessionOutcome {
        if self.reason == CloseReason::Lost {
            SessionOutcome::Lost
        } else if !self.missing.is_empty() {
            SessionOutcome::Missing
        } else if self.accepted != self.answered {
            SessionOutcome::Unanswered
        } else if self.evidence < Evidence::KernelAcked || self.sent < self.cut {
            SessionOutcome::Unproven
        } else {
            SessionOutcome::Complete
        }
    }

    /// Whether everything that was promised to the session is known to be kept.
    ///
    /// A client that broke the connection was promised nothing more, and one
    /// that has not logged in nothing at all.
    pub fn is_whole(&self) -> bool {
        match self.outcome() {
            SessionOutcome::Complete | SessionOutcome::Lost => true,
            SessionOutcome::Unproven => self.is_unauthenticated(),
            SessionOutcome::Unanswered | SessionOutcome::Missing => false,
        }
    }

    /// Whether nobody has logged in, and no frame was admitted.
    fn is_unauthenticated(&self) -> bool {
        let frames = self.accepted + self.refused;
        self.user.is_none() && self.after.is_none() && frames == 0
    }

    /// How many broadcasts it had to get and did not.
    pub fn missed(&self) -> u64 {
        let ranges = self.missing.iter();
        ranges.map(|(from, to)| to.0 - from.0 + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::close::testing::record;

    #[test]
    fn session_outcome_is_the_worst_finding() {
        let mut record = record();
        assert_eq!(
            (record.outcome(), record.missed()),
            (SessionOutcome::Missing, 10)
        );
        record.missing.clear();
        record.answered = 2;
        assert_eq!(record.outcome(), SessionOutcome::Unanswered);
        record.answered = 3;
        assert_eq!(record.outcome(), SessionOutcome::Unproven);
        record.evidence = Evidence::KernelAcked;
        assert_eq!(
            record.outcome(),
            SessionOutcome::Unproven,
            "nothing was for it, and it was not told so"
        );
        record.sent = record.cut;
        assert_eq!(record.outcome(), SessionOutcome::Complete);
        record.reason = CloseReason::Lost.into();
        assert!(record.is_whole());
    }

    #[test]
    fn unauthenticated_peer_that_never_reads_is_owed_nothing() {
        let mut record = record();
        record.missing.clear();
        (record.user, record.after) = (None, None);
        (record.accepted, record.answered, record.refused) = (0, 0, 0);
        assert_eq!(record.outcome(), SessionOutcome::Unproven);
        assert!(record.is_whole());
        (record.accepted, record.answered) = (1, 1);
        assert!(
            !record.is_whole(),
            "a program without a name was promised its answer"
        );
    }
}
