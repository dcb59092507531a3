//! Receives the signals of a server through a descriptor.

use std::io;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use tokio::io::unix::AsyncFd;

use crate::cli::os::server_signal::ServerSignal;

/// Receives SIGTERM, SIGINT and SIGHUP (signalfd(2)).
///
/// tokio's signals pass through a pair of sockets, and are lost if the system has no buffers
/// for a socket (ENOBUFS). These wait in the kernel until they are read.
pub(in crate::cli) struct ServerSignals(AsyncFd<SignalFd>);

impl ServerSignals {
    /// Blocks the signals on this thread and the threads that it starts later, so that they have
    /// no other effect. Call it within a runtime, before other threads start.
    ///
    /// # Errors
    /// The system has no descriptor or no memory (signalfd(2)).
    pub(in crate::cli) fn begin() -> io::Result<ServerSignals> {
        let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]
            .into_iter()
            .collect();
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let descriptor = SignalFd::with_flags(&signals, flags)?;
        signals.thread_block()?;
        // SAFETY: `as_raw_fd` of a SignalFd always returns its own descriptor, which stays open
        // until AsyncFd has deregistered it from the runtime.
        #[expect(unsafe_code, reason = "tokio asks for this promise since 1.54")]
        let descriptor = unsafe { AsyncFd::register(descriptor)? };
        Ok(ServerSignals(descriptor))
    }

    /// Waits for the next signal. Cancel safe.
    pub(in crate::cli) async fn next(&mut self) -> ServerSignal {
        loop {
            // This fails only after the runtime has shut down, when nothing is polled.
            let Ok(mut ready) = self.0.readable().await else {
                return std::future::pending().await;
            };
            match ready.get_inner().read_signal() {
                Ok(Some(info)) if info.ssi_signo == Signal::SIGHUP as u32 => {
                    return ServerSignal::Reload;
                }
                Ok(Some(_)) => return ServerSignal::Stop,
                Ok(None) | Err(_) => ready.clear_ready(),
            }
        }
    }
}
