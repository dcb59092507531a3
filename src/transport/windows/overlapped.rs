//! One overlapped operation on a handle, waited for without a thread of its own.
//!
//! The kernel uses the buffer and the OVERLAPPED of an operation until the operation is over. So
//! the operation owns both, and dropping it cancels it and waits until the kernel is done. An
//! event tells when it is over, and not a completion port: a handle that was given to a port can
//! never be given to another one, and a pipe is connected on one thread's runtime and served on
//! another's.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use windows_sys::Win32::Foundation::{
    ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, ERROR_MORE_DATA, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::{
    CreateEventW, INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEONLYONCE,
};
use windows_sys::core::BOOL;

/// The outcome of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transferred {
    /// The number of bytes.
    pub(super) length: usize,
    /// Whether the message goes on (ERROR_MORE_DATA).
    pub(super) more: bool,
}

/// An operation, begun or not. It can be begun again once it is over.
#[derive(Debug)]
pub(super) struct Operation {
    handle: Arc<OwnedHandle>,
    shared: Arc<Shared>,
    wait: Option<Wait>,
    is_begun: bool,
    buffer: Vec<u8>,
}

/// The part that the kernel and the system's waiting thread reach by address.
#[derive(Debug)]
struct Shared {
    overlapped: UnsafeCell<OVERLAPPED>,
    /// Set when the operation is over; reset by the system when one begins.
    event: OwnedHandle,
    waker: AtomicWaker,
}

// SAFETY: the OVERLAPPED is written by its Operation, through `&mut`, while none is
// begun, and by the kernel while one is; the other fields are Send and Sync.
#[expect(unsafe_code, reason = "the kernel is told an address")]
unsafe impl Send for Shared {}
// SAFETY: as above; the thread that waits looks at the waker only.
#[expect(unsafe_code, reason = "the kernel is told an address")]
unsafe impl Sync for Shared {}

impl Operation {
    /// Returns an operation on `handle`, which must be open for overlapped use.
    #[expect(unsafe_code, reason = "an event is made")]
    pub(super) fn new(handle: Arc<OwnedHandle>) -> io::Result<Operation> {
        // SAFETY: no name, no attributes: nothing is passed by address. Manual reset.
        let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        Ok(Operation {
            handle,
            shared: Arc::new(Shared {
                overlapped: UnsafeCell::default(),
                // SAFETY: it was made just now, and nobody else has it.
                event: unsafe { OwnedHandle::from_raw_handle(event) },
                waker: AtomicWaker::new(),
            }),
            wait: None,
            is_begun: false,
            buffer: Vec::new(),
        })
    }

    /// Returns whether it was begun and [`Operation::poll`] has not returned its outcome yet.
    pub(super) fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// Returns the bytes that it works on.
    ///
    /// # Panics
    /// The operation is begun: the kernel uses them.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        assert!(!self.is_begun, "the kernel has the buffer");
        &mut self.buffer
    }

    /// Begins the operation: `call` starts it on the handle with the buffer's bytes and the
    /// OVERLAPPED, and returns the system's result.
    ///
    /// # Errors
    /// The system refuses to begin it.
    #[expect(unsafe_code, reason = "the kernel is told an address")]
    pub(super) fn begin(
        &mut self,
        call: impl FnOnce(HANDLE, &mut [u8], *mut OVERLAPPED) -> BOOL,
    ) -> io::Result<()> {
        assert!(!self.is_begun, "one at a time");
        let overlapped = self.shared.overlapped.get();
        // SAFETY: none is begun, so that nobody else looks at it.
        unsafe {
            *overlapped = OVERLAPPED {
                hEvent: self.shared.event.as_raw_handle(),
                ..OVERLAPPED::default()
            };
        }
        let done = call(self.handle.as_raw_handle(), &mut self.buffer, overlapped);
        if done == 0 {
            let error = io::Error::last_os_error();
            match error.raw_os_error().map(i32::cast_unsigned) {
                Some(ERROR_IO_PENDING | ERROR_MORE_DATA) => {}
                _ => return Err(error),
            }
        }
        self.is_begun = true;
        Ok(())
    }

    /// Returns the outcome once the operation is over.
    ///
    /// # Panics
    /// It was not begun.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Transferred>> {
        assert!(self.is_begun, "nothing was begun");
        if let Some(outcome) = self.outcome(false) {
            return Poll::Ready(outcome);
        }
        self.shared.waker.register(cx.waker());
        if self.wait.is_none() {
            self.wait = Some(Wait::new(&self.shared)?);
        }
        // It may have ended before the wait was registered.
        match self.outcome(false) {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }

    /// Ends the one that was begun, whatever it takes; its outcome may still be
    /// that it was done. `None`: none was begun.
    #[expect(unsafe_code, reason = "the kernel is told an address")]
    pub(super) fn cancel(&mut self) -> Option<io::Result<Transferred>> {
        if !self.is_begun {
            return None;
        }
        self.wait = None; // nobody is to be woken for it
        // SAFETY: the handle is open and the OVERLAPPED is this operation's.
        unsafe { CancelIoEx(self.handle.as_raw_handle(), self.shared.overlapped.get()) };
        self.outcome(true)
    }

    #[expect(unsafe_code, reason = "the kernel is told an address")]
    fn outcome(&mut self, wait: bool) -> Option<io::Result<Transferred>> {
        let mut length = 0;
        let (handle, overlapped) = (self.handle.as_raw_handle(), self.shared.overlapped.get());
        // SAFETY: the handle is open, and the OVERLAPPED that of an operation on it.
        let done = unsafe { GetOverlappedResult(handle, overlapped, &mut length, wait.into()) };
        let mut transferred = Transferred {
            length: length as usize,
            more: false,
        };
        let outcome = if done != 0 {
            Ok(transferred)
        } else {
            let error = io::Error::last_os_error();
            match error.raw_os_error().map(i32::cast_unsigned) {
                Some(ERROR_IO_INCOMPLETE) => return None,
                Some(ERROR_MORE_DATA) => {
                    transferred.more = true;
                    Ok(transferred)
                }
                _ => Err(error),
            }
        };
        self.is_begun = false;
        self.wait = None;
        Some(outcome)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let _ = self.cancel(); // its outcome no longer matters
    }
}

/// A wait of a thread of the system for an event, which wakes a task once.
///
/// WT_EXECUTEINWAITTHREAD is not used: if such a wait is unregistered at the moment that it is
/// signalled, Wine 8 removes it from a list that it is not in, and crashes.
#[derive(Debug)]
struct Wait {
    handle: HANDLE,
    /// Keeps the waker alive for as long as the thread may use it.
    _shared: Arc<Shared>,
}

// SAFETY: a wait's handle may be used on any thread.
#[expect(unsafe_code, reason = "HANDLE is a pointer")]
unsafe impl Send for Wait {}

impl Wait {
    #[expect(unsafe_code, reason = "no crate waits for an event like this")]
    fn new(shared: &Arc<Shared>) -> io::Result<Wait> {
        let mut handle: HANDLE = ptr::null_mut();
        // SAFETY: the event and the context live until the Wait is dropped, which
        // waits until the callback is over.
        let registered = unsafe {
            RegisterWaitForSingleObject(
                &mut handle,
                shared.event.as_raw_handle(),
                Some(wake),
                Arc::as_ptr(shared).cast(),
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        };
        if registered == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Wait {
            handle,
            _shared: Arc::clone(shared),
        })
    }
}

impl Drop for Wait {
    #[expect(unsafe_code, reason = "no crate waits for an event like this")]
    fn drop(&mut self) {
        // SAFETY: the handle is this wait's. INVALID_HANDLE_VALUE: it returns when
        // the callback is over, so that nothing reaches `shared` any more.
        unsafe { UnregisterWaitEx(self.handle, INVALID_HANDLE_VALUE) };
    }
}

#[expect(unsafe_code, reason = "called by the system with what it was given")]
unsafe extern "system" fn wake(context: *mut c_void, _timed_out: bool) {
    // SAFETY: it is the Shared of a Wait that is not dropped yet.
    let shared = unsafe { &*context.cast::<Shared>() };
    shared.waker.wake();
}
