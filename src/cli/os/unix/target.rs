//! Finds the kind of file at a path that will be written, following links (path_resolution(7)).

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, Gid, OFlags, Uid, access, fchown, fcntl_getfl};
use rustix::io::Errno;

/// The most links that are followed, as in the kernel.
const LINKS: usize = 40;

/// How often to check whether a FIFO has a reader.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The bytes of one write: a pipe that is writable takes this many without blocking (pipe(7),
/// PIPE_BUF).
const WRITE_SIZE: usize = 4096;

/// The target of a write.
#[derive(Debug)]
pub(in crate::cli) enum Target {
    /// A regular file, or none yet.
    File {
        /// The path with all links resolved.
        path: PathBuf,
        /// The attributes of the file, if it exists.
        attributes: Option<Attributes>,
    },
    /// A stream, which is written to in place.
    Stream(Stream),
}

/// A device, a pipe, or a descriptor of this process.
#[derive(Debug)]
pub(in crate::cli) enum Stream {
    /// Stdin, stdout or stderr. It is not opened again: it may be a socket, or a file with an
    /// offset.
    Standard(u32),
    /// A device, a FIFO or a descriptor of this process, opened by this path.
    Path(PathBuf),
}

/// The owner and the permissions of a file.
#[derive(Debug)]
pub(in crate::cli) struct Attributes {
    mode: u32,
    uid: u32,
    gid: u32,
}

/// Finds the target of a write to `path`.
///
/// # Errors
/// The path is a folder, a block device or a socket, or cannot be examined.
pub(in crate::cli) fn find_target(path: &Path) -> io::Result<Target> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(refused("the path is empty"));
    }
    // The kernel checks first: it may forbid to follow a link of another user in a shared folder
    // (proc(5), protected_symlinks).
    let found = match fs::metadata(path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if found.as_ref().is_some_and(Metadata::is_dir) || bytes.ends_with(b"/") {
        return Err(refused("it is a folder: name a file in it"));
    }
    match resolve(path)? {
        Resolved::Descriptor(number @ 0..=2) => Ok(Target::Stream(Stream::Standard(number))),
        Resolved::Descriptor(_) => Ok(Target::Stream(Stream::Path(path.to_owned()))),
        Resolved::Path(resolved) => match found {
            None => Ok(Target::File {
                path: resolved,
                attributes: None,
            }),
            Some(metadata) => existing(path, resolved, &metadata),
        },
    }
}

fn existing(path: &Path, resolved: PathBuf, metadata: &Metadata) -> io::Result<Target> {
    let kind = metadata.file_type();
    if kind.is_char_device() || kind.is_fifo() {
        return Ok(Target::Stream(Stream::Path(path.to_owned())));
    }
    if kind.is_block_device() {
        return Err(refused(
            "it is a block device; writing to it would destroy its data",
        ));
    }
    if kind.is_socket() {
        return Err(refused("it is a socket, which cannot be opened as a file"));
    }
    // Some links of the kernel have no path to their target, as those to files of other
    // processes.
    let is_same = fs::symlink_metadata(&resolved)
        .is_ok_and(|at| (at.dev(), at.ino()) == (metadata.dev(), metadata.ino()));
    if !is_same {
        return Ok(Target::Stream(Stream::Path(path.to_owned())));
    }
    Ok(Target::File {
        path: resolved,
        attributes: Some(Attributes {
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
        }),
    })
}

/// A path after its links have been followed.
enum Resolved {
    /// A descriptor of this process, by its number.
    Descriptor(u32),
    Path(PathBuf),
}

/// Follows links to a path that is not a link, or to a descriptor of this process.
fn resolve(path: &Path) -> io::Result<Resolved> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Some(name) = path.file_name() else {
            return Err(refused("it is a folder: name a file in it"));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", folder.display()))
        })?;
        if let Some(number) = descriptor(&folder, name) {
            return Ok(Resolved::Descriptor(number));
        }
        let resolved = folder.join(name);
        let is_link = fs::symlink_metadata(&resolved).is_ok_and(|found| found.is_symlink());
        if !is_link {
            return Ok(Resolved::Path(resolved));
        }
        path = folder.join(fs::read_link(&resolved)?);
    }
    Err(Errno::LOOP.into())
}

/// Returns the number of the descriptor of this process that the name in this folder stands for.
fn descriptor(folder: &Path, name: &OsStr) -> Option<u32> {
    let own = Path::new("/proc").join(std::process::id().to_string());
    let is_own = folder == own.join("fd")
        || folder == Path::new("/dev/fd")
        || (folder.starts_with(own.join("task")) && folder.ends_with("fd"));
    name.to_str()?.parse().ok().filter(|_| is_own)
}

impl Attributes {
    /// Sets these attributes on a new file. If the group cannot be set, the file's group gets only
    /// the permissions of others.
    ///
    /// # Errors
    /// The permissions cannot be set.
    pub(in crate::cli) fn apply_to(&self, file: &File) -> io::Result<()> {
        let own = file.metadata()?;
        let mut mode = self.mode;
        if own.uid() != self.uid && fchown(file, Some(Uid::from_raw(self.uid)), None).is_err() {
            mode &= 0o777; // without set-user-ID bits, which the other owner had set
        }
        if own.gid() != self.gid && fchown(file, None, Some(Gid::from_raw(self.gid))).is_err() {
            mode &= 0o707 | ((mode & 0o007) << 3);
        }
        file.set_permissions(Permissions::from_mode(mode))
    }
}

impl Stream {
    /// Checks that the stream can be written to, without writing.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(in crate::cli) fn check(&self) -> io::Result<()> {
        match self {
            Stream::Standard(number) => {
                let flags = match number {
                    0 => fcntl_getfl(io::stdin()),
                    1 => fcntl_getfl(io::stdout()),
                    _ => fcntl_getfl(io::stderr()),
                };
                if flags? & OFlags::RWMODE == OFlags::RDONLY {
                    return Err(refused("it is open for reading only"));
                }
                Ok(())
            }
            // Without opening it: closing a FIFO would end its reader's input, and opening a
            // device may have an effect.
            Stream::Path(path) => Ok(access(path, Access::WRITE_OK)?),
        }
    }

    /// Writes all bytes. Without a deadline it waits for a reader, as a shell does.
    ///
    /// # Errors
    /// The bytes could not be written, or were not read before the deadline.
    pub(in crate::cli) fn write(&self, bytes: &[u8], deadline: Option<Instant>) -> io::Result<()> {
        let file = match self {
            Stream::Standard(0) => File::from(rustix::io::dup(io::stdin())?),
            Stream::Standard(1) => File::from(rustix::io::dup(io::stdout())?),
            Stream::Standard(_) => File::from(rustix::io::dup(io::stderr())?),
            Stream::Path(path) => open_for_reader(path, deadline)?,
        };
        write_all(&file, bytes, deadline)
    }
}

/// Returns whether opening failed because a FIFO has no reader: with ENXIO (fifo(7)), as for a
/// missing device.
fn is_without_reader(path: &Path, error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NXIO.raw_os_error())
        && fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

/// Opens a file for appending, without waiting for the reader of a FIFO.
fn open_without_waiting(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new()
        .append(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Opens a file for appending. Waits for the reader of a FIFO until the deadline.
fn open_for_reader(path: &Path, deadline: Option<Instant>) -> io::Result<File> {
    loop {
        match open_without_waiting(path) {
            Err(error) if is_without_reader(path, &error) => {
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Err(timed_out("the FIFO has no reader"));
                }
                std::thread::sleep(POLL_INTERVAL);
            }
            opened => return opened,
        }
    }
}

fn write_all(file: &File, bytes: &[u8], deadline: Option<Instant>) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        wait_until_writable(file, deadline)?;
        match rustix::io::write(file, &rest[..rest.len().min(WRITE_SIZE)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_until_writable(file: &File, deadline: Option<Instant>) -> io::Result<()> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec::try_from(left).unwrap_or_default());
        let mut asked = [PollFd::new(file, PollFlags::OUT)];
        match poll(&mut asked, left.as_ref()) {
            Ok(0) => return Err(timed_out("its reader does not read")),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn timed_out(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what.to_owned())
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.to_owned())
}

/// Returns whether replacing a file failed because another program has it open: never on Unix.
pub(in crate::cli) fn is_in_use(_error: &io::Error) -> bool {
    false
}

/// Opens a folder, to sync it after a rename in it (fsync(2)).
pub(in crate::cli) fn open_folder(path: &Path) -> io::Result<Option<File>> {
    File::open(path).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path) -> PathBuf {
        match find_target(path).expect("it can be written") {
            Target::File { path, .. } => path,
            Target::Stream(stream) => panic!("{stream:?} is not a file"),
        }
    }

    fn is_stream(path: &str) -> bool {
        matches!(find_target(Path::new(path)), Ok(Target::Stream(_)))
    }

    #[test]
    fn device_or_descriptor_is_never_replaced() {
        for path in [
            "/dev/null",
            "/dev/full",
            "/dev/stdout",
            "/dev/stderr",
            "/dev/fd/1",
        ] {
            assert!(is_stream(path), "{path}");
        }
        assert!(is_stream("/proc/self/fd/2"));
        assert!(is_stream("/proc/thread-self/fd/2"));
    }

    #[test]
    fn link_as_a_target_is_followed() {
        let temp = tempfile::tempdir().expect("a folder");
        let folder = temp.path().canonicalize().expect("it is there");
        let (target, link) = (folder.join("target"), folder.join("link"));
        std::os::unix::fs::symlink("target", &link).expect("it is ours");
        assert_eq!(file(&link), target, "it leads nowhere yet");
        fs::write(&target, "x").expect("it is ours");
        assert_eq!(file(&link), target);
        let round = folder.join("round");
        std::os::unix::fs::symlink("round", &round).expect("it is ours");
        find_target(&round).expect_err("it leads to itself");
        let device = folder.join("device");
        std::os::unix::fs::symlink("/dev/null", &device).expect("it is ours");
        assert!(matches!(find_target(&device), Ok(Target::Stream(_))));
    }

    #[test]
    fn file_that_cannot_be_written_whole_is_refused() {
        let temp = tempfile::tempdir().expect("a folder");
        let socket = temp.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("it is ours");
        let new = temp.path().join("new/");
        for path in [
            Path::new(""),
            Path::new("/"),
            Path::new(".."),
            temp.path(),
            &socket,
            &new,
        ] {
            find_target(path).expect_err("it is not a file");
        }
    }
}
