//! The limit: one thread that copies what publishers write to every reader.
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

use super::poll::{LISTENER, Poll};

/// What one read takes, at most.
const CHUNK: usize = 64 * 1024;

/// How far behind the slowest reader may be while publishers are read.
const BEHIND: u64 = 4 * 1024 * 1024;

/// What one write takes, at most.
const SLICES: usize = 4;

#[derive(Debug)]
struct Reader {
    socket: OwnedFd,
    index: usize,
    /// How many bytes of all that was ever published it has got.
    position: u64,
    blocked: bool,
}

#[derive(Debug)]
enum Role {
    /// It has not said yet what it is.
    Unknown(OwnedFd),
    Publisher(OwnedFd),
    /// Its place among the readers.
    Reader(usize),
    Gone,
}

#[derive(Debug, Default)]
struct Chunks {
    chunks: VecDeque<Vec<u8>>,
    /// Where the first of them begins.
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

    /// Lets go of what everybody has.
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
    poll: Poll,
    roles: Vec<Role>,
    readers: Vec<Reader>,
    chunks: Chunks,
    /// Whether publishers are left alone until readers have caught up.
    held: bool,
}

/// Serves at `path` until it is killed.
pub fn serve(path: &Path) -> Result<()> {
    let mut server = FanOut {
        poll: Poll::listen(path)?,
        roles: Vec::new(),
        readers: Vec::new(),
        chunks: Chunks::default(),
        held: false,
    };
    let mut events: Vec<Event> = Vec::with_capacity(256);
    loop {
        server.poll.wait(&mut events)?;
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
            Role::Reader(place) => self.serve_reader(*place),
            Role::Gone => Ok(()),
        }
    }

    fn accept(&mut self) -> Result<()> {
        while let Some(socket) = self.poll.accept()? {
            self.poll.add(&socket, self.roles.len(), EventFlags::IN)?;
            self.roles.push(Role::Unknown(socket));
        }
        Ok(())
    }

    /// The first byte says what a connection is; it is sent back.
    fn learn_role(&mut self, index: usize) -> Result<()> {
        let Role::Unknown(socket) = std::mem::replace(&mut self.roles[index], Role::Gone) else {
            return Ok(());
        };
        let mut byte = [0];
        match rustix::io::read(&socket, &mut byte) {
            Ok(1) => rustix::io::write(&socket, &byte)?,
            _ => return Ok(()), // it only looked whether somebody is there
        };
        self.roles[index] = match byte[0] {
            b'p' => Role::Publisher(socket),
            _ => {
                self.readers.push(Reader {
                    socket,
                    index,
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
        let mut place = 0;
        while place < self.readers.len() {
            if self.readers[place].blocked || self.write(place)? {
                place += 1;
            }
        }
        self.settle()
    }

    fn serve_reader(&mut self, place: usize) -> Result<()> {
        let reader = &mut self.readers[place];
        if !reader.blocked {
            // Readers say nothing: it has gone.
            self.remove(place);
            return self.settle();
        }
        reader.blocked = false;
        let was_slowest = self.chunks.is_in_first(reader.position);
        if self.write(place)? && !self.readers[place].blocked {
            let reader = &self.readers[place];
            self.poll
                .change(&reader.socket, reader.index, EventFlags::IN)?;
        }
        // Only one of the slowest can have moved the place of the slowest.
        match was_slowest {
            true => self.settle(),
            false => Ok(()),
        }
    }

    /// Writes what a reader has not got. `false`: it has gone.
    fn write(&mut self, place: usize) -> Result<bool> {
        let reader = &mut self.readers[place];
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
                    self.poll.change(&reader.socket, reader.index, flags)?;
                    return Ok(true);
                }
                Err(Errno::PIPE | Errno::CONNRESET) => {
                    self.remove(place);
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn remove(&mut self, place: usize) {
        let gone = self.readers.swap_remove(place);
        self.roles[gone.index] = Role::Gone;
        if let Some(moved) = self.readers.get(place) {
            self.roles[moved.index] = Role::Reader(place);
        }
    }

    /// Lets go of what all have, and holds or frees the publishers.
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
                    self.poll.change(socket, index, flags)?;
                }
            }
        }
        Ok(())
    }
}
