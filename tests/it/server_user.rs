//! A password is sent only to a trusted server, not to any process that listens at its name.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use arauto::{Client, ClientError, Endpoint, Trust};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
};
use tempfile::TempDir;

use crate::support::{
    CommandResult, Fixture, Frame, NOBODY, PASSWORD, Served, arauto, as_other_user, block_on,
    can_become_other_user, finish, text, watchdog,
};

/// A process of another user that holds a server's name and waits for passwords.
struct Impostor {
    listener: UnixListener,
    endpoint: Endpoint,
}

impl Impostor {
    fn at(endpoint: &str) -> Impostor {
        let endpoint: Endpoint = endpoint.parse().expect("it is one");
        let listener = as_other_user(|| match &endpoint {
            Endpoint::Abstract(name) => {
                let address = SocketAddr::from_abstract_name(name).expect("it is short");
                UnixListener::bind_addr(&address).expect("it is free")
            }
            Endpoint::Unix(path) => UnixListener::bind(path).expect("it is free"),
            Endpoint::SeqPacket(path) => {
                let (kind, flags) = (SocketType::SEQPACKET, SocketFlags::CLOEXEC);
                let socket = socket_with(AddressFamily::UNIX, kind, flags, None);
                let socket = socket.expect("there are sockets");
                let address = SocketAddrUnix::new(path).expect("it is short");
                bind(&socket, &address).expect("it is free");
                listen(&socket, 16).expect("it is bound");
                UnixListener::from(socket)
            }
            other => panic!("{other} is no socket"),
        });
        Impostor { listener, endpoint }
    }

    /// Welcomes the next client as the server would, and returns the bytes that it sends.
    fn take(&self) -> Vec<u8> {
        let (mut client, _) = self.listener.accept().expect("somebody comes");
        let welcome = Frame::new(
            "welcome",
            [
                ("version", 1.into()),
                ("server", text("arauto")),
                ("session", 1.into()),
                ("max_frame", (1 << 20).into()),
            ],
        );
        let _ = client.write_all(&welcome.bytes()); // it may have gone already
        let mut got = vec![0; 64 << 10];
        let length = client.read(&mut got).unwrap_or(0);
        got.truncate(length);
        got
    }

    /// Runs a command against it; how that ended, and what the impostor got.
    fn meet(&self, arguments: &[&str]) -> (CommandResult, Vec<u8>) {
        let mut command = arauto(arguments);
        command.env("ARAUTO_ENDPOINT", self.endpoint.to_string());
        command.env("ARAUTO_USER", "ana");
        std::thread::scope(|scope| {
            let client = scope.spawn(move || finish(&mut command, ""));
            let got = self.take();
            (client.join().expect("it does not panic"), got)
        })
    }
}

/// A folder in which every user may make names, as in /tmp.
fn shared_folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    set_mode(folder.path(), 0o1777);
    folder
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

const LOGGING_IN: [&[&str]; 6] = [
    &["who"],
    &["sessions"],
    &["leitor"],
    &["escritor", "bom dia"],
    &["pedir", "bom dia"],
    &["fim"],
];

fn contains(got: &[u8], part: &str) -> bool {
    got.windows(part.len())
        .any(|window| window == part.as_bytes())
}

#[test]
fn command_sends_no_password_to_another_users_server() {
    let _watchdog = watchdog();
    if !can_become_other_user() {
        return;
    }
    let folder = shared_folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for endpoint in [
        format!("unix:@arauto-impostor-{}", std::process::id()),
        format!("unix:{}", path("a.sock")),
        format!("seqpacket:{}", path("b.sock")),
    ] {
        let impostor = Impostor::at(&endpoint);
        for arguments in LOGGING_IN {
            let (done, got) = impostor.meet(arguments);
            let uid = NOBODY.to_string();
            done.expect_failure(
                77,
                &[&endpoint, "no password was sent", "--server-user", &uid],
            );
            assert!(got.is_empty(), "{arguments:?} sent {got:?}");
        }
    }
}

#[test]
fn password_goes_to_the_named_server_user() {
    let _watchdog = watchdog();
    if !can_become_other_user() {
        return;
    }
    let impostor = Impostor::at(&format!("unix:@arauto-named-{}", std::process::id()));
    let uid = NOBODY.to_string();
    let (_, got) = impostor.meet(&["who", "--server-user", &uid]);
    assert!(contains(&got, PASSWORD), "{got:?}");
    let (done, got) = impostor.meet(&["who", "--server-user", "4242"]);
    done.expect_failure(77, &[&uid]);
    assert!(got.is_empty(), "{got:?}");
    let mut unknown = arauto(&["who", "--server-user", "nenhum-utilizador"]);
    finish(&mut unknown, "").expect_failure(64, &["nenhum-utilizador", "getent passwd"]);
}

#[test]
fn path_only_the_servers_user_could_make_is_trusted() {
    let _watchdog = watchdog();
    if !can_become_other_user() {
        return;
    }
    let above = tempfile::tempdir_in("/").expect("root may");
    set_mode(above.path(), 0o755);
    let own = above.path().join("own");
    std::fs::create_dir(&own).expect("it is ours");
    chown(&own, Some(NOBODY), None).expect("root may");
    let impostor = Impostor::at(&format!("unix:{}", own.join("s.sock").display()));
    let (_, got) = impostor.meet(&["who"]);
    assert!(contains(&got, PASSWORD), "{got:?}");
    // One folder above it in which others may make names, and it proves nothing.
    set_mode(above.path(), 0o1777);
    let (done, got) = impostor.meet(&["who"]);
    let above = above.path().display().to_string();
    done.expect_failure(77, &[&above, "writable by every user"]);
    assert!(got.is_empty(), "{got:?}");
}

#[test]
fn servers_of_root_and_of_the_own_user_are_trusted() {
    if !can_become_other_user() {
        return;
    }
    let fixture = Fixture::listening("?access=everyone", |_| {});
    let socket = fixture.socket();
    set_mode(socket.parent().expect("it is in a folder"), 0o1777);
    let log_in = || {
        block_on(async {
            let unauthenticated_client = Client::connect(fixture.endpoint()).await?;
            unauthenticated_client
                .login("ana", PASSWORD)
                .await
                .map(drop)
        })
    };
    log_in().expect("it is this process's own");
    as_other_user(log_in).expect("it is root's");
    fixture.wait_for_sessions(0);
    fixture.finish();
}

#[test]
fn library_refuses_another_users_server_before_its_welcome() {
    let _watchdog = watchdog();
    if !can_become_other_user() {
        return;
    }
    let impostor = Impostor::at(&format!("unix:@arauto-library-{}", std::process::id()));
    let refused = block_on(Client::connect(&impostor.endpoint)); // it never says a word
    assert!(matches!(refused, Err(ClientError::Untrusted(_))));
    let trust = Trust::system().with_server_user(&NOBODY.to_string());
    let trust = trust.expect("a number is one");
    let connected = std::thread::scope(|scope| {
        let client =
            scope.spawn(|| block_on(Client::connect_with(&impostor.endpoint, &trust)).map(drop));
        drop(impostor.listener.accept()); // the one that was refused
        impostor.take();
        client.join().expect("it does not panic")
    });
    connected.expect("its user is named");
}

/// The server dies, another user takes its name, and `leitor` comes again by itself.
#[test]
fn reconnecting_leitor_sends_no_password_to_an_impostor() {
    let _watchdog = watchdog();
    if !can_become_other_user() {
        return;
    }
    let name = format!("unix:@arauto-again-{}", std::process::id());
    let mut served = Served::new(&["--listen", &name]);
    let mut leitor = served.command(&["leitor", "--connect", &name]);
    let leitor = crate::support::spawn(&mut leitor);
    crate::support::wait_until("it is there", || {
        let mut sessions = served.command(&["sessions", "--json", "--user", "rui"]);
        finish(&mut sessions, "")
            .expect_success()
            .contains("\"ana\"")
    });
    served.child.kill().expect("it runs");
    served.wait();
    let impostor = Impostor::at(&name);
    assert!(impostor.take().is_empty());
    let done = leitor.wait_with_output().expect("it is a child");
    assert_eq!(done.status.code(), Some(77));
}
