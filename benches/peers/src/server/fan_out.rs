//! The limit of what a server can do: one thread that copies what publishers write to
//! every reader.
//!
//! No frames, no login, no order among publishers but that of its reads. It loses
//! nothing: it reads no publisher while a reader is too far behind.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Result;
use rustix::event::epoll::{Event, EventFlags};
use rustix::io::Errno;

use super::listener::{LISTENER, Listener};
use crate::epoll::Epoll;

/// The most bytes that one read takes.
const CHUNK: usize = 64 * 1024;

/// How far behind the slowest reader may be while publishers are read.
const BEHIND: u64 = 4 * 1024 * 1024;

/// The most chunks that one write takes.
const SLICES: usize = 4;

#[derive(Debug)]
struct Reader {
    socket: OwnedFd,
    /// Its index in `roles`.
    index: u64,
    /// How many bytes of all that was ever published it has got.
    position: u64,
    blocked: bool,
}

#[derive(Debug)]
enum Role {
    /// It has not announced its role yet.
    Unknown(OwnedFd),
    Publisher(OwnedFd),
    /// Its position among the readers.
    Reader(usize),
    Gone,
}

#[derive(Debug, Default)]
struct Chunks {
    chunks: VecDeque<Vec<u8>>,
    /// The stream position at which the first of them begins.
    begin: u64,
    end: u64,
    spare: Vec<Vec<u8>>,
}

impl Chunks {
    fn buffer(&mut self) -> Vec<u8> {
        self.spare
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(CHUNK))
    }

    fn push(&mut self, chunk: Vec<u8>) {
        self.end += chunk.len() as u64;
        self.chunks.push_back(chunk);
    }

    fn is_in_first(&self, position: u64) -> bool {
        let first = self.chunks.front().map_or(0, Vec::len);
        position <= self.begin + first as u64
    }

    /// Drops the chunks that every reader has.
    fn trim(&mut self, position: u64) {
        while let Some(first) = self.chunks.front() {
            if self.begin + first.len() as u64 > position {
                break;
            }
            self.begin += first.len() as u64;
            if let Some(mut chunk) = self.chunks.pop_front() {
                chunk.clear();
                self.spare.push(chunk);
            }
        }
    }

    fn from(&self, position: u64) -> impl Iterator<Item = &[u8]> {
        let mut skip = usize::try_from(position - self.begin).expect("within memory");
        self.chunks.iter().filter_map(move |chunk| {
            let here = skip.min(chunk.len());
            skip -= here;
            (here < chunk.len()).then(|| &chunk[here..])
        })
    }
}

struct FanOut {
    epoll: Epoll,
    listener: Listener,
    roles: Vec<Role>,
    readers: Vec<Reader>,
    chunks: Chunks,
    /// Whether publishers are not read from until readers have caught up.
    held: bool,
}

/// Serves at `path` until it is killed.
pub fn serve(path: &Path) -> Result<()> {
    let epoll = Epoll::new()?;
    let mut server = FanOut {
        listener: Listener::bind(path, &epoll)?,
        epoll,
        roles: Vec::new(),
        readers: Vec::new(),
        chunks: Chunks::default(),
        held: false,
    };
    let mut events: Vec<Event> = Vec::with_capacity(256);
    loop {
        server.epoll.wait(&mut events, None)?;
        for event in &events {
            server.serve(event.data.u64())?;
        }
    }
}

impl FanOut {
    fn serve(&mut self, data: u64) -> Result<()> {
        if data == LISTENER {
            return self.accept();
        }
        let index = usize::try_from(data)?;
        match &self.roles[index] {
            Role::Unknown(_) => self.learn_role(index),
            Role::Publisher(_) if self.held => Ok(()),
            Role::Publisher(_) => self.publish(index),
            Role::Reader(slot) => self.serve_reader(*slot),
            Role::Gone => Ok(()),
        }
    }

    fn accept(&mut self) -> Result<()> {
        while let Some(socket) = self.listener.accept()? {
            let index = self.roles.len() as u64;
            self.epoll.add(&socket, index, EventFlags::IN)?;
            self.roles.push(Role::Unknown(socket));
        }
        Ok(())
    }

    /// Reads a connection's first byte, which says its role, and sends it back.
    fn learn_role(&mut self, index: usize) -> Result<()> {
        let Role::Unknown(socket) = std::mem::replace(&mut self.roles[index], Role::Gone) else {
            return Ok(());
        };
        let mut byte = [0];
        match rustix::io::read(&socket, &mut byte) {
            Ok(1) => rustix::io::write(&socket, &byte)?,
            _ => return Ok(()), // a probe that has closed already
        };
        self.roles[index] = match byte[0] {
            b'p' => Role::Publisher(socket),
            _ => {
                self.readers.push(Reader {
                    socket,
                    index: index as u64,
                    position: self.chunks.end,
                    blocked: false,
                });
                Role::Reader(self.readers.len() - 1)
            }
        };
        Ok(())
    }

    fn publish(&mut self, index: usize) -> Result<()> {
        let mut chunk = self.chunks.buffer();
        let Role::Publisher(socket) = &self.roles[index] else {
            return Ok(());
        };
        match rustix::io::read(socket, rustix::buffer::spare_capacity(&mut chunk)) {
            Ok(0) | Err(Errno::CONNRESET) => self.roles[index] = Role::Gone,
            Ok(_) => {
                self.chunks.push(chunk);
                self.write_to_all()?;
            }
            Err(Errno::AGAIN | Errno::INTR) => self.chunks.spare.push(chunk),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn write_to_all(&mut self) -> Result<()> {
        let mut slot = 0;
        while slot < self.readers.len() {
            if self.readers[slot].blocked || self.write(slot)? {
                slot += 1;
            }
        }
        self.settle()
    }

    fn serve_reader(&mut self, slot: usize) -> Result<()> {
        let reader = &mut self.readers[slot];
        if !reader.blocked {
            // Readers send nothing: this is its end.
            self.remove(slot);
            return self.settle();
        }
        reader.blocked = false;
        let was_slowest = self.chunks.is_in_first(reader.position);
        if self.write(slot)? && !self.readers[slot].blocked {
            let reader = &self.readers[slot];
            self.epoll
                .change(&reader.socket, reader.index, EventFlags::IN)?;
        }
        // Only one of the slowest can have moved the position of the slowest.
        match was_slowest {
            true => self.settle(),
            false => Ok(()),
        }
    }

    /// Writes what a reader has not got; `false` if it has disconnected.
    fn write(&mut self, slot: usize) -> Result<bool> {
        let reader = &mut self.readers[slot];
        while reader.position < self.chunks.end {
            let mut slices = [(); SLICES].map(|()| IoSlice::new(&[]));
            let mut used = 0;
            for bytes in self.chunks.from(reader.position).take(SLICES) {
                slices[used] = IoSlice::new(bytes);
                used += 1;
            }
            let written = match used {
                1 => rustix::io::write(&reader.socket, &slices[0]),
                _ => rustix::io::writev(&reader.socket, &slices[..used]),
            };
            match written {
                Ok(length) => reader.position += length as u64,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    reader.blocked = true;
                    let flags = EventFlags::IN | EventFlags::OUT;
                    self.epoll.change(&reader.socket, reader.index, flags)?;
                    return Ok(true);
                }
                Err(Errno::PIPE | Errno::CONNRESET) => {
                    self.remove(slot);
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn remove(&mut self, slot: usize) {
        let gone = self.readers.swap_remove(slot);
        self.roles[gone.index as usize] = Role::Gone;
        if let Some(moved) = self.readers.get(slot) {
            self.roles[moved.index as usize] = Role::Reader(slot);
        }
    }

    /// Drops what all readers have, and stops or resumes reading from publishers.
    fn settle(&mut self) -> Result<()> {
        let end = self.chunks.end;
        let slowest = self.readers.iter().map(|reader| reader.position).min();
        let slowest = slowest.unwrap_or(end);
        self.chunks.trim(slowest);
        let held = end - slowest > BEHIND;
        if held != self.held {
            self.held = held;
            let flags = match held {
                true => EventFlags::empty(),
                false => EventFlags::IN,
            };
            for (index, role) in self.roles.iter().enumerate() {
                if let Role::Publisher(socket) = role {
                    self.epoll.change(socket, index as u64, flags)?;
                }
            }
        }
        Ok(())
    }
}
