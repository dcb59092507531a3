//! A handler that holds requests until the test releases them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arauto::{Answer, Body, Handler, Request};
use tokio::sync::Notify;

use super::wait_until;

/// Answers `done` to each request once it is released; the request `panic` makes it panic.
#[derive(Clone, Default)]
pub struct PausedHandler(Arc<State>);

#[derive(Default)]
struct State {
    asked: AtomicUsize,
    go_on: Notify,
}

impl PausedHandler {
    /// Waits until the handler has got a request.
    pub fn wait_for_request(&self) {
        wait_until("the handler has it", || {
            self.0.asked.load(Ordering::Acquire) > 0
        });
    }

    /// Releases one request.
    pub fn release(&self) {
        self.0.go_on.notify_one();
    }
}

impl Handler for PausedHandler {
    fn handle(&self, request: Request<'_>) -> Answer {
        let state = Arc::clone(&self.0);
        let panics = request.body.as_text() == Some("panic");
        Answer::later(async move {
            state.asked.fetch_add(1, Ordering::AcqRel);
            state.go_on.notified().await;
            assert!(!panics, "on purpose");
            Ok(Body::text("done"))
        })
    }
}
