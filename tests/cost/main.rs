//! Counts the system calls and the allocations of the server for each frame, and its syncs to
//! disk.
//!
//! `cargo test --test cost -- --nocapture` prints the counts. docs/performance/profile.md has them.
#![cfg(target_os = "linux")] // strace(1)
#![allow(
    clippy::unwrap_used,
    reason = "the support modules are shared with tests/it, which allows it"
)]

mod allocations;
#[path = "../hostile/alone.rs"]
mod alone; // allocations are counted in the whole process
mod call_loop;
#[path = "../hostile/contract.rs"]
mod contract;
#[path = "../it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "shared with tests/it, which needs more"
)]
mod support;
mod syncs;
mod system_calls;
mod traced;

use serde_cbor::Value;

use crate::alone::alone;
use crate::support::{FrameClient, publish, text};

/// Clients in a closed loop: the next frame is sent when the previous one has been answered and
/// delivered.
struct ClosedLoop {
    client: FrameClient,
    readers: Vec<FrameClient>,
}

impl ClosedLoop {
    /// Logs in a client, and as many readers beside it.
    fn begin(readers: usize, connect: impl Fn() -> FrameClient) -> ClosedLoop {
        let log_in = |number| {
            let mut client = connect();
            client.log_in(&format!("user{number}"));
            client
        };
        let mut clients = ClosedLoop {
            readers: (0..readers).map(log_in).collect(),
            client: log_in(readers),
        };
        clients.publish("begin"); // each client has read the announcements of the logins then
        clients
    }

    fn request(&mut self, body: &str) {
        self.client.request(2, body);
        self.client.skip_to("reply");
    }

    /// Publishes, and waits for the message at the publisher and at each reader.
    fn publish(&mut self, body: &str) {
        self.client.publish(2, body);
        self.wait_for_message();
    }

    /// As [`ClosedLoop::publish`], with a producer's number.
    fn publish_numbered(&mut self, n: u64, body: &str) {
        let frame = publish(2, text(body)).with("producer", text("p"));
        self.client.send(&frame.with("n", Value::Integer(n.into())));
        self.wait_for_message();
    }

    fn wait_for_message(&mut self) {
        for client in self.readers.iter_mut().chain([&mut self.client]) {
            client.skip_to("message");
        }
    }
}
