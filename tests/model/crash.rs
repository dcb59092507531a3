//! A kill of the process, and the start of the next one on what is on disk.

use crate::setting::Setting;
use crate::shared::Shared;
use crate::state::{Connection, RosterEntry, Slot, State, World};

impl State {
    /// Kills the server and starts it again. Clients that are not connected yet connect to the new
    /// server. The others have lost their connections.
    pub fn kill(&mut self, setting: &Setting) {
        self.world = Shared::new(self.world.after_kill(setting));
        for slot in &mut self.slots {
            match slot.connection {
                Connection::NotConnected | Connection::Refused => {}
                Connection::AwaitsAccept | Connection::HandedOver { .. } => {
                    slot.connection = Connection::Refused;
                }
                Connection::SessionStarted => slot.lose(),
            }
        }
    }
}

impl World {
    /// Returns the next server.
    fn after_kill(&self, setting: &Setting) -> World {
        let mut next = World::begin(setting);
        let head = self.hub.head;
        next.hub.head = head;
        next.hub.assigned = head;
        next.hub.history = self.hub.history.clone();
        next.hub.history.truncate(head);
        next.hub.cursor = self.hub.cursor.after_kill();
        next.hub.numbers = self.hub.numbers.after_kill();
        next.rules = self.rules.clone();
        let fims = next.left.fims;
        next.left = self.left.clone();
        next.left.kills -= 1;
        next.left.fims = fims;
        next
    }
}

impl Slot {
    /// Ends the session as a kill of the process does.
    fn lose(&mut self) {
        self.core = None;
        self.waiting = None;
        self.record = None;
        self.roster = RosterEntry::NotListed;
        self.orders.clear();
        self.order_answers.clear();
        let io = &mut self.io;
        io.jobs.clear();
        io.takes_part = false;
        io.calls_in_work.clear();
        io.wants_input = false;
        io.give_up();
        io.client.is_gone = true;
    }
}
