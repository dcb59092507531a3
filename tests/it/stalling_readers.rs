//! Readers that try to delay publishers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arauto::Config;
use serde_cbor::Value;

use crate::support::{Fixture, FrameClient, PASSWORD, login, text, wait_until};

/// A window that is full at once, and a log that the attackers stay in.
fn small_window(config: &mut Config) {
    config.limits.log_bytes = 16 << 20;
    config.backpressure.window = 64 << 10;
    // A reader with this much patience would hold publishers beyond the test's deadline.
    config.backpressure.patience = Duration::from_secs(3600);
}

const BODY: usize = 4 << 10;

/// Publishes `count` messages, ten at a time.
fn publish_all(client: &mut FrameClient, count: u64) {
    let body = "x".repeat(BODY);
    for first in (0..count).step_by(10) {
        (first..first + 10).for_each(|id| client.publish(id, &body));
        (0..10).for_each(|_| drop(client.skip_to("published")));
    }
}

fn resume(fixture: &Fixture, user: &str, stream: &str, after: u64) -> FrameClient {
    let entries = [
        (text("stream"), text(stream)),
        (text("after"), Value::Integer(after.into())),
    ];
    let mut client = fixture.unauthenticated();
    client.send(&login(1, user, PASSWORD).with("resume", Value::Map(entries.into())));
    client.expect("logged_in");
    client
}

#[test]
fn overlapping_resumes_that_read_nothing_hold_no_publisher() {
    let fixture = Fixture::with(small_window);
    let (mut ana, first) = fixture.client_and_login("ana");
    let stream = first.text("stream").to_owned();
    publish_all(&mut ana, 300); // 1.2 MiB: all who resume at the start are far behind
    let (is_over, logins) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut before = resume(&fixture, "eva", &stream, 0);
            while !is_over.load(Ordering::Relaxed) {
                let next = resume(&fixture, "eva", &stream, 0);
                drop(std::mem::replace(&mut before, next));
                logins.fetch_add(1, Ordering::Relaxed);
            }
        });
        wait_until("the attack runs", || logins.load(Ordering::Relaxed) > 1);
        publish_all(&mut ana, 1000);
        is_over.store(true, Ordering::Relaxed);
    });
    fixture.finish();
}

#[test]
fn readers_that_stall_hold_publishers_within_their_budget() {
    let fixture = Fixture::with(|config| {
        small_window(config);
        config.backpressure.user_budget = Duration::from_millis(400);
    });
    let mut ana = fixture.client("ana");
    // All of one user: they come at the head, and none reads.
    let stalled: Vec<FrameClient> = (0..20).map(|_| fixture.client("eva")).collect();
    publish_all(&mut ana, 1000);
    // And again, by sessions that are new.
    let more: Vec<FrameClient> = (0..20).map(|_| fixture.client("eva")).collect();
    publish_all(&mut ana, 1000);
    drop((stalled, more));
    fixture.finish();
}
