//! The longest bodies that fit into the frame of a message.

use super::body::HEADERS;
use super::message::{KEEP, MESSAGE, TO, TOPIC, encode_content};
use crate::topic::LONGEST_TOPIC;
use crate::wire::cbor::head::LONGEST;
use crate::wire::{LONGEST_HEADERS, LONGEST_NAME, MOST_HEADERS, Publish};

/// The most bytes of a message's frame without its prefix and its body: with the longest user
/// name and the longest form of both numbers.
const AROUND_BODY: usize = MESSAGE.len()
    + LONGEST                       // seq
    + 5 + 2 + LONGEST_NAME          // from
    + 3 + LONGEST                   // at
    + 5; // the key of the body

/// Returns the length in bytes of the longest body that fits into a message frame of
/// `max_frame` bytes, whatever the user name, the seq and the time are.
pub const fn max_body(max_frame: usize) -> usize {
    longest_body(max_frame.saturating_sub(AROUND_BODY))
}

/// The most bytes of the keys behind a message's body.
const BEHIND_BODY: usize = TOPIC.len()
    + 3
    + LONGEST_TOPIC
    + HEADERS.len()
    + 2
    + 2 * MOST_HEADERS * 3
    + LONGEST_HEADERS
    + KEEP.len()
    + TO.len()
    + 2
    + LONGEST_NAME;

/// As [`max_body`], whatever the topic, the headers and the only receiver are besides.
pub const fn max_body_with_topics(max_frame: usize) -> usize {
    longest_body(max_frame.saturating_sub(AROUND_BODY + BEHIND_BODY))
}

/// Whether a publish as a message fits into a frame of `max_frame` bytes, whatever the user name, the
/// seq and the time are.
pub fn message_fits(publish: &Publish<'_>, max_frame: usize) -> bool {
    let mut content = Vec::new();
    encode_content(publish, &mut content);
    AROUND_BODY + content.len() <= max_frame
}

/// Returns the length of the longest string whose item has at most so many bytes.
const fn longest_body(available: usize) -> usize {
    // Pairs of a head's width and the longest string with a head of that width.
    let heads = [
        (9, usize::MAX),
        (5, u32::MAX as usize),
        (3, 0xffff),
        (2, 0xff),
        (1, 23),
    ];
    let mut index = 0;
    while index + 1 < heads.len() {
        let (width, longest) = heads[index];
        let body = available.saturating_sub(width);
        let longest = if body < longest { body } else { longest };
        if longest > heads[index + 1].1 {
            return longest;
        }
        index += 1;
    }
    let body = available.saturating_sub(1);
    if body < 23 { body } else { 23 }
}
