//! Sockets: created safely, never taken from another server, removed after the stop.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use arauto::HashCost;
use arauto::{BindError, Client, Config, Endpoint, Server, ServerError};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    Fixture, arauto, block_on, can_become_other_user, finish, wait_until, watchdog,
};

/// The file of the server's socket.
fn socket(fixture: &Fixture) -> &Path {
    match fixture.endpoint() {
        Endpoint::Unix(path) => path,
        other => panic!("{other} has no file"),
    }
}

fn config(endpoint: &str) -> Config {
    let mut config = Config::default();
    config.hash_cost = HashCost::LEAST;
    config.listen = vec![endpoint.parse().expect("it is an endpoint")];
    config
}

/// The error of a server that must not start.
fn refused(endpoint: &str) -> BindError {
    match Server::start(config(endpoint)) {
        Err(ServerError::Bind(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a server runs at {endpoint}"),
    }
}

#[test]
fn socket_file_is_private_whatever_the_umask_is() {
    let _watchdog = watchdog();
    for umask in ["000", "022", "777"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let socket = folder.path().join("s.sock");
        let mut server = Command::new("sh")
            .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_arauto"))
            .args(["serve", "--no-console", "--data", "none", "--listen"])
            .arg(format!("unix:{}", socket.display()))
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        wait_until("the server listens", || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        });
        let mode = std::fs::metadata(&socket)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "umask {umask}");
        let pid = i32::try_from(server.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("it has an id");
        kill_process(pid, Signal::TERM).expect("it runs");
        assert_eq!(server.wait().expect("it is a child").code(), Some(0));
        assert!(!socket.exists(), "the file is gone after the stop");
    }
}

#[test]
fn socket_with_mode_everyone_accepts_all_users() {
    let fixture = Fixture::listening("?access=everyone", |_| {});
    let mode = std::fs::metadata(socket(&fixture))
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o666);
    fixture.finish();
}

#[test]
fn stale_socket_is_replaced() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let socket = folder.path().join("s.sock");
    drop(UnixListener::bind(&socket).expect("the path is free"));
    assert!(socket.exists(), "nobody listens there, and the file stays");
    let server = Server::start(config(&format!("unix:{}", socket.display()))).expect("it starts");
    std::os::unix::net::UnixStream::connect(&socket).expect("the server listens");
    block_on(server.stop());
    assert_eq!(block_on(server.stopped()).exit, 0);
    assert!(!socket.exists());
}

#[test]
fn socket_of_a_living_server_is_never_taken() {
    let fixture = Fixture::new();
    let endpoint = fixture.endpoint().to_string();
    let error = refused(&endpoint);
    assert!(matches!(error, BindError::InUse(_)), "{error}");
    assert!(error.to_string().contains(&endpoint), "{error}");
    fixture.client("ana").fim();
    fixture.finish();
}

#[test]
fn file_that_is_not_a_socket_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("s.sock");
    std::fs::write(&path, "precious").expect("the folder is ours");
    let error = refused(&format!("unix:{}", path.display()));
    assert!(matches!(error, BindError::NotASocket(_)), "{error}");
    assert_eq!(
        std::fs::read_to_string(&path).expect("it is there"),
        "precious"
    );
}

#[test]
fn server_that_fails_to_start_leaves_no_socket() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let good = folder.path().join("good.sock");
    let bad = folder.path().join("no/such/folder.sock");
    let mut config = config(&format!("unix:{}", good.display()));
    Fixture::also(&mut config, &format!("unix:{}", bad.display()));
    assert!(Server::start(config).is_err());
    assert!(!good.exists());
}

#[test]
fn socket_of_another_program_is_not_removed_at_exit() {
    let fixture = Fixture::new();
    let path = socket(&fixture).to_owned();
    std::fs::remove_file(&path).expect("it is there");
    let _other = UnixListener::bind(&path).expect("the path is free");
    fixture.begin_stop();
    let report = fixture.report();
    assert_eq!(report.exit, 0);
    assert!(path.exists(), "it is not the server's own");
}

#[test]
fn tcp_address_beyond_loopback_is_refused() {
    let error = refused("tcp:0.0.0.0:0");
    assert!(matches!(error, BindError::NotLoopback(..)), "{error}");
    assert!(error.to_string().contains("loopback"), "{error}");
}

#[test]
fn loopback_tcp_and_abstract_sockets_serve_clients() {
    let _watchdog = watchdog();
    let name = format!("unix:@arauto-test-{}", std::process::id());
    for endpoint in ["tcp:127.0.0.1:0", "tcp:[::1]:0", &name] {
        let server = match Server::start(config(endpoint)) {
            Ok(server) => server,
            Err(error) if endpoint.contains("::1") => {
                eprintln!("skipped, no ipv6 here: {error}");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        block_on(async {
            let unauthenticated_client = Client::connect(&server.endpoints()[0])
                .await
                .expect("it listens");
            let (client, _events) = unauthenticated_client
                .login("ana", "segredo")
                .await
                .expect("it is open");
            let reply = client.request("olá").await.expect("it is served");
            assert_eq!(reply.as_text(), Some("OLÁ"));
            assert_eq!(client.fim().await.expect("it ends in order").reason, "fim");
        });
        block_on(server.stop());
        assert_eq!(block_on(server.stopped()).exit, 0);
    }
}

#[test]
fn abstract_name_in_use_is_reported() {
    let _watchdog = watchdog();
    let name = format!("unix:@arauto-taken-{}", std::process::id());
    let server = Server::start(config(&name)).expect("the name is free");
    let error = refused(&name);
    assert!(matches!(error, BindError::InUse(_)), "{error}");
    block_on(server.stop());
    assert_eq!(block_on(server.stopped()).exit, 0);
}

#[test]
fn pipe_endpoint_is_a_socket_in_the_runtime_folder() {
    let _watchdog = watchdog();
    let runtime = tempfile::tempdir().expect("a folder can be made");
    let mut server = crate::support::arauto(&["serve", "--no-console", "--data", "none"])
        .args(["--listen", "pipe:teste"])
        .env("XDG_RUNTIME_DIR", runtime.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary is built");
    let socket = runtime.path().join("arauto/teste.sock");
    wait_until("the server listens", || {
        std::os::unix::net::UnixStream::connect(&socket).is_ok()
    });
    let mut who = crate::support::arauto(&["who", "--connect", "pipe:teste", "--user", "ana"]);
    let done = crate::support::finish(who.env("XDG_RUNTIME_DIR", runtime.path()), "");
    assert_eq!(done.expect_success(), "ana\n");
    let pid = i32::try_from(server.id())
        .ok()
        .and_then(Pid::from_raw)
        .expect("it has an id");
    kill_process(pid, Signal::INT).expect("it runs");
    assert_eq!(server.wait().expect("it is a child").code(), Some(0));
    assert!(!socket.exists());
}

/// A runtime folder of its own, with a folder for pipes of this mode in it.
fn pipes_folder(mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let runtime = tempfile::tempdir().expect("a folder can be made");
    let pipes = runtime.path().join("arauto");
    std::fs::create_dir(&pipes).expect("the folder is ours");
    std::fs::set_permissions(&pipes, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    (runtime, pipes)
}

#[test]
fn pipe_folder_writable_by_others_is_refused_by_both_sides() {
    let _watchdog = watchdog();
    for mode in [0o777, 0o1777, 0o770] {
        let (runtime, pipes) = pipes_folder(mode);
        let name = pipes.display().to_string();
        let run = |arguments: &[&str]| {
            let mut command = arauto(arguments);
            finish(command.env("XDG_RUNTIME_DIR", runtime.path()), "")
        };
        let serve = run(&["serve", "--data", "none", "--listen", "pipe:x"]);
        serve.expect_failure(
            serve.code.unwrap_or(0),
            &[&name, "chmod 700", "XDG_RUNTIME_DIR"],
        );
        assert_ne!(serve.code, Some(0), "{serve:?}");
        let who = run(&["who", "--connect", "pipe:x", "--user", "ana"]);
        who.expect_failure(77, &[&name, "chmod 700", "XDG_RUNTIME_DIR"]);
    }
}

#[test]
fn pipe_folder_as_a_link_or_of_another_user_is_refused() {
    let _watchdog = watchdog();
    let (runtime, pipes) = pipes_folder(0o700);
    let run = || {
        let mut who = arauto(&["who", "--connect", "pipe:x", "--user", "ana"]);
        finish(who.env("XDG_RUNTIME_DIR", runtime.path()), "")
    };
    run().expect_failure(69, &["no server listens there"]); // the folder is good
    let moved = runtime.path().join("moved");
    std::fs::rename(&pipes, &moved).expect("the folder is ours");
    std::os::unix::fs::symlink(&moved, &pipes).expect("the folder is ours");
    run().expect_failure(77, &["is a link"]);
    if can_become_other_user() {
        std::fs::remove_file(&pipes).expect("the folder is ours");
        std::fs::rename(&moved, &pipes).expect("the folder is ours");
        std::os::unix::fs::chown(&pipes, Some(4242), None).expect("root may");
        run().expect_failure(77, &["belongs to uid 4242"]);
    }
}
