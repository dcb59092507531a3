//! Hand-written codecs for the most frequent frames.
//!
//! They write the same bytes as serde_cbor and read the same values; tests compare the two. A
//! reader here returns `None` for every input that does not have the usual form, whether it is
//! valid or not, and its caller then decodes with `shape` and serde_cbor.

mod answer;
mod body;
mod call;
mod max_body;
mod message;
mod publish;
mod published;
mod reply;

pub use body::{EMPTY_TEXT, encode_body};
pub use max_body::{max_body, max_body_with_topics, message_fits};
pub use message::{ContentKeys, MessageFrames, encode_content};

pub(super) use answer::answer;
pub(super) use body::HEADERS;
pub(super) use call::call;
pub(super) use message::{KEEP, TO, TOPIC, take_message};
pub(super) use publish::body_frame;
pub(super) use published::{LONGEST_PUBLISHED, PUBLISHED, SEQ, published};
pub(super) use reply::{reply, take_reply};
