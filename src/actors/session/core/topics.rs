//! The list of topics, for operators.

use super::Core;
use super::answers::answer_within;
use super::effects::Effects;
use super::operators::is_admin;
use super::publish::refuse;
use crate::wire::{ErrorCode, ServerFrame, TopicList, TopicQuery};

/// The bytes of an answer beside the topics.
const ANSWER: usize = 64;

impl Core {
    pub(super) fn list_topics<E: Effects>(&mut self, query: &TopicQuery<'_>, fx: &mut E) {
        self.count_answered(fx);
        let id = query.id;
        if !is_admin(fx) {
            let message = "the list of topics is for admins";
            refuse(fx, id, ErrorCode::Forbidden, message);
            return;
        }
        let pattern = match query.check() {
            Ok(pattern) => pattern,
            Err(error) => return refuse(fx, id, error.code, &error.message),
        };
        let after = query.after.as_deref().unwrap_or_default();
        let most = self.limits.max_frame.saturating_sub(ANSWER);
        let (topics, more) = fx.topics(pattern.as_ref(), after, most);
        answer_within(fx, id, &ServerFrame::Topics(TopicList { id, topics, more }));
    }
}
