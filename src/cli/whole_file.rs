//! Files that are written whole: reports, pictures, figures, certificates, resume points.
//!
//! The path is looked at first, with links followed, because a rename would take whatever
//! stands there away:
//!
//! | at the path | what happens |
//! |---|---|
//! | nothing, or a regular file | a new file beside it is written, brought to the disk and renamed: a reader never sees half of one, and neither a full disk nor a crash leaves one. Mode and owner stay as they were; a new file is its owner's alone |
//! | a link | its target is treated so; one that leads nowhere makes the file it names, as a shell's `>` does |
//! | a character device, a FIFO, `/dev/stdout`, `/dev/fd/N` | opened and written |
//! | a folder, a block device, a socket | refused, at the command's start by [`check`] |
//!
//! A device or a FIFO can keep its writer waiting for ever, and so can a disk that hangs:
//! [`replace_within`] bounds both, for a server on its way out.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::os::{self, Attributes, Target};

/// How long a file that another program has open is tried to be replaced, and how often. On
/// Windows a reader, an indexer or a virus scanner keeps it from that while it looks.
const IN_USE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(5);

/// Whether what was written survives a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The disk has it, or it went to a device or a pipe.
    Synced,
    /// It is written and in its place, and the disk has not confirmed it in time.
    Unknown,
}

/// Replaces what is at `path` by what `fill` writes.
///
/// # Errors
/// It could not be written; a regular file is then as it was.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write(path, &filled(fill)?, Mode::Kept, None).map(drop)
}

/// The same for a secret: nobody but its owner may read it, whatever was there.
///
/// # Errors
/// See [`replace`].
pub(super) fn replace_private(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write(path, &filled(fill)?, Mode::Private, None).map(drop)
}

/// The same as [`replace`], waiting for a disk, a device or a FIFO for `patience` at most.
///
/// # Errors
/// See [`replace`]; or nobody read the device or FIFO in time. A disk that is late is no
/// error: the file is in its place, and [`Durability`] tells.
pub(super) fn replace_within(
    path: &Path,
    patience: Duration,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Durability> {
    write(path, &filled(fill)?, Mode::Kept, Some(patience))
}

/// Whether [`replace`] can work there: better told before there is something to lose.
///
/// # Errors
/// It cannot.
pub(super) fn check(path: &Path) -> io::Result<()> {
    match os::look_at(path)? {
        Target::Stream(stream) => stream.check(),
        Target::File { path, .. } => staged(&path).map(drop),
    }
}

/// Whether what is written there cannot be read again: it is a device or a pipe.
pub(super) fn forgets(path: &Path) -> bool {
    matches!(os::look_at(path), Ok(Target::Stream(_)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Kept,
    Private,
}

fn filled(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fill(&mut bytes)?;
    Ok(bytes)
}

fn write(
    path: &Path,
    bytes: &[u8],
    mode: Mode,
    patience: Option<Duration>,
) -> io::Result<Durability> {
    let deadline = patience.map(|patience| Instant::now() + patience);
    match os::look_at(path)? {
        Target::Stream(stream) => {
            stream.write(bytes, deadline)?;
            Ok(Durability::Synced)
        }
        Target::File { path, found } => {
            let found = found.filter(|_| mode == Mode::Kept);
            write_file(&path, bytes, found.as_ref(), deadline)
        }
    }
}

fn write_file(
    path: &Path,
    bytes: &[u8],
    found: Option<&Attributes>,
    deadline: Option<Instant>,
) -> io::Result<Durability> {
    let mut new = staged(path)?;
    // By the file itself: the error would name the temporary one.
    new.as_file_mut().write_all(bytes)?;
    match found {
        Some(found) => found.keep(new.as_file())?,
        None => os::make_private(new.as_file())?,
    }
    let synced = synced(new.as_file(), deadline)?;
    match put_in_place(new, path, deadline) {
        Ok(()) => {}
        // A file that is a mount point cannot be renamed over, as in a container.
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            return write_in_place(path, bytes, deadline);
        }
        Err(error) => return Err(error),
    }
    match os::open_folder(folder(path))? {
        Some(folder) if synced == Durability::Synced => self::synced(&folder, deadline),
        _ => Ok(synced),
    }
}

/// Renames the new file over the old one; again, for a moment, while another program has that
/// one open and the system minds.
fn put_in_place(mut new: NamedTempFile, path: &Path, deadline: Option<Instant>) -> io::Result<()> {
    let last = Instant::now() + IN_USE;
    let last = deadline.map_or(last, |deadline| deadline.min(last));
    loop {
        match new.persist(path) {
            Ok(_) => return Ok(()),
            Err(failed) if os::is_in_use(&failed.error) && Instant::now() < last => {
                new = failed.file;
                thread::sleep(LOOK);
            }
            Err(failed) => return Err(failed.error),
        }
    }
}

fn write_in_place(path: &Path, bytes: &[u8], deadline: Option<Instant>) -> io::Result<Durability> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    synced(&file, deadline)
}

/// Brings a file to the disk. One that hangs is left to a thread of its own when the
/// deadline has come.
fn synced(file: &File, deadline: Option<Instant>) -> io::Result<Durability> {
    let Some(deadline) = deadline else {
        return file.sync_all().map(|()| Durability::Synced);
    };
    let file = file.try_clone()?;
    let (done, outcome) = mpsc::channel();
    let syncing = move || {
        let _ = done.send(file.sync_all()); // nobody may wait any more
    };
    if thread::Builder::new().spawn(syncing).is_err() {
        return Ok(Durability::Unknown);
    }
    let left = deadline.saturating_duration_since(Instant::now());
    match outcome.recv_timeout(left) {
        Ok(synced) => synced.map(|()| Durability::Synced),
        Err(_) => Ok(Durability::Unknown),
    }
}

/// A new file beside the one that it is to replace.
fn staged(path: &Path) -> io::Result<NamedTempFile> {
    let folder = folder(path);
    NamedTempFile::new_in(folder).map_err(|error| {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => format!("there is no folder {}", folder.display()),
            // The error itself names the new file, which says nothing.
            kind => format!("no file can be made in {}: {kind}", folder.display()),
        };
        io::Error::new(error.kind(), problem)
    })
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
