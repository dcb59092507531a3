//! The sessions that are there, and what became of those that were.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use actix::Recipient;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::failed::FailedSessions;
use super::{Ended, Order};
use crate::accounts::UserName;
use crate::close::{CloseReason, Evidence, SessionRecord, Times};
use crate::wire::{Millis, Seq, SessionId, SessionLine};

/// What can be known of a session from outside, at any moment.
#[derive(Debug)]
pub struct SessionInfo {
    /// Its number.
    pub id: SessionId,
    /// The listener that it came in by.
    pub endpoint: Arc<str>,
    /// The peer in words, as far as it was known on connecting.
    peer: String,
    /// The peer in words, where more became known after connecting.
    late_peer: OnceLock<String>,
    /// When it connected.
    pub since: Millis,
    user: Mutex<Option<UserName>>,
    /// Its broadcasts begin behind this one, once it gets any.
    after: OnceLock<Seq>,
    sent: AtomicU64,
}

impl SessionInfo {
    /// A session that has just connected.
    pub fn new(id: SessionId, endpoint: Arc<str>, peer: String) -> Self {
        SessionInfo {
            id,
            endpoint,
            peer,
            late_peer: OnceLock::new(),
            since: Millis::now(),
            user: Mutex::new(None),
            after: OnceLock::new(),
            sent: AtomicU64::new(0),
        }
    }

    /// Returns the peer in words.
    pub fn peer(&self) -> &str {
        self.late_peer.get().unwrap_or(&self.peer)
    }

    pub(in crate::actors) fn set_peer(&self, peer: String) {
        let _ = self.late_peer.set(peer); // it stays the same client
    }

    /// Its user, once it has logged in.
    pub fn user(&self) -> Option<UserName> {
        self.user.lock().clone()
    }

    /// What an operator is told of it.
    pub fn line(&self) -> SessionLine<'static> {
        SessionLine {
            session: self.id,
            user: self.user().map(|user| Cow::Owned(user.to_string())),
            endpoint: Cow::Owned(self.endpoint.to_string()),
            peer: Cow::Owned(self.peer().to_owned()),
            since: self.since,
            sent: self.sent(),
        }
    }

    /// Behind which broadcast its own begin; `None` where it gets none.
    pub(in crate::actors) fn after(&self) -> Option<Seq> {
        self.after.get().copied()
    }

    /// The last broadcast written to it.
    pub fn sent(&self) -> Seq {
        Seq(self.sent.load(Ordering::Relaxed))
    }

    pub(in crate::actors) fn set_user(&self, user: UserName) {
        *self.user.lock() = Some(user);
    }

    /// From now on it gets what follows `after`.
    pub(in crate::actors) fn follow(&self, after: Seq) {
        let _ = self.after.set(after); // a session logs in once
        self.set_sent(after);
    }

    pub(in crate::actors) fn set_sent(&self, seq: Seq) {
        self.sent.store(seq.0, Ordering::Relaxed);
    }
}

#[derive(Default)]
pub(super) struct Roster {
    live: BTreeMap<SessionId, Live>,
    /// Those who wait for so many sessions.
    waiting: Vec<(usize, oneshot::Sender<()>)>,
    records: BTreeMap<SessionId, SessionRecord>,
    failed: FailedSessions,
}

struct Live {
    info: Arc<SessionInfo>,
    orders: Recipient<Order>,
}

impl Roster {
    pub(super) fn open(&mut self, info: Arc<SessionInfo>, orders: Recipient<Order>) {
        self.live.insert(info.id, Live { info, orders });
        let there = self.live.len();
        for (_, waiting) in self.waiting.extract_if(.., |(count, _)| *count <= there) {
            let _ = waiting.send(()); // whoever waited may have gone
        }
    }

    /// Tells `reached` once there are so many sessions.
    pub(super) fn wait_for(&mut self, count: usize, reached: oneshot::Sender<()>) {
        // Those who have stopped waiting leave nothing behind.
        self.waiting.retain(|(_, waiting)| !waiting.is_closed());
        if self.live.len() >= count {
            let _ = reached.send(()); // whoever waited may have gone
        } else {
            self.waiting.push((count, reached));
        }
    }

    /// Forgets a session. Its last word is kept during a shutdown, and before one where its
    /// connection has failed.
    pub(super) fn end(&mut self, ended: Ended, keep: bool) {
        let Ended { record, has_failed } = ended;
        self.live.remove(&record.session);
        if keep {
            self.records.insert(record.session, record);
        } else if has_failed {
            self.failed.note(record);
        }
    }

    /// What a session says of itself now; later words replace earlier ones. An
    /// answer can be overtaken by the session's end: that was the last word.
    pub(super) fn note(&mut self, record: SessionRecord) {
        if self.live.contains_key(&record.session) {
            self.records.insert(record.session, record);
        }
    }

    /// What a session says of itself, where it has said nothing else.
    pub(super) fn note_first(&mut self, record: SessionRecord) {
        if self.live.contains_key(&record.session) {
            self.records.entry(record.session).or_insert(record);
        }
    }

    pub(super) fn infos(&self) -> Vec<Arc<SessionInfo>> {
        self.live
            .values()
            .map(|live| Arc::clone(&live.info))
            .collect()
    }

    /// Where the sessions of these users take orders.
    pub(super) fn of_users(&self, users: &[UserName]) -> Vec<Recipient<Order>> {
        let users: HashSet<&UserName> = users.iter().collect();
        let is_theirs = |live: &&Live| live.info.user().is_some_and(|user| users.contains(&user));
        let theirs = self.live.values().filter(is_theirs);
        theirs.map(|live| live.orders.clone()).collect()
    }

    pub(super) fn recipients(&self) -> Vec<Recipient<Order>> {
        self.live.values().map(|live| live.orders.clone()).collect()
    }

    /// Every session's last word; those that never said one are listed with what
    /// is known from outside, at the lowest level of evidence.
    pub(super) fn take_records(&mut self, head: Seq) -> Vec<SessionRecord> {
        self.waiting.clear(); // nobody comes any more
        let mut records = std::mem::take(&mut self.records);
        for (id, live) in &self.live {
            let known = silent(&live.info, head);
            let record = records.entry(*id).or_insert_with(|| known.clone());
            if record.sent < known.sent {
                (record.sent, record.evidence) = (known.sent, known.evidence);
            }
        }
        records
            .values_mut()
            .for_each(|record| hold_to(record, head));
        let failed = self.failed.take().into_iter();
        records.extend(failed.map(|record| (record.session, record)));
        records.into_values().collect()
    }

    /// Returns, as a sentence, what the records do not say.
    pub(super) fn trouble(&self) -> Option<String> {
        self.failed.trouble()
    }
}

/// A word from before the log was sealed did not know where its head would be.
fn hold_to(record: &mut SessionRecord, head: Seq) {
    if record.is_owed_head {
        record.cut = head;
        record.missing = missing(record.sent, head);
    }
}

fn missing(sent: Seq, cut: Seq) -> Vec<(Seq, Seq)> {
    let range = (sent < cut).then(|| (sent.next(), cut));
    range.into_iter().collect()
}

fn silent(info: &SessionInfo, head: Seq) -> SessionRecord {
    let (sent, after) = (info.sent(), info.after());
    let cut = after.map_or(Seq::ZERO, |_| head);
    SessionRecord {
        session: info.id,
        user: info.user().map(|user| user.to_string()),
        endpoint: info.endpoint.to_string(),
        reason: CloseReason::Shutdown.to_string(),
        accepted: 0,
        answered: 0,
        refused: 0,
        after,
        cut,
        sent,
        missing: missing(sent, cut),
        gaps: Vec::new(),
        is_owed_head: after.is_some(),
        gaps_unlisted_to: None,
        acked: Seq::ZERO,
        evidence: Evidence::Queued,
        times_us: Times::default(),
    }
}

#[cfg(test)]
mod tests {
    use actix::{Actor, Context, Handler, ResponseFuture};

    use super::*;

    struct Mute;

    impl Actor for Mute {
        type Context = Context<Self>;
    }

    impl Handler<Order> for Mute {
        type Result = ResponseFuture<SessionRecord>;

        fn handle(&mut self, _: Order, _: &mut Self::Context) -> Self::Result {
            Box::pin(std::future::pending())
        }
    }

    /// A roster with one session that has got the broadcasts 11 to 15.
    fn roster() -> (Roster, Arc<SessionInfo>) {
        let info = SessionInfo::new(SessionId(7), Arc::from("unix:@a"), "a test".to_owned());
        info.follow(Seq(10));
        info.set_sent(Seq(15));
        let (info, mut roster) = (Arc::new(info), Roster::default());
        roster.open(Arc::clone(&info), Mute.start().recipient());
        (roster, info)
    }

    fn misses(records: &[SessionRecord]) -> Vec<(Seq, Seq)> {
        let [record] = records else {
            panic!("there is one session: {records:?}");
        };
        assert_eq!((record.cut, record.sent), (Seq(20), Seq(15)));
        assert!(!record.is_whole());
        record.missing.clone()
    }

    #[actix::test]
    async fn who_never_said_a_word_misses_what_was_not_sent_since_its_login() {
        let (mut roster, _) = roster();
        assert_eq!(misses(&roster.take_records(Seq(20))), [(Seq(16), Seq(20))]);
    }

    #[actix::test]
    async fn who_spoke_before_the_seal_only_is_held_to_the_head() {
        let (mut roster, info) = roster();
        let mut early = silent(&info, Seq(15));
        (early.accepted, early.answered) = (3, 3);
        early.evidence = Evidence::Read;
        assert!(early.is_whole(), "so it was then");
        roster.note(early);
        let records = roster.take_records(Seq(20));
        assert_eq!(misses(&records), [(Seq(16), Seq(20))]);
        assert_eq!(records[0].answered, 3, "what it said of its frames stands");
    }

    #[actix::test]
    async fn who_stops_waiting_for_sessions_leaves_nothing_behind() {
        let (mut roster, _) = roster();
        let (reached, mut come) = oneshot::channel();
        roster.wait_for(2, reached);
        for _ in 0..1000 {
            let (reached, _) = oneshot::channel();
            roster.wait_for(9, reached);
        }
        assert_eq!(roster.waiting.len(), 2, "one waits, and one has just gone");
        let info = SessionInfo::new(SessionId(8), Arc::from("unix:@a"), String::new());
        roster.open(Arc::new(info), Mute.start().recipient());
        assert_eq!(come.try_recv(), Ok(()));
    }

    #[actix::test]
    async fn a_last_word_stands() {
        let (mut roster, info) = roster();
        info.set_sent(Seq(20));
        let mut last = silent(&info, Seq(20));
        last.evidence = Evidence::Acked;
        roster.note(last.clone());
        assert_eq!(roster.take_records(Seq(20)), [last]);
    }
}
