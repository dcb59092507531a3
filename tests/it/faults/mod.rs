//! Fault runs: the real binary is stopped or killed during a fault.
//!
//! The clients' records are compared with the report, frame by frame. Random instants come from a
//! seeded generator, and a failure prints the seed.

mod dead_peers;
mod descriptors;
mod disk;
mod durability;
#[cfg(target_os = "linux")]
mod evidence;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod failing;
#[cfg(target_os = "linux")] // strace(1)
mod first_start;
mod flood;
#[cfg(target_os = "linux")] // it preloads a shared object
mod hung;
mod killed;
mod outputs;
mod random;
mod services;
#[cfg(target_os = "linux")] // it looks at /proc
mod signals;
mod stalled;
mod suspended;
mod swarm;
mod transfer;
#[cfg(target_os = "linux")]
mod transports;

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arauto::Endpoint;
use tempfile::TempDir;

use self::random::Random;
use crate::support::{Served, Stop, wait_until};

/// The variable that gives another number of runs.
const RUNS: &str = "ARAUTO_FAULT_RUNS";

/// Returns how often a fault is repeated.
fn runs(usual: usize) -> usize {
    let runs = std::env::var(RUNS).ok();
    runs.map_or(usual, |runs| runs.parse().expect("a number of runs"))
}

/// Stops a server with a console in one of the usual ways.
fn stop(served: &mut Served, random: &mut Random) {
    match random.below(3) {
        0 => served.send_stop(Stop::Terminate),
        1 => served.send_stop(Stop::Interrupt),
        _ => {
            let console = served.child.stdin.as_mut().expect("it is a pipe");
            console.write_all(b"fim\n").expect("it is read");
        }
    }
}

/// Held by those who make much of the machine, or look at the clock: they would be in each
/// other's way.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner) // one that failed is over too
}

/// A server that listens on a unix socket, on one that keeps messages, and on TCP.
struct Three {
    served: Served,
    endpoints: [Endpoint; 3],
}

impl Three {
    fn new(arguments: &[&str]) -> Three {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Three::within(folder, arguments)
    }

    fn within(folder: TempDir, arguments: &[&str]) -> Three {
        let packets = Endpoint::SeqPacket(folder.path().join("p.sock"));
        let named = packets.to_string();
        let mut all = vec!["--listen", &named, "--listen", "tcp:127.0.0.1:0"];
        all.extend(arguments);
        let served = Served::within(folder, &all);
        let mut port = None;
        wait_until("the log names the port", || {
            port = tcp(&served.log());
            port.is_some()
        });
        let tcp = port.expect("it was waited for");
        let endpoints = [served.endpoint().clone(), packets, tcp];
        Three { served, endpoints }
    }
}

fn tcp(log: &str) -> Option<Endpoint> {
    Some(Endpoint::Tcp {
        host: "127.0.0.1".to_owned(),
        port: port(log, "tcp")?,
    })
}

/// The port that the system chose, once its line in the log is whole.
fn port(log: &str, scheme: &str) -> Option<u16> {
    let (_, line) = log.split_once(&format!("endpoint={scheme}:127.0.0.1:"))?;
    let (port, _) = line.split_once('\n')?;
    port.trim().parse().ok()
}
