//! The client that a reader is for, and what the operator's rules let it hear.

use std::sync::Arc;

use crate::accounts::LivePermissions;
use crate::topic::{Permissions, RuleKind, Topic, Verdict};
use crate::wire::cbor::message_keys;

/// The client that a reader is for.
#[derive(Debug, Clone)]
pub(in crate::actors::session) struct Recipient {
    /// The user, or the peer where nobody logs in: no user's name has a space.
    pub(in crate::actors::session) name: Arc<str>,
    /// The rules about it, which the operator may change at any moment.
    pub(in crate::actors::session) permissions: Arc<LivePermissions>,
}

impl Recipient {
    /// Returns the rules of this moment about what the client hears, if there are any.
    pub(super) fn rules(&self) -> Option<Arc<Permissions>> {
        self.permissions.of_kind(RuleKind::Subscribe)
    }
}

/// Whether rules let a client have a frame of the log. A message is judged by its topic, also one for
/// a single user; presence is not judged.
pub(super) fn may_hear(rules: &Permissions, frame: &[u8]) -> bool {
    let Some(keys) = message_keys(frame) else {
        return true;
    };
    let topic = keys.topic.map(Topic::of_checked);
    rules.judge(RuleKind::Subscribe, topic.as_ref()) != Verdict::Denied
}
