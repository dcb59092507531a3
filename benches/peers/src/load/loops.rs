//! Clients in closed loops: each asks again when it is answered.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use rustix::event::epoll::EventFlags;

use super::publisher::{Publisher, Writes, repeat};
use super::{BUFFER, Clocks, Figures, Got, Poll, read};
use crate::meter::Meter;
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

struct Client {
    socket: OwnedFd,
    meter: Meter,
    asks: Publisher,
}

struct Run {
    clients: Vec<Client>,
    poll: Poll,
    buffer: Vec<u8>,
    /// What each client asks in all.
    requests: u64,
    in_flight: u64,
    left: usize,
}

/// Asks `requests` times in all, and waits for every reply.
pub fn run(work: Loops, running: &Running, requests: u64) -> Result<Figures> {
    let each = requests.div_ceil(work.clients as u64);
    let mut run = Run {
        clients: Vec::new(),
        poll: Poll::new()?,
        buffer: vec![0; BUFFER],
        requests: each,
        in_flight: work.in_flight as u64,
        left: work.clients,
    };
    run.connect(work, running)?;
    let cpu = || running.server.cpu();
    let clocks = Clocks::start(&cpu)?;
    run.ask_all()?;
    while run.left > 0 {
        let missing = run.left;
        let goes_on = run.turn()?;
        ensure!(goes_on, "{missing} clients wait for replies");
    }
    clocks.stop(each * work.clients as u64, 0, Instant::now())
}

impl Run {
    fn connect(&mut self, work: Loops, running: &Running) -> Result<()> {
        let mut frames: Option<Rc<[u8]>> = None;
        for index in 0..work.clients {
            let socket = net::connect(&running.address).context("connect")?;
            let talk = running.system.converse(&socket, work.size)?;
            net::unblock(&socket)?;
            self.poll.add(&socket, index, EventFlags::IN)?;
            let frames = frames.get_or_insert_with(|| repeat(&talk.request));
            self.clients.push(Client {
                socket,
                meter: talk.meter,
                asks: Publisher::new(frames.clone(), talk.request.len(), Writes::Pipelined),
            });
        }
        Ok(())
    }

    fn ask_all(&mut self) -> Result<()> {
        for client in &mut self.clients {
            client.asks.owe(self.in_flight.min(self.requests));
            client.ask()?;
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<bool> {
        let Some(events) = self.poll.wait()? else {
            return Ok(false);
        };
        for event in &events {
            let client = &mut self.clients[usize::try_from(event.data.u64())?];
            let bytes = match read(&client.socket, &mut self.buffer)? {
                Got::Bytes(bytes) => bytes,
                Got::Nothing => continue,
                Got::End => bail!("the server closed a connection"),
            };
            client.meter.feed(bytes)?;
            let replies = client.meter.whole();
            ensure!(replies <= client.asks.sent(), "more replies than requests");
            if replies == self.requests {
                self.left -= 1;
            }
            client
                .asks
                .owe((replies + self.in_flight).min(self.requests));
            client.ask()?;
        }
        self.poll.reuse(events);
        Ok(true)
    }
}

impl Client {
    /// A client's few requests always fit into its socket.
    fn ask(&mut self) -> Result<()> {
        while self.asks.owes() {
            self.asks.write(&self.socket)?;
        }
        Ok(())
    }
}
