//! Thousands of clients that connect and leave at once.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::latency::{Times, timed};
use crate::process::{MIB, Process};
use crate::support::{FrameClient, Served, os, watchdog};
use crate::{alone, may_open, serve};

const CONNECTS: u32 = 10_000;
const WITHIN: Duration = Duration::from_secs(5);
const THREADS: u32 = 4;

/// The longest time that another client may wait for an answer meanwhile.
const WAIT: Duration = Duration::from_secs(1);

/// The allowed growth of memory from one storm to the next.
const GROWTH: u64 = 4 * MIB;

/// Runs a client that closes at once, reads the welcome, or sends garbage; the kinds take turns.
fn visit(stream: UnixStream, visit: u32) {
    let mut client = FrameClient::local(stream);
    match visit % 3 {
        0 => {}
        1 => drop(client.expect("welcome")),
        _ => {
            let _ = client.try_send(&[0xff; 100]);
            client.expect("welcome");
            client.expect_error("frame-too-large");
        }
    }
}

/// Connects all clients, evenly spread over `WITHIN` where the machine is fast enough. Returns how
/// long it took.
fn storm(served: &Served) -> Duration {
    timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let began = Instant::now();
                    for number in 0..CONNECTS / THREADS {
                        let due = WITHIN * 9 / 10 * number * THREADS / CONNECTS;
                        std::thread::park_timeout(due.saturating_sub(began.elapsed()));
                        visit(os::connect(served.endpoint()).expect("it listens"), number);
                    }
                });
            }
        });
    })
}

/// Sends requests while the storm lasts, and returns their times.
fn asks(client: &mut FrameClient, over: &AtomicBool) -> Times {
    let ask = || {
        (!over.load(Ordering::Acquire)).then(|| {
            timed(|| {
                client.request(1, "olá");
                client.skip_to("reply");
            })
        })
    };
    std::iter::from_fn(ask).collect()
}

#[test]
fn ten_thousand_connects_in_5_s_delay_nobody() {
    let (_alone, _watchdog) = (alone(), watchdog());
    may_open(4096);
    let served = serve(&[]);
    let process = Process::of(&served);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let before = process.held();

    let mut held = Vec::new();
    for _ in 0..3 {
        let over = AtomicBool::new(false);
        let (took, waits) = std::thread::scope(|scope| {
            let asking = scope.spawn(|| asks(&mut ana, &over));
            let took = storm(&served);
            over.store(true, Ordering::Release);
            (took, asking.join().expect("each was answered"))
        });
        held.push(process.at_rest(before));
        println!("{CONNECTS} connects in {took:?}; meanwhile {waits}");
        println!("at rest again: {}", held[held.len() - 1]);
        // On a busy machine the connects take longer than WITHIN, which is no fault of the server.
        assert!(waits.max() < WAIT);
    }
    // The buffers and pools reach their size in the first storm.
    let growth = held[2].memory.saturating_sub(held[0].memory);
    assert!(growth < GROWTH, "the memory has grown by {growth} bytes");
    ana.fim();
    drop(ana);
    served.stop();
}
