//! A line of 1 MiB sent byte by byte. The server must not search all received bytes for the end of
//! the line again with each byte.

use std::time::Duration;

use arauto::Endpoint;
use tempfile::TempDir;

use crate::process::Process;
use crate::support::{BareClient, Served, os, wait_until, watchdog};
use crate::{alone, serve};

/// The length of the line's first part, which is sent at once.
const LINE: usize = (1 << 20) - 64 * 1024;

/// The number of bytes that are then sent one by one.
const BYTES: u32 = 2000;
const PACE: Duration = Duration::from_micros(500);

/// The allowed CPU time for each of them. A search through 1 MiB takes longer, in a debug build more
/// than ten times longer.
const EACH: Duration = Duration::from_micros(250);

/// Starts a server with a raw listener.
fn raw(folder: &TempDir, options: &str) -> (Served, Endpoint) {
    let endpoint = Endpoint::Unix(folder.path().join("raw.sock"));
    let listen = format!("{endpoint}?dialect=raw&handler=fixed:ok{options}");
    let served = serve(&["--data", "none", "--listen", &listen]);
    wait_until("it listens there too", || os::connect(&endpoint).is_ok());
    (served, endpoint)
}

fn assert_cheap(options: &str, letter: &[u8], end: &[u8], answer: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (served, endpoint) = raw(&folder, options);
    let process = Process::of(&served);
    let mut client = BareClient::connect(&endpoint);
    client.send(&letter.repeat(LINE / letter.len()));
    let used = process.cpu();
    for number in 0..BYTES as usize {
        client.send(&letter[number % letter.len()..][..1]);
        std::thread::park_timeout(PACE);
    }
    let used = process.cpu() - used;
    println!("{BYTES} bytes {options}: {used:?} of the cpu");
    client.send(end);
    assert_eq!(client.receive().as_deref(), Some(answer));
    assert!(used < EACH * BYTES, "{options}: {used:?} of the cpu");
    drop(client);
    served.stop();
}

#[test]
fn long_line_sent_byte_by_byte_costs_linear_time() {
    let (_alone, _watchdog) = (alone(), watchdog());
    assert_cheap("", b"x", b"\n", b"ok\n");
    // A UTF-16 character whose bytes are both 0x0a, but which is not a line feed.
    let answer = b"o\0k\0\n\0";
    assert_cheap("&encoding=utf-16le", b"\n\n", b"\n\0", answer);
}
