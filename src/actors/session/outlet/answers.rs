//! Classifies the frames of the output.

use crate::wire::ServerFrame;

/// The id that an error can answer in place of this frame. Of the others none is long.
pub(super) fn id_of(frame: &ServerFrame<'_>) -> Option<u64> {
    match frame {
        ServerFrame::Reply(reply) => Some(reply.id),
        ServerFrame::Present(present) => Some(present.id),
        ServerFrame::Sessions(list) => Some(list.id),
        ServerFrame::Topics(list) => Some(list.id),
        ServerFrame::Services(list) => Some(list.id),
        _ => None,
    }
}

/// Whether the frame only tells of the end, and answers nothing.
pub(super) fn is_notice(frame: &ServerFrame<'_>) -> bool {
    match frame {
        ServerFrame::Stopping(stopping) => stopping.id.is_none(),
        ServerFrame::Closing(_) => true,
        _ => false,
    }
}
