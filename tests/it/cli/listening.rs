//! The endpoints that a server can listen on, and the errors for the others.

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::support::{CommandResult, Served, arauto, finish, watchdog};

/// A server that ends as soon as it listens on all of these.
fn serve(listen: &[&str]) -> CommandResult {
    finish(&mut command(listen), "fim\n")
}

fn command(listen: &[&str]) -> Command {
    let mut serve = arauto(&["serve", "--console", "--data", "none"]);
    for endpoint in listen {
        serve.args(["--listen", endpoint]);
    }
    serve
}

/// Returns a TCP port on which nothing listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn ipv4_and_ipv6_listeners_share_a_port() {
    let _watchdog = watchdog();
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("SKIPPED: IPv6, which this machine has not");
        return;
    }
    let temp = tempfile::tempdir().expect("a folder can be made");
    finish(arauto(&["tls", "init", "--folder"]).arg(temp.path()), "").expect_success();
    let port = free_port();
    let (four, six) = (format!("tls:0.0.0.0:{port}"), format!("tls:[::]:{port}"));
    let pem = |name: &str| temp.path().join(name).display().to_string();
    for order in [[&four, &six], [&six, &four]] {
        let (cert, key) = (pem("cert.pem"), pem("key.pem"));
        let served = Served::new(&[
            "--data",
            "none",
            "--listen",
            order[0],
            "--listen",
            order[1],
            "--tls-cert",
            &cert,
            "--tls-key",
            &key,
        ]);
        TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        TcpStream::connect(("::1", port)).expect("it listens");
        served.stop();
    }
    // Alone, [::] is IPv6 only: a peer has one address, and IPv4 is listened on by its name.
    let (cert, key) = (pem("cert.pem"), pem("key.pem"));
    let arguments = [
        "--data",
        "none",
        "--listen",
        &six,
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
    ];
    let served = Served::new(&arguments);
    TcpStream::connect(("::1", port)).expect("it listens");
    TcpStream::connect(("127.0.0.1", port)).expect_err("that is another endpoint");
    served.stop();
    let port = free_port();
    let (four, six) = (format!("tcp:127.0.0.1:{port}"), format!("tcp:[::1]:{port}"));
    serve(&[&four, &six]).expect_success();
}

#[test]
fn endpoint_given_twice_is_reported_as_the_servers_own() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let path = temp.path().join("a.sock").display().to_string();
    let other = format!("{}/../{}/a.sock", temp.path().display(), {
        let name = temp.path().file_name().expect("it has a name");
        name.to_str().expect("it is ascii")
    });
    let port = free_port();
    let name = format!("unix:@{}", temp.path().display());
    for (one, two) in [
        (format!("unix:{path}"), format!("unix:{path}")),
        (format!("unix:{path}"), format!("unix:{other}")),
        (
            format!("unix:{path}"),
            format!("seqpacket:{path}?dialect=text"),
        ),
        (name.clone(), name),
        (
            format!("tcp:127.0.0.1:{port}"),
            format!("tcp:127.0.0.1:{port}?dialect=text"),
        ),
        (
            format!("tcp:127.0.0.1:{port}"),
            format!("tcp:localhost:{port}"),
        ),
    ] {
        let done = serve(&[&one, &two]);
        let two = two.split('?').next().expect("there is a part");
        done.expect_failure(78, &[two, "own"]);
        assert!(!done.err.contains("running"), "{done:?}");
    }
    // Ports that the system chooses are never the same.
    serve(&["tcp:127.0.0.1:0", "tcp:127.0.0.1:0"]).expect_success();
}

#[test]
fn socket_path_of_108_bytes_is_refused() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let path = |length: usize| {
        let folder = temp.path().display().to_string();
        format!("{folder}/{}", "x".repeat(length - folder.len() - 1))
    };
    let who = |endpoint: &str| {
        finish(
            &mut arauto(&["who", "--user", "ana", "--connect", endpoint]),
            "",
        )
    };
    for kind in ["unix:", "seqpacket:"] {
        let (fits, too_long) = (
            format!("{kind}{}", path(107)),
            format!("{kind}{}", path(108)),
        );
        let served = Served::new(&["--data", "none", "--listen", &fits]);
        assert_eq!(who(&fits).expect_success(), "ana\n");
        who(&too_long).expect_failure(64, &["108", "107"]);
        serve(&[&too_long]).expect_failure(78, &["108", "107"]);
        served.stop();
    }
    let name = |length: usize| {
        format!("unix:@{}", "y".repeat(length - 8)) + &format!("{:08}", std::process::id())
    };
    let served = Served::new(&["--data", "none", "--listen", &name(107)]);
    assert_eq!(who(&name(107)).expect_success(), "ana\n");
    who(&name(108)).expect_failure(64, &["108", "107"]);
    serve(&[&name(108)]).expect_failure(78, &["108", "107"]);
    served.stop();
}

#[test]
fn pipe_name_too_long_with_its_folder_is_refused() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let deep = temp.path().join("d".repeat(90));
    std::fs::create_dir(&deep).expect("it is ours");
    let mut who = arauto(&["who", "--user", "ana", "--connect", "pipe:teste"]);
    finish(who.env("XDG_RUNTIME_DIR", &deep), "").expect_failure(64, &["107", "XDG_RUNTIME_DIR"]);
    let mut serve = command(&["pipe:teste"]);
    finish(serve.env("XDG_RUNTIME_DIR", &deep), "fim\n")
        .expect_failure(78, &["107", "XDG_RUNTIME_DIR"]);
}

#[test]
fn first_of_several_state_directories_has_the_accounts() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let (first, second) = (temp.path().join("a"), temp.path().join("b"));
    let both = format!("{}:{}", first.display(), second.display());
    let mut add = arauto(&["users", "add", "ana"]);
    finish(add.env("STATE_DIRECTORY", &both), "").expect_success();
    assert!(first.join("arauto.db").exists());
    let entries = std::fs::read_dir(temp.path()).expect("it is ours");
    assert_eq!(entries.count(), 1, "there is no folder with a colon");
}
