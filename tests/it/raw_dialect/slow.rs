//! Raw readers that are slower than the publishers.

use std::time::Duration;

use arauto::{Config, SlowPolicy};

use super::{KINDS, fixture, readers, rows};
use crate::support::block_on;

fn small_log(config: &mut Config) {
    config.limits.log_bytes = 1 << 20;
    config.backpressure.window = 128 << 10;
    config.backpressure.patience = Duration::from_millis(50);
}

#[test]
fn healthy_raw_reader_gets_every_message_of_a_flood() {
    const MESSAGES: usize = 4000;
    for kind in KINDS {
        let fixture = fixture(kind, "&direction=outbound", |config| {
            small_log(config);
            config.backpressure.patience = Duration::from_secs(5);
        });
        let readers = readers(&fixture, 2);
        let text = "x".repeat(2000); // 8 MB in all, eight times what the log holds
        std::thread::scope(|scope| {
            for mut reader in readers {
                scope.spawn(move || {
                    for number in 0..MESSAGES {
                        let heard = reader.receive_text().expect("it goes on");
                        assert!(
                            heard.starts_with(&format!("{number} ")),
                            "{number}: {heard}"
                        );
                    }
                });
            }
            block_on(async {
                for number in 0..MESSAGES {
                    let body = format!("{number} {text}");
                    fixture.server.publish_paced(body).await.expect("it runs");
                }
            });
        });
        fixture.finish();
    }
}

#[test]
fn stalled_raw_readers_hold_for_their_peers_budget() {
    for kind in KINDS {
        let fixture = fixture(kind, "&direction=outbound", |config| {
            config.backpressure.window = 64 << 10;
            // A reader with this much patience would hold publishers beyond the test's deadline.
            config.backpressure.patience = Duration::from_secs(3600);
            config.backpressure.user_budget = Duration::from_millis(400);
        });
        let stalled = readers(&fixture, 5);
        let text = "x".repeat(4 << 10);
        block_on(async {
            for _ in 0..500 {
                let published = fixture.server.publish_paced(&*text).await;
                published.expect("it runs");
            }
        });
        drop(stalled);
        fixture.finish();
    }
}

#[test]
fn slow_raw_reader_skips_and_is_reported() {
    for kind in ["unix", "seqpacket"] {
        let fixture = fixture(kind, "&direction=outbound", small_log);
        let mut slow = readers(&fixture, 1).remove(0);
        let text = "x".repeat(16 << 10);
        for number in 1..=400 {
            let said = block_on(fixture.server.publish(format!("{number} {text}")));
            said.expect("it runs");
        }
        let mut heard: Vec<u64> = Vec::new();
        while heard.last() != Some(&400) {
            let line = slow.receive_text().expect("it goes on");
            let (number, _) = line.split_once(' ').expect("it begins with a number");
            heard.push(number.parse().expect("it is one"));
        }
        assert!(heard.is_sorted(), "{heard:?}");
        fixture.begin_stop();
        slow.expect("fim");
        slow.expect_end();
        drop(slow);
        let report = fixture.assert_clean();
        let [row] = rows(&report)[..] else {
            panic!("{report:#?}");
        };
        assert!(!row.gaps.is_empty(), "it did not read in between: {row:?}");
        // Broadcasts rendered between two gaps had only waited: there may be several.
        let is_missed = |seq: &u64| {
            let mut gaps = row.gaps.iter();
            gaps.any(|(from, to)| (from.0..=to.0).contains(seq))
        };
        let expected: Vec<u64> = (1..=400).filter(|seq| !is_missed(seq)).collect();
        assert_eq!(heard, expected, "{kind}");
    }
}

#[test]
fn slow_raw_reader_is_disconnected_by_policy() {
    for kind in ["unix", "seqpacket"] {
        let fixture = fixture(kind, "&direction=outbound", |config| {
            small_log(config);
            config.slow = SlowPolicy::Disconnect;
        });
        let mut slow = readers(&fixture, 1).remove(0);
        // The first message is behind nothing: it makes the reader one that has read.
        block_on(fixture.server.publish("x")).expect("it runs");
        slow.expect("x");
        let text = "x".repeat(16 << 10);
        for _ in 0..400 {
            block_on(fixture.server.publish(text.as_str())).expect("it runs");
        }
        let heard = slow.rest();
        assert!(heard.len() < 400 && heard.iter().all(|line| *line == text));
        drop(slow);
        fixture.finish();
    }
}
