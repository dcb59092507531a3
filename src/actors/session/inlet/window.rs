//! The thread's read buffer, while a session decodes what it has read into it.

use std::cell::Cell;

use crate::actors::session::core::policy::LONGEST_READ;

/// The beginning of a frame that is put in front of the next read. A longer one is copied
/// once, and not for each of its pieces.
pub(super) const SHORT_REST: usize = 4 * 1024;

thread_local! {
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Received bytes in the thread's buffer, which dropping this gives back.
#[derive(Debug)]
pub(super) struct Window {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Window {
    /// Takes the thread's buffer.
    pub(super) fn take() -> Window {
        let fresh = || vec![0; SHORT_REST + LONGEST_READ].into();
        Window {
            buffer: BUFFER.take().unwrap_or_else(fresh),
            start: 0,
            end: 0,
        }
    }

    pub(super) fn unserved(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) fn consume(&mut self, length: usize) {
        self.start += length;
    }

    /// Appends bytes that there is room for.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.free(bytes.len()).copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Returns the next bytes to receive into, no more than `most`.
    pub(super) fn free(&mut self, most: usize) -> &mut [u8] {
        let most = most.min(self.buffer.len() - self.end);
        &mut self.buffer[self.end..self.end + most]
    }

    /// Notes that so many bytes were received into [`Window::free`].
    pub(super) fn received(&mut self, length: usize) {
        self.end += length;
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        BUFFER.set(Some(std::mem::take(&mut self.buffer)));
    }
}
