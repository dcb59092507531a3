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
        let keys = message_keys(frame);
        // A frame that is no message is `joined` or `left`.
        let route = keys.map_or(Some(Route::Presence), |keys| {
            keys.to.map(Route::User).or(keys.topic.map(Route::Topic))
        });
        if let Some(route) = route {
            routes.push(index, offset, route, keys.is_some_and(|keys| keys.keep));
        }
        offset += length;
    }
    routes
}
