//! Answers that may turn out too long.

use super::effects::Effects;
use super::publish::refuse;
use crate::wire::{ErrorCode, ServerFrame};

/// Answers with a frame that may turn out too long for the client to take.
pub(super) fn answer_within<E: Effects>(fx: &mut E, id: u64, frame: &ServerFrame<'_>) {
    if !fx.answer_within(frame) {
        let message = "the answer's frame would be longer than max_frame";
        refuse(fx, id, ErrorCode::FrameTooLarge, message);
    }
}
