//! Finds the kind of file at a path that is to be written, links followed (path_resolution(7)).

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

/// As many links as the kernel follows.
const LINKS: usize = 40;

/// How often to look whether somebody has opened a FIFO to read.
const LOOK: Duration = Duration::from_millis(10);

/// A pipe that can be written to takes as much without waiting (pipe(7), PIPE_BUF).
const PIECE: usize = 4096;

/// The target of a write.
#[derive(Debug)]
pub(in crate::cli) enum Target {
    /// A regular file, or none yet.
    File {
        /// Its place, behind all links.
        path: PathBuf,
        /// Attributes of the file, where it exists.
        found: Option<Attributes>,
    },
    /// A stream, which keeps no file.
    Stream(Stream),
}

/// A device, a pipe, or a descriptor of this process.
#[derive(Debug)]
pub(in crate::cli) enum Stream {
    /// Stdin, stdout or stderr, which may have an offset and be sockets: not to be opened
    /// again.
    Standard(u32),
    /// A device, a FIFO or a socket that is opened by this path.
    Path(PathBuf),
}

/// The owner and the permissions of a file.
#[derive(Debug)]
pub(in crate::cli) struct Attributes {
    mode: u32,
    uid: u32,
    gid: u32,
}

/// Looks at what stands at `path`.
///
/// # Errors
/// It is what cannot be written whole, or cannot be looked at.
pub(in crate::cli) fn look_at(path: &Path) -> io::Result<Target> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(refused("it names no file"));
    }
    // By the kernel's own rules first: it may forbid to follow a link that somebody else
    // has put into a shared folder (proc(5), protected_symlinks).
    let found = match fs::metadata(path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if found.as_ref().is_some_and(Metadata::is_dir) || bytes.ends_with(b"/") {
        return Err(refused("it is a folder: name a file in it"));
    }
    match resolve(path)? {
        Place::Descriptor(number @ 0..=2) => Ok(Target::Stream(Stream::Standard(number))),
        Place::Descriptor(_) => Ok(Target::Stream(Stream::Path(path.to_owned()))),
        Place::Path(place) => match found {
            None => Ok(Target::File {
                path: place,
                found: None,
            }),
            Some(found) => existing(path, place, &found),
        },
    }
}

fn existing(path: &Path, place: PathBuf, found: &Metadata) -> io::Result<Target> {
    let kind = found.file_type();
    if kind.is_char_device() || kind.is_fifo() {
        return Ok(Target::Stream(Stream::Path(path.to_owned())));
    }
    if kind.is_block_device() {
        return Err(refused(
            "it is a block device, and would lose what is on it",
        ));
    }
    if kind.is_socket() {
        return Err(refused("it is a socket, which cannot be opened"));
    }
    // The kernel has links that no path replaces, as those of another process's files.
    let is_same = fs::symlink_metadata(&place)
        .is_ok_and(|at| (at.dev(), at.ino()) == (found.dev(), found.ino()));
    if !is_same {
        return Ok(Target::Stream(Stream::Path(path.to_owned())));
    }
    Ok(Target::File {
        path: place,
        found: Some(Attributes {
            mode: found.mode() & 0o7777,
            uid: found.uid(),
            gid: found.gid(),
        }),
    })
}

enum Place {
    /// A descriptor of this process, by its number.
    Descriptor(u32),
    Path(PathBuf),
}

/// Follows links until there is none, or a descriptor of this process.
fn resolve(path: &Path) -> io::Result<Place> {
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
            return Ok(Place::Descriptor(number));
        }
        let place = folder.join(name);
        let is_link = fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink());
        if !is_link {
            return Ok(Place::Path(place));
        }
        path = folder.join(fs::read_link(&place)?);
    }
    Err(Errno::LOOP.into())
}

/// Whether the name in this folder is one of this process's own descriptors.
fn descriptor(folder: &Path, name: &OsStr) -> Option<u32> {
    let own = Path::new("/proc").join(std::process::id().to_string());
    let is_own = folder == own.join("fd")
        || folder == Path::new("/dev/fd")
        || (folder.starts_with(own.join("task")) && folder.ends_with("fd"));
    name.to_str()?.parse().ok().filter(|_| is_own)
}

impl Attributes {
    /// Gives a new file these. Where the group cannot be kept, the new one gets no more
    /// than everybody has.
    ///
    /// # Errors
    /// The system does not let it.
    pub(in crate::cli) fn keep(&self, file: &File) -> io::Result<()> {
        let own = file.metadata()?;
        let mut mode = self.mode;
        if own.uid() != self.uid && fchown(file, Some(Uid::from_raw(self.uid)), None).is_err() {
            mode &= 0o777; // set-user-ID bits were the other owner's to give
        }
        if own.gid() != self.gid && fchown(file, None, Some(Gid::from_raw(self.gid))).is_err() {
            mode &= 0o707 | ((mode & 0o007) << 3);
        }
        file.set_permissions(Permissions::from_mode(mode))
    }
}

impl Stream {
    /// Whether it can be written to, as far as that shows without doing so.
    ///
    /// # Errors
    /// It cannot.
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
            // Not by opening it: a FIFO's reader would see the end of it, and a device move.
            Stream::Path(path) => Ok(access(path, Access::WRITE_OK)?),
        }
    }

    /// Writes everything. Without a deadline it waits as long as a shell would.
    ///
    /// # Errors
    /// It could not be written, or was not read in time.
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

/// A FIFO without a reader fails with ENXIO (fifo(7)); so does a device that is not there.
fn is_without_reader(path: &Path, error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::NXIO.raw_os_error())
        && fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

/// Opens a file for appending, without waiting for a FIFO's reader.
fn open_now(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new()
        .append(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

fn open_for_reader(path: &Path, deadline: Option<Instant>) -> io::Result<File> {
    loop {
        match open_now(path) {
            Err(error) if is_without_reader(path, &error) => {
                if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Err(late("nobody has opened it to read"));
                }
                std::thread::sleep(LOOK);
            }
            opened => return opened,
        }
    }
}

fn write_all(file: &File, bytes: &[u8], deadline: Option<Instant>) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        wait_for_room(file, deadline)?;
        match rustix::io::write(file, &rest[..rest.len().min(PIECE)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_for_room(file: &File, deadline: Option<Instant>) -> io::Result<()> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec::try_from(left).unwrap_or_default());
        let mut asked = [PollFd::new(file, PollFlags::OUT)];
        match poll(&mut asked, left.as_ref()) {
            Ok(0) => return Err(late("nobody reads it")),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn late(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what.to_owned())
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.to_owned())
}

/// Whether a file may not be replaced because another program has it open: never here.
pub(in crate::cli) fn is_in_use(_error: &io::Error) -> bool {
    false
}

/// The folder, to be brought to the disk after a rename in it (fsync(2)).
pub(in crate::cli) fn open_folder(path: &Path) -> io::Result<Option<File>> {
    File::open(path).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path) -> PathBuf {
        match look_at(path).expect("it can be written") {
            Target::File { path, .. } => path,
            Target::Stream(stream) => panic!("{stream:?} is no file"),
        }
    }

    fn is_stream(path: &str) -> bool {
        matches!(look_at(Path::new(path)), Ok(Target::Stream(_)))
    }

    #[test]
    fn devices_and_descriptors_are_never_replaced() {
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
        look_at(&round).expect_err("it leads to itself");
        let device = folder.join("device");
        std::os::unix::fs::symlink("/dev/null", &device).expect("it is ours");
        assert!(matches!(look_at(&device), Ok(Target::Stream(_))));
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
            look_at(path).expect_err("it is no file");
        }
    }
}
