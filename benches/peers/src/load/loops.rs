//! Clients in closed loops: each asks again when it is answered.

use std::task::Poll;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::clocks::RunClocks;
use super::ready::{Ready, context};
use super::{Figures, Peer, repeat};
use crate::engine::connection::BUFFER;
use crate::engine::output::{Frames, Output, Repeated, Writes};
use crate::engine::window::Window;
use crate::net;
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

struct Asking {
    client: Peer,
    window: Window,
}

struct Run {
    clients: Vec<Asking>,
    ready: Ready,
    buffer: Vec<u8>,
    /// Clients that still wait for replies.
    left: usize,
}

/// Asks `requests` times in all, and waits for every reply.
pub fn run(work: Loops, running: &Running, requests: u64) -> Result<Figures> {
    let each = requests.div_ceil(work.clients as u64);
    let mut run = Run {
        clients: Vec::new(),
        ready: Ready::new()?,
        buffer: vec![0; BUFFER],
        left: work.clients,
    };
    run.connect(work, running, each)?;
    let clocks = RunClocks::start(running.server.process())?;
    for asking in &mut run.clients {
        asking.ask()?;
    }
    while run.left > 0 {
        let missing = run.left;
        let goes_on = run.turn()?;
        ensure!(goes_on, "{missing} clients wait for replies");
    }
    clocks.stop(each * work.clients as u64, 0, Instant::now())
}

impl Run {
    fn connect(&mut self, work: Loops, running: &Running, each: u64) -> Result<()> {
        let mut frames: Option<Frames> = None;
        for index in 0..work.clients {
            let socket = net::connect(&running.address).context("connect")?;
            let talk = running.system.converse(&socket, work.size)?;
            net::unblock(&socket)?;
            self.ready.add(&socket, index)?;
            let frames = frames.get_or_insert_with(|| repeat(&talk.request));
            self.clients.push(Asking {
                client: Peer {
                    connection: socket,
                    decoder: talk.meter,
                    output: Repeated::new(frames.clone(), Writes::Pipelined),
                },
                window: Window::new(each, work.in_flight),
            });
        }
        Ok(())
    }

    /// Serves the clients that are ready; `false` if nothing happens any more.
    fn turn(&mut self) -> Result<bool> {
        let Some(events) = self.ready.wait()? else {
            return Ok(false);
        };
        for event in &events {
            let Asking { client, window } = &mut self.clients[usize::try_from(event.data.u64())?];
            match client.poll_read(&mut context(), &mut self.buffer)? {
                Poll::Ready(0) => bail!("the server closed a connection"),
                Poll::Ready(_) => {}
                Poll::Pending => continue,
            }
            window.set_answered(client.decoder.whole(), client.output.sent())?;
            if window.is_done() {
                self.left -= 1;
            }
            self.clients[usize::try_from(event.data.u64())?].ask()?;
        }
        self.ready.reuse(events);
        Ok(true)
    }
}

impl Asking {
    /// Writes what is due. A client's few requests always fit into its socket.
    fn ask(&mut self) -> Result<()> {
        self.client.output.set_due(self.window.due());
        while self.client.output.is_due() {
            self.client.poll_write(&mut context(), 1)?;
        }
        Ok(())
    }
}
