//! The newest bytes once more, in files that live in memory.
//!
//! Writing the same bytes to a thousand sockets makes the kernel copy them a
//! thousand times, into memory that is cold each time. From a file it can hand
//! out the same pages to all of them (sendfile(2)). So where many read, what is
//! appended in large parts is copied once into such a file.
//!
//! A file is only ever appended to, and is gone with the last slice that points
//! into it: no page changes while it is on its way to anybody.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Weak};

/// Makes an empty file that lives in memory and has no name.
pub type MakeFile = fn() -> io::Result<File>;

/// With few readers, one copy more costs about what it spares: docs/performance/profile.md
/// has what was measured.
pub(super) const MIN_READERS: usize = 12;

/// Smaller parts are cheaper to copy than to hand out.
pub(super) const MIN_PART: usize = 16 * 1024;

/// How much is pages at most, counted by parts: readers that lag by more are
/// few. What they get is copied as it always was.
pub(super) const MAX_COPIED: usize = 8 << 20;

/// A file takes this much before the next is made.
const SEGMENT: u64 = 1 << 20;

/// Where some bytes of the log stand in a file.
#[derive(Debug, Clone)]
pub struct PageRange {
    file: Arc<File>,
    offset: u64,
}

impl PageRange {
    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where in the file the bytes begin.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The place `length` bytes further on.
    #[must_use]
    pub fn skip(&self, length: usize) -> PageRange {
        PageRange {
            file: Arc::clone(&self.file),
            offset: self.offset + length as u64,
        }
    }

    /// The same place, which does not keep the file: whoever waits with it for a
    /// client that does not read must not hold a whole file for a few bytes.
    pub fn downgrade(&self) -> WeakPageRange {
        WeakPageRange {
            file: Arc::downgrade(&self.file),
            offset: self.offset,
        }
    }

    /// Whether `next` begins where `length` bytes from here end.
    pub fn is_followed_by(&self, next: &PageRange, length: usize) -> bool {
        Arc::ptr_eq(&self.file, &next.file) && self.offset + length as u64 == next.offset
    }
}

/// Where some bytes of the log stand in a file, as long as that is there.
#[derive(Debug, Clone, Default)]
pub struct WeakPageRange {
    file: Weak<File>,
    offset: u64,
}

impl WeakPageRange {
    /// The place, if its file is there.
    pub fn upgrade(&self) -> Option<PageRange> {
        Some(PageRange {
            file: self.file.upgrade()?,
            offset: self.offset,
        })
    }

    /// Moves `length` bytes further on.
    pub fn skip(&mut self, length: usize) {
        self.offset += length as u64;
    }
}

/// Copies parts into files, one file after the other.
#[derive(Debug)]
pub(super) struct PageFile {
    make: Option<MakeFile>,
    file: Option<PageRange>,
}

impl PageFile {
    /// Without a `make` nothing is pages.
    pub(super) fn new(make: Option<MakeFile>) -> PageFile {
        PageFile { make, file: None }
    }

    /// Where the copy of `bytes` stands; `None` where the system has no such files.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Option<PageRange> {
        let make = self.make?;
        match self.try_copy(make, bytes) {
            Ok(place) => Some(place),
            Err(error) => {
                tracing::debug!(%error, "no files in memory: broadcasts are copied to each reader");
                (self.make, self.file) = (None, None);
                None
            }
        }
    }

    /// Lets go of the file: nobody reads, or only few.
    pub(super) fn release(&mut self) {
        self.file = None;
    }

    fn try_copy(&mut self, make: MakeFile, bytes: &[u8]) -> io::Result<PageRange> {
        let place = match self.file.take().filter(|place| place.offset < SEGMENT) {
            Some(place) => place,
            None => PageRange {
                file: Arc::new(make()?),
                offset: 0,
            },
        };
        (&*place.file).write_all(bytes)?;
        self.file = Some(place.skip(bytes.len()));
        Ok(place)
    }
}
