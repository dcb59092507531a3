//! Callers of a service in closed loops, and the responders that answer them.
//!
//! One thread is all of them. A caller has one call at a time; every call is timed, from before
//! the write of its request to after the read that completes its reply.

mod clients;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rustix::event::epoll::{Event, EventFlags};
use rustix::fs::Timespec;

use super::Figures;
use super::clients::{LONGEST, STANDSTILL};
use super::clocks::RunClocks;
use crate::engine::client::Client;
use crate::engine::connection::BUFFER;
use crate::engine::latencies::Latencies;
use crate::engine::output::Output;
use crate::epoll::Epoll;
use crate::net::{self, Socket};
use crate::peer::services::Service;
use crate::start::Running;
use clients::{Caller, Responder};

/// The work of one run, but for how many calls it has.
#[derive(Debug, Clone, Copy)]
pub struct Services {
    /// Connections that call.
    pub callers: usize,
    /// Connections that answer.
    pub responders: usize,
    /// Bytes of the body of a request and of an answer.
    pub size: usize,
}

impl Services {
    /// Returns whether there is one call at a time in all.
    pub fn is_one_at_a_time(self) -> bool {
        self.callers == 1 && self.responders == 1
    }
}

/// Calls `calls` times in all, and waits for every reply.
pub fn run(work: Services, running: &Running, calls: u64) -> Result<Figures> {
    let service = Service::new(work.size);
    let system = running.system;
    let mut responders = Vec::new();
    for _ in 0..work.responders {
        let mut socket = running.connect().context("connect")?;
        // Each of them may get the calls of all callers.
        let responder = system.offer(&mut socket, &service, work.callers)?;
        responders.push(Responder::new(socket, responder));
    }
    let mut callers = Vec::new();
    for index in 0..work.callers {
        let mut socket = running.connect().context("connect")?;
        let caller = system.call(&mut socket, &service, index)?;
        callers.push(Caller::new(socket, caller));
    }
    match (callers.as_mut_slice(), responders.as_mut_slice()) {
        ([caller], [responder]) => one_at_a_time(caller, responder, running, calls),
        _ => Loops::new(callers, responders)?.run(running, calls),
    }
}

/// Calls `calls` times. Reads and writes block, as it is known who has to read next: the
/// clients' side is as short as it can be.
fn one_at_a_time(
    caller: &mut Caller,
    responder: &mut Responder,
    running: &Running,
    calls: u64,
) -> Result<Figures> {
    let mut buffer = vec![0; BUFFER];
    let mut exchange = || {
        let begin = Instant::now();
        caller.call()?;
        while !responder.serve(&mut buffer)? {
            ensure!(begin.elapsed() < STANDSTILL, "a call has not come");
        }
        loop {
            if let Some(took) = caller.read(&mut buffer)? {
                return Ok(took);
            }
            ensure!(begin.elapsed() < STANDSTILL, "a reply has not come");
        }
    };
    for _ in 0..calls / 20 {
        exchange()?; // the first ones are slower everywhere
    }
    // To the nanosecond up to a quarter of a millisecond.
    let mut latencies = Latencies::with_digits(5);
    let clocks = RunClocks::start(Some(running.server.process()))?;
    for _ in 0..calls {
        latencies.record(exchange()?);
    }
    let figures = clocks.stop(calls, 0, Instant::now())?;
    Ok(figures.with_latencies(&latencies))
}

/// All clients of a run, served when epoll says that they are ready.
struct Loops {
    /// Epoll knows them by their indexes.
    callers: Vec<Caller>,
    /// Their indexes follow those of the callers.
    responders: Vec<Responder>,
    epoll: Epoll,
    /// By index: whether epoll watches for space to write to.
    watches_writes: Vec<bool>,
    buffer: Vec<u8>,
    /// How often each caller calls.
    each: u64,
    /// Callers that have not got all replies.
    left: usize,
    latencies: Latencies,
}

impl Loops {
    fn new(callers: Vec<Caller>, responders: Vec<Responder>) -> Result<Loops> {
        let epoll = Epoll::new()?;
        let sockets = (callers.iter().map(|caller| &caller.client.connection))
            .chain(responders.iter().map(|it| &it.client.connection));
        for (index, socket) in sockets.enumerate() {
            net::set_blocking(socket, false)?;
            epoll.add(socket, index as u64, EventFlags::IN)?;
        }
        Ok(Loops {
            watches_writes: vec![false; callers.len() + responders.len()],
            left: callers.len(),
            callers,
            responders,
            epoll,
            buffer: vec![0; BUFFER],
            each: 0,
            latencies: Latencies::with_digits(3),
        })
    }

    fn run(mut self, running: &Running, calls: u64) -> Result<Figures> {
        self.each = calls.div_ceil(self.callers.len() as u64);
        let mut events: Vec<Event> = Vec::with_capacity(256);
        let timeout = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        let clocks = RunClocks::start(Some(running.server.process()))?;
        for index in 0..self.callers.len() {
            self.call(index)?;
        }
        let mut moved = Instant::now();
        while self.left > 0 {
            self.epoll.wait(&mut events, Some(&timeout))?;
            if !events.is_empty() {
                moved = Instant::now();
            }
            let is_late = moved.elapsed() > STANDSTILL || clocks.begin().elapsed() > LONGEST;
            ensure!(!is_late, "{} callers wait for replies", self.left);
            for event in &events {
                let (index, flags) = (usize::try_from(event.data.u64())?, event.flags);
                if flags.contains(EventFlags::OUT) {
                    self.write(index)?;
                }
                if flags.intersects(EventFlags::IN | EventFlags::HUP) {
                    self.read(index)?;
                }
            }
        }
        let done = self.each * self.callers.len() as u64;
        let figures = clocks.stop(done, 0, Instant::now())?;
        Ok(figures.with_latencies(&self.latencies))
    }

    /// Reads from a client; then a responder answers, and a caller that has its reply calls again.
    fn read(&mut self, index: usize) -> Result<()> {
        let Some(caller) = self.callers.get_mut(index) else {
            let responder = &mut self.responders[index - self.callers.len()];
            responder.serve(&mut self.buffer)?;
            return self.watch(index);
        };
        let Some(took) = caller.read(&mut self.buffer)? else {
            return Ok(());
        };
        // The first ones are slower everywhere.
        if caller.calls() > self.each / 20 {
            self.latencies.record(took);
        }
        if caller.calls() < self.each {
            return self.call(index);
        }
        self.left -= 1;
        Ok(())
    }

    fn call(&mut self, index: usize) -> Result<()> {
        self.callers[index].call()?;
        self.watch(index)
    }

    /// Writes what a client's connection has not taken before.
    fn write(&mut self, index: usize) -> Result<()> {
        match self.callers.get_mut(index) {
            Some(caller) => caller.write()?,
            None => self.responders[index - self.callers.len()].write()?,
        }
        self.watch(index)
    }

    /// Watches a client for space to write to as long as bytes are left.
    fn watch(&mut self, index: usize) -> Result<()> {
        let (is_due, socket) = match self.callers.get(index) {
            Some(caller) => state(&caller.client),
            None => state(&self.responders[index - self.callers.len()].client),
        };
        let watched = &mut self.watches_writes[index];
        if is_due != *watched {
            *watched = is_due;
            let mut flags = EventFlags::IN;
            flags.set(EventFlags::OUT, is_due);
            self.epoll.change(socket, index as u64, flags)?;
        }
        Ok(())
    }
}

fn state<D, O: Output>(client: &Client<Socket, D, O>) -> (bool, &Socket) {
    (client.output.is_due(), &client.connection)
}
