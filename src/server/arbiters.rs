//! The threads that sessions run on.

use std::io;

use actix::Arbiter;
use tokio::runtime::{Builder, Runtime};

use super::error::ServerError;
use crate::actors::turn;

/// Returns a runtime of one thread, as actix makes them, that counts its turns.
pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .on_thread_park(turn::end)
        .build()
}

/// Starts so many threads for sessions: all of them, or none is left.
pub(super) fn start_arbiters(count: usize) -> Result<Vec<Arbiter>, ServerError> {
    let mut arbiters: Vec<Arbiter> = Vec::with_capacity(count);
    for _ in 0..count {
        match Arbiter::try_with_tokio_rt(runtime) {
            Ok(arbiter) => arbiters.push(arbiter),
            Err(error) => {
                for arbiter in arbiters {
                    arbiter.stop();
                    let _ = arbiter.join(); // it has done nothing yet
                }
                return Err(ServerError::no("thread for sessions")(error));
            }
        }
    }
    Ok(arbiters)
}
