//! Clients in closed loops: each asks again when it is answered.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::clients::{Clients, Expected};
use super::clocks::RunClocks;
use super::frames::Frames;
use super::{Figures, OFFER};
use crate::engine::output::{Repeated, Writes};
use crate::engine::window::Window;
use crate::start::Running;

/// The work of one run, but for how many requests it has.
#[derive(Debug, Clone, Copy)]
pub struct Loops {
    /// Connections.
    pub clients: usize,
    /// Requests of one client that wait for their replies.
    pub in_flight: usize,
    /// Bytes of a body.
    pub size: usize,
}

/// Asks `requests` times in all, and waits for every reply.
pub fn run(work: Loops, running: &Running, requests: u64) -> Result<Figures> {
    let each = requests.div_ceil(work.clients as u64);
    let mut clients = Clients::new(1, false)?;
    for _ in 0..work.clients {
        let mut socket = running.connect().context("connect")?;
        let talk = running.system.converse(&mut socket, work.size)?;
        let output = Frames::Same(Repeated::new(&talk.request, OFFER, Writes::Pipelined));
        let expected = Expected {
            sent: each,
            messages: each,
            answers: 0,
        };
        let window = Window::new(each, work.in_flight);
        clients.add(socket, talk.meter, output, expected, Some(window))?;
    }
    let clocks = RunClocks::start(Some(running.server.process()))?;
    clients.start_loops()?;
    while clients.left() > 0 {
        let goes_on = clients.turn()?;
        ensure!(goes_on, "{} clients wait for replies", clients.left());
    }
    clocks.stop(each * work.clients as u64, 0, Instant::now())
}
