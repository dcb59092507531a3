//! The routes of the frames in a row of the journal.

use crate::topic::{Route, Routes};
use crate::wire::cbor::{PREFIX, announced_length, message_keys};

/// Returns the routes of whole frames, as the log's appender has them.
pub(super) fn routes_of(frames: &[u8]) -> Routes {
    let (mut routes, mut offset) = (Routes::default(), 0);
    for index in 0.. {
        let Some(length) = frames.get(offset..).and_then(announced_length) else {
            break;
        };
        let length = PREFIX + length;
        let Some(frame) = frames.get(offset..offset + length) else {
            break;
        };
        let (route, is_kept) = route_of(frame);
        if let Some(route) = route {
            routes.push(index, offset, route, is_kept);
        }
        offset += length;
    }
    routes
}

/// Returns the route of one whole frame, and whether its message becomes its topic's kept value.
pub(super) fn route_of(frame: &[u8]) -> (Option<Route<'_>>, bool) {
    let Some(keys) = message_keys(frame) else {
        return (Some(Route::Presence), false); // it is `joined` or `left`
    };
    let route = keys.to.map(Route::User).or(keys.topic.map(Route::Topic));
    (route, keys.keep)
}
