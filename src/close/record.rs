//! The record of one session, and the fate of one broadcast at it.

use serde::{Deserialize, Serialize};

use super::{CloseReason, Evidence, Times};
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
    /// Its broadcasts begin behind this seq; absent where it gets none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// The last seq that it had to get.
    pub cut: Seq,
    /// The last seq that was written to it whole.
    pub sent: Seq,
    /// Ranges of broadcasts that it had to get and did not, both ends included.
    pub missing: Vec<(Seq, Seq)>,
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
    /// All is written, and nobody knows whether it has arrived.
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

/// The fate of one broadcast at one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// The client said that it has read it.
    Acked,
    /// It was written whole, and is known to have got so far.
    Sent(Evidence),
    /// It had to be written, and was not.
    Missing,
    /// It had fallen off the log before the session read it; the client was told so by
    /// `gap`, where its dialect has that.
    Gap,
    /// It was written, or is in a gap that the report no longer lists.
    Unlisted,
    /// The report does not say where the session's broadcasts began: an older one.
    Unplaced,
    /// It was made before the session logged in, or resumed behind it.
    Before,
    /// The session had ended by itself before it was made.
    Behind,
    /// The session gets no broadcasts: it has not logged in, or its listener has none.
    NoReader,
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
        } else if self.evidence < Evidence::KernelAcked {
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

    /// Returns the fate of the broadcast `seq` at this session.
    pub fn fate(&self, seq: Seq) -> Fate {
        let is_in = |ranges: &[(Seq, Seq)]| ranges.iter().any(|(a, b)| (*a..=*b).contains(&seq));
        match self.after {
            Some(after) if seq <= after => Fate::Before,
            _ if is_in(&self.gaps) => Fate::Gap,
            _ if is_in(&self.missing) => Fate::Missing,
            None if self.user.is_some() || self.sent > Seq::ZERO => Fate::Unplaced,
            None => Fate::NoReader,
            _ if self.gaps_unlisted_to.is_some_and(|to| seq <= to) => Fate::Unlisted,
            _ if seq > self.sent => Fate::Behind,
            _ if seq <= self.acked => Fate::Acked,
            // Acked is said of the last one only; of the others it is the ack that tells.
            _ => Fate::Sent(self.evidence.clamp(Evidence::Written, Evidence::Read)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> SessionRecord {
        SessionRecord {
            session: SessionId(7),
            user: Some("ana".to_owned()),
            endpoint: "unix:/run/a.sock".to_owned(),
            reason: CloseReason::Shutdown.into(),
            accepted: 3,
            answered: 3,
            refused: 1,
            after: Some(Seq(10)),
            cut: Seq(100),
            sent: Seq(90),
            missing: vec![(Seq(91), Seq(100))],
            gaps: vec![(Seq(20), Seq(29))],
            is_owed_head: true,
            gaps_unlisted_to: Some(Seq(15)),
            acked: Seq(50),
            evidence: Evidence::Written,
            times_us: Times::default(),
        }
    }

    #[test]
    fn broadcast_fate_is_what_the_record_proves() {
        let mut record = record();
        let fates = [10, 11, 16, 20, 29, 30, 50, 51, 90, 91, 100].map(|seq| record.fate(Seq(seq)));
        let written = Fate::Sent(Evidence::Written);
        let expected = [
            Fate::Before,
            Fate::Unlisted,
            Fate::Acked,
            Fate::Gap,
            Fate::Gap,
            Fate::Acked,
            Fate::Acked,
            written,
            written,
            Fate::Missing,
            Fate::Missing,
        ];
        assert_eq!(fates, expected);

        record.evidence = Evidence::Queued;
        assert_eq!(record.fate(Seq(60)), written, "it was written whole");
        (record.cut, record.missing) = (Seq(90), Vec::new());
        assert_eq!(record.fate(Seq(95)), Fate::Behind);
        record.after = None;
        assert_eq!(record.fate(Seq(60)), Fate::Unplaced, "an older report's");
        (record.user, record.sent) = (None, Seq::ZERO);
        assert_eq!(record.fate(Seq(60)), Fate::NoReader);
    }

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
