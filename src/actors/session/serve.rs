//! What each frame does.

use std::sync::Arc;
use std::task::Context as TaskContext;

use super::Session;
use super::park::Hold;
use super::state::{Member, State};
use super::work::{Done, Ids, Pending, asked, reply_frame};
use crate::accounts::UserName;
use crate::actors::handler::{Answer, HandlerError, Outcome, Request};
use crate::actors::hub::{Bodies, Leave, Publish, Who};
use crate::actors::link::Link;
use crate::actors::supervisor::{Haste, List, Stop};
use crate::close::{CloseReason, StopReason};
use crate::wire::{
    BodyFrame, ClientFrame, ErrorCode, IdFrame, Role, Seq, ServerFrame, Shutdown, Unserved,
};

/// Publishes that go to the hub in one message, at most.
pub(super) const BATCH_FRAMES: usize = 4096;
const BATCH_BYTES: usize = 256 * 1024;

/// Runs of a session that wait for the journal at once, at most: one publisher
/// alone must be able to fill what is written while the disk is waited for.
const RUNS: usize = 8;

/// A run of publishes on its way to the hub.
#[derive(Debug, Default)]
pub(super) struct Batch {
    ids: Ids,
    bodies: Bodies,
}

impl<L: Link + 'static> Session<L> {
    /// Serves one frame. `false`: not now; it must be served again later.
    pub(super) fn serve(&mut self, frame: ClientFrame<'_>, cx: &mut TaskContext<'_>) -> bool {
        if let ClientFrame::Publish(publish) = &frame
            && matches!(self.state, State::Ready(_))
        {
            return self.gather(publish, cx);
        }
        if let ClientFrame::Ack(ack) = &frame
            && matches!(self.state, State::Ready(_))
        {
            self.note_ack(ack.seq); // it has no answer that would have to wait
            self.turn = self.turn.saturating_sub(1);
            return true;
        }
        if self.must_wait() {
            return false;
        }
        if self.takes_token(&frame)
            && let Err(wait) = self
                .take_token()
                .and_then(|()| self.take_list_token(&frame))
        {
            return self.throttle(frame.id().unwrap_or_default(), wait);
        }
        match &self.state {
            State::Greeting => self.serve_stranger(frame),
            State::Ready(_) => self.serve_member(frame),
            State::Ending(_) => self.serve_late(&frame),
            State::LoggingIn | State::Closed { .. } => return false,
        }
        self.turn = self.turn.saturating_sub(1);
        true
    }

    fn serve_stranger(&mut self, frame: ClientFrame<'_>) {
        match frame {
            ClientFrame::Login(login) => self.log_in(&login),
            ClientFrame::Ping(asked) => self.outlet.answer(&ServerFrame::Pong(asked)),
            ClientFrame::Fim(_) => self.end(CloseReason::Fim),
            ClientFrame::Unserved(unserved) if unserved.is_login => self.refuse_unserved(unserved),
            other => {
                let message = "log in first";
                let error = ServerFrame::error(other.id(), ErrorCode::NotLoggedIn, message);
                self.outlet.answer(&error);
            }
        }
    }

    fn serve_member(&mut self, frame: ClientFrame<'_>) {
        match frame {
            ClientFrame::Login(login) => {
                let message = "this session has logged in already";
                self.refuse(login.id, ErrorCode::AlreadyLoggedIn, message);
            }
            ClientFrame::Ack(_) => {} // noted already
            ClientFrame::Answer => {} // to a call that this session does not hold
            ClientFrame::Unserved(unserved) => {
                if !unserved.is_login {
                    self.count_answered();
                }
                self.refuse_unserved(unserved);
            }
            ClientFrame::Fim(_) => self.end(CloseReason::Fim),
            ClientFrame::Ping(asked) => {
                self.count_answered();
                self.outlet.answer(&ServerFrame::Pong(asked));
            }
            ClientFrame::Request(asking) => self.request(asking),
            ClientFrame::Who(asked) => self.who(asked),
            ClientFrame::Sessions(asked) => self.sessions(asked),
            ClientFrame::Shutdown(shutdown) => self.shut_down(shutdown),
            ClientFrame::Publish(publish) => unreachable!("gathered: {}", publish.id),
        }
    }

    fn refuse_unserved(&mut self, Unserved { id, what, .. }: Unserved) {
        let message = format!("{what} is of a feature that is not served here");
        self.refuse(id, ErrorCode::Unsupported, &message);
    }

    /// An ack behind an earlier one has no effect, nor has one of what was not sent.
    fn note_ack(&mut self, seq: Seq) {
        if (self.acked..=self.outlet.sent()).contains(&seq) {
            self.acked = seq;
        }
    }

    fn request(&mut self, asking: BodyFrame<'_>) {
        let listener = Arc::clone(&self.listener);
        let id = asking.id;
        let Some(member) = self.state.member() else {
            return;
        };
        self.tally.accepted += 1;
        let user = member.user().map_or("", UserName::as_str);
        let request = Request::new(user, self.info.id, asking.body);
        match listener.handler.handle(request) {
            Answer::Now(outcome) => {
                self.note_answered(1);
                self.reply(id, outcome);
            }
            Answer::Later(answer) => self.begin(1, async move {
                Done::Replied {
                    id,
                    outcome: answer.await,
                }
            }),
        }
    }

    pub(super) fn reply(&mut self, id: u64, outcome: Outcome) {
        match outcome {
            Ok(body) => self.answer_within(id, &reply_frame(id, body)),
            Err(HandlerError::Throttled {
                message,
                retry_after,
            }) => {
                let error = ServerFrame::throttled(Some(id), message, retry_after);
                self.outlet.answer(&error);
            }
            Err(error) => self.refuse(id, error.code(), &error.to_string()),
        }
    }

    /// Adds a publish to the run. `false`: readers must catch up first, or the
    /// run is full.
    fn gather(&mut self, publish: &BodyFrame<'_>, cx: &mut TaskContext<'_>) -> bool {
        let Some(Member::User { standing, .. }) = self.state.member() else {
            return true;
        };
        if !standing.role().may_publish() {
            if self.must_wait() {
                return false;
            }
            self.turn = self.turn.saturating_sub(1);
            self.count_answered();
            let message = "publishing needs the role escritor";
            self.refuse(publish.id, ErrorCode::Forbidden, message);
            return true;
        }
        let (length, max_body) = (
            publish.body.as_bytes().len(),
            self.listener.limits.max_body(),
        );
        if length > max_body {
            if self.must_wait() {
                return false;
            }
            self.turn = self.turn.saturating_sub(1);
            self.count_answered();
            let message = format!("a body of {length} bytes is longer than max_body, {max_body}");
            self.refuse(publish.id, ErrorCode::FrameTooLarge, &message);
            return true;
        }
        if let Some(batch) = &self.batch
            && (batch.ids.len() >= self.longest_run() || batch.bodies.bytes() >= BATCH_BYTES)
        {
            return false;
        }
        let log = &self.listener.log;
        let wait = &mut self.inbox.publish_wait;
        if self.batch.is_none() && !log.pace().may_publish(log.written(), wait, cx.waker()) {
            // A reader that stands still calls nobody.
            self.inbox.hold = Some(Hold::for_the_next(log.pace().ask_again()));
            return false;
        }
        if let Err(wait) = self.take_token() {
            return self.throttle(publish.id, wait);
        }
        let batch = self.batch.get_or_insert_default();
        batch.ids.push(publish.id);
        batch.bodies.push(&publish.body);
        true
    }

    /// Whether what comes now must wait for answers to what came before it.
    pub(super) fn must_wait(&mut self) -> bool {
        self.inbox.waits_for_runs = self.pending.is_some();
        self.batch.is_some() || self.pending.is_some()
    }

    /// Whether a run may be begun though another is on its way: where the hub
    /// answers at once that would only make runs shorter.
    pub(super) fn may_run_on(&self) -> bool {
        let is_journaled = self.listener.log.past().is_some();
        let is_run = self.pending.as_ref().is_some_and(|oldest| oldest.is_run);
        let runs = self.pending.iter().chain(&self.runs);
        let frames: u64 = runs.map(|run| run.frames).sum();
        let has_room = self.runs.len() + 1 < RUNS
            && frames < self.listener.limits.frames_in_work as u64
            && !self.inbox.waits_for_runs;
        is_journaled && is_run && has_room && matches!(self.state, State::Ready(_))
    }

    /// Sends the run of publishes to the hub.
    pub(super) fn finish_batch(&mut self) {
        let Some(batch) = self.batch.take() else {
            return;
        };
        let Batch { ids, bodies } = *batch;
        let Some(user) = self.state.member().and_then(Member::user) else {
            return;
        };
        let (from, frames) = (user.clone(), ids.len());
        self.tally.accepted += frames as u64;
        let on_its_way = Some(self.listener.log.pace().send(bodies.bytes()));
        let answer = self.listener.hub.send(Publish {
            from,
            bodies,
            on_its_way,
        });
        self.begin_work(true, frames, async move {
            match answer.await {
                Ok(first) => Done::Published { ids, first },
                Err(_) => Done::Gone { ids },
            }
        });
    }

    fn who(&mut self, IdFrame { id }: IdFrame) {
        self.tally.accepted += 1;
        let answer = self.listener.hub.send(Who);
        self.begin(1, async move {
            asked(answer.await, id, |users| Done::Present { id, users })
        });
    }

    fn sessions(&mut self, IdFrame { id }: IdFrame) {
        self.tally.accepted += 1;
        if !self.is_admin() {
            self.note_answered(1);
            self.refuse(
                id,
                ErrorCode::Forbidden,
                "the list of sessions is for admins",
            );
            return;
        }
        let answer = self.listener.supervisor.send(List);
        self.begin(1, async move {
            asked(answer.await, id, |infos| Done::Sessions {
                id,
                sessions: infos.iter().map(|info| info.line()).collect(),
            })
        });
    }

    fn shut_down(&mut self, Shutdown { id, now }: Shutdown) {
        self.tally.accepted += 1;
        if !self.is_admin() {
            self.note_answered(1);
            let message = "stopping the server is for admins, and for its own user on this machine";
            self.refuse(id, ErrorCode::Forbidden, message);
            return;
        }
        let now = now.unwrap_or(false);
        if let Some(user) = self.state.member().and_then(Member::user) {
            let session = self.info.id;
            tracing::info!(%session, %user, now, "shutdown asked for");
        }
        self.ask_stop(id, now);
    }

    fn ask_stop(&mut self, id: u64, now: bool) {
        self.notice.get_or_insert_default().ask();
        let answer = self.listener.supervisor.send(Stop {
            reason: StopReason::Admin,
            haste: if now { Haste::Now } else { Haste::AsPlanned },
        });
        self.begin(1, async move {
            asked(answer.await, id, |status| Done::Stopping { id, status })
        });
    }

    /// A frame behind the cut: refused, each with its answer. Behind `closing` not
    /// even that; only what says how far the client has read still counts.
    fn serve_late(&mut self, frame: &ClientFrame<'_>) {
        if self.is_saying_goodbye() && !matches!(frame, ClientFrame::Ack(_)) {
            return;
        }
        let is_member = self.state.member().is_some();
        match frame {
            ClientFrame::Ack(ack) => self.note_ack(ack.seq),
            ClientFrame::Fim(_) => {} // the end is on its way already
            ClientFrame::Answer => {}
            // A second shutdown changes nothing, and is told where it stands.
            ClientFrame::Shutdown(shutdown) if is_member && self.is_admin() => {
                self.tally.accepted += 1;
                self.ask_stop(shutdown.id, shutdown.now.unwrap_or(false));
            }
            other => {
                let is_login = match other {
                    ClientFrame::Login(_) => true,
                    ClientFrame::Unserved(unserved) => unserved.is_login,
                    _ => false,
                };
                if is_member && !is_login {
                    self.tally.refused += 1;
                }
                let message = "the server is stopping";
                let error = ServerFrame::error(other.id(), ErrorCode::Stopping, message);
                self.outlet.answer(&error);
            }
        }
    }

    fn is_admin(&self) -> bool {
        let role = self.state.member().and_then(Member::role);
        role == Some(Role::Admin) || self.is_own_user
    }

    /// Begins a piece of work that answers `frames` frames.
    pub(super) fn begin(&mut self, frames: usize, future: impl Future<Output = Done> + 'static) {
        self.begin_work(false, frames, future);
    }

    fn begin_work(
        &mut self,
        is_run: bool,
        frames: usize,
        future: impl Future<Output = Done> + 'static,
    ) {
        let begun = Pending {
            future: Box::pin(future),
            work: (frames > 0).then(|| self.listener.in_work.admit(frames)),
            frames: frames as u64,
            is_run,
        };
        if self.pending.is_none() {
            self.wakes.work = false;
            self.pending = Some(begun);
        } else {
            self.runs.push_back(begun);
        }
    }

    pub(super) fn count_answered(&mut self) {
        self.tally.accepted += 1;
        self.note_answered(1);
    }

    /// Answers a frame with an error.
    pub(super) fn refuse(&mut self, id: u64, code: ErrorCode, message: &str) {
        self.outlet
            .answer(&ServerFrame::error(Some(id), code, message));
    }

    /// Answers with a frame that may turn out too long for the client to take.
    pub(super) fn answer_within(&mut self, id: u64, frame: &ServerFrame<'_>) {
        if !self.outlet.answer_within(frame) {
            let message = "the answer's frame would be longer than max_frame";
            self.refuse(id, ErrorCode::FrameTooLarge, message);
        }
    }

    /// Tells the hub that a session of this user is over.
    pub(super) fn leave(&self, user: &UserName) {
        self.listener.hub.do_send(Leave(user.clone()));
    }
}
