//! The guarantees of a stop.

mod deadlines;
mod failures;
mod flood;
mod notices;
mod reasons;
#[cfg(unix)] // hundreds of clients at once
mod unauthenticated;
#[cfg(unix)] // a pipe has no side of its own
mod unread;

use std::sync::Arc;

use arauto::Config;

use crate::support::{Fixture, FrameClient, PausedHandler};

/// A server whose stop waits in the phase `requests` until the handler is released.
struct HeldServer {
    fixture: Fixture,
    held: PausedHandler,
    holder: FrameClient,
}

impl HeldServer {
    fn new(request: &str) -> HeldServer {
        HeldServer::with(request, |_| {})
    }

    fn with(request: &str, change: impl FnOnce(&mut Config)) -> HeldServer {
        let held = PausedHandler::default();
        let handler = Arc::new(held.clone());
        let fixture = Fixture::with(|config| {
            config.handler = handler;
            change(config);
        });
        let mut holder = fixture.client("holder");
        holder.request(1, request);
        held.wait_for_request();
        HeldServer {
            fixture,
            held,
            holder,
        }
    }
}

/// A client that never reads, with more on its way than its socket takes.
pub fn stalled_reader(fixture: &Fixture) -> FrameClient {
    let stalled = fixture.client("stalled");
    let mut ana = fixture.client("ana");
    let body = "x".repeat(64 << 10);
    for id in 0..40 {
        ana.publish(id, &body);
        ana.skip_to("published");
    }
    ana.fim();
    stalled
}
