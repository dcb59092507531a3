//! A copy of the log's newest bytes in files in memory, for sendfile(2).
//!
//! When the same bytes are written to a thousand sockets, the kernel copies them a thousand
//! times, into memory that is cold each time. From a file it can give the same pages to all of
//! them. So with many readers, large parts are copied once into such a file.
//!
//! A file is only ever appended to, and is freed with the last range that refers to it: no page
//! changes while it is being sent.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Weak};

use crate::sync::{AtomicU64, Ordering};

/// Creates an empty file in memory, without a name.
pub type MakeFile = fn() -> io::Result<File>;

/// The least readers. With fewer, the additional copy costs about what it saves, see
/// docs/performance/profile.md.
pub(super) const MIN_READERS: usize = 12;

/// The least bytes of a part: smaller ones are cheaper to copy than to send as pages.
pub(super) const MIN_PART: usize = 16 * 1024;

/// The most bytes of parts with pages. Few readers lag by more; they are sent the bytes in
/// memory.
pub(super) const MAX_COPIED: usize = 8 << 20;

/// The length from which a new file is created.
const SEGMENT: u64 = 1 << 20;

/// Counts the bytes of all files together. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct PageBytes(Arc<AtomicU64>);

impl PageBytes {
    /// Returns the bytes.
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A file in memory, whose bytes are counted until it is freed.
#[derive(Debug)]
struct CountedFile {
    file: File,
    length: AtomicU64,
    all: PageBytes,
}

impl CountedFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)?;
        self.length.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.all.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for CountedFile {
    fn drop(&mut self) {
        let length = self.length.load(Ordering::Relaxed);
        self.all.0.fetch_sub(length, Ordering::Relaxed);
    }
}

/// The position of some bytes of the log in a file.
#[derive(Debug, Clone)]
pub struct PageRange {
    file: Arc<CountedFile>,
    offset: u64,
}

impl PageRange {
    /// Returns the file.
    pub fn file(&self) -> &File {
        &self.file.file
    }

    /// Returns the offset of the bytes in the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the range that begins `length` bytes later.
    #[must_use]
    pub fn skip(&self, length: usize) -> PageRange {
        PageRange {
            file: Arc::clone(&self.file),
            offset: self.offset + length as u64,
        }
    }

    /// Returns the same range without keeping the file in memory: a session with a client that
    /// does not read must not hold a whole file for a few bytes.
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

/// A [`PageRange`] that does not keep its file in memory.
#[derive(Debug, Clone, Default)]
pub struct WeakPageRange {
    file: Weak<CountedFile>,
    offset: u64,
}

impl WeakPageRange {
    /// Returns the range, if its file still exists.
    pub fn upgrade(&self) -> Option<PageRange> {
        Some(PageRange {
            file: self.file.upgrade()?,
            offset: self.offset,
        })
    }

    /// Moves the beginning by `length` bytes.
    pub fn skip(&mut self, length: usize) {
        self.offset += length as u64;
    }
}

/// Copies parts into files, one file after the other.
#[derive(Debug)]
pub(super) struct PageFile {
    make: Option<MakeFile>,
    file: Option<PageRange>,
    all: PageBytes,
}

impl PageFile {
    /// Creates the writer, whose files count in `all`; without `make` nothing is copied.
    pub(super) fn new(make: Option<MakeFile>, all: PageBytes) -> PageFile {
        let file = None;
        PageFile { make, file, all }
    }

    /// Copies `bytes`. Returns `None` if the system has no such files.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Option<PageRange> {
        let make = self.make?;
        match self.try_copy(make, bytes) {
            Ok(place) => Some(place),
            Err(error) => {
                tracing::debug!(%error, "files in memory unavailable; copying broadcasts to each reader");
                (self.make, self.file) = (None, None);
                None
            }
        }
    }

    /// Releases the file, as there are few readers.
    pub(super) fn release(&mut self) {
        self.file = None;
    }

    fn try_copy(&mut self, make: MakeFile, bytes: &[u8]) -> io::Result<PageRange> {
        let place = match self.file.take().filter(|place| place.offset < SEGMENT) {
            Some(place) => place,
            None => PageRange {
                file: Arc::new(CountedFile {
                    file: make()?,
                    length: AtomicU64::new(0),
                    all: self.all.clone(),
                }),
                offset: 0,
            },
        };
        place.file.append(bytes)?;
        self.file = Some(place.skip(bytes.len()));
        Ok(place)
    }
}
