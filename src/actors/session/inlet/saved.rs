//! Input that was received and not served, written down.

use serde::{Deserialize, Serialize};

use super::Inlet;
use super::unserved::Unserved;
use super::window::SHORT_REST;
use crate::actors::session::core::policy::LONGEST_READ;
use crate::actors::session::saved::error::RestoreError;
use crate::actors::session::saved::plain::{SavedBytes, list};
use crate::framing::{Framing, MessageTooLong};
use crate::wire::Dialect;

/// The state of an [`Inlet`] between two passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedInlet {
    bytes: SavedBytes,
    #[serde(deserialize_with = "list")]
    messages: Vec<u64>,
    too_long: Option<u64>,
    is_partial: bool,
    is_over: bool,
}

impl Inlet {
    pub(in super::super) fn save(&self) -> SavedInlet {
        let Inlet {
            dialect: _, // these three follow from the listener and the connection
            framing: _,
            max_frame: _,
            unserved,
            messages,
            too_long,
            is_partial,
            is_over,
        } = self;
        SavedInlet {
            bytes: SavedBytes(unserved.bytes().to_vec()),
            messages: messages.iter().map(|length| *length as u64).collect(),
            too_long: too_long.map(|too_long| too_long.length as u64),
            is_partial: *is_partial,
            is_over: *is_over,
        }
    }

    /// Returns the inlet that was saved, for a connection of the same kind.
    pub(in super::super) fn restore(
        saved: SavedInlet,
        dialect: Dialect,
        framing: Framing,
        max_frame: usize,
    ) -> Result<Inlet, RestoreError> {
        let mut inlet = Inlet::new(dialect, framing, max_frame);
        let most = max_frame + Dialect::MESSAGE_OVERHEAD + LONGEST_READ + SHORT_REST;
        let mut left = saved.bytes.0.len();
        if left > most {
            return Err(RestoreError::Impossible("no session holds so much input"));
        }
        inlet.unserved = Unserved::own(saved.bytes.0);
        for length in saved.messages {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let rest = left.checked_sub(length);
            left = rest.ok_or(RestoreError::Impossible("a message is not there"))?;
            inlet.messages.push_back(length);
        }
        inlet.too_long = saved.too_long.map(|length| MessageTooLong {
            length: usize::try_from(length).unwrap_or(usize::MAX),
        });
        let holds_message = !inlet.messages.is_empty() || inlet.too_long.is_some();
        if framing == Framing::Stream && holds_message {
            return Err(RestoreError::OtherListener);
        }
        (inlet.is_partial, inlet.is_over) = (saved.is_partial, saved.is_over);
        Ok(inlet)
    }
}
