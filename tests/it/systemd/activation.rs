//! Sockets that are passed to a server: served by their names, and left as they are.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use arauto::{
    BindError, Client, Config, ConfigError, Endpoint, HashCost, PassedSocket, Server, ServerError,
    ServerHandle,
};

use super::passing::{passing, seqpacket_listener, serve_passing, served};
use crate::support::{
    BareClient, Served, Stop, arauto, block_on, finish, has_tool, run_by, wait_until, watchdog,
};

/// The welcome of the text dialect.
const WELCOME: &str = "+ arauto 1";

fn serve_command(endpoints: &[&str]) -> Command {
    let mut command = arauto(&["serve", "--no-console", "--data", "none"]);
    for endpoint in endpoints {
        command.args(["--listen", endpoint]);
    }
    command
}

fn clone(socket: &OwnedFd) -> OwnedFd {
    socket.try_clone().expect("a descriptor is free")
}

fn unix(path: &Path) -> OwnedFd {
    UnixListener::bind(path).expect("the folder is ours").into()
}

fn tcp(address: &str) -> (Endpoint, OwnedFd) {
    let listener = TcpListener::bind(address).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let (host, port) = (address.ip().to_string(), address.port());
    (Endpoint::Tcp { host, port }, listener.into())
}

/// Stops a server and asserts that its end is clean.
#[track_caller]
fn stop(mut server: Served) -> tempfile::TempDir {
    server.send_stop(Stop::USUAL);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    server.into_folder()
}

#[test]
fn passed_sockets_are_served_by_name_and_left_after_each_stop() {
    let _watchdog = watchdog();
    let mut folder = tempfile::tempdir().expect("a folder can be made");
    let (path, packets) = (
        folder.path().join("web.sock"),
        folder.path().join("raw.sock"),
    );
    let sockets = [("web", unix(&path)), ("raw", seqpacket_listener(&packets))];
    let identity = |path: &Path| std::fs::metadata(path).expect("it is there").ino();
    let before = (identity(&path), identity(&packets));
    let endpoints = ["systemd:web?dialect=text&max=10", "systemd:raw?dialect=raw"];
    for _ in 0..2 {
        let child = serve_passing(serve_command(&endpoints), folder.path(), &sockets);
        let server = served(child, folder, &path);
        BareClient::connect(&Endpoint::Unix(path.clone())).expect(WELCOME);
        let mut raw = BareClient::connect(&Endpoint::SeqPacket(packets.clone()));
        raw.send(b"bom dia");
        raw.expect("BOM DIA");
        assert_closed_on_exec(server.child.id());
        drop(raw);
        folder = stop(server);
        assert_eq!((identity(&path), identity(&packets)), before);
    }
}

/// Asserts that no socket of the server stays open in a program that it starts.
#[track_caller]
fn assert_closed_on_exec(pid: u32) {
    const CLOEXEC: u32 = 0o2_000_000;
    let mut sockets = 0;
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs") {
        let path = entry.expect("it can be read").path();
        let is_socket = |to: std::path::PathBuf| to.to_string_lossy().starts_with("socket:");
        if !std::fs::read_link(&path).is_ok_and(is_socket) {
            continue;
        }
        let info = Path::new("/proc").join(pid.to_string()).join("fdinfo");
        let info = info.join(path.file_name().expect("it has a name"));
        let Ok(text) = std::fs::read_to_string(info) else {
            continue; // closed meanwhile
        };
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = u32::from_str_radix(flags.expect("it has flags").trim(), 8);
        assert_ne!(
            flags.expect("a number") & CLOEXEC,
            0,
            "{}: {text}",
            path.display()
        );
        sockets += 1;
    }
    assert!(sockets >= 2, "{sockets}");
}

#[test]
fn sockets_of_one_name_have_the_same_options() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("web.sock");
    let (local, socket) = tcp("127.0.0.1:0");
    let sockets = [("web", unix(&path)), ("web", socket)];
    let command = serve_command(&["systemd:web?dialect=text"]);
    let child = serve_passing(command, folder.path(), &sockets);
    let server = served(child, folder, &path);
    BareClient::connect(&Endpoint::Unix(path)).expect(WELCOME);
    BareClient::connect(&local).expect(WELCOME);
    stop(server);
}

#[test]
fn socket_activated_server_leaves_the_socket_file() {
    let _watchdog = watchdog();
    if !has_tool("systemd-socket-activate") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("web.sock");
    let activate = ["systemd-socket-activate", "--fdname=web", "--listen"];
    let listen = path.to_str().expect("the folder's path is utf-8");
    let outer = [&activate[..], &[listen]].concat();
    let log = std::fs::File::create(folder.path().join("log")).expect("the folder is ours");
    let mut command = run_by(&outer, serve_command(&["systemd:web?dialect=text"]));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    let child = command.spawn().expect("it is installed");
    let server = served(child, folder, &path);
    wait_until("systemd-socket-activate listens", || path.exists());
    // The first client starts the server, under the process id of the tool.
    BareClient::connect(&Endpoint::Unix(path.clone())).expect(WELCOME);
    let _folder = stop(server);
    assert!(path.exists());
}

#[test]
fn name_without_its_counterpart_is_named() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let sockets = [("web", unix(&folder.path().join("web.sock")))];
    let refused = |endpoint: &str, sockets: &[_], naming: &[&str]| {
        let mut command = passing(serve_command(&[endpoint]), sockets);
        let output = command
            .stderr(Stdio::piped())
            .output()
            .expect("there is a shell");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{error}");
        for name in naming {
            assert!(error.contains(name), "{name} is not in {error}");
        }
    };
    refused(
        "unix:@never",
        &sockets,
        &["\"web\"", "--listen systemd:NAME"],
    );
    refused("systemd:raw", &sockets, &["systemd:raw", "\"web\""]);
    refused("systemd:raw", &[], &["systemd:raw", "at all"]);
}

#[test]
fn variables_for_another_process_pass_no_socket() {
    let _watchdog = watchdog();
    let mut command = serve_command(&["systemd:web"]);
    command.envs([
        ("LISTEN_PID", "1"),
        ("LISTEN_FDS", "1"),
        ("LISTEN_FDNAMES", "web"),
    ]);
    finish(&mut command, "").expect_failure(78, &["at all"]);
    let mut client = arauto(&["leitor", "--connect", "systemd:web"]);
    finish(&mut client, "").expect_failure(64, &["systemd:web", "ListenStream="]);
}

/// The configuration of a server in this process that takes `sockets`.
fn config(endpoints: &[&str], sockets: &[(&str, &OwnedFd)]) -> Config {
    let mut config = Config::default();
    config.hash_cost = HashCost::LEAST;
    let endpoints = endpoints
        .iter()
        .map(|text| text.parse().expect("it is an endpoint"));
    config.listen = endpoints.collect();
    let sockets = sockets
        .iter()
        .map(|(name, socket)| PassedSocket::new(*name, clone(socket)));
    config.sockets = sockets.collect();
    config
}

fn refusal(endpoints: &[&str], sockets: &[(&str, &OwnedFd)]) -> ServerError {
    let started = Server::start(config(endpoints, sockets));
    started.expect_err("the server must not start")
}

#[test]
fn passed_socket_that_breaks_a_rule_is_refused() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("a.sock");
    let (local, (_, open)) = (unix(&path), tcp("0.0.0.0:0"));
    let beyond = refusal(&["systemd:a"], &[("a", &open)]);
    assert!(
        matches!(beyond, ServerError::Bind(BindError::NotLoopback(..))),
        "{beyond}"
    );
    let access = refusal(&["systemd:a?access=everyone"], &[("a", &local)]);
    assert!(access.to_string().contains("SocketMode="), "{access}");
    let nul = refusal(&["systemd:a?dialect=raw&terminator=nul"], &[("a", &local)]);
    assert!(
        matches!(nul, ServerError::Config(ConfigError::Endpoint { .. })),
        "{nul}"
    );
    let own = format!("unix:{}", path.display());
    for second in ["systemd:a", &own] {
        let twice = refusal(&["systemd:a", second], &[("a", &local)]);
        assert!(
            matches!(twice, ServerError::Bind(BindError::Own { .. })),
            "{twice}"
        );
    }
    assert!(path.exists());
}

async fn stopped(server: &ServerHandle) -> u8 {
    server.stop().await;
    server.stopped().await.exit
}

#[test]
fn client_that_connects_between_two_servers_is_served() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("a.sock");
    let socket = unix(&path);
    let start = || {
        let config = config(&["systemd:a?dialect=text"], &[("a", &socket)]);
        Server::start(config).expect("it starts")
    };
    let endpoint = Endpoint::Unix(path);
    let first = start();
    assert_eq!(first.endpoints(), std::slice::from_ref(&endpoint));
    BareClient::connect(&endpoint).expect(WELCOME);
    assert_eq!(block_on(stopped(&first)), 0);
    let mut waiting = BareClient::connect(&endpoint);
    let second = start();
    waiting.expect(WELCOME);
    drop(waiting);
    assert_eq!(block_on(stopped(&second)), 0);
}

#[test]
fn removed_file_of_a_passed_socket_is_not_made_again() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (path, own) = (folder.path().join("a.sock"), folder.path().join("own.sock"));
    let socket = unix(&path);
    let own_endpoint = Endpoint::Unix(own.clone());
    let config = config(&["systemd:a", &own_endpoint.to_string()], &[("a", &socket)]);
    let server = Server::start(config).expect("it starts");
    std::fs::remove_file(&path).expect("it is there");
    // The file of the server's own socket shows when the server has looked.
    for _ in 0..2 {
        std::fs::remove_file(&own).expect("it is there");
        wait_until("the server's own file is back", || own.exists());
    }
    assert!(!path.exists());
    block_on(async {
        Client::connect(&own_endpoint).await.expect("it listens");
        assert_eq!(stopped(&server).await, 0);
    });
}
