//! More connections than there are descriptors, and all of them stay.
//!
//! That each of those who come in turn is served or told is looked at in tests/it.

use std::time::{Duration, Instant};

use crate::alone;
use crate::process::Process;
use crate::support::{Frame, Raw, Served, ask, by_shell, watchdog};

/// The server's hard limit, and those who connect.
const LIMIT: usize = 256;
const CROWD: usize = 1000;

/// How long the server is looked at, and the part of a core that it may use by then.
const LOOK: Duration = Duration::from_secs(2);
const PART: u32 = 5;

/// Once there are descriptors again.
const RECOVERED: Duration = Duration::from_secs(1);

fn serve() -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let arguments = ["--no-console", "--journal", "--login-timeout", "60s"];
    Served::altered(folder, &arguments, |command| {
        by_shell(&format!("ulimit -n {LIMIT}"), command, "")
    })
}

/// They connect, and neither say nor read anything.
fn crowd(served: &Served) -> Vec<Raw> {
    (0..CROWD).map(|_| served.stranger()).collect()
}

/// Nobody else finds a descriptor: it does not go round and round for that, and serves
/// who is in.
fn assert_calm(process: Process, witness: &mut Raw) {
    let (used, began) = (process.cpu(), Instant::now());
    while began.elapsed() < LOOK {
        witness.ping();
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let used = process.cpu() - used;
    println!("{CROWD} wait: {used:?} of the cpu in {:?}", began.elapsed());
    assert!(used < began.elapsed() / PART, "it spins");
    assert!(process.descriptors() <= LIMIT);
}

/// Somebody new is let in, and not told that there is no place.
fn is_let_in(served: &Served) -> bool {
    let mut client = served.visitor();
    let _ = client.try_send(&ask("ping", 1).bytes()); // or it is closed
    client.recv().is_some_and(|frame| frame.is("pong"))
}

/// Reads up to `closing`; those who were never let in see the end without it.
fn hears_closing(client: &mut Raw) -> Option<Frame> {
    std::iter::from_fn(|| client.recv()).find(|frame| frame.is("closing"))
}

#[test]
fn at_a_limit_of_256_descriptors_1000_who_stay_cost_no_cpu_and_when_they_go_the_next_is_in() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut served = serve();
    let process = Process::of(&served);
    let mut witness = served.visitor();
    witness.log_in("ana");

    let mut waits = Vec::new();
    for _ in 0..3 {
        let crowd = crowd(&served);
        assert_calm(process, &mut witness);
        drop(crowd);
        let gone = Instant::now();
        while !is_let_in(&served) {}
        waits.push(gone.elapsed());
    }
    println!("let in again after {waits:?}");
    assert!(waits.iter().min() < Some(&RECOVERED));
    assert!(
        !served.log().contains("accepting failed"),
        "there is a reserve: {}",
        served.log()
    );

    // A stop, while they wait again.
    let mut waiting = crowd(&served);
    witness.ask("shutdown", 1);
    witness.skip_to("stopping");
    // The end comes when everybody has read what is theirs.
    let told = waiting.iter_mut().filter_map(hears_closing).count();
    println!("{told} of {CROWD} were told");
    assert!(told > 0);
    witness.expect_closing("shutdown");
    drop(waiting);
    drop(witness);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    assert_eq!(served.report().trouble, Vec::<String>::new());
}
