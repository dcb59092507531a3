//! The actual fate of each frame and each broadcast of a session.
//!
//! The model records a fate when a session gets a frame, and when an effect of the session reaches
//! another actor or the client. No decision reads the record. The properties compare the session's
//! own numbers with it.

use smallvec::SmallVec;

use crate::reader::View;
use crate::routes::Topics;

/// The record of one session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Witness {
    /// The fate of each of the client's frames, by the frame's number.
    pub fates: SmallVec<[Fate; 4]>,
    /// The number of frames that were answered before the first state.
    pub answered_before: u64,
    /// Whether the client was told that it is logged in.
    pub is_member: bool,
    /// Whether the session's cut is made, so that it may admit no more frames.
    pub is_cut: bool,
    /// The last broadcast that was promised to a session that ended by itself; `None` for others.
    pub promised: Option<u64>,
    /// The seq up to which all broadcasts after the session's start were written or told as missing.
    pub seen: u64,
    /// The filters that the client was told it has, each with the seq above which it holds. Empty
    /// without a filter.
    pub hears: SmallVec<[(u64, Topics); 1]>,
    /// The numbers of the client's messages that it was told are published, and their seqs.
    pub acknowledged: SmallVec<[(u64, u64); 1]>,
    /// The first and last seqs of the gaps that the client was told.
    pub gaps: SmallVec<[(u64, u64); 2]>,
    /// The frames that the hub has handled and that are not answered yet: their numbers and seqs.
    pub assigned: SmallVec<[(u8, u64); 2]>,
    /// The highest number of an answered frame.
    pub last_answered: Option<u8>,
    /// Whether a time-out of the session has passed.
    pub is_timed_out: bool,
    /// The first fault of the session.
    pub fault: Option<Fault>,
}

/// The fate of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The session has not served the frame.
    Unread,
    /// Admitted, and not answered yet.
    InWork,
    /// Answered with anything except the error `stopping`.
    Answered,
    /// Answered with the error `stopping`.
    Refused,
    /// Served, but in no count.
    Uncounted,
    /// Admitted after the session's cut.
    AdmittedAfterCut,
}

/// A breach of a rule that must hold at each instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A frame was answered after a later frame.
    OutOfOrder,
    /// A `published` had a different seq from its broadcast.
    WrongSeq,
    /// A broadcast was left out, sent twice, or told as missing or as passed although it was not.
    NotExact,
    /// A broadcast was sent that is not for the session.
    NotForIt,
    /// A broadcast was sent that the rules denied before it was published.
    Denied,
    /// A frame was sent after `closing`.
    SentAfterClosing,
    /// A `published` was sent before the journal had the broadcast.
    PublishedBeforeCommit,
}

/// The broadcasts and answers that the client of a session should get.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a>(View<'a>);

impl<'a> Expected<'a> {
    pub fn of(view: View<'a>) -> Expected<'a> {
        Expected(view)
    }
}

impl Witness {
    pub fn new(frames: usize) -> Witness {
        Witness {
            fates: SmallVec::from_elem(Fate::Unread, frames),
            answered_before: 0,
            is_member: false,
            is_cut: false,
            promised: None,
            seen: 0,
            hears: SmallVec::new(),
            acknowledged: SmallVec::new(),
            gaps: SmallVec::new(),
            assigned: SmallVec::new(),
            last_answered: None,
            is_timed_out: false,
            fault: None,
        }
    }

    /// Records a fault if it has occurred. The first fault stays.
    pub fn record_fault(&mut self, has_occurred: bool, fault: Fault) {
        if has_occurred {
            self.fault.get_or_insert(fault);
        }
    }

    /// Records that the session follows the log after a seq, with a filter or without one.
    pub fn follow(&mut self, after: u64, filter: Option<Topics>) {
        self.seen = after;
        self.hears = filter.map(|topics| (0, topics)).into_iter().collect();
    }

    /// Whether a broadcast is for the session.
    fn is_for(&self, seq: u64, expected: Expected<'_>) -> bool {
        let mut known = self.hears.iter().rev();
        let filter = known.find(|(above, _)| seq > *above);
        let View { world, user, .. } = expected.0;
        let route = world.hub.history.route(seq);
        route.is_for(user, filter.map(|(_, topics)| *topics))
    }

    /// Records that the client goes without the broadcasts up to a seq, none of which may be for it.
    fn record_unsent(&mut self, to: u64, expected: Expected<'_>) {
        let rules = &expected.0.world.rules;
        let history = &expected.0.world.hub.history;
        let is_owed =
            |seq: u64| self.is_for(seq, expected) && !rules.may_hide(history.route(seq), seq);
        let has_lost = (self.seen + 1..=to).any(is_owed);
        self.record_fault(has_lost, Fault::NotExact);
    }

    /// Records that a broadcast was written.
    pub fn record_broadcast(&mut self, seq: u64, expected: Expected<'_>) {
        let world = expected.0.world;
        let route = world.hub.history.route(seq);
        self.record_fault(seq <= self.seen, Fault::NotExact);
        self.record_unsent(seq - 1, expected);
        self.record_fault(!self.is_for(seq, expected), Fault::NotForIt);
        self.record_fault(world.rules.forbid(route, seq), Fault::Denied);
        self.seen = seq;
    }

    /// Records that the session moved over broadcasts that are not for it. With a filter the client
    /// was told so.
    pub fn record_passed(&mut self, to: u64, expected: Expected<'_>) {
        let is_known = to <= expected.0.world.hub.head;
        self.record_fault(to <= self.seen || !is_known, Fault::NotExact);
        self.record_unsent(to, expected);
        self.seen = to;
    }

    /// Records that the client was told the seq of a message with a number. `is_own` is set if this
    /// seq is that message's, in the log.
    pub fn record_numbered(&mut self, n: u64, frame: u8, seq: u64, is_own: bool, committed: u64) {
        self.record_fault(!is_own, Fault::WrongSeq);
        self.record_fault(seq > committed, Fault::PublishedBeforeCommit);
        self.assigned.retain(|(of, _)| *of != frame);
        self.acknowledged.push((n, seq));
    }

    /// Records that a gap was written.
    pub fn record_gap(&mut self, from: u64, to: u64, expected: Expected<'_>) {
        // If the server cannot resume, it sends a gap of all broadcasts before the reader's start.
        let is_of_resume = from == 1 && to == self.seen;
        if is_of_resume {
            return;
        }
        self.record_fault(from <= self.seen || to < from, Fault::NotExact);
        self.record_unsent(from - 1, expected);
        self.gaps.push((from, to));
        self.seen = to;
    }

    /// Records that the session admitted a frame. `may_be_late` is set if the frame may be admitted
    /// after the cut.
    pub fn admit(&mut self, frame: u8, may_be_late: bool) {
        let is_late = self.is_cut && !may_be_late;
        self.fates[usize::from(frame)] = match is_late {
            true => Fate::AdmittedAfterCut,
            false => Fate::InWork,
        };
    }

    /// Records the place of an answer that may not overtake others, nor be overtaken.
    pub fn record_order(&mut self, frame: u8) {
        let was_later = self.last_answered.is_some_and(|last| last > frame);
        self.record_fault(was_later, Fault::OutOfOrder);
        self.last_answered = self.last_answered.max(Some(frame));
    }

    /// Records that a frame was answered or refused. The login and the frames before it do not
    /// count.
    pub fn answer(&mut self, frame: u8, is_refusal: bool, is_login: bool) {
        let fate = &mut self.fates[usize::from(frame)];
        *fate = match (*fate, is_refusal) {
            (Fate::AdmittedAfterCut, _) => Fate::AdmittedAfterCut,
            _ if is_login || !self.is_member => Fate::Uncounted,
            (_, true) => Fate::Refused,
            (_, false) => Fate::Answered,
        };
    }

    /// Records that the client was told the seq of its message, while `committed` was the last
    /// broadcast that would outlast the process.
    pub fn record_published(&mut self, frame: u8, seq: u64, committed: u64) {
        self.record_fault(seq > committed, Fault::PublishedBeforeCommit);
        let known = self.assigned.iter().position(|(of, _)| *of == frame);
        let told = known.map(|at| self.assigned.remove(at).1);
        self.record_fault(told != Some(seq), Fault::WrongSeq);
    }

    /// Records that the session has ended by itself and that broadcasts up to `last` were promised.
    pub fn end_by_itself(&mut self, last: u64) {
        self.promised = Some(last);
        self.is_cut = true;
    }
}
