//! Requests that are refused, and what one client can make the endpoint do.

use std::io::Read;

use super::Administered;
use super::http::{self, exchange};
use crate::support::{os, wait_until, watchdog};

/// The most connections at once.
const CONNECTIONS: usize = 64;

#[test]
fn unknown_path_or_method_is_refused() {
    let _watchdog = watchdog();
    let server = Administered::new();
    assert_eq!(server.get("/x").status, 404);
    assert_eq!(server.get("/livez/x").status, 404);
    let post = exchange(
        &server.admin,
        "POST /livez HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
    );
    assert_eq!(post.expect("it answers").status, 405);
    server.served.stop();
}

#[test]
fn input_that_is_no_request_is_refused_and_the_endpoint_goes_on() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let long = "x".repeat(64 * 1024);
    for input in [
        "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        format!("GET /{long} HTTP/1.1\r\n\r\n"),
        format!("GET /livez HTTP/1.1\r\na: {long}\r\n\r\n"),
        "GET /livez HTTP/1.1\r\na: b\r\n".repeat(4000),
    ] {
        let answer = exchange(&server.admin, &input);
        let status = answer.map_or(400, |answer| answer.status);
        assert!((400..500).contains(&status), "{status} for {:.40}", input);
    }
    assert_eq!(server.get("/livez").status, 200);
    server.served.stop();
}

#[test]
fn connection_beyond_the_bound_is_closed_until_a_place_is_free() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let silent: Vec<_> = (0..CONNECTIONS)
        .map(|_| os::connect(&server.admin).expect("the admin endpoint is open"))
        .collect();
    let mut one_more = os::connect(&server.admin).expect("the admin endpoint is open");
    let mut answer = Vec::new();
    let _ = one_more.read_to_end(&mut answer); // it may be reset
    assert!(answer.is_empty());
    drop(silent);
    wait_until("a place is free", || {
        let request = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
        http::exchange(&server.admin, request).is_some_and(|answer| answer.status == 200)
    });
    server.served.stop();
}
