//! The routes of the newest broadcasts, as a report lists them.

use serde::{Deserialize, Serialize};

use crate::wire::Seq;

/// The routes of the newest broadcasts: they select the sessions that each was for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecentRoutes {
    /// Behind this seq every broadcast that has a route is listed. Those that are not listed are
    /// messages to everybody without a topic.
    pub above: Seq,
    /// From here to `above` no message was for one user only. Up to here some may have been.
    pub direct_to: Seq,
    /// The broadcasts with a route, by seq.
    pub listed: Vec<RoutedBroadcast>,
}

/// A broadcast that was not for every session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoutedBroadcast {
    /// Its number.
    pub seq: Seq,
    /// The message's topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The user that the message was for; absent where it was for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether it told that a user joined or left.
    #[serde(default, skip_serializing_if = "is_false")]
    pub presence: bool,
}

/// The knowledge that a report has of a broadcast's route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownRoute<'r> {
    /// The broadcast has this route.
    Listed(&'r RoutedBroadcast),
    /// The broadcast is a message to everybody without a topic.
    Everybody,
    /// The broadcast is older than the listed routes.
    Unlisted {
        /// Whether it may be a message for one user only.
        may_be_direct: bool,
    },
}

impl RecentRoutes {
    /// Returns what is known of the route of a broadcast.
    pub fn of(&self, seq: Seq) -> KnownRoute<'_> {
        if seq <= self.above {
            return KnownRoute::Unlisted {
                may_be_direct: seq <= self.direct_to,
            };
        }
        let found = self.listed.binary_search_by_key(&seq, |routed| routed.seq);
        found.map_or(KnownRoute::Everybody, |index| {
            KnownRoute::Listed(&self.listed[index])
        })
    }

    /// Returns the listed broadcasts from one seq to another, both included.
    pub(in crate::close) fn between(&self, from: Seq, to: Seq) -> &[RoutedBroadcast] {
        let begin = self.listed.partition_point(|routed| routed.seq < from);
        let listed = &self.listed[begin..];
        &listed[..listed.partition_point(|routed| routed.seq <= to)]
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}
