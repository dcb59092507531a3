//! Publishers in closed loops: each publishes again when an earlier message of its own is
//! on the server's disk.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::clients::{Clients, Expected};
use super::clocks::RunClocks;
use super::frames::Frames;
use super::{Figures, OFFER};
use crate::engine::output::{Repeated, Writes};
use crate::engine::window::Window;
use crate::peer::Publisher;
use crate::start::Running;

/// The work of one run, but for how many messages it has.
#[derive(Debug, Clone, Copy)]
pub struct Publishers {
    /// Connections.
    pub publishers: usize,
    /// Messages of one publisher that wait for their answers.
    pub in_flight: usize,
    /// Bytes of a body.
    pub size: usize,
}

/// Publishes `messages` in all, and waits for every answer.
pub fn run(work: Publishers, running: &Running, messages: u64) -> Result<Figures> {
    let each = messages.div_ceil(work.publishers as u64);
    let total = each * work.publishers as u64;
    let system = running.system;
    let mut clients = Clients::new(1, false)?;
    for index in 0..work.publishers {
        let mut socket = running.connect().context("connect")?;
        let Publisher { frame, meter } = system.publish_to_disk(&mut socket, work.size, index)?;
        let expected = Expected {
            sent: each,
            messages: 0,
            answers: each,
        };
        let output = Frames::Same(Repeated::new(&frame, OFFER, Writes::Pipelined));
        let window = Window::new(each, work.in_flight);
        clients.add(socket, meter, output, expected, Some(window))?;
    }
    let clocks = RunClocks::start(Some(running.server.process()))?;
    clients.start_loops()?;
    while clients.left() > 0 {
        let goes_on = clients.turn()?;
        ensure!(goes_on, "{} publishers wait for answers", clients.left());
    }
    clocks.stop(total, 0, Instant::now())
}
