//! Clients that read.

use crate::setting::{Client, Frame};
use crate::state::Slot;

impl Slot {
    /// Whether the client has frames or the end of the stream to read.
    pub fn has_to_read(&self, client: &Client) -> bool {
        let end = &self.io.client;
        let sees_end = self.io.is_shut && self.core.is_some();
        !end.is_gone && (end.unread > 0 || (sees_end && client.closes && !end.has_closed))
    }

    /// Lets the client read everything in its socket. After the end of the stream, it closes.
    pub fn read(&mut self, client: &Client) {
        let sees_end = self.io.is_shut && self.io.is_clear();
        if client.frames.iter().any(|frame| frame.is_answer()) {
            self.io.read_items = self.io.written;
        }
        let end = &mut self.io.client;
        end.unread = 0;
        if client.has(Frame::Ack) {
            end.read_to = self.io.reader.as_ref().map_or(0, |reader| reader.reached);
        }
        if sees_end && client.closes {
            (end.has_ended, end.has_closed) = (true, true);
        }
    }
}
