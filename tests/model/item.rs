//! The frames to a client, as the model has them.

use arauto::ErrorCode;
use arauto::wire::ServerFrame;

/// A frame to the client. A `u8` is the number of the client's frame that the item answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    Welcome,
    Answer(u8),
    Refusal(u8),
    Gap(u64, u64),
    Stopping,
    /// A call that the client is to answer.
    Call(u64),
    /// The call is the client's to answer no longer.
    Cancelled(u64),
    /// An error that ends the session.
    Failure,
    Closing {
        accepted: u64,
        refused: u64,
    },
}

impl Item {
    pub fn is_closing(self) -> bool {
        matches!(self, Item::Closing { .. })
    }

    /// Returns the number of the client's frame that the item answers.
    pub fn answers(self) -> Option<u8> {
        match self {
            Item::Answer(frame) | Item::Refusal(frame) => Some(frame),
            _ => None,
        }
    }
}

/// Returns the number of the client's frame with this id.
pub fn number(id: u64) -> u8 {
    u8::try_from(id).expect("a client sends fewer than 256 frames")
}

/// Returns a frame as an item of the queue; `None` for a broadcast and for other frames that the
/// model does not have.
pub fn item_of(frame: &ServerFrame<'_>) -> Option<Item> {
    Some(match frame {
        ServerFrame::Welcome(_) => Item::Welcome,
        ServerFrame::LoggedIn(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Reply(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Published(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Present(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Pong(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Cursors(_) | ServerFrame::CursorRemoved(_) | ServerFrame::Services(_) => {
            unreachable!("no client of the model is an operator")
        }
        ServerFrame::Offered(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Withdrawn(answer) => {
            let id = answer.id.expect("no rule of the model is about services");
            Item::Answer(number(id))
        }
        ServerFrame::Call(call) => Item::Call(call.call),
        ServerFrame::Cancelled(cancelled) => Item::Cancelled(cancelled.call),
        ServerFrame::Sessions(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Topics(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Subscribed(answer) => Item::Answer(number(answer.id)),
        ServerFrame::Gap(gap) => Item::Gap(gap.from.0, gap.to.0),
        ServerFrame::Error(error) => match error.id {
            Some(id) if error.code == ErrorCode::Stopping => Item::Refusal(number(id)),
            Some(id) => Item::Answer(number(id)),
            None => Item::Failure,
        },
        ServerFrame::Stopping(stopping) => match stopping.id {
            Some(id) => Item::Answer(number(id)),
            None => Item::Stopping,
        },
        ServerFrame::Closing(closing) => Item::Closing {
            accepted: closing.accepted,
            refused: closing.refused,
        },
        ServerFrame::Message(_)
        | ServerFrame::Joined(_)
        | ServerFrame::Left(_)
        | ServerFrame::Kept(_)
        | ServerFrame::Passed(_) => return None,
    })
}
