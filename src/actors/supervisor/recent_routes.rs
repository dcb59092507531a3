//! The routes of the newest broadcasts, as the report lists them.

use crate::close::{RecentRoutes, RoutedBroadcast};
use crate::log::Log;

/// The most broadcasts whose routes a report lists.
const LISTED: usize = 1024;

/// Returns the routes of the newest broadcasts.
pub(super) fn recent_routes(log: &Log) -> RecentRoutes {
    let recent = log.recent_routes(LISTED);
    let listed = recent.listed.into_iter().map(|route| RoutedBroadcast {
        seq: route.seq,
        topic: route.topic,
        to: route.to,
        presence: route.is_presence,
    });
    RecentRoutes {
        above: recent.above,
        direct_to: recent.direct_to,
        listed: listed.collect(),
    }
}
