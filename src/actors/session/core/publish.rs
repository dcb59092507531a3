//! Publishes: gathered into runs, so that many of them cost the hub one message.

use std::time::Instant;

use super::effects::Effects;
use super::may_publish::may_publish;
use super::work::{Ids, Purpose};
use super::{Core, Served};
use crate::actors::hub::NotPublished;
use crate::topic::{RuleKind, Topic};
use crate::wire::{ErrorCode, Publish, Published, Seq, ServerFrame};

impl Core {
    /// Adds a publish to the run.
    pub(super) fn gather<E: Effects>(
        &mut self,
        publish: &Publish<'_>,
        now: Instant,
        fx: &mut E,
    ) -> Served {
        if let Some((code, message)) = self.publish_problem(publish, fx) {
            if self.must_wait() {
                return Served::Later;
            }
            self.count_answered(fx);
            refuse(fx, publish.id, code, &message);
            return Served::Done;
        }
        if let Some(run) = &self.run {
            if run.is_full(self.limits.frames_in_work) {
                return Served::Later;
            }
        } else if let Err(wait) = fx.may_publish() {
            // A reader that stands still wakes nobody.
            self.timers.hold(now + wait);
            return Served::Later;
        }
        if let Err(wait) = self.take_token(now) {
            return self.throttle(publish.id, true, wait, now, fx);
        }
        self.run.get_or_insert_default().push(publish);
        Served::Gathered
    }

    fn publish_problem<E: Effects>(
        &self,
        publish: &Publish<'_>,
        fx: &E,
    ) -> Option<(ErrorCode, String)> {
        let topic = publish.topic.as_deref().map(Topic::of_client).transpose();
        let topic = match topic {
            Ok(topic) => topic,
            Err(error) => return Some((ErrorCode::BadTopic, format!("the topic: {error}"))),
        };
        let permissions = fx.permissions(RuleKind::Publish);
        let allowed = may_publish(fx.role(), permissions.as_deref(), topic.as_ref());
        if let Err(message) = allowed {
            return Some((ErrorCode::Forbidden, message));
        }
        let (length, max_body) = (publish.body.as_bytes().len(), self.limits.max_body());
        (length > max_body).then(|| {
            let message = format!("a body of {length} bytes is longer than max_body, {max_body}");
            (ErrorCode::FrameTooLarge, message)
        })
    }

    /// Sends the run of publishes that has been gathered to the hub.
    pub(super) fn end_run<E: Effects>(&mut self, fx: &mut E) {
        let Some(run) = self.run.take() else {
            return;
        };
        let (ids, bodies) = run.into_parts();
        let Some(user) = self.state.member().and_then(|member| member.user()) else {
            return;
        };
        let frames = ids.len();
        self.tally.accept(frames as u64);
        if self.work.is_empty()
            && let Some(first) = fx.publish_now(user, &bodies)
        {
            self.note_answered(frames as u64, fx);
            self.answer_publishes(&ids, first, fx);
            return;
        }
        fx.publish(user, bodies, frames);
        self.work.push(Purpose::Publish { ids });
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
            // They were accepted, and the log's deadline passed before their turn: they are
            // refused after all, and counted so.
            Err(NotPublished::Sealed) => {
                self.tally.refuse_after_all(ids.len() as u64);
                for id in ids {
                    refuse(fx, *id, ErrorCode::Stopping, "the server is stopping");
                }
            }
            Err(NotPublished::Unwritten) => {
                let message = "the message was not published: the server's journal could not \
                               be written";
                for id in ids {
                    refuse(fx, *id, ErrorCode::Internal, message);
                }
            }
        }
    }
}

/// Answers a frame with an error.
pub(super) fn refuse<E: Effects>(fx: &mut E, id: u64, code: ErrorCode, message: &str) {
    fx.answer(&ServerFrame::error(Some(id), code, message));
}
