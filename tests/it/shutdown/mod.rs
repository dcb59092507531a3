//! What stopping the server promises.

mod deadlines;
mod failures;
mod flood;
mod reasons;
#[cfg(unix)] // hundreds of clients at once
mod strangers;
#[cfg(unix)] // a pipe has no side of its own
mod unread;

use std::sync::Arc;

use arauto::{Answer, Body, Config, Handler, Request};
use tokio::sync::Notify;

use crate::support::{Fixture, Raw, wait_until};

/// Answers `done`, or panics where that was asked for, once it is told to go on.
struct Held(Arc<Notify>);

impl Handler for Held {
    fn handle(&self, request: Request<'_>) -> Answer {
        let told = Arc::clone(&self.0);
        let panics = request.body.as_text() == Some("panic");
        Answer::later(async move {
            told.notified().await;
            assert!(!panics, "on purpose");
            Ok(Body::text("done"))
        })
    }
}

/// A server whose stop waits in the phase `requests` until `go` is notified.
struct HeldServer {
    fixture: Fixture,
    go: Arc<Notify>,
    holder: Raw,
}

impl HeldServer {
    fn new(request: &str) -> HeldServer {
        HeldServer::with(request, |_| {})
    }

    fn with(request: &str, change: impl FnOnce(&mut Config)) -> HeldServer {
        let go = Arc::new(Notify::new());
        let held = Held(Arc::clone(&go));
        let fixture = Fixture::with(|config| {
            config.handler = Arc::new(held);
            change(config);
        });
        let mut holder = fixture.client("holder");
        holder.request(1, request);
        // Here, in the handler, and in the future that waits.
        wait_until("the handler has it", || Arc::strong_count(&go) == 3);
        HeldServer {
            fixture,
            go,
            holder,
        }
    }
}

/// A client that never reads, with more on its way than its socket takes.
pub fn stalled_reader(fixture: &Fixture) -> Raw {
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
