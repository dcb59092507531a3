//! Finds out whether the peer has read everything.
//!
//! Windows has one way to tell: FlushFileBuffers returns once the peer has, so each flush that
//! is under way needs a thread of its own. Disconnecting the pipe ends its flush.
//!
//! A client that closes discards what it has not read, and with that the pipe is as empty as
//! if it had been read:
//! - a flush that waits when that happens fails;
//! - a flush that begins afterwards succeeds, and says nothing.
//!
//! So a flush counts only where the pipe was seen connected just before it, and once one has
//! failed no other is begun.

use std::io;
use std::mem;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_PIPE_CONNECTED_STATE, FILE_PIPE_LOCAL_INFORMATION, FilePipeLocalInformation,
    NtQueryInformationFile,
};
use windows_sys::Win32::Storage::FileSystem::FlushFileBuffers;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::Pipes::DisconnectNamedPipe;

/// The stack of a flush's thread, in bytes. It needs hardly any.
const STACK: usize = 64 * 1024;

/// The flushes of one end of a pipe.
#[derive(Debug)]
pub(super) struct Flush {
    handle: Arc<OwnedHandle>,
    /// The number of writes.
    written: u64,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    is_running: AtomicBool,
    /// The number of writes that are known to have been read.
    read: AtomicU64,
    /// The peer has closed, and is not known to have read everything.
    has_failed: AtomicBool,
}

impl Flush {
    pub(super) fn new(handle: Arc<OwnedHandle>) -> Flush {
        Flush {
            handle,
            written: 0,
            progress: Arc::default(),
        }
    }

    /// Counts a write.
    pub(super) fn note_write(&mut self) {
        self.written += 1;
    }

    /// Returns whether the peer is known to have read everything. If not, a flush is begun that
    /// finds out, unless the peer has closed its end (`has_ended`): call it again later.
    ///
    /// # Errors
    /// There is no thread for it.
    pub(super) fn is_done(&self, has_ended: bool) -> io::Result<bool> {
        let progress = &self.progress;
        if progress.read.load(Ordering::Acquire) >= self.written {
            return Ok(true);
        }
        let may_begin = !has_ended && !progress.has_failed.load(Ordering::Acquire);
        if may_begin && !progress.is_running.swap(true, Ordering::AcqRel) {
            self.start()?;
        }
        Ok(false)
    }

    /// Returns whether a flush is under way. The peer's close ends it, and its outcome counts.
    pub(super) fn is_running(&self) -> bool {
        self.progress.is_running.load(Ordering::Acquire)
    }

    fn start(&self) -> io::Result<()> {
        let (handle, upto) = (Arc::clone(&self.handle), self.written);
        let progress = Arc::clone(&self.progress);
        let thread = std::thread::Builder::new()
            .name("arauto-flush".to_owned())
            .stack_size(STACK);
        let started = thread.spawn(move || {
            if is_connected(&handle) && flush(&handle).is_ok() {
                progress.read.fetch_max(upto, Ordering::AcqRel);
            } else {
                progress.has_failed.store(true, Ordering::Release);
            }
            progress.is_running.store(false, Ordering::Release);
        });
        if let Err(error) = started {
            self.progress.is_running.store(false, Ordering::Release);
            return Err(error);
        }
        Ok(())
    }

    pub(super) fn handle(&self) -> &OwnedHandle {
        &self.handle
    }
}

/// Returns whether the peer still has its end.
#[expect(unsafe_code, reason = "no crate tells a pipe's state")]
fn is_connected(handle: &OwnedHandle) -> bool {
    let mut status = IO_STATUS_BLOCK::default();
    let mut found = FILE_PIPE_LOCAL_INFORMATION::default();
    // SAFETY: the handle is open for as long as it is borrowed; both variables are ours, and the
    // length is that of the second.
    let told = unsafe {
        NtQueryInformationFile(
            handle.as_raw_handle(),
            &mut status,
            (&raw mut found).cast(),
            mem::size_of::<FILE_PIPE_LOCAL_INFORMATION>() as u32,
            FilePipeLocalInformation,
        )
    };
    told == 0 && found.NamedPipeState == FILE_PIPE_CONNECTED_STATE
}

/// Waits until the peer has read everything.
#[expect(unsafe_code, reason = "no crate flushes a pipe by its handle")]
fn flush(handle: &OwnedHandle) -> io::Result<()> {
    // SAFETY: the handle is open for as long as it is borrowed.
    match unsafe { FlushFileBuffers(handle.as_raw_handle()) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

impl Drop for Flush {
    /// Ends a flush that still waits: a deadline has passed, and the peer loses what it has not
    /// read. If no flush is under way, the peer can still read what is in the pipe.
    #[expect(unsafe_code, reason = "no crate disconnects a pipe by its handle")]
    fn drop(&mut self) {
        if self.progress.is_running.load(Ordering::Acquire) {
            // SAFETY: the handle is open.
            unsafe { DisconnectNamedPipe(self.handle.as_raw_handle()) };
        }
    }
}
