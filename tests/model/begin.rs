//! The first state: sessions that have logged in, and clients that connect later.

use std::time::Duration;

use arauto::internal::close::stop::Input;
use arauto::internal::session::effects::Done;
use arauto::wire::{ClientFrame, Login};
use smallvec::SmallVec;

use crate::connection::Io;
use crate::cursor::Cursor;
use crate::driver;
use crate::frames;
use crate::numbers::Numbers;
use crate::routes::{History, Rules};
use crate::services::Services;
use crate::setting::{Client, Setting};
use crate::shared::Shared;
use crate::signal_count::SignalCount;
use crate::state::{
    Acceptor, BASE, Batch, Connection, EventsLeft, Hub, RosterEntry, Slot, SlotId, State, World,
};
use crate::supervisor::Supervisor;
use crate::witness::Witness;

impl State {
    /// Returns the first state of a setting.
    pub fn begin(setting: &Setting) -> State {
        let mut state = State {
            world: Shared::new(World::begin(setting)),
            slots: setting
                .clients
                .iter()
                .map(|client| Shared::new(Slot::begin(client)))
                .collect(),
        };
        for (at, client) in setting.clients.iter().enumerate() {
            if !client.is_late {
                state.start_logged_in(setting, at);
            }
        }
        state
    }

    /// Starts a session and logs it in, before anything is published.
    fn start_logged_in(&mut self, setting: &Setting, at: SlotId) {
        self.start(setting, at, false);
        let Some(Input::Opened(session)) = self.world.supervisor.take_last() else {
            return;
        };
        self.feed(setting, Input::Opened(session));
        self.slots[at].roster = RosterEntry::SessionOpen;
        let now = *BASE;
        self.with_core(setting, at, |core, outside| {
            let login = ClientFrame::Login(Box::new(Login {
                id: 0,
                user: "ana".into(),
                password: "".into(),
                resume: None,
                options: driver::login_options(&setting.clients[at], false),
            }));
            core.frame(login, now, outside);
            let entry = driver::entry(setting, at, None, 0, 0);
            core.done(Done::Login(Ok(entry)), now, outside);
            if let Some(limit) = setting.clients[at].offers {
                core.frame(frames::offer(0, limit), now, outside);
            }
        });
        let frames = setting.clients[at].frames.len();
        let io = &mut self.slots[at].io;
        // In the first state, the client has read the frames that the login queued.
        io.queue.clear();
        io.jobs.clear();
        io.last_answer = None;
        io.witness = Witness {
            is_member: true,
            hears: std::mem::take(&mut io.witness.hears),
            answered_before: setting.clients[at].offers.is_some().into(),
            ..Witness::new(frames)
        };
        io.wants_input = true;
    }
}

impl World {
    pub fn begin(setting: &Setting) -> World {
        let tail = match setting.log_holds {
            Some(holds) => setting.waiting.saturating_sub(holds),
            None => 0,
        };
        World {
            acceptor: Acceptor {
                is_told: false,
                is_sealed: false,
            },
            hub: Hub {
                mailbox: Vec::new(),
                head: setting.waiting,
                assigned: setting.waiting,
                tail,
                in_flight: Batch::default(),
                next: Batch::default(),
                is_sealing: false,
                is_sealed: false,
                is_alive: true,
                was_stopped: false,
                history: History::default(),
                cursor: Cursor::of_first_state(setting),
                numbers: Numbers::default(),
            },
            supervisor: Supervisor::new(setting),
            rules: Rules::default(),
            services: Services::new(),
            in_work: 0,
            signals: SignalCount::default(),
            now: Duration::ZERO,
            left: EventsLeft {
                fims: u8::from(setting.signals == 0) + u8::from(setting.second_fim),
                signals: setting.signals,
                early_deadlines: setting.early_deadlines,
                early_timeouts: setting.early_timeouts,
                session_panics: setting.session_panics,
                hub_panics: setting.hub_panics,
                disk_failures: setting.disk_failures,
                passes: setting.passes,
                rule_changes: setting.rule_changes,
                kills: setting.kills,
            },
        }
    }
}

impl Slot {
    fn begin(client: &Client) -> Slot {
        Slot {
            connection: match client.is_late {
                true => Connection::NotConnected,
                false => Connection::SessionStarted,
            },
            roster: RosterEntry::NotListed,
            record: None,
            orders: SmallVec::new(),
            waiting: None,
            order_answers: SmallVec::new(),
            core: None,
            io: Io::new(client.frames.len().max(1)),
        }
    }
}
