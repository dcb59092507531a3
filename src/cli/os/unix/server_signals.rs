//! The signals of a server, read from a descriptor.

use std::io;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use tokio::io::unix::AsyncFd;

use crate::cli::os::ServerSignal;

/// SIGTERM, SIGINT and SIGHUP, as a stream (signalfd(2)).
///
/// tokio's signals pass through a pair of sockets, and are lost where the system has no
/// buffers for a socket (ENOBUFS). These wait in the kernel until they are read.
pub(in crate::cli) struct ServerSignals(AsyncFd<SignalFd>);

impl ServerSignals {
    /// Blocks the signals on this thread and on all that it starts from now on: they have no
    /// other effect any more. Call it within a runtime, before there are other threads.
    ///
    /// # Errors
    /// There is no descriptor, or no memory (signalfd(2)).
    pub(in crate::cli) fn begin() -> io::Result<ServerSignals> {
        let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]
            .into_iter()
            .collect();
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let descriptor = SignalFd::with_flags(&signals, flags)?;
        signals.thread_block()?;
        // SAFETY: the descriptor is the SignalFd's own, who always names this one, and it is
        // closed only after AsyncFd has taken it out of the runtime.
        #[expect(unsafe_code, reason = "tokio asks for this promise since 1.54")]
        let descriptor = unsafe { AsyncFd::register(descriptor)? };
        Ok(ServerSignals(descriptor))
    }

    /// The next one. Cancel safe.
    pub(in crate::cli) async fn next(&mut self) -> ServerSignal {
        loop {
            // It fails only where the runtime has ended, and then nothing is polled.
            let Ok(mut ready) = self.0.readable().await else {
                return std::future::pending().await;
            };
            match ready.get_inner().read_signal() {
                Ok(Some(told)) if told.ssi_signo == Signal::SIGHUP as u32 => {
                    return ServerSignal::Reload;
                }
                Ok(Some(_)) => return ServerSignal::Stop,
                Ok(None) | Err(_) => ready.clear_ready(),
            }
        }
    }
}
