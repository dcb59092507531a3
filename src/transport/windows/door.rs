//! A pipe's name, with instances that wait for clients.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::os::windows::io::OwnedHandle;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::Sleep;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED,
};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, WaitNamedPipeW};

use super::instance::{Mould, wide};
use super::overlapped::Operation;
use super::security::Descriptor;
use super::{Local, code};
use crate::transport::{BindError, Endpoint, Opening};

/// Instances that wait for a client at once: a burst of so many finds each a place
/// ready, before this server has had a turn.
const AHEAD: usize = 250;

/// When to try again to make an instance: one that was closed may take a moment to go.
const RETRY: Duration = Duration::from_millis(10);

/// A pipe that is listened on.
///
/// Where there is a `max`, a client that finds all instances taken waits as
/// WaitNamedPipe has it. An instance that is over is closed only when the next one is
/// there: the name is never without an instance, which somebody else could take, and
/// those who wait are woken (Wine wakes them by nothing else).
#[derive(Debug)]
pub(in crate::transport) struct LocalDoor {
    mould: Mould,
    /// The most instances that wait or are connected; Windows is told of one more.
    max: usize,
    waiting: Vec<Waiting>,
    connected: usize,
    over: Arc<Over>,
    retry: Option<Pin<Box<Sleep>>>,
}

/// Instances whose connections are over.
#[derive(Debug, Default)]
struct Over {
    handles: Mutex<Vec<Arc<OwnedHandle>>>,
    /// Woken when there is one more.
    door: AtomicWaker,
}

/// An instance that waits for its client.
#[derive(Debug)]
struct Waiting {
    handle: Arc<OwnedHandle>,
    connect: Operation,
    /// The client was there already.
    is_connected: bool,
}

/// An instance's last handle: given back to the door when the connection is over, if
/// there still is one.
#[derive(Debug)]
pub(super) struct Place {
    handle: Arc<OwnedHandle>,
    over: Weak<Over>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(over) = self.over.upgrade() {
            over.handles.lock().push(Arc::clone(&self.handle));
            over.door.wake();
        }
    }
}

impl Place {
    pub(super) fn handle(&self) -> &Arc<OwnedHandle> {
        &self.handle
    }
}

impl LocalDoor {
    pub(in crate::transport) fn bind(
        endpoint: &Endpoint,
        opening: &Opening<'_>,
    ) -> Result<Self, BindError> {
        let io_error = |source| BindError::Io {
            endpoint: endpoint.clone(),
            source,
        };
        let path = super::path(endpoint).map_err(io_error)?;
        let path = wide(OsStr::new(&path));
        // FIRST_PIPE_INSTANCE is what keeps two servers apart, and Wine does not
        // know it: there, a look first must do.
        if is_there(&path) {
            return Err(BindError::InUse(endpoint.clone()));
        }
        let max = opening.max.unwrap_or(usize::MAX);
        let mould = Mould {
            path,
            framing: opening.pipe,
            remote: opening.remote,
            limit: u32::try_from(max.saturating_add(1)).ok(),
            security: Descriptor::of(opening.access, opening.pipe).map_err(io_error)?,
        };
        let first = match mould.make(true) {
            Err(error) if code(&error) == Some(ERROR_ACCESS_DENIED) => {
                return Err(BindError::InUse(endpoint.clone()));
            }
            made => made.and_then(Waiting::new).map_err(io_error)?,
        };
        let mut door = LocalDoor {
            mould,
            max,
            waiting: vec![first],
            connected: 0,
            over: Arc::default(),
            retry: None,
        };
        door.fill().map_err(io_error)?;
        Ok(door)
    }

    /// Whether this door is the pipe of that endpoint: a pipe's name has no case.
    pub(in crate::transport) fn is_at(&self, endpoint: &Endpoint) -> bool {
        let Ok(path) = super::path(endpoint) else {
            return false;
        };
        let own = self.mould.path.split_last().map_or(&[][..], |(_, own)| own); // without its NUL
        String::from_utf16_lossy(own).eq_ignore_ascii_case(&path)
    }

    pub(in crate::transport) fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Local>> {
        self.over.door.register(cx.waker());
        if let Err(error) = self.replace().and_then(|()| self.fill())
            && self.waiting.is_empty()
        {
            return Poll::Ready(Err(error));
        }
        self.poll_retry(cx);
        for index in 0..self.waiting.len() {
            if let Poll::Ready(connected) = self.waiting[index].poll(cx) {
                let taken = self.waiting.swap_remove(index);
                self.connected += usize::from(connected.is_ok());
                // The next one is there before this one is served; where it cannot
                // be, that shows at the next accept.
                let _ = self.fill();
                return Poll::Ready(connected.and_then(|()| self.local(taken)));
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

    /// A pipe's name is there as long as its instances are.
    pub(in crate::transport) fn poll_watch(&mut self, _cx: &mut Context<'_>) {}

    /// Nobody new finds an instance: those that have no client yet are taken away.
    pub(in crate::transport) fn close_to_new(&mut self) {
        self.waiting.retain_mut(Waiting::is_connected_now);
    }

    /// Closes the instances that are over, each when the next one is there.
    fn replace(&mut self) -> io::Result<()> {
        let over = std::mem::take(&mut *self.over.handles.lock());
        let mut filled = Ok(());
        for handle in over {
            self.connected -= 1;
            // All of them are over, also where the next one cannot be made.
            filled = filled.and(self.fill());
            drop(handle);
        }
        filled
    }

    /// Makes instances until enough wait, or there may be no more now.
    fn fill(&mut self) -> io::Result<()> {
        let free = self.max.saturating_sub(self.connected);
        while self.waiting.len() < free.min(AHEAD) {
            match self.mould.make(false).and_then(Waiting::new) {
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

    /// With all instances taken, no event tells when Windows has let one go.
    fn poll_retry(&mut self, cx: &mut Context<'_>) {
        let is_due = |retry: &mut Pin<Box<Sleep>>| retry.as_mut().poll(cx).is_ready();
        if self.waiting.is_empty() && self.retry.as_mut().is_some_and(is_due) {
            self.retry = None;
            cx.waker().wake_by_ref();
        }
    }

    /// Where it fails, the instance is gone, and counts no more.
    fn local(&mut self, taken: Waiting) -> io::Result<Local> {
        let Waiting {
            handle, connect, ..
        } = taken;
        drop(connect);
        let handle = Arc::into_inner(handle).expect("the operation was the only other holder");
        let place = Place {
            handle: Arc::new(handle.try_clone().inspect_err(|_| self.connected -= 1)?),
            over: Arc::downgrade(&self.over),
        };
        Ok(Local::accepted(handle, self.mould.framing, place))
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
            // Between the making of the instance and now; NO_DATA: and it has gone again.
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
        // A client that has gone already is no error of the listener's.
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

/// Whether a pipe of this name is there, with or without a free instance.
#[expect(
    unsafe_code,
    reason = "std does not look for a pipe without opening it"
)]
fn is_there(path: &[u16]) -> bool {
    // SAFETY: the path ends in NUL.
    let free = unsafe { WaitNamedPipeW(path.as_ptr(), 1) } != 0;
    free || code(&io::Error::last_os_error()) != Some(ERROR_FILE_NOT_FOUND)
}
