//! A pipe of message type, with its messages' boundaries.
//!
//! tokio and mio read 4096 bytes at a time and lose where a message ends; here a read
//! says so (ERROR_MORE_DATA: it goes on), and an empty message is no end.

use std::io;
use std::os::windows::io::OwnedHandle;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};

use super::flush::Flush;
use super::overlapped::Operation;
use crate::framing::Received;

/// What one read takes at most. A pipe holds this much memory while it waits.
const READ: usize = 4 * 1024;

/// One end of a connected pipe.
#[derive(Debug)]
pub(super) struct MessageEnd {
    read: Operation,
    write: Operation,
    /// What was read and not yet received.
    arrived: Option<Arrived>,
    pub(super) flush: Flush,
    is_over: bool,
}

/// Bytes at the front of the read's buffer.
#[derive(Debug)]
struct Arrived {
    from: usize,
    to: usize,
    more: bool,
}

impl MessageEnd {
    /// The end of a pipe whose handle is in message read mode.
    pub(super) fn new(handle: Arc<OwnedHandle>) -> io::Result<MessageEnd> {
        Ok(MessageEnd {
            read: Operation::new(Arc::clone(&handle))?,
            write: Operation::new(Arc::clone(&handle))?,
            arrived: None,
            flush: Flush::new(handle),
            is_over: false,
        })
    }

    /// Whether the peer has read everything. Calling it begins the check.
    pub(super) fn is_read(&self) -> io::Result<bool> {
        Ok(!self.write.is_begun() && self.flush.is_done(self.is_over)?)
    }

    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        if self.is_over {
            return Poll::Ready(Ok(Received::End));
        }
        if self.arrived.is_none() {
            match ready!(self.poll_read(cx)) {
                Ok(arrived) => self.arrived = Some(arrived),
                Err(error) if is_end(&error) => {
                    self.is_over = true;
                    return Poll::Ready(Ok(Received::End));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let Some(arrived) = &mut self.arrived else {
            return Poll::Pending;
        };
        let length = buf.len().min(arrived.to - arrived.from);
        let place = arrived.from..arrived.from + length;
        buf[..length].copy_from_slice(&self.read.buffer()[place]);
        arrived.from += length;
        let goes_on = arrived.more || arrived.from < arrived.to;
        if arrived.from == arrived.to {
            self.arrived = None;
        }
        Poll::Ready(Ok(if goes_on {
            Received::Bytes(length)
        } else {
            Received::Message(length)
        }))
    }

    #[expect(unsafe_code, reason = "tokio does not tell where a message ends")]
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Arrived>> {
        if !self.read.is_begun() {
            self.read.buffer().resize(READ, 0);
            self.read.begin(|handle, buffer, overlapped| {
                let (place, length) = (buffer.as_mut_ptr(), buffer.len() as u32);
                // SAFETY: the buffer and the OVERLAPPED are the operation's, which
                // keeps them until it is over.
                unsafe { ReadFile(handle, place, length, ptr::null_mut(), overlapped) }
            })?;
        }
        let read = ready!(self.read.poll(cx))?;
        Poll::Ready(Ok(Arrived {
            from: 0,
            to: read.length,
            more: read.more,
        }))
    }

    /// Sends one message. Until it is done, it must be called with the same one.
    pub(super) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<io::Result<()>> {
        if !self.write.is_begun() {
            let buffer = self.write.buffer();
            buffer.clear();
            buffer.extend_from_slice(message);
            self.begin_write()?;
            self.flush.note_write();
        }
        let written = ready!(self.write.poll(cx));
        if self.write.buffer().capacity() > READ {
            *self.write.buffer() = Vec::new();
        }
        Poll::Ready(written.map(drop))
    }

    #[expect(unsafe_code, reason = "tokio writes what it likes in one message")]
    fn begin_write(&mut self) -> io::Result<()> {
        self.write.begin(|handle, buffer, overlapped| {
            let (place, length) = (buffer.as_ptr(), buffer.len() as u32);
            // SAFETY: as for reading.
            unsafe { WriteFile(handle, place, length, ptr::null_mut(), overlapped) }
        })
    }
}

/// Whether the peer has closed its end, or the pipe was disconnected.
pub(super) fn is_end(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    matches!(
        code,
        Some(ERROR_BROKEN_PIPE | ERROR_PIPE_NOT_CONNECTED | ERROR_NO_DATA)
    )
}
