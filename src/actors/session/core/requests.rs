//! Serves each frame, and answers with the results of the work that it began.

use std::borrow::Cow;
use std::time::Instant;

use super::answers::answer_within;
use super::effects::{Ask, Done, Effects, Event, LoginFailure};
use super::operators::is_admin;
use super::publish::refuse;
use super::rules::SessionRules;
use super::state::{Member, State};
use super::work::{Ids, Purpose};
use super::{Core, SERVED, Served};
use crate::accounts::{LoginRefusal, UserName};
use crate::actors::handler::{self, HandlerError, Outcome};
use crate::close::CloseReason;
use crate::wire::{
    ClientFrame, CursorList, CursorRemoved, ErrorCode, Present, ReplyFrame, Request, Seq,
    ServerFrame, SessionList, Shutdown, Unserved, WireError,
};

impl Core {
    /// Serves one frame.
    pub fn frame<E: Effects>(
        &mut self,
        frame: ClientFrame<'_>,
        now: Instant,
        fx: &mut E,
    ) -> Served {
        let frame = match frame.unserved(SERVED) {
            None => frame,
            Some(unserved) => ClientFrame::Unserved(unserved),
        };
        match &frame {
            ClientFrame::Publish(publish) if self.state.is_ready() || self.breaks_cut(fx) => {
                return self.gather(publish, now, fx);
            }
            ClientFrame::Ack(ack) if self.state.is_ready() => {
                self.note_ack(ack.seq, fx); // it has no answer that would have to wait
                return Served::Done;
            }
            ClientFrame::Answer(_) if self.state.is_ready() => {
                if let ClientFrame::Answer(answer) = frame {
                    self.answer_call(answer, now, fx);
                }
                return Served::Done;
            }
            _ => {}
        }
        if self.must_wait() && fx.rules().keeps_order() {
            return Served::Later;
        }
        if self.takes_token(&frame)
            && let Err(wait) = self
                .take_token(now)
                .and_then(|()| self.take_list_token(&frame, fx))
        {
            let is_counted = !is_login(&frame);
            let id = frame.id().unwrap_or_default();
            return self.throttle(id, is_counted, wait, now, fx);
        }
        match &self.state {
            State::Greeting => self.serve_before_login(frame, fx),
            State::Ready(_) => self.serve_member(frame, now, fx),
            State::Ending(_) if self.breaks_cut(fx) => self.serve_member(frame, now, fx),
            State::Ending(_) => self.serve_late(frame, now, fx),
            State::LoggingIn { .. } | State::Closed(_) => return Served::Later,
        }
        Served::Done
    }

    /// Ends the session for bytes that are no frame. Returns whether that is done; it has to
    /// wait while earlier frames are not answered. Behind `closing` nothing is answered any more.
    pub fn bad_input<E: Effects>(&mut self, error: &WireError, fx: &mut E) -> bool {
        if self.state.has_said_closing() {
            return true;
        }
        if self.must_wait() {
            return false;
        }
        if self.state.ending().is_some() && !self.state.refuses_frames() {
            // The client has said that it ends, and answers to its calls cannot be read.
            self.hang_up();
            return true;
        }
        fx.log(Event::BadInput(error));
        self.fail(error.code, &error.message, fx);
        true
    }

    /// Takes the result of the oldest piece of work.
    pub fn done<E: Effects>(&mut self, result: Done, now: Instant, fx: &mut E) {
        let Some(purpose) = self.work.pop() else {
            return;
        };
        self.note_answered(purpose.frames(), fx);
        self.timers.note_input(now); // what it waited for is not its idleness
        match (purpose, result) {
            (Purpose::Login { id }, Done::Login(outcome)) => {
                self.conclude_login(id, outcome, now, fx);
            }
            (Purpose::Publish { ids }, Done::Published(first)) => {
                self.answer_publishes(&ids, first, fx);
            }
            (Purpose::PublishJudged { frames }, Done::Judged(judged)) => {
                self.answer_judged(&frames, judged, fx);
            }
            (Purpose::Request { id }, Done::Replied(outcome)) => reply(fx, id, outcome),
            (Purpose::Users { id }, Done::Users(users)) => {
                let users = users.iter().map(|user| Cow::Borrowed(user.as_str()));
                let users = users.collect();
                answer_within(fx, id, &ServerFrame::Present(Present { id, users }));
            }
            (Purpose::Sessions { id }, Done::Sessions(sessions)) => {
                answer_within(fx, id, &ServerFrame::Sessions(SessionList { id, sessions }));
            }
            (Purpose::Cursors { id }, Done::Cursors(cursors, more)) => {
                answer_within(
                    fx,
                    id,
                    &ServerFrame::Cursors(CursorList { id, cursors, more }),
                );
            }
            (Purpose::RemoveCursor { id }, Done::CursorRemoved(removed)) => {
                fx.answer(&ServerFrame::CursorRemoved(CursorRemoved { id, removed }));
            }
            (Purpose::Stop { id }, Done::Stopping(status)) => self.answer_shutdown(id, status, fx),
            (Purpose::Login { id }, _) => {
                let refusal = LoginFailure::Refused(LoginRefusal::Internal);
                self.conclude_login(id, Err(refusal), now, fx);
            }
            (purpose, _) => refuse_all(fx, purpose.ids()),
        }
    }

    fn serve_before_login<E: Effects>(&mut self, frame: ClientFrame<'_>, fx: &mut E) {
        match frame {
            ClientFrame::Login(login) => self.log_in(&login, fx),
            ClientFrame::Ping(ping) => fx.answer(&ServerFrame::Pong(ping)),
            ClientFrame::Fim(_) => self.end(CloseReason::Fim, fx),
            ClientFrame::Unserved(unserved) if unserved.is_login => refuse_unserved(fx, unserved),
            ClientFrame::Answer(_) => {} // to a call that this session does not hold
            other => {
                let message = "log in first";
                let error = ServerFrame::error(other.id(), ErrorCode::NotLoggedIn, message);
                fx.answer(&error);
            }
        }
    }

    fn serve_member<E: Effects>(&mut self, frame: ClientFrame<'_>, now: Instant, fx: &mut E) {
        match frame {
            ClientFrame::Login(login) => {
                let message = "this session has logged in already";
                refuse(fx, login.id, ErrorCode::AlreadyLoggedIn, message);
            }
            ClientFrame::Ack(_) => {} // noted already
            ClientFrame::Answer(answer) => self.answer_call(answer, now, fx),
            ClientFrame::Unserved(unserved) => {
                if !unserved.is_login {
                    self.count_answered(fx);
                }
                refuse_unserved(fx, unserved);
            }
            ClientFrame::Fim(_) => self.end(CloseReason::Fim, fx),
            ClientFrame::Ping(ping) => {
                self.count_answered(fx);
                fx.answer(&ServerFrame::Pong(ping));
            }
            ClientFrame::Request(request) => self.request(request, now, fx),
            ClientFrame::Offer(offer) => self.offer(&offer, fx),
            ClientFrame::Withdraw(withdraw) => self.withdraw(&withdraw, fx),
            ClientFrame::Who(who) => {
                self.tally.accept(1);
                fx.ask(Ask::Users);
                self.work.push(Purpose::Users { id: who.id });
            }
            ClientFrame::Sessions(list) => self.list_sessions(list.id, fx),
            ClientFrame::Topics(query) => self.list_topics(&query, fx),
            ClientFrame::Services(query) => self.list_services(&query, fx),
            ClientFrame::Cursors(cursors) => self.list_cursors(*cursors, fx),
            ClientFrame::RemoveCursor(remove) => self.remove_cursor(*remove, fx),
            ClientFrame::Shutdown(shutdown) => self.shut_down(shutdown, fx),
            ClientFrame::Publish(publish) => unreachable!("gathered: {}", publish.id),
            ClientFrame::Subscribe(subscribe) => self.subscribe(&subscribe, fx),
        }
    }

    fn request<E: Effects>(&mut self, request: Request<'_>, now: Instant, fx: &mut E) {
        if request.options.is_some() {
            return self.call(request, now, fx);
        }
        let Some(member) = self.state.member() else {
            return;
        };
        let id = request.id;
        let user = member.user().map_or("", UserName::as_str);
        self.tally.accept(1);
        match fx.request(handler::Request::new(user, self.session, request.body)) {
            Some(outcome) => {
                self.note_answered(1, fx);
                reply(fx, id, outcome);
            }
            None => self.work.push(Purpose::Request { id }),
        }
    }

    fn shut_down<E: Effects>(&mut self, Shutdown { id, now }: Shutdown, fx: &mut E) {
        self.tally.accept(1);
        if !is_admin(fx) {
            self.note_answered(1, fx);
            let message = "stopping the server is for admins, and for its own user on this machine";
            refuse(fx, id, ErrorCode::Forbidden, message);
            return;
        }
        let now = now.unwrap_or(false);
        let user = self.state.member().and_then(Member::user);
        fx.log(Event::ShutdownRequested { user, now });
        self.ask_stop(id, now, fx);
    }

    fn ask_stop<E: Effects>(&mut self, id: u64, now: bool, fx: &mut E) {
        self.notice.get_or_insert_default().ask();
        fx.ask(Ask::Stop { now });
        self.work.push(Purpose::Stop { id });
    }

    /// Whether a frame behind the cut is served all the same. The contract never does so.
    fn breaks_cut<E: Effects>(&self, fx: &E) -> bool {
        !fx.rules().keeps_cut() && self.state.refuses_frames() && self.state.member().is_some()
    }

    /// Refuses a frame behind the cut. Behind `closing` nothing is answered; only what says how
    /// far the client has read still counts.
    fn serve_late<E: Effects>(&mut self, frame: ClientFrame<'_>, now: Instant, fx: &mut E) {
        if self.state.has_said_closing() && !matches!(frame, ClientFrame::Ack(_)) {
            return;
        }
        if let ClientFrame::Answer(answer) = frame {
            return self.answer_call(answer, now, fx);
        }
        // Behind the session's own end nothing else has an answer.
        if !self.state.refuses_frames() && !matches!(frame, ClientFrame::Ack(_)) {
            return;
        }
        let is_member = self.state.member().is_some();
        match frame {
            ClientFrame::Ack(ack) => self.note_ack(ack.seq, fx),
            ClientFrame::Fim(_) => {} // the end is on its way already
            // A second shutdown changes nothing, and is told where the stop is.
            ClientFrame::Shutdown(shutdown) if is_member && is_admin(fx) => {
                self.tally.accept(1);
                self.ask_stop(shutdown.id, shutdown.now.unwrap_or(false), fx);
            }
            other => {
                if is_member && !is_login(&other) {
                    self.tally.refuse();
                }
                let message = "the server is stopping";
                fx.answer(&ServerFrame::error(
                    other.id(),
                    ErrorCode::Stopping,
                    message,
                ));
            }
        }
    }

    /// Notes an ack. One behind an earlier ack has no effect, nor has one of what was not sent.
    fn note_ack<E: Effects>(&mut self, seq: Seq, fx: &mut E) {
        let is_sent = seq <= fx.output().sent || !fx.rules().checks_acks();
        if seq >= self.acked && is_sent {
            self.acked = seq;
            fx.ack(seq);
        }
    }

    /// Whether what comes now must wait for the answers to what came before it.
    pub(super) fn must_wait(&mut self) -> bool {
        self.work.must_wait() || self.run.is_some()
    }

    /// Notes a frame that is admitted and answered at once.
    pub(super) fn count_answered<E: Effects>(&mut self, fx: &E) {
        self.tally.accept(1);
        self.note_answered(1, fx);
    }

    pub(super) fn note_answered<E: Effects>(&mut self, frames: u64, fx: &E) {
        self.tally.answer(frames);
        if frames > 0 {
            let now = fx.stop_time();
            self.tally.note_time(now, |times| &mut times.last_reply);
        }
    }
}

/// Whether the frame is a login, served or not: those are not counted.
fn is_login(frame: &ClientFrame<'_>) -> bool {
    match frame {
        ClientFrame::Login(_) => true,
        ClientFrame::Unserved(unserved) => unserved.is_login,
        _ => false,
    }
}

fn refuse_unserved<E: Effects>(fx: &mut E, Unserved { id, what, .. }: Unserved) {
    let message = format!("{what} is of a feature that is not served here");
    refuse(fx, id, ErrorCode::Unsupported, &message);
}

fn refuse_all<E: Effects>(fx: &mut E, ids: Ids) {
    for id in ids {
        let message = "a part of the server has failed";
        refuse(fx, id, ErrorCode::Internal, message);
    }
}

fn reply<E: Effects>(fx: &mut E, id: u64, outcome: Outcome) {
    match outcome {
        Ok(body) => answer_within(fx, id, &ServerFrame::Reply(ReplyFrame::new(id, body))),
        Err(HandlerError::Throttled {
            message,
            retry_after,
        }) => fx.answer(&ServerFrame::throttled(Some(id), message, retry_after)),
        Err(error) => refuse(fx, id, error.code(), &error.to_string()),
    }
}
