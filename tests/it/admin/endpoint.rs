//! Where the admin endpoint listens, and who may connect.

#[cfg(unix)]
use super::Administered;
use super::http::get_over_tcp;
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

/// Returns the port of the admin endpoint, which the log names.
pub fn port(served: &Served) -> u16 {
    let log = served.log();
    let port = log
        .lines()
        .find(|line| line.contains("admin endpoint open"))
        .and_then(|line| line.rsplit_once("tcp:127.0.0.1:"))
        .and_then(|(_, rest)| rest.trim().parse().ok());
    port.unwrap_or_else(|| panic!("no port in {log}"))
}

/// Returns the status of a request with this head, without its first line.
fn status(port: u16, path: &str, head: &str) -> u16 {
    get_over_tcp(port, path, head).status
}

#[test]
fn metrics_over_tcp_need_the_token_and_a_loopback_host() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("token");
    std::fs::write(&file, "muito segredo, mesmo\n").expect("the folder is ours");
    let file = file.to_str().expect("it is UTF-8");
    let arguments = [
        "--no-console",
        "--admin",
        "tcp:127.0.0.1:0",
        "--admin-token",
        file,
    ];
    let served = Served::new(&arguments);
    let port = port(&served);
    let local = format!("host: 127.0.0.1:{port}\r\n");
    let foreign = "host: example.com\r\n";
    let with_token = |host: &str| format!("{host}authorization: Bearer muito segredo, mesmo\r\n");
    assert_eq!(status(port, "/readyz", &local), 200);
    assert_eq!(status(port, "/metrics", &local), 401);
    assert_eq!(status(port, "/metrics", &with_token(&local)), 200);
    assert_eq!(status(port, "/metrics", &with_token(foreign)), 421);
    assert_eq!(status(port, "/readyz", foreign), 421);
    served.stop();
}

#[test]
fn admin_endpoint_without_a_token_tells_health_only() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console", "--admin", "tcp:127.0.0.1:0"]);
    let port = port(&served);
    assert_eq!(status(port, "/livez", "host: localhost\r\n"), 200);
    let guess = "host: localhost\r\nauthorization: Bearer \r\n";
    assert_eq!(status(port, "/metrics", guess), 401);
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

#[test]
fn admin_token_that_can_be_guessed_is_refused() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("token");
    std::fs::write(&file, "segredo\n").expect("the folder is ours");
    let mut command = arauto(&["serve", "--no-console", "--data", "none"]);
    command
        .args(["--admin", "tcp:127.0.0.1:0", "--admin-token"])
        .arg(&file);
    finish(&mut command, "").expect_failure(78, &["7 bytes", "16"]);
    let mut command = arauto(&["serve", "--no-console", "--data", "none"]);
    command.args(["--admin", "tcp:127.0.0.1:0", "--admin-token", "/missing"]);
    finish(&mut command, "").expect_failure(66, &["/missing"]);
}
