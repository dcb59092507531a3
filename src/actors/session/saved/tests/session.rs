//! A session without actors: core, inlet and outlet, on a connection in memory.
//!
//! It goes round as the driver does. The other actors are the plain values of the core's own
//! tests; log and output are the server's.

use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use crate::actors::session::core::effects::Effects;
use crate::actors::session::core::ending::Sending;
use crate::actors::session::core::testing::Outside;
use crate::actors::session::core::{Core, Served, Setup};
use crate::actors::session::inlet::{End, FillLimits, Inlet, Next};
use crate::actors::session::memory_link::MemoryLink;
use crate::actors::session::outlet::{Outlet, OutletSetup, Wanted, Written};
use crate::actors::session::saved::error::SaveError;
use crate::actors::session::saved::{SavedSession, Surroundings};
use crate::close::SessionRecord;
use crate::framing::Framing;
use crate::log::Log;
use crate::wire::Dialect;

pub(super) const READER: &str = "ana";

/// The core's outside: a real output, and plain values for the rest.
pub(super) struct Io {
    pub(super) outlet: Outlet,
    pub(super) link: MemoryLink,
    pub(super) others: Outside,
    pub(super) log: Arc<Log>,
}

pub(super) struct Session {
    pub(super) core: Core,
    inlet: Inlet,
    pub(super) io: Io,
    pub(super) now: Instant,
    dialect: Dialect,
}

impl Session {
    pub(super) fn begin(
        setup: Setup<'_>,
        dialect: Dialect,
        link: MemoryLink,
        log: &Arc<Log>,
    ) -> Session {
        let (framing, max_frame) = (link.framing, setup.limits.max_frame);
        let outlet = Outlet::new(OutletSetup {
            framing,
            session: setup.session,
            dialect,
            max_frame,
            log: Arc::clone(log),
            shard: 0,
            counters: Arc::default(),
        });
        let mut io = Io {
            outlet,
            link,
            others: Outside::default(),
            log: Arc::clone(log),
        };
        let now = Instant::now();
        let mut session = Session {
            core: Core::begin(setup, now, &mut io),
            inlet: Inlet::new(dialect, framing, max_frame),
            io,
            now,
            dialect,
        };
        session.go_round();
        session
    }

    pub(super) fn save(&self) -> Result<SavedSession, SaveError> {
        SavedSession::save(&self.core, &self.inlet, &self.io.outlet, self.now)
    }

    /// Returns a session that goes on from these bytes, on a copy of the connection.
    pub(super) fn restore(&self, bytes: &[u8]) -> Session {
        let saved = SavedSession::decode(bytes).expect("it was written");
        let surroundings = Surroundings {
            permissions: Arc::default(),
            dialect: self.dialect,
            framing: self.io.link.framing,
            log: Arc::clone(&self.io.log),
            shard: 0,
            reader: Arc::from(READER),
            sends_files: false,
        };
        let restored = saved.restore(surroundings, self.now);
        let (core, inlet, outlet) = restored.expect("it was written");
        Session {
            core,
            inlet,
            io: Io {
                outlet,
                link: self.io.link.clone(),
                others: self.io.others.clone(),
                log: Arc::clone(&self.io.log),
            },
            now: self.now,
            dialect: self.dialect,
        }
    }

    pub(super) fn log(&self) -> &Arc<Log> {
        &self.io.log
    }

    pub(super) fn record(&self) -> SessionRecord {
        self.core.record(&self.io)
    }

    /// Does all that can be done now.
    pub(super) fn go_round(&mut self) {
        for _ in 0..100 {
            let has_read = self.poll_input();
            let has_written = self.poll_output();
            let holds_frame = self.inlet.holds_frame();
            let has_moved = self.core.advance(holds_frame, self.now, &mut self.io);
            let has_worked = has_read || has_written || has_moved;
            if !(has_worked || self.core.tick(self.now, &mut self.io)) {
                return;
            }
        }
    }

    fn poll_input(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        if self.core.is_outbound() {
            let is_over = self.core.is_input_over() || self.core.is_closed();
            if !is_over && self.inlet.drain(&mut self.io.link, &mut cx).end.is_some() {
                self.core.hang_up();
            }
            return self.core.end_of_input(false, &mut self.io);
        }
        let mut is_any = self.inlet.holds_frame() && self.takes_frames() && self.serve();
        if self.takes_frames() && self.core.wants_input() && !self.inlet.holds_frame() {
            let limits = FillLimits {
                read_size: self.core.read_size(),
                frame: self.core.frame_limit(),
            };
            let fill = self.inlet.fill(&mut self.io.link, limits, &mut cx);
            is_any |= fill.is_any;
            match self.inlet.holds_frame() {
                true => drop(self.serve()),
                false => self.inlet.settle(),
            }
            if let Some(End::Closed) = fill.end {
                self.core.hang_up();
            }
        }
        let holds_frame = self.inlet.holds_frame();
        is_any | self.core.end_of_input(holds_frame, &mut self.io)
    }

    fn takes_frames(&self) -> bool {
        self.core.takes_frames(&self.io)
    }

    fn serve(&mut self) -> bool {
        let mut has_served = false;
        self.core.begin_pass();
        while self.core.takes_frames(&self.io) {
            let length = match self.inlet.next_frame(self.core.frame_limit()) {
                Next::Frame(frame, length) => {
                    if self.core.frame(frame, self.now, &mut self.io) == Served::Later {
                        break;
                    }
                    length
                }
                Next::Ignored(length) => length,
                Next::Nothing => break,
                Next::Bad(error) => {
                    if !self.core.bad_input(&error, &mut self.io) {
                        break;
                    }
                    self.inlet.skip_bad();
                    continue;
                }
            };
            self.inlet.consume(length);
            has_served = true;
        }
        self.core.end_pass(has_served, self.now, &mut self.io);
        if self.core.has_said_closing() {
            self.inlet.drop_partial_message();
        }
        self.inlet.settle();
        has_served
    }

    fn poll_output(&mut self) -> bool {
        let Sending::UpTo(until) = self.core.sending() else {
            return false;
        };
        let wanted = Wanted {
            until,
            ends_on_gap: self.core.ends_on_gap(),
        };
        let mut cx = Context::from_waker(Waker::noop());
        let had_room = self.io.has_room();
        let mut has_written = false;
        loop {
            match self.io.outlet.write(&mut self.io.link, wanted, &mut cx) {
                Written::More => has_written = true,
                Written::Clear | Written::Blocked => break,
                Written::FellOff(gap) => {
                    self.core.fell_off(gap, &mut self.io);
                    return true;
                }
                Written::Unreadable => panic!("there is no journal"),
            }
        }
        if has_written && !had_room {
            self.core.note_room(self.now);
        }
        !had_room && (has_written || self.io.has_room())
    }
}

/// The framing of a connection of this kind.
pub(super) fn link(framing: Framing) -> MemoryLink {
    MemoryLink {
        framing,
        ..MemoryLink::stream()
    }
}
