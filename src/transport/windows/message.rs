//! A pipe of message type, with its messages' boundaries.
//!
//! tokio and mio read 4096 bytes at a time and lose the end of a message. Here a read reports it
//! (ERROR_MORE_DATA: the message goes on), and an empty message is not the end of the input.

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

/// The most bytes of one read. A pipe holds this much memory while it waits.
const READ: usize = 4 * 1024;

/// One end of a connected pipe.
#[derive(Debug)]
pub(super) struct MessageEnd {
    read: Operation,
    write: Operation,
    /// Bytes that were read and not received yet.
    buffered: Option<Buffered>,
    flush: Flush,
    has_ended: bool,
}

/// The bytes of the read's buffer that were not received yet.
#[derive(Debug)]
struct Buffered {
    from: usize,
    to: usize,
    more: bool,
}

impl MessageEnd {
    /// Returns the end of a pipe whose handle is in message read mode.
    pub(super) fn new(handle: Arc<OwnedHandle>) -> io::Result<MessageEnd> {
        Ok(MessageEnd {
            read: Operation::new(Arc::clone(&handle))?,
            write: Operation::new(Arc::clone(&handle))?,
            buffered: None,
            flush: Flush::new(handle),
            has_ended: false,
        })
    }

    /// Returns whether the peer is known to have read everything. The first call begins to find
    /// out; a later one tells.
    pub(super) fn is_read(&self) -> io::Result<bool> {
        Ok(!self.write.is_begun() && self.flush.is_done(self.has_ended)?)
    }

    /// Returns the watch over the peer's reads.
    pub(super) fn flush(&self) -> &Flush {
        &self.flush
    }

    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        if self.has_ended {
            return Poll::Ready(Ok(Received::End));
        }
        if self.buffered.is_none() {
            match ready!(self.poll_read(cx)) {
                Ok(buffered) => self.buffered = Some(buffered),
                Err(error) if is_end(&error) => {
                    self.has_ended = true;
                    return Poll::Ready(Ok(Received::End));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let Some(buffered) = &mut self.buffered else {
            return Poll::Pending;
        };
        let length = buf.len().min(buffered.to - buffered.from);
        let place = buffered.from..buffered.from + length;
        buf[..length].copy_from_slice(&self.read.buffer()[place]);
        buffered.from += length;
        let goes_on = buffered.more || buffered.from < buffered.to;
        if buffered.from == buffered.to {
            self.buffered = None;
        }
        Poll::Ready(Ok(if goes_on {
            Received::Bytes(length)
        } else {
            Received::Message(length)
        }))
    }

    #[expect(unsafe_code, reason = "tokio does not tell where a message ends")]
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Buffered>> {
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
        Poll::Ready(Ok(Buffered {
            from: 0,
            to: read.length,
            more: read.more,
        }))
    }

    /// Sends one message. Until it is ready, it must be called with the same message.
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

/// Returns whether the peer has closed its end, or the pipe was disconnected.
pub(super) fn is_end(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    matches!(
        code,
        Some(ERROR_BROKEN_PIPE | ERROR_PIPE_NOT_CONNECTED | ERROR_NO_DATA)
    )
}
