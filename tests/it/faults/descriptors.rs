//! A lack of descriptors while the server serves, and during a stop.

use std::sync::Mutex;

use arauto::SessionRecord;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::support::{FrameClient, Served, Stop, ask, by_shell, wait_until, watchdog};

/// Descriptors that are left to a server that runs, and clients that want in: more than
/// there is room for.
const LEFT: u64 = 40;
const CLIENTS: usize = 100;

/// Limits a running server to `count` more descriptors than it has open.
fn leave(served: &Served, left: u64) {
    let open = std::fs::read_dir(format!("/proc/{}/fd", served.child.id()));
    let open = open.expect("it runs").count() as u64;
    let limit = Rlimit {
        current: Some(open + left),
        maximum: getrlimit(Resource::Nofile).maximum, // the child's is ours
    };
    let id = Pid::from_child(&served.child);
    prlimit(Some(id), Resource::Nofile, limit).expect("it is our child");
}

/// Reads to the end; whether `closing` came before it.
fn is_closed_with_a_word(mut client: FrameClient) -> bool {
    let mut last = None;
    while let Some(frame) = client.recv() {
        last = Some(frame);
    }
    last.is_some_and(|frame| frame.is("closing"))
}

#[test]
fn stop_without_free_descriptors_drains_and_reports() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--no-console", "--journal"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    leave(&served, LEFT);
    let waiting: Vec<FrameClient> = (0..CLIENTS).map(|_| served.connected()).collect();
    wait_until("no descriptor is free", || {
        served.log().contains("accepting failed")
    });
    ana.publish(1, "olá");
    ana.expect("published");
    ana.expect("message");

    served.send_stop(Stop::USUAL);
    // Concurrently, because the server closes when all clients have read their last frames.
    let told = std::thread::scope(|scope| {
        let readers: Vec<_> = waiting
            .into_iter()
            .map(|client| scope.spawn(|| is_closed_with_a_word(client)))
            .collect();
        ana.expect("stopping");
        assert_eq!(ana.expect_closing("shutdown").num("accepted"), 1);
        let told = readers.into_iter().map(|reader| reader.join());
        let told = told.filter(|told| *told.as_ref().expect("it does not panic"));
        told.count()
    });
    // Those who were in; the others saw the end.
    assert!(told > 0 && told < CLIENTS, "{told} were told");
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let report = served.report();
    assert_eq!(report.trouble, []);
    assert_eq!(report.sessions.len(), told + 1);
    assert!(report.sessions.iter().all(SessionRecord::is_whole));
}

#[test]
fn accepting_resumes_once_descriptors_are_free() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console"]);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    leave(&served, 2);
    let mut waiting: Vec<FrameClient> = (0..5).map(|_| served.connected()).collect();
    wait_until("no descriptor is free", || {
        served.log().contains("accepting failed")
    });
    ana.publish(1, "olá");
    ana.expect("published");
    ana.expect("message");
    leave(&served, 100);
    for client in &mut waiting {
        client.expect("welcome");
    }
    // It had waited longer and longer, and not gone round and round.
    let failed = served.log().matches("accepting failed").count();
    assert!(failed < 50, "{failed} times");
    drop((ana, waiting));
    served.stop();
}

/// A hard limit, a number of clients, and how many of them the limit allows.
const LIMIT: usize = 256;
const MANY_CLIENTS: usize = 1000;
const LET_IN: usize = (LIMIT - 64) * 8 / 9;

#[test]
fn clients_1000_at_256_descriptors_are_served_or_refused() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let limited = |command| by_shell(&format!("ulimit -n {LIMIT}"), command, "");
    let mut served = Served::with_command(folder, &["--no-console", "--journal"], limited);
    let inside = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..MANY_CLIENTS / 8 {
                    let mut client = served.unauthenticated();
                    let _ = client.try_send(&ask("ping", 1).bytes()); // or it is closed
                    match client.recv() {
                        Some(frame) if frame.is("pong") => {
                            inside.lock().expect("nobody panics here").push(client);
                        }
                        Some(frame) => {
                            assert_eq!(frame.text("code"), "too-many-sessions");
                            client.expect_closing("too-many-sessions");
                        }
                        None => panic!("the end without a word"),
                    }
                }
            });
        }
    });
    let log = served.log();
    assert!(
        log.contains("descriptor limit is too low"),
        "the operator is told: {log}"
    );
    assert!(
        !log.contains("accepting failed"),
        "there is a reserve: {log}"
    );
    let mut inside = inside.into_inner().expect("nobody panicked");
    assert!(
        (1..=LET_IN).contains(&inside.len()),
        "{} are in",
        inside.len()
    );
    let mut ana = inside.pop().expect("there is one");
    ana.log_in("ana");
    ana.ping();
    drop((ana, inside));
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
}
