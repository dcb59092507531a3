//! Writes whole files: reports, pictures, figures, certificates, resume points.
//!
//! The kind of file at the path decides how it is written, because a rename would replace a
//! device or a link:
//!
//! | at the path | how it is written |
//! |---|---|
//! | nothing, or a regular file | a new file beside it is written, synced and renamed over it. A reader never sees half a file, and a full disk or a crash leaves none. Mode and owner are kept; a new file is private to its owner |
//! | a link | as its target; a link to a missing file creates that file, as `>` in a shell does |
//! | a character device, a FIFO, `/dev/stdout`, `/dev/fd/N` | opened and written |
//! | a folder, a block device, a socket; a file of a data folder | refused, when the command starts, by [`check`] |
//!
//! A device, a FIFO and a disk that hangs can block a writer for ever. [`replace_within`] has a
//! deadline, for a server that stops.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use arauto::internal::accounts::DataFolder;
use tempfile::NamedTempFile;

use super::os::{self, Attributes, Target};

/// How long, and how often, replacing a file that another program has open is retried. On
/// Windows a reader, an indexer or a virus scanner prevents the rename while it has the file
/// open.
const IN_USE_LIMIT: Duration = Duration::from_secs(1);
const IN_USE_RETRY: Duration = Duration::from_millis(5);

/// Whether the written data survives a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The disk has confirmed the data, or they went to a device or a pipe.
    Synced,
    /// The file is in place, but the disk has not confirmed it before the deadline.
    Unknown,
}

/// Replaces the contents of `path` with what `fill` writes.
///
/// # Errors
/// The file could not be written; a regular file is unchanged then.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write(path, &filled(fill)?, Mode::Preserved, None).map(drop)
}

/// As [`replace`], for a secret: only its owner may read the file, whatever its mode was before.
///
/// # Errors
/// See [`replace`].
pub(super) fn replace_private(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write(path, &filled(fill)?, Mode::Private, None).map(drop)
}

/// As [`replace`], waiting at most `limit` for a disk, a device or a FIFO.
///
/// # Errors
/// See [`replace`]; or the device or FIFO was not read in time. A disk that is late is not an
/// error: the file is in place, and the result is [`Durability::Unknown`].
pub(super) fn replace_within(
    path: &Path,
    limit: Duration,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Durability> {
    write(path, &filled(fill)?, Mode::Preserved, Some(limit))
}

/// Checks that [`replace`] can work at `path`, before there is data to lose.
///
/// # Errors
/// The path cannot be written.
pub(super) fn check(path: &Path) -> io::Result<()> {
    match os::find_target(path)? {
        Target::Stream(stream) => stream.check(),
        Target::File { path, .. } => staged(&path).map(drop),
    }
}

/// Returns whether `path` is a device or a pipe: data written there cannot be read again.
pub(super) fn is_stream(path: &Path) -> bool {
    matches!(os::find_target(path), Ok(Target::Stream(_)))
}

/// A new file that is written piece by piece, as it may be too long for the memory. It is private to
/// its owner. It gets its name from [`NewFile::keep`], and is removed if it is dropped before.
#[derive(Debug)]
pub(super) struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Creates the file that will be `path`.
    ///
    /// # Errors
    /// There is something at the path, or no file can be created in its folder.
    pub(super) fn new(path: &Path) -> io::Result<NewFile> {
        if path.symlink_metadata().is_ok() {
            let problem = "it exists already; choose the name of a new file";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
        }
        let (file, path) = (staged(path)?, path.to_owned());
        Ok(NewFile { file, path })
    }

    /// Syncs the file to the disk, and gives it its name.
    ///
    /// # Errors
    /// It cannot be synced, or another file has got the name meanwhile.
    pub(super) fn keep(self) -> io::Result<()> {
        let NewFile { file, path } = self;
        file.as_file().sync_all()?;
        file.persist_noclobber(&path).map_err(|error| error.error)?;
        match os::open_folder(folder(&path))? {
            Some(folder) => folder.sync_all(),
            None => Ok(()),
        }
    }

    /// Returns the path that the file gets.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not through NamedTempFile, whose errors name the temporary file.
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// That of the file that is replaced; a new file is private.
    Preserved,
    /// Readable by the owner only.
    Private,
}

fn filled(fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fill(&mut bytes)?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8], mode: Mode, limit: Option<Duration>) -> io::Result<Durability> {
    let deadline = limit.map(|limit| Instant::now() + limit);
    match os::find_target(path)? {
        Target::Stream(stream) => {
            stream.write(bytes, deadline)?;
            Ok(Durability::Synced)
        }
        Target::File { path, attributes } => {
            let preserved = attributes.filter(|_| mode == Mode::Preserved);
            write_file(&path, bytes, preserved.as_ref(), deadline)
        }
    }
}

fn write_file(
    path: &Path,
    bytes: &[u8],
    preserved: Option<&Attributes>,
    deadline: Option<Instant>,
) -> io::Result<Durability> {
    let mut new = staged(path)?;
    // Not through NamedTempFile, whose errors name the temporary file.
    new.as_file_mut().write_all(bytes)?;
    match preserved {
        Some(attributes) => attributes.apply_to(new.as_file())?,
        None => os::make_private(new.as_file())?,
    }
    let synced = synced(new.as_file(), deadline)?;
    match put_in_place(new, path, deadline) {
        Ok(()) => {}
        // A file that is a mount point, as in a container, cannot be replaced by a rename.
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

/// Renames the new file over the old one. Retries while another program has the old one open
/// and the system refuses the rename for that reason.
fn put_in_place(mut new: NamedTempFile, path: &Path, deadline: Option<Instant>) -> io::Result<()> {
    let last = Instant::now() + IN_USE_LIMIT;
    let last = deadline.map_or(last, |deadline| deadline.min(last));
    loop {
        match new.persist(path) {
            Ok(_) => return Ok(()),
            Err(failed) if os::is_in_use(&failed.error) && Instant::now() < last => {
                new = failed.file;
                thread::sleep(IN_USE_RETRY);
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

/// Syncs a file to the disk (fsync(2)). With a deadline, a thread does so and is left alone
/// when the deadline passes.
fn synced(file: &File, deadline: Option<Instant>) -> io::Result<Durability> {
    let Some(deadline) = deadline else {
        return file.sync_all().map(|()| Durability::Synced);
    };
    let file = file.try_clone()?;
    let (done, outcome) = mpsc::channel();
    let syncing = move || {
        let _ = done.send(file.sync_all()); // the receiver may have timed out
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

/// Creates a temporary file in the folder of the file that it will replace.
fn staged(path: &Path) -> io::Result<NamedTempFile> {
    if DataFolder::is_own_file(path) {
        let problem = "this is the name of a file in a data folder; choose another one";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let folder = folder(path);
    NamedTempFile::new_in(folder).map_err(|error| {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => format!("there is no folder {}", folder.display()),
            // The error's own text names the temporary file.
            kind => format!("cannot create a file in {}: {kind}", folder.display()),
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
