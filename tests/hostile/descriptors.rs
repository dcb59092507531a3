//! More connections than the server has descriptors, all of which stay open.
//!
//! tests/it checks that connections that come and go are served or refused.

use std::time::{Duration, Instant};

use crate::alone;
use crate::process::Process;
use crate::support::{Frame, FrameClient, Served, ask, by_shell, watchdog};

/// The server's hard limit of descriptors, and the number of connections.
const LIMIT: usize = 256;
const CLIENTS: usize = 1000;

/// How long the CPU time is measured, how often at most, and the allowed share of a core: 1 in this
/// number. A server that spins uses a whole core each time.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 3;
const PART: u32 = 10;

/// The time limit of a login once descriptors are free.
const RECOVERED: Duration = Duration::from_secs(1);

fn serve() -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let arguments = ["--no-console", "--journal", "--login-timeout", "60s"];
    Served::with_command(folder, &arguments, |command| {
        by_shell(&format!("ulimit -n {LIMIT}"), command, "")
    })
}

/// Connects clients that neither send nor read.
fn connect_clients(served: &Served) -> Vec<FrameClient> {
    (0..CLIENTS).map(|_| served.connected()).collect()
}

/// Asserts that the server, without free descriptors, does not spin and serves its clients, once it has
/// accepted those that it can.
fn assert_calm(process: Process, witness: &mut FrameClient) {
    for look in 1..=LOOKS {
        let (used, began) = (process.cpu(), Instant::now());
        while began.elapsed() < LOOK {
            witness.ping();
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let (used, passed) = (process.cpu() - used, began.elapsed());
        println!("{CLIENTS} wait, look {look}: {used:?} of the cpu in {passed:?}");
        if used < passed / PART {
            assert!(process.descriptors() <= LIMIT);
            return;
        }
    }
    panic!("it spins");
}

/// Returns whether a new client can log in.
fn is_let_in(served: &Served) -> bool {
    let mut client = served.unauthenticated();
    let _ = client.try_send(&ask("ping", 1).bytes()); // or it is closed
    client.recv().is_some_and(|frame| frame.is("pong"))
}

/// Reads up to `closing`. `None`: the client was never accepted, and sees the end without it.
fn hears_closing(client: &mut FrameClient) -> Option<Frame> {
    std::iter::from_fn(|| client.recv()).find(|frame| frame.is("closing"))
}

#[test]
fn waiting_1000_clients_at_256_descriptors_cost_no_cpu() {
    let (_alone, _watchdog) = (alone(), watchdog());
    let mut served = serve();
    let process = Process::of(&served);
    let mut witness = served.unauthenticated();
    witness.log_in("ana");

    let mut waits = Vec::new();
    for _ in 0..3 {
        let connect_clients = connect_clients(&served);
        assert_calm(process, &mut witness);
        drop(connect_clients);
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

    // A stop while clients wait again.
    let mut waiting = connect_clients(&served);
    witness.ask("shutdown", 1);
    witness.skip_to("stopping");
    // The stop ends when every client has read its frames.
    let told = waiting.iter_mut().filter_map(hears_closing).count();
    println!("{told} of {CLIENTS} were told");
    assert!(told > 0);
    witness.expect_closing("shutdown");
    drop(waiting);
    drop(witness);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    assert_eq!(served.report().trouble, []);
}
