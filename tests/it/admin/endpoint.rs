//! Where the admin endpoint listens, and who may connect.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::Administered;
use crate::support::{Served, arauto, finish, watchdog};

#[test]
#[cfg(unix)]
fn admin_socket_is_for_its_owner_and_removed_at_the_end() {
    use std::os::unix::fs::PermissionsExt;

    let _watchdog = watchdog();
    let server = Administered::new();
    let arauto::Endpoint::Unix(path) = server.admin.clone() else {
        panic!("it is a socket");
    };
    let mode = || path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    server.served.stop();
    assert!(!path.exists());
}

#[test]
fn admin_endpoint_on_loopback_is_named_in_the_log() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console", "--admin", "tcp:127.0.0.1:0"]);
    let log = served.log();
    let port = log
        .lines()
        .find(|line| line.contains("admin endpoint open"))
        .and_then(|line| line.rsplit_once("tcp:127.0.0.1:"))
        .and_then(|(_, rest)| rest.trim().parse::<u16>().ok());
    let port = port.unwrap_or_else(|| panic!("no port in {log}"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n")
        .expect("it is open");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("it closes the connection");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    served.stop();
}

#[test]
fn admin_endpoint_that_cannot_be_is_refused_before_the_start() {
    let _watchdog = watchdog();
    for (endpoint, code, naming) in [
        ("tls:127.0.0.1:1", 64, "loopback"),
        ("unix:/x?dialect=text", 64, "dialect=text"),
        ("nowhere", 64, "nowhere"),
        ("tcp:192.0.2.1:1", 69, "192.0.2.1"),
    ] {
        let mut command = arauto(&[
            "serve",
            "--no-console",
            "--data",
            "none",
            "--admin",
            endpoint,
        ]);
        let result = finish(&mut command, "");
        result.expect_failure(code, &[naming]);
    }
}
