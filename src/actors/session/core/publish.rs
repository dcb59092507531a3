//! Publishes: gathered into runs, so that many of them cost the hub one message.
//!
//! A publish with a producer's number is judged by the hub first: one that was published before is
//! answered so, whatever the role and the limits are by now. Only throttling comes before that. One
//! whose value is to be kept is judged by the hub too, as the limits are the server's.

use std::time::Instant;

use super::effects::Effects;
use super::judged::{JudgedFrames, Problem};
use super::may_publish::may_publish;
use super::run::{JudgedRun, Run};
use super::work::{Ids, Purpose};
use super::{Core, Served};
use crate::actors::hub::{NotPublished, Verdicts};
use crate::topic::RuleKind;
use crate::wire::{ErrorCode, Publish, Published, Quote, Seq, ServerFrame, WireError};

impl Core {
    /// Adds a publish to the run.
    pub(super) fn gather<E: Effects>(
        &mut self,
        publish: &Publish<'_>,
        now: Instant,
        fx: &mut E,
    ) -> Served {
        // A program of the raw dialect has no account, and is refused below.
        if let Some(number) = publish.number().transpose()
            && fx.role().is_some()
        {
            return self.gather_numbered(publish, number, now, fx);
        }
        if let Some(problem) = self.publish_problem(publish, fx) {
            if self.must_wait() {
                return Served::Later;
            }
            self.count_answered(fx);
            let error = problem.error();
            refuse(fx, publish.id, error.code, &error.message);
            return Served::Done;
        }
        let is_judged = publish.is_kept();
        if let Some(served) = self.hold_back(is_judged, publish.id, now, fx) {
            return served;
        }
        self.gathered(is_judged).push(publish, None, None);
        Served::Gathered
    }

    /// Adds a publish with a number to the run.
    fn gather_numbered<E: Effects>(
        &mut self,
        publish: &Publish<'_>,
        number: Result<(&str, u64), WireError>,
        now: Instant,
        fx: &mut E,
    ) -> Served {
        // Its own error comes behind the answers to the run, and takes a token only then.
        if number.is_err() && self.must_wait() {
            return Served::Later;
        }
        if let Some(served) = self.hold_back(true, publish.id, now, fx) {
            return served;
        }
        let number = match number {
            Ok(number) => number,
            Err(error) => {
                self.count_answered(fx);
                refuse(fx, publish.id, error.code, &error.message);
                return Served::Done;
            }
        };
        let problem = self.publish_problem(publish, fx);
        self.gathered(true).push(publish, Some(number), problem);
        Served::Gathered
    }

    /// The run that is being gathered, or a new one.
    fn gathered(&mut self, is_judged: bool) -> &mut Run {
        self.run
            .get_or_insert_with(|| Box::new(Run::empty(is_judged)))
    }

    /// Holds a publish back: where the run that is being gathered does not take it, while slow
    /// readers hold publishers back, or by the rate. `None`: it goes on.
    fn hold_back<E: Effects>(
        &mut self,
        is_judged: bool,
        id: u64,
        now: Instant,
        fx: &mut E,
    ) -> Option<Served> {
        if let Some(run) = &self.run {
            if run.is_judged() != is_judged || run.is_full(self.limits.frames_in_work) {
                return Some(Served::Later);
            }
        } else if let Err(wait) = fx.may_publish() {
            // A reader that stands still wakes nobody.
            self.timers.hold(now + wait);
            return Some(Served::Later);
        }
        match self.take_token(now) {
            Ok(()) => None,
            Err(wait) => Some(self.throttle(id, true, wait, now, fx)),
        }
    }

    fn publish_problem<E: Effects>(&self, publish: &Publish<'_>, fx: &E) -> Option<Problem> {
        let topic = match publish.check() {
            Ok(topic) => topic,
            Err(error) => return Some(Problem::Wrong(error)),
        };
        let permissions = fx.permissions(RuleKind::Publish);
        let allowed = may_publish(fx.role(), permissions.as_deref(), topic.as_ref());
        if let Err(message) = allowed {
            return Some(Problem::Forbidden(message));
        }
        if let Some(to) = publish.to()
            && !fx.has_account(to)
        {
            return Some(Problem::Wrong(WireError {
                code: ErrorCode::UnknownUser,
                message: format!("there is no account {}", Quote::new(to)),
            }));
        }
        let (length, max_body) = (publish.body.as_bytes().len(), self.limits.max_body());
        if length > max_body {
            return Some(Problem::TooLong { length, max_body });
        }
        (!self.limits.fits(publish)).then(|| {
            Problem::Wrong(WireError {
                code: ErrorCode::FrameTooLarge,
                message: "the message with its topic and headers would be longer than max_frame"
                    .to_owned(),
            })
        })
    }

    /// Sends the run of publishes that has been gathered to the hub.
    pub(super) fn end_run<E: Effects>(&mut self, fx: &mut E) {
        match self.run.take().map(|run| *run) {
            None => {}
            Some(Run::Plain { ids, contents }) => {
                let Some(user) = self.state.member().and_then(|member| member.user()) else {
                    return;
                };
                let frames = ids.len();
                self.tally.accept(frames as u64);
                if self.work.is_empty()
                    && let Some(first) = fx.publish_now(user, &contents)
                {
                    self.note_answered(frames as u64, fx);
                    self.answer_publishes(&ids, first, fx);
                    return;
                }
                fx.publish(user, contents, frames);
                self.work.push(Purpose::Publish { ids });
            }
            Some(Run::Judged(run)) => self.end_judged_run(run, fx),
        }
    }

    fn end_judged_run<E: Effects>(&mut self, run: JudgedRun, fx: &mut E) {
        let JudgedRun { frames, messages } = run;
        let Some(user) = self.state.member().and_then(|member| member.user()) else {
            return;
        };
        let count = frames.len();
        self.tally.accept(count as u64);
        if self.work.is_empty()
            && let Some(judged) = fx.publish_judged_now(user, &messages)
        {
            self.note_answered(count as u64, fx);
            self.answer_judged(&frames, judged, fx);
            return;
        }
        fx.publish_judged(user, messages, count);
        self.work.push(Purpose::PublishJudged { frames });
    }

    pub(super) fn answer_publishes<E: Effects>(
        &mut self,
        ids: &Ids,
        first: Result<Seq, NotPublished>,
        fx: &mut E,
    ) {
        match first {
            Ok(first) => {
                for (id, seq) in ids.iter().zip(first.0..) {
                    let (id, seq) = (*id, Seq(seq));
                    fx.answer(&ServerFrame::Published(Published::new(id, seq)));
                }
            }
            Err(why) => self.refuse_unpublished(ids.iter().copied(), why, fx),
        }
    }

    /// Answers publishes with the hub's verdicts.
    pub(super) fn answer_judged<E: Effects>(
        &mut self,
        frames: &JudgedFrames,
        judged: Result<Verdicts, NotPublished>,
        fx: &mut E,
    ) {
        let verdicts = match judged {
            Ok(verdicts) => verdicts,
            Err(why) => {
                return self.refuse_unpublished(frames.iter().map(|frame| frame.id), why, fx);
            }
        };
        for (frame, verdict) in frames.iter().zip(verdicts) {
            fx.answer(&frame.answer(verdict));
        }
    }

    /// Refuses the frames of a run of which the hub has published nothing.
    fn refuse_unpublished<E: Effects>(
        &mut self,
        ids: impl ExactSizeIterator<Item = u64>,
        why: NotPublished,
        fx: &mut E,
    ) {
        let (code, message) = match why {
            // They were accepted, and the log's deadline passed before their turn: they are
            // refused after all, and counted so.
            NotPublished::Sealed => {
                self.tally.refuse_after_all(ids.len() as u64);
                (ErrorCode::Stopping, "the server is stopping")
            }
            NotPublished::Unwritten => (
                ErrorCode::Internal,
                "the message was not published: the server's journal could not be written",
            ),
        };
        for id in ids {
            refuse(fx, id, code, message);
        }
    }
}

/// Answers a frame with an error.
pub(super) fn refuse<E: Effects>(fx: &mut E, id: u64, code: ErrorCode, message: &str) {
    fx.answer(&ServerFrame::error(Some(id), code, message));
}
