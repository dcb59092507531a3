//! 1,000 sessions ask, publish and read during a stop.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use arauto::{Evidence, Report, SessionRecord};

use super::random::Random;
use super::swarm::{self, Received, Swarm, SwarmResult, Work};
use super::{Three, runs, stop};
use crate::support::watchdog_for;

const SESSIONS: usize = 1_000;

/// Few, so that password hashes are not what is measured.
const USERS: usize = 8;

/// The runs without `ARAUTO_FAULT_RUNS`.
const USUAL_RUNS: usize = 20;

/// The most answers before the stop begins.
const LATEST: u64 = 6_000;

/// Of 20 sessions one publishes, 10 ask, 9 listen, of which some say so.
fn work_of(name: usize) -> Work {
    match name / 3 % 20 {
        0 => Work::Publish(1),
        1..=6 => Work::Ask(1),
        7..=10 => Work::Ask(8),
        11..=14 => Work::ReadAndAck,
        _ => Work::Read,
    }
}

/// The result of a run.
struct Run {
    answered: u64,
    refused: u64,
    unread: u64,
    broadcasts: u64,
    stop: Duration,
}

async fn run(random: &mut Random) -> Run {
    let Three {
        mut served,
        endpoints,
    } = Three::new(&["--console", "--data", "none"]);
    let mut swarm = Swarm::new();
    for name in 0..SESSIONS {
        if name == USERS {
            swarm.until_logged_in(USERS).await; // from here on the passwords are known
        }
        let user = format!("user{}", name % USERS);
        swarm.join(&endpoints[name % 3], &user, work_of(name));
    }
    swarm.until_logged_in(SESSIONS).await;
    swarm.until_answered(random.below(LATEST)).await;
    let began = Instant::now();
    stop(&mut served, random);
    let SwarmResult {
        received,
        broadcasts,
    } = swarm.ended().await;
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let stop = began.elapsed();
    let report = served.report();
    check(&received, &report);
    for received in &received {
        for (id, seq) in &received.published {
            let body = swarm::body_of(received.name, *id);
            assert_eq!(
                broadcasts.text(*seq),
                Some(body),
                "{seq} is who published it says"
            );
        }
    }
    let sum = |count: fn(&Received) -> u64| received.iter().map(count).sum();
    Run {
        answered: sum(|received| received.answered),
        refused: sum(|received| received.refused),
        unread: sum(Received::unread),
        broadcasts: report.head.0,
        stop,
    }
}

fn check(received: &[Received], report: &Report) {
    assert_eq!(report.exit, 0);
    assert_eq!(report.trouble, []);
    assert_eq!(report.sessions.len(), SESSIONS);
    check_each(received, report);
}

/// Of these clients each frame is accounted for, and they miss nothing.
pub(super) fn check_each(received: &[Received], report: &Report) {
    let records: HashMap<u64, &SessionRecord> = report
        .sessions
        .iter()
        .map(|record| (record.session.0, record))
        .collect();
    for received in received {
        let record = records.get(&received.session).copied();
        check_one(
            received,
            record.expect("the report has every session"),
            report.head.0,
        );
    }
}

/// The client's counts, those of its `closing`, and those of the report.
fn check_one(received: &Received, record: &SessionRecord, head: u64) {
    let closing = received.closing.as_ref().expect("it was closed");
    assert_eq!(
        (closing.reason.as_str(), record.reason.as_str()),
        ("shutdown", "shutdown")
    );
    assert_eq!(
        (received.answered, received.refused),
        (closing.accepted, closing.refused)
    );
    assert_eq!(
        (received.answered, received.answered, received.refused),
        (record.accepted, record.answered, record.refused)
    );
    assert!(
        received.sent >= received.answered + received.refused,
        "{received:?}"
    );
    assert_eq!((received.last, closing.last_seq), (head, head));
    assert_eq!((record.sent.0, record.cut.0), (head, head));
    assert_eq!(record.missing, []);
    let least = match record.endpoint.starts_with("tcp:") {
        true => Evidence::KernelAcked,
        false => Evidence::Read,
    };
    assert!(record.evidence >= least, "{record:?}");
}

/// Least, median and most.
fn spread<T: Ord + Copy>(runs: &[Run], of: impl Fn(&Run) -> T) -> (T, T, T) {
    let mut all: Vec<T> = runs.iter().map(of).collect();
    all.sort_unstable();
    (all[0], all[all.len() / 2], all[all.len() - 1])
}

#[test]
fn flooding_1000_sessions_get_each_frame_answered_once() {
    let _alone = super::alone();
    let runs = runs(USUAL_RUNS);
    let patience = Duration::from_secs(60 + 15 * runs as u64);
    let _watchdog = watchdog_for(patience);
    let began = Instant::now();
    let runs: Vec<Run> = (0..runs)
        .map(|_| swarm::run(run(&mut Random::new())))
        .collect();
    // Printed with `--nocapture`, for docs/shutdown.md.
    println!(
        "{} runs in {:?}, least/median/most:",
        runs.len(),
        began.elapsed()
    );
    println!("  answered {:?}", spread(&runs, |run| run.answered));
    println!("  refused {:?}", spread(&runs, |run| run.refused));
    println!("  unread {:?}", spread(&runs, |run| run.unread));
    println!("  broadcasts {:?}", spread(&runs, |run| run.broadcasts));
    println!("  stop {:?}", spread(&runs, |run| run.stop));
    let is_amid = |run: &Run| run.refused > 0 && run.broadcasts > USERS as u64;
    assert!(runs.iter().any(is_amid), "the stops fell into the work");
}
