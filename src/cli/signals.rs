//! SIGTERM and SIGINT, as a stream: one that comes while nobody waits is kept.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that mean: come to an end. From its making on they have no other
/// effect.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(super) fn new() -> Self {
        let listen = |kind| signal(kind).expect("these signals can be handled");
        StopSignals {
            terminate: listen(SignalKind::terminate()),
            interrupt: listen(SignalKind::interrupt()),
        }
    }

    /// The next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
