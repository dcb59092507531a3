//! A connected unix socket on the runtime of its thread.
//!
//! The problem: the system reports a unix socket as writable each time that the peer has read
//! something (unix_write_space in the kernel's net/unix/af_unix.c), also where nothing waits to
//! be written. With 100 readers that wakes the thread many times for each broadcast, for
//! nothing. tokio's own type always asks for these events.
//!
//! So the socket asks for them from the first write that has to wait until [`UNWATCHED_AFTER`] writes in a
//! row have not had to. The runtime registers a socket anew for that, and forgets the task that
//! waits to read; this type remembers it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The number of writes without a wait after which none is expected to wait.
const UNWATCHED_AFTER: u8 = 64;

/// A connected socket. It joins the runtime of the current thread when it is first polled.
#[derive(Debug)]
pub(super) struct Socket {
    /// Declared first, so that it is dropped while the descriptor is open. `None` until the
    /// first poll, and where the system has refused a registration.
    registration: Option<AsyncFd<Descriptor>>,
    stream: UnixStream,
    /// The task that waits to read.
    reader: Option<Waker>,
    /// Writes since the last one that had to wait; `None` where writability is not watched.
    writes_without_wait: Option<u8>,
}

/// The descriptor of [`Socket::stream`].
#[derive(Debug)]
struct Descriptor(RawFd);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// The state of the socket's buffer, as an operation has shown it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The next operation has to wait: there is no more input, or no more room.
    Exhausted,
    /// Nothing is known of the next operation.
    Unknown,
}

impl Progress {
    /// Returns the progress of an operation on a stream that has moved `moved` of `wanted`
    /// bytes.
    pub(super) fn of(moved: usize, wanted: usize) -> Progress {
        match (1..wanted).contains(&moved) {
            true => Progress::Exhausted,
            false => Progress::Unknown,
        }
    }
}

impl Socket {
    /// Wraps a socket, which must be in non-blocking mode.
    pub(super) fn new(stream: UnixStream) -> Socket {
        Socket {
            registration: None,
            stream,
            reader: None,
            writes_without_wait: None,
        }
    }

    /// Leaves the runtime.
    pub(super) fn into_std(self) -> UnixStream {
        let Socket {
            registration,
            stream,
            ..
        } = self;
        drop(registration);
        stream
    }

    /// Reads with `read`, once there may be something to read.
    ///
    /// # Errors
    /// Those of `read`, or the system does not register the socket (epoll_ctl(2)).
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&UnixStream) -> io::Result<(T, Progress)>,
    ) -> Poll<io::Result<T>> {
        loop {
            let Some(registration) = &self.registration else {
                self.register()?;
                continue;
            };
            let Poll::Ready(ready) = registration.poll_read_ready(cx) else {
                remember(&mut self.reader, cx.waker());
                return Poll::Pending;
            };
            let mut ready = ready?;
            match read(&self.stream) {
                // The socket was less ready than the runtime knew.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error)),
                Ok((value, progress)) => {
                    if progress == Progress::Exhausted {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(value));
                }
            }
        }
    }

    /// Returns `Ready` if there may be something to read, as far as the runtime knows.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(registration) = &self.registration else {
            return Poll::Ready(());
        };
        if registration.poll_read_ready(cx).is_ready() {
            return Poll::Ready(());
        }
        remember(&mut self.reader, cx.waker());
        Poll::Pending
    }

    /// Writes with `write`, once there may be room.
    ///
    /// # Errors
    /// Those of `write`, or the system does not register the socket (epoll_ctl(2)).
    pub(super) fn poll_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&UnixStream) -> io::Result<(T, Progress)>,
    ) -> Poll<io::Result<T>> {
        loop {
            let Some(count) = &mut self.writes_without_wait else {
                match write(&self.stream) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.writes_without_wait = Some(0);
                        self.register()?;
                        continue;
                    }
                    written => return Poll::Ready(written.map(|(value, _)| value)),
                }
            };
            let Some(registration) = &self.registration else {
                self.register()?;
                continue;
            };
            let mut ready = ready!(registration.poll_write_ready(cx))?;
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    *count = 0;
                    ready.clear_ready();
                }
                Err(error) => return Poll::Ready(Err(error)),
                Ok((value, Progress::Exhausted)) => {
                    *count = 0;
                    ready.clear_ready();
                    return Poll::Ready(Ok(value));
                }
                Ok((value, Progress::Unknown)) => {
                    *count += 1;
                    if *count == UNWATCHED_AFTER {
                        self.writes_without_wait = None;
                        // The write has succeeded: the next operation tries this again.
                        let _ = self.register();
                    }
                    return Poll::Ready(Ok(value));
                }
            }
        }
    }

    /// Registers the socket with the runtime, for the events that are wanted now.
    fn register(&mut self) -> io::Result<()> {
        self.registration = None; // no descriptor is registered twice
        let interest = match self.writes_without_wait {
            None => Interest::READABLE,
            Some(_) => Interest::READABLE | Interest::WRITABLE,
        };
        let descriptor = Descriptor(self.stream.as_raw_fd());
        // SAFETY: the descriptor is that of `stream`, which is open for as long as the
        // registration exists: it is dropped before `stream`, and before `stream` is moved out.
        #[expect(unsafe_code, reason = "tokio asks for this promise")]
        let registered = unsafe { AsyncFd::register_with_interest(descriptor, interest) };
        let reader = self.reader.take();
        let registration = registered.inspect_err(|_| {
            // It polls again, and is told.
            reader.iter().for_each(Waker::wake_by_ref);
        })?;
        if let Some(reader) = reader {
            let mut cx = Context::from_waker(&reader);
            if registration.poll_read_ready(&mut cx).is_ready() {
                reader.wake_by_ref();
            }
            self.reader = Some(reader);
        }
        self.registration = Some(registration);
        Ok(())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn remember(slot: &mut Option<Waker>, waker: &Waker) {
    match slot {
        Some(known) if known.will_wake(waker) => {}
        Some(known) => known.clone_from(waker),
        None => *slot = Some(waker.clone()),
    }
}

#[cfg(test)]
mod tests;
