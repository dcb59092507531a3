//! Clients that never log in: silent ones, and ones that send one byte per second.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::latency::{Times, assert_p99, timed};
use crate::process::Process;
use crate::support::{FrameClient, PASSWORD, Served, login, os, wait_until, watchdog};
use crate::{alone, may_open, serve};

const SLOW: usize = 5000;

/// The server's default login timeout; the time by which all clients must have seen the end, and
/// the time by which the server's descriptors must be free although the clients keep theirs.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(10);
const ENDED: Duration = Duration::from_secs(12);
const FREE: Duration = Duration::from_secs(15);

/// The number of logins in a round, and the limit of their p99.
const LOGINS: usize = 200;
const BAR: Duration = Duration::from_millis(250);

/// Sends one byte of a login per second on each client, until `stop`.
fn drip(mut clients: Vec<UnixStream>, stop: &Receiver<()>) {
    let frame = login(1, "devagar", PASSWORD).bytes();
    for byte in frame.chunks(1) {
        for client in &mut clients {
            let _ = client.write_all(byte); // it may be closed
        }
        if stop.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn real_login(served: &Served) -> Duration {
    timed(|| {
        let mut ana = served.unauthenticated();
        ana.log_in("ana");
        ana.request(1, "olá");
        ana.skip_to("reply");
        ana.fim();
    })
}

/// Asserts that the client gets `login-timeout` and the end, and keeps its own side open.
fn told_to_the_end(client: UnixStream) -> FrameClient {
    let mut client = FrameClient::local(client);
    client.expect("welcome");
    client.expect_error("login-timeout");
    client.expect_closing("login-timeout");
    client
}

#[test]
fn slow_clients_5000_delay_no_login_and_time_out() {
    let (_alone, _watchdog) = (alone(), watchdog());
    may_open(3 * SLOW as u64);
    let served = serve(&[]);
    let process = Process::of(&served);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    ana.fim();
    drop(ana);
    let open = process.descriptors();

    let connect = |_| os::connect(served.endpoint()).expect("the server listens");
    let clients: Vec<UnixStream> = (0..SLOW).map(connect).collect();
    let connected = Instant::now();
    let half = clients.iter().step_by(2);
    let half = half.map(|client| client.try_clone().expect("a descriptor is free"));
    let half = half.collect();
    let (stop, stopped) = channel();
    let dripping = std::thread::spawn(move || drip(half, &stopped));
    let round = || (0..LOGINS).map(|_| real_login(&served)).collect::<Times>();
    assert_p99("logins beside slow clients", BAR, round);
    assert!(connected.elapsed() < LOGIN_TIMEOUT, "all were there");

    let ended: Vec<FrameClient> = clients.into_iter().map(told_to_the_end).collect();
    println!("all told {:?} after the last connect", connected.elapsed());
    assert!(connected.elapsed() < ENDED);
    wait_until("the server has closed them all", || {
        process.descriptors() <= open
    });
    println!("all free {:?} after the last connect", connected.elapsed());
    assert!(connected.elapsed() < FREE);
    drop((ended, stop));
    dripping.join().expect("it only writes");
    served.stop();
}
