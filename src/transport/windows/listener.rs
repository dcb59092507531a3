//! A pipe that is listened on: instances that wait for clients.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::os::windows::io::OwnedHandle;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED,
};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, WaitNamedPipeW};

use super::instance::PipeConfig;
use super::local::Local;
use super::names::{code, pipe_path, wide};
use super::overlapped::Operation;
use super::released::{InstanceGuard, ReleasedInstances};
use super::security::Descriptor;
use crate::transport::{BindError, Endpoint, ListenOptions};

/// Instances that wait for clients at once: in a burst of so many clients each finds one,
/// before this server's thread has run.
const AHEAD: usize = 250;

/// The pause before another attempt to make an instance: one that was closed may take a moment
/// to go.
const RETRY: Duration = Duration::from_millis(10);

/// A pipe that is listened on.
///
/// With a `max`, a client that finds all instances in use waits, as WaitNamedPipe has it. An
/// instance whose connection is over is closed only once the next one is made. So the name is
/// never without an instance, when another program could take it, and waiting clients are
/// woken (Wine wakes them by nothing else).
#[derive(Debug)]
pub(in crate::transport) struct LocalListener {
    config: PipeConfig,
    /// The most instances that wait or are connected. Windows is told one more, for the one
    /// that replaces another.
    max: usize,
    waiting: Vec<Waiting>,
    connected: usize,
    released: Arc<ReleasedInstances>,
    retry: Option<Pin<Box<Sleep>>>,
}

/// An instance that waits for its client.
#[derive(Debug)]
struct Waiting {
    handle: Arc<OwnedHandle>,
    connect: Operation,
    /// The client connected before the wait for it began.
    is_connected: bool,
}

impl LocalListener {
    pub(in crate::transport) fn bind(
        endpoint: &Endpoint,
        options: &ListenOptions<'_>,
    ) -> Result<Self, BindError> {
        let io_error = |source| BindError::io(endpoint, source);
        let path = pipe_path(endpoint).map_err(io_error)?;
        let path = wide(OsStr::new(&path));
        // FIRST_PIPE_INSTANCE keeps two servers apart. Wine does not know it: there this check
        // must do.
        if exists(&path) {
            return Err(BindError::InUse(endpoint.clone()));
        }
        let max = options.max.unwrap_or(usize::MAX);
        let config = PipeConfig {
            path,
            framing: options.pipe,
            remote: options.remote,
            limit: u32::try_from(max.saturating_add(1)).ok(),
            security: Descriptor::of(options.access, options.pipe).map_err(io_error)?,
        };
        let first = match config.make_instance(true) {
            Err(error) if code(&error) == Some(ERROR_ACCESS_DENIED) => {
                return Err(BindError::InUse(endpoint.clone()));
            }
            made => made.and_then(Waiting::new).map_err(io_error)?,
        };
        let mut listener = LocalListener {
            config,
            max,
            waiting: vec![first],
            connected: 0,
            released: Arc::default(),
            retry: None,
        };
        listener.fill().map_err(io_error)?;
        Ok(listener)
    }

    /// Returns whether this listener's pipe is that of `endpoint`: a pipe's name has no case.
    pub(in crate::transport) fn is_at(&self, endpoint: &Endpoint) -> bool {
        let Ok(path) = pipe_path(endpoint) else {
            return false;
        };
        let own = self
            .config
            .path
            .split_last()
            .map_or(&[][..], |(_, own)| own); // without its NUL
        String::from_utf16_lossy(own).eq_ignore_ascii_case(&path)
    }

    pub(in crate::transport) fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Local>> {
        self.released.register(cx.waker());
        if let Err(error) = self.replace().and_then(|()| self.fill())
            && self.waiting.is_empty()
        {
            return Poll::Ready(Err(error));
        }
        self.poll_retry(cx);
        for index in 0..self.waiting.len() {
            if let Poll::Ready(connected) = self.waiting[index].poll(cx) {
                let waiting = self.waiting.swap_remove(index);
                self.connected += usize::from(connected.is_ok());
                // The next one is made before this one is served. If that fails, the next
                // accept returns the error.
                let _ = self.fill();
                return Poll::Ready(connected.and_then(|()| self.local(waiting)));
            }
        }
        Poll::Pending
    }

    pub(in crate::transport) fn accept_now(&mut self) -> io::Result<Local> {
        while let Some(mut waiting) = self.waiting.pop() {
            if waiting.is_connected_now() {
                self.connected += 1;
                return self.local(waiting);
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Does nothing: a pipe's name exists as long as its instances do.
    pub(in crate::transport) fn poll_watch(&mut self, _cx: &mut Context<'_>) {}

    /// Refuses new clients: instances that have no client yet are closed.
    pub(in crate::transport) fn close_to_new(&mut self) {
        self.waiting.retain_mut(Waiting::is_connected_now);
    }

    /// Closes the instances whose connections are over, each once the next one is made.
    fn replace(&mut self) -> io::Result<()> {
        let mut filled = Ok(());
        for handle in self.released.take() {
            self.connected -= 1;
            // Each of them is closed, also if the next one cannot be made.
            filled = filled.and(self.fill());
            drop(handle);
        }
        filled
    }

    /// Makes instances until enough of them wait, or no more are allowed now.
    fn fill(&mut self) -> io::Result<()> {
        let free = self.max.saturating_sub(self.connected);
        while self.waiting.len() < free.min(AHEAD) {
            match self.config.make_instance(false).and_then(Waiting::new) {
                Ok(waiting) => self.waiting.push(waiting),
                Err(error) if code(&error) == Some(ERROR_PIPE_BUSY) => {
                    self.retry
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep(RETRY)));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        self.retry = None;
        Ok(())
    }

    /// Retries while all instances are in use: no event tells when Windows has freed one.
    fn poll_retry(&mut self, cx: &mut Context<'_>) {
        let is_due = |retry: &mut Pin<Box<Sleep>>| retry.as_mut().poll(cx).is_ready();
        if self.waiting.is_empty() && self.retry.as_mut().is_some_and(is_due) {
            self.retry = None;
            cx.waker().wake_by_ref();
        }
    }

    /// Returns the connection of an instance. If that fails, the instance no longer counts.
    fn local(&mut self, waiting: Waiting) -> io::Result<Local> {
        let Waiting {
            handle, connect, ..
        } = waiting;
        drop(connect);
        let handle = Arc::into_inner(handle).expect("the operation was the only other holder");
        let guarded = handle.try_clone().inspect_err(|_| self.connected -= 1)?;
        let instance = InstanceGuard::new(guarded, &self.released);
        Ok(Local::accepted(handle, self.config.framing, instance))
    }
}

impl Waiting {
    #[expect(
        unsafe_code,
        reason = "tokio would tie the pipe to this thread's runtime"
    )]
    fn new(handle: OwnedHandle) -> io::Result<Waiting> {
        let handle = Arc::new(handle);
        let mut connect = Operation::new(Arc::clone(&handle))?;
        let begun = connect.begin(|handle, _, overlapped| {
            // SAFETY: the OVERLAPPED is the operation's, which keeps it until it is over.
            unsafe { ConnectNamedPipe(handle, overlapped) }
        });
        let is_connected = match begun {
            Ok(()) => false,
            // The client came before this call; with NO_DATA it has gone again.
            Err(error) if matches!(code(&error), Some(ERROR_PIPE_CONNECTED | ERROR_NO_DATA)) => {
                true
            }
            Err(error) => return Err(error),
        };
        Ok(Waiting {
            handle,
            connect,
            is_connected,
        })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_connected {
            return Poll::Ready(Ok(()));
        }
        // A client that has gone already is no failure of the listener.
        self.connect
            .poll(cx)
            .map_ok(drop)
            .map_err(|error| io::Error::new(io::ErrorKind::ConnectionAborted, error))
    }

    fn is_connected_now(&mut self) -> bool {
        self.is_connected |= matches!(self.connect.cancel(), Some(Ok(_)));
        self.is_connected
    }
}

/// Returns whether a pipe of this name exists, with or without a free instance.
#[expect(unsafe_code, reason = "std does not find a pipe without opening it")]
fn exists(path: &[u16]) -> bool {
    // SAFETY: the path ends in NUL.
    let free = unsafe { WaitNamedPipeW(path.as_ptr(), 1) } != 0;
    free || code(&io::Error::last_os_error()) != Some(ERROR_FILE_NOT_FOUND)
}
