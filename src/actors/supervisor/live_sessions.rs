//! The live sessions: where they take orders, and who waits for a number of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use actix::Recipient;
use tokio::sync::oneshot;

use super::session_info::SessionInfo;
use crate::accounts::UserName;
use crate::close::stop::{ObservedSession, Order};
use crate::wire::SessionId;

/// The sessions that have started and not ended.
#[derive(Default)]
pub(super) struct LiveSessions {
    live: HashMap<SessionId, Live>,
    /// Tasks that wait for a number of sessions.
    waiting: Vec<(usize, oneshot::Sender<()>)>,
}

struct Live {
    info: Arc<SessionInfo>,
    orders: Recipient<Order>,
}

impl LiveSessions {
    pub(super) fn open(&mut self, info: Arc<SessionInfo>, orders: Recipient<Order>) {
        self.live.insert(info.id, Live { info, orders });
        let count = self.live.len();
        for (_, reached) in self.waiting.extract_if(.., |(most, _)| *most <= count) {
            let _ = reached.send(()); // the task may have stopped waiting
        }
    }

    pub(super) fn end(&mut self, session: SessionId) {
        self.live.remove(&session);
    }

    /// Notifies `reached` once there are `count` sessions. Dropped receivers are forgotten.
    pub(super) fn wait_for(&mut self, count: usize, reached: oneshot::Sender<()>) {
        self.waiting.retain(|(_, waiting)| !waiting.is_closed());
        if self.live.len() >= count {
            let _ = reached.send(()); // the task may have stopped waiting
        } else {
            self.waiting.push((count, reached));
        }
    }

    /// Drops the waiting tasks' senders: no session starts any more.
    pub(super) fn stop_waiting(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn count(&self) -> usize {
        self.live.len()
    }

    pub(super) fn infos(&self) -> Vec<Arc<SessionInfo>> {
        self.sorted().cloned().collect()
    }

    pub(super) fn observe(&self) -> Vec<ObservedSession> {
        self.sorted().map(|info| info.observe()).collect()
    }

    /// Returns the sessions in the order of their numbers, and where each takes orders.
    pub(super) fn live(&self) -> impl Iterator<Item = (&Arc<SessionInfo>, &Recipient<Order>)> {
        let mut live: Vec<_> = self.live.values().collect();
        live.sort_unstable_by_key(|live| live.info.id);
        live.into_iter().map(|live| (&live.info, &live.orders))
    }

    /// Returns the sessions in the order of their numbers.
    fn sorted(&self) -> impl Iterator<Item = &Arc<SessionInfo>> {
        self.live().map(|(info, _)| info)
    }

    /// Where a session takes orders.
    pub(super) fn orders(&self, session: SessionId) -> Option<&Recipient<Order>> {
        self.live.get(&session).map(|live| &live.orders)
    }

    /// Notes that an operator ends a session, and returns where it takes orders; `None` if there is no
    /// such session.
    pub(super) fn dismiss(
        &self,
        session: SessionId,
        why: Option<Arc<str>>,
    ) -> Option<&Recipient<Order>> {
        let live = self.live.get(&session)?;
        live.info.dismiss(why);
        Some(&live.orders)
    }

    /// Where the sessions of these users take orders.
    pub(super) fn of_users(&self, users: &[UserName]) -> Vec<Recipient<Order>> {
        let users: HashSet<&UserName> = users.iter().collect();
        let is_theirs = |live: &&Live| live.info.user().is_some_and(|user| users.contains(&user));
        let theirs = self.live.values().filter(is_theirs);
        theirs.map(|live| live.orders.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use actix::{Actor, Context, Handler, ResponseFuture};

    use super::*;
    use crate::close::SessionRecord;

    /// An actor that never answers.
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

    fn open(sessions: &mut LiveSessions, id: u64) {
        let info = SessionInfo::new(SessionId(id), Arc::from("unix:@a"), String::new());
        sessions.open(Arc::new(info), Mute.start().recipient());
    }

    #[actix::test]
    async fn cancelled_wait_for_sessions_leaves_nothing_behind() {
        let mut sessions = LiveSessions::default();
        open(&mut sessions, 7);
        let (reached, mut come) = oneshot::channel();
        sessions.wait_for(2, reached);
        for _ in 0..1000 {
            let (reached, _) = oneshot::channel();
            sessions.wait_for(9, reached);
        }
        assert_eq!(
            sessions.waiting.len(),
            2,
            "one waits, and one has just gone"
        );
        open(&mut sessions, 8);
        assert_eq!(come.try_recv(), Ok(()));
    }
}
