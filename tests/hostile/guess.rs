//! Many concurrent logins with wrong passwords.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::latency::{Times, assert_p99, timed};
use crate::process::{MIB, Process};
use crate::support::{FrameClient, PASSWORD, Served, login, watchdog_for};
use crate::{alone, serve};

const GUESSES: usize = 200;

/// The number of accounts that are tried: few guesses for each, so that no back-off begins.
const NAMES: usize = 100;

/// The memory of one hash (OWASP's first choice for argon2id), and the allowed growth besides.
const HASH: u64 = 19 * MIB;
const BESIDE: u64 = 8 * MIB;

/// The time limit of the test: three storms, on a machine where half the cores are one.
const TIME_LIMIT: Duration = Duration::from_secs(180);

/// The pause between two requests of an unrelated session.
const PACE: Duration = Duration::from_millis(4);
const BAR: Duration = Duration::from_millis(10);

/// Returns the server's default of concurrent hashes: half the cores.
fn hashing() -> u32 {
    let cores = std::thread::available_parallelism().expect("there is a core");
    u32::try_from(cores.get() / 2)
        .expect("there are few")
        .max(1)
}

fn name(number: usize) -> String {
    format!("u{}", number % NAMES)
}

/// Sends all guesses at once, and asserts that each is refused.
fn storm(served: &Served) {
    let mut guessing: Vec<FrameClient> = (0..GUESSES).map(|_| served.unauthenticated()).collect();
    for (number, client) in guessing.iter_mut().enumerate() {
        client.send(&login(1, &name(number), "errado"));
    }
    for client in &mut guessing {
        let answer = client.expect("error");
        let code = answer.text("code");
        assert!(["bad-credentials", "throttled"].contains(&code), "{code}");
    }
}

/// Sends requests at intervals while the storm lasts, and returns their times.
fn asks(client: &mut FrameClient, over: &AtomicBool) -> Times {
    let ask = || {
        (!over.load(Ordering::Acquire)).then(|| {
            std::thread::park_timeout(PACE);
            timed(|| {
                client.request(1, "olá");
                client.skip_to("reply");
            })
        })
    };
    std::iter::from_fn(ask).collect()
}

#[test]
fn wrong_logins_200_at_once_hash_few_and_delay_no_request() {
    let (_alone, _watchdog) = (alone(), watchdog_for(TIME_LIMIT));
    let served = serve(&["--data", "none"]);
    let process = Process::of(&served);
    for number in 0..NAMES {
        let mut client = served.unauthenticated();
        client.send(&login(1, &name(number), PASSWORD));
        client.expect("logged_in");
        client.fim();
    }
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let before = process.memory();
    process.forget_peak();

    assert_p99("requests beside 200 wrong logins", BAR, || {
        let (over, used) = (AtomicBool::new(false), process.cpu());
        let mut took = Duration::ZERO;
        let times = std::thread::scope(|scope| {
            let asking = scope.spawn(|| asks(&mut ana, &over));
            took = timed(|| storm(&served));
            over.store(true, Ordering::Release);
            asking.join().expect("each was answered")
        });
        let used = process.cpu() - used;
        println!("200 wrong logins took {took:?} and {used:?} of the cpu");
        // A quarter of the CPU time is allowed for work other than hashing.
        assert!(used < took * hashing() * 5 / 4, "hashing took more");
        times
    });
    let grown = process.peak().saturating_sub(before);
    println!("the memory grew by {} KiB at most", grown / 1024);
    assert!(grown < HASH * u64::from(hashing()) + BESIDE);
    ana.fim();
    drop(ana);
    served.stop();
}
