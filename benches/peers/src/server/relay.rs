//! The limit of what a server of calls can do: one thread that passes each call to one of the
//! responders in turn, and the answer back to its caller.
//!
//! No login, no names, no deadlines. A frame is its length in four bytes, big-endian, and as many
//! bytes; a responder's frames begin with four bytes more, the caller's index. Frames that came
//! in one turn of epoll leave in one write for each connection.

use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rustix::event::epoll::{Event, EventFlags};
use rustix::io::Errno;

use super::listener::{LISTENER, Listener};
use crate::epoll::Epoll;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It has not announced its role yet.
    Unknown,
    Caller,
    Responder,
}

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    role: Role,
    /// The beginning of a frame whose rest has not come yet.
    begun: Vec<u8>,
    unsent: Vec<u8>,
}

#[derive(Debug, Default)]
struct Connections {
    all: Vec<Option<Connection>>,
    /// Indexes of the responders.
    responders: Vec<usize>,
    calls: usize,
    /// Indexes of those that have something unsent.
    unsent: Vec<usize>,
}

/// Serves at `path` until it is killed.
pub fn serve(path: &Path) -> Result<()> {
    let epoll = Epoll::new()?;
    let listener = Listener::bind(path, &epoll)?;
    let mut connections = Connections::default();
    let mut events: Vec<Event> = Vec::with_capacity(256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        epoll.wait(&mut events, None)?;
        for event in &events {
            if event.data.u64() == LISTENER {
                while let Some(socket) = listener.accept()? {
                    let index = connections.all.len() as u64;
                    epoll.add(&socket, index, EventFlags::IN)?;
                    connections.add(socket);
                }
                continue;
            }
            connections.read(usize::try_from(event.data.u64())?, &mut buffer)?;
        }
        connections.write()?;
    }
}

impl Connections {
    fn add(&mut self, socket: OwnedFd) {
        self.all.push(Some(Connection {
            socket,
            role: Role::Unknown,
            begun: Vec::new(),
            unsent: Vec::new(),
        }));
    }

    fn remove(&mut self, index: usize) {
        self.all[index] = None;
        self.responders.retain(|responder| *responder != index);
    }

    fn read(&mut self, index: usize, buffer: &mut [u8]) -> Result<()> {
        let Some(connection) = &mut self.all[index] else {
            return Ok(());
        };
        let read = match rustix::io::read(&connection.socket, &mut *buffer) {
            Ok(0) | Err(Errno::CONNRESET) => {
                self.remove(index);
                return Ok(());
            }
            Ok(length) => &buffer[..length],
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if connection.role == Role::Unknown {
            return self.learn_role(index, read);
        }
        let role = connection.role;
        let mut begun = std::mem::take(&mut connection.begun);
        if begun.is_empty() {
            let used = self.pass_all(index, role, read)?;
            begun.extend_from_slice(&read[used..]);
        } else {
            begun.extend_from_slice(read);
            let used = self.pass_all(index, role, &begun)?;
            begun.drain(..used);
        }
        if let Some(connection) = &mut self.all[index] {
            connection.begun = begun;
        }
        Ok(())
    }

    /// Takes a connection's first byte, which says its role, and sends it back.
    fn learn_role(&mut self, index: usize, read: &[u8]) -> Result<()> {
        let connection = self.all[index].as_mut().context("it was read from")?;
        rustix::io::write(&connection.socket, &read[..1])?;
        connection.role = match read[0] {
            b'r' => Role::Responder,
            _ => Role::Caller,
        };
        if connection.role == Role::Responder {
            self.responders.push(index);
        }
        Ok(())
    }

    /// Passes the whole frames that the bytes begin with, and returns their length.
    fn pass_all(&mut self, from: usize, role: Role, bytes: &[u8]) -> Result<usize> {
        let mut rest = bytes;
        while let Some((prefix, behind)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*prefix) as usize;
            let Some(frame) = behind.get(..length) else {
                break;
            };
            match role {
                Role::Responder => self.pass_back(frame)?,
                _ => self.pass_on(from, frame)?,
            }
            rest = &behind[length..];
        }
        Ok(bytes.len() - rest.len())
    }

    fn pass_on(&mut self, caller: usize, frame: &[u8]) -> Result<()> {
        ensure!(!self.responders.is_empty(), "a call without a responder");
        let responder = self.responders[self.calls % self.responders.len()];
        self.calls += 1;
        self.put(responder, &[&(caller as u32).to_be_bytes(), frame]);
        Ok(())
    }

    fn pass_back(&mut self, frame: &[u8]) -> Result<()> {
        let (caller, frame) = frame.split_first_chunk::<4>().context("no caller")?;
        self.put(u32::from_be_bytes(*caller) as usize, &[frame]);
        Ok(())
    }

    fn put(&mut self, index: usize, parts: &[&[u8]]) {
        let Some(Some(connection)) = self.all.get_mut(index) else {
            return; // it has gone
        };
        if connection.unsent.is_empty() {
            self.unsent.push(index);
        }
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let prefix = (length as u32).to_be_bytes();
        connection.unsent.extend_from_slice(&prefix);
        for part in parts {
            connection.unsent.extend_from_slice(part);
        }
    }

    /// Writes everything. Each caller has one call at a time, so that there is space for it.
    fn write(&mut self) -> Result<()> {
        for index in self.unsent.drain(..) {
            let Some(connection) = &mut self.all[index] else {
                continue;
            };
            let mut rest = &connection.unsent[..];
            while !rest.is_empty() {
                match rustix::io::write(&connection.socket, rest) {
                    Ok(written) => rest = &rest[written..],
                    Err(Errno::PIPE | Errno::CONNRESET) => break, // the next read says so
                    Err(error) => return Err(error.into()),
                }
            }
            connection.unsent.clear();
        }
        Ok(())
    }
}
