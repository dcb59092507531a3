//! A line of a mebibyte that comes byte by byte: what has come is not searched for the
//! line's end again with each byte.

use std::time::Duration;

use arauto::Endpoint;
use tempfile::TempDir;

use crate::process::Process;
use crate::support::{Bare, Served, os, wait_until, watchdog};
use crate::{alone, serve};

/// The first of the line comes at once, some less than the longest frame has room for.
const LINE: usize = (1 << 20) - 64 * 1024;

/// Then so many bytes, each by itself.
const BYTES: u32 = 2000;
const PACE: Duration = Duration::from_micros(500);

/// What the server may use of the cpu for each of them. Going through a mebibyte takes
/// longer, by ten times and more where it is not optimized.
const EACH: Duration = Duration::from_micros(250);

/// A server with a listener whose programs know nothing of arauto, and log in nowhere.
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
    let mut client = Bare::connect(&endpoint);
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
fn a_long_line_that_comes_byte_by_byte_costs_its_bytes_and_not_its_length_for_each() {
    let (_alone, _watchdog) = (alone(), watchdog());
    assert_cheap("", b"x", b"\n", b"ok\n");
    // A character both bytes of which are a line feed's, and which is none.
    let answer = b"o\0k\0\n\0";
    assert_cheap("&encoding=utf-16le", b"\n\n", b"\n\0", answer);
}
