//! Carries out what the core decides.

use std::sync::Arc;
use std::task::Context as TaskContext;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{PendingLogin, SessionIo};
use crate::accounts::{Claim, PeerId, RevocationReason, UserName};
use crate::actors::handler::{Answer, Outcome, Request};
use crate::actors::hub::{
    Contents, CursorLease, JudgedContents, Leave, NotPublished, Publish, PublishJudged, Verdicts,
    Who,
};
use crate::actors::link::Link;
use crate::actors::session::audited::{self, Claimant};
use crate::actors::session::core::effects::{
    Ask, AskCursors, Done, Effects, Event, Identity, Output,
};
use crate::actors::session::core::hears::Hears;
use crate::actors::session::cursors;
use crate::actors::session::entrance::{self, Entrance, Wanted};
use crate::actors::session::events;
use crate::actors::session::listener_context::ListenerContext;
use crate::actors::session::outlet::Recipient;
use crate::actors::supervisor::{Haste, List, Stop};
use crate::close::{Evidence, Micros, StopReason};
use crate::framing::Failure;
use crate::topic::{Pattern, Permissions, RuleKind};
use crate::wire::{Login, Role, Seq, ServerFrame, TopicLine};

impl<L: Link> Effects for SessionIo<L> {
    fn output(&self) -> Output {
        self.outlet.state()
    }

    fn has_room(&self) -> bool {
        self.outlet.has_room()
    }

    fn identity(&self) -> Identity {
        let (gaps, gaps_unlisted_to) = self.outlet.gaps();
        Identity {
            session: self.info.id,
            user: self.info.user().map(|user| user.to_string()),
            endpoint: self.info.endpoint.to_string(),
            after: self.info.after(),
            gaps: gaps.to_vec(),
            gaps_unlisted_to,
            reception: self.outlet.reception(),
            calls: self.services.counts(),
        }
    }

    fn answer(&mut self, frame: &ServerFrame<'_>) {
        if let ServerFrame::Error(error) = frame {
            self.listener.counters.error_told(error.code);
            let client = Claimant {
                peer: &self.peer,
                claimed: self.claimed.as_ref(),
                names: &self.listener.names,
            };
            audited::note_error(error, &self.info, &client, &self.listener.audit);
        }
        self.outlet.answer(frame);
    }

    fn answer_within(&mut self, frame: &ServerFrame<'_>) -> bool {
        self.outlet.answer_within(frame)
    }

    fn follow(&mut self, after: Seq, hears: &Hears) {
        // No user name holds a space.
        let name = match self.info.user() {
            Some(user) => user.shared(),
            None => Arc::from(format!("peer {}", self.peer)),
        };
        let permissions = match &self.entrance {
            Some(entrance) => entrance.authorization.live_permissions(),
            None => Arc::clone(&self.listener.nameless),
        };
        let recipient = Recipient { name, permissions };
        let permissions = Arc::clone(&recipient.permissions);
        let sends_files = self.link.sends_files();
        self.outlet.follow(after, recipient, hears, sends_files);
        if let Some(delivery) = &self.delivery {
            self.outlet.set_broadcast_waker(delivery.waker(&self.waker));
        }
        self.info.follow(after, permissions);
        self.info.choose(hears.outline(after));
    }

    fn choose(&mut self, hears: &Hears) -> Seq {
        let since = self.outlet.set_hears(hears);
        self.info.choose(hears.outline(since));
        since
    }

    fn hears(&self) -> Hears {
        self.outlet.hears()
    }

    fn send_kept(&mut self, filter: Option<&[Pattern<'_>]>, until: Seq) {
        self.outlet.send_kept(filter, until);
    }

    fn stop_following(&mut self) {
        self.outlet.stop_following();
    }

    fn shut_output(&mut self) {
        let mut cx = TaskContext::from_waker(&self.waker);
        self.outlet.shut(&mut self.link, &mut cx);
    }

    fn abandon_output(&mut self) {
        self.outlet.give_up(Failure::PeerGone);
    }

    fn is_open(&self) -> bool {
        self.link.is_open()
    }

    fn half_closes(&self) -> bool {
        self.link.half_closes()
    }

    fn is_hung_up(&self) -> bool {
        self.link.is_hung_up()
    }

    fn has_input(&self) -> bool {
        self.link.has_input()
    }

    fn evidence(&self) -> Evidence {
        self.link.evidence()
    }

    fn best_evidence(&self) -> Evidence {
        self.link.best_evidence()
    }

    fn head(&self) -> Seq {
        self.listener.log.head()
    }

    fn stop_time(&self) -> Option<Micros> {
        self.listener.stopwatch.now()
    }

    fn may_publish(&mut self) -> Result<(), Duration> {
        let log = &self.listener.log;
        let wait = &mut self.publish_wait;
        match log
            .backpressure()
            .may_publish(log.written(), wait, &self.waker)
        {
            true => Ok(()),
            false => Err(log.backpressure().retry_interval()),
        }
    }

    fn may_list(&mut self, user: &UserName) -> Result<(), Duration> {
        self.listener.lists.take(user, Instant::now())
    }

    fn topics(
        &self,
        pattern: Option<&Pattern<'_>>,
        after: &str,
        most: usize,
    ) -> (Vec<TopicLine<'static>>, bool) {
        self.listener.log.topics(pattern, after, most)
    }

    fn role(&self) -> Option<Role> {
        let entrance = self.entrance.as_ref()?;
        Some(entrance.authorization.role())
    }

    fn permissions(&self, kind: RuleKind) -> Option<Arc<Permissions>> {
        match &self.entrance {
            Some(entrance) => entrance.authorization.permissions(kind),
            None => self.listener.nameless.of_kind(kind),
        }
    }

    fn has_account(&self, name: &str) -> bool {
        self.listener.names.has(name)
    }

    fn revoked(&self) -> Option<RevocationReason> {
        let dismissal = self.info.dismissal();
        dismissal.or_else(|| self.entrance.as_ref()?.authorization.revoked())
    }

    fn is_own_user(&self) -> bool {
        self.is_own_user
    }

    fn identify(&mut self) -> bool {
        if self.peer != PeerId::Local {
            return true;
        }
        let Some(late) = self.link.late_peer() else {
            return true;
        };
        let is_known = late.id == PeerId::Local;
        if !is_known
            && !self
                .permits
                .change_peer(&self.listener.peers, late.id.clone())
        {
            return false;
        }
        (self.peer, self.is_own_user) = (late.id, late.is_own_user);
        self.info.set_peer(late.name);
        true
    }

    fn log_in(&mut self, login: &Login<'_>) {
        self.claimed = audited::claimed(&login.user, &self.listener.audit);
        let cancel = CancellationToken::new();
        let claim = Claim {
            cancel: cancel.clone(),
            user: login.user.clone().into_owned(),
            password: login.password.clone().into_owned(),
            certified_user: self.link.vouched_name(),
            may_register: self.listener.may_register,
            peer: self.peer.clone(),
        };
        let _guard = cancel.drop_guard();
        self.login = Some(Box::new(PendingLogin::InWork { _guard }));
        let listener = Arc::clone(&self.listener);
        let job = entrance::log_in(listener, claim, Wanted::of(login), self.info.id);
        self.jobs.push(None, job);
    }

    fn abandon_login(&mut self) {
        self.login = None;
    }

    fn enter(&mut self, user: &UserName) {
        self.entrance = match self.login.take().map(|login| *login) {
            Some(PendingLogin::Admitted(entrance)) => Some(entrance),
            Some(PendingLogin::InWork { .. }) | None => None,
        };
        self.permits.release_unauthenticated();
        self.info.set_user(user.clone());
        self.listener.counters.logged_in();
    }

    fn request(&mut self, request: Request<'_>) -> Option<Outcome> {
        match self.listener.handler.handle(request) {
            Answer::Now(outcome) => Some(outcome),
            Answer::Later(answer) => {
                let work = self.listener.in_work.admit(1);
                let job = async move { Done::Replied(answer.await) };
                self.jobs.push_done(work, job);
                None
            }
        }
    }

    fn publish_now(
        &mut self,
        user: &UserName,
        contents: &Contents,
    ) -> Option<Result<Seq, NotPublished>> {
        let ListenerContext { hub, log, .. } = &*self.listener;
        hub.publish_now(log, self.outlet.shard(), user, contents)
    }

    fn publish(&mut self, user: &UserName, contents: Contents, frames: usize) {
        let in_flight = Some(
            self.listener
                .log
                .backpressure()
                .count_in_flight(contents.bytes()),
        );
        let answer = self.listener.hub.addr().send(Publish {
            from: user.clone(),
            contents,
            in_flight,
        });
        let work = self.listener.in_work.admit(frames);
        let job = async move { answer.await.map_or(Done::Gone, Done::Published) };
        self.jobs.push_done(work, job);
    }

    fn publish_judged_now(
        &mut self,
        user: &UserName,
        messages: &JudgedContents,
    ) -> Option<Result<Verdicts, NotPublished>> {
        let ListenerContext { hub, log, .. } = &*self.listener;
        hub.publish_judged_now(log, self.outlet.shard(), user, messages)
    }

    fn publish_judged(&mut self, user: &UserName, messages: JudgedContents, frames: usize) {
        let backpressure = self.listener.log.backpressure();
        let in_flight = Some(backpressure.count_in_flight(messages.bytes()));
        let answer = self.listener.hub.addr().send(PublishJudged {
            from: user.clone(),
            messages,
            in_flight,
        });
        let work = self.listener.in_work.admit(frames);
        let job = async move { answer.await.map_or(Done::Gone, Done::Judged) };
        self.jobs.push_done(work, job);
    }

    fn ask(&mut self, ask: Ask) {
        let work = self.listener.in_work.admit(1);
        match ask {
            Ask::Users => {
                let answer = self.listener.hub.addr().send(Who);
                let job = async move { answer.await.map_or(Done::Gone, Done::Users) };
                self.jobs.push_done(work, job);
            }
            Ask::Sessions => {
                let answer = self.listener.supervisor.send(List);
                self.jobs.push_done(work, async move {
                    answer.await.map_or(Done::Gone, |infos| {
                        Done::Sessions(infos.iter().map(|info| info.line()).collect())
                    })
                });
            }
            Ask::Stop { now } => {
                let haste = if now { Haste::Now } else { Haste::AsPlanned };
                let reason = StopReason::Admin;
                let answer = self.listener.supervisor.send(Stop { reason, haste });
                let job = async move { answer.await.map_or(Done::Gone, Done::Stopping) };
                self.jobs.push_done(work, job);
            }
        }
    }

    fn ask_cursors(&mut self, ask: AskCursors) {
        let work = self.listener.in_work.admit(1);
        let job = cursors::ask(Arc::clone(&self.listener), ask);
        self.jobs.push_done(work, job);
    }

    fn ack(&mut self, seq: Seq) {
        let cursor = self.entrance.as_ref().and_then(Entrance::cursor);
        cursor.into_iter().for_each(|cursor| cursor.ack(seq));
    }

    fn is_superseded(&self) -> bool {
        let cursor = self.entrance.as_ref().and_then(Entrance::cursor);
        cursor.is_some_and(CursorLease::is_superseded)
    }

    fn leave(&mut self, user: &UserName) {
        self.listener.hub.addr().do_send(Leave(user.clone()));
    }

    fn carried_out(&mut self) {
        self.has_carried_out = true;
    }

    fn log(&mut self, event: Event<'_>) {
        events::log(&event, &self.info, &self.peer, &self.listener.log_limit);
        audited::note(&event, &self.info, &self.peer, &self.listener.audit);
    }
}
