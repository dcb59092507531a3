//! The socket file while the server runs: removed, replaced, and no lock on its folder.

use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use arauto::{Client, Endpoint};
use rustix::fs::{FlockOperation, flock};

use crate::support::{Fixture, Served, block_on, wait_until, watchdog};

fn path(endpoint: &Endpoint) -> PathBuf {
    match endpoint {
        Endpoint::Unix(path) | Endpoint::SeqPacket(path) => path.clone(),
        other => panic!("{other} has no file"),
    }
}

fn logs_in(endpoint: &Endpoint) -> bool {
    block_on(async {
        let Ok(unauthenticated_client) = Client::connect(endpoint).await else {
            return false;
        };
        let (client, _events) = unauthenticated_client
            .login("eva", "segredo")
            .await
            .expect("it is open");
        client.fim().await.expect("it ends in order").reason == "fim"
    })
}

#[test]
fn removed_socket_file_is_made_again_undisturbed() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let other = Endpoint::SeqPacket(folder.path().join("p.sock"));
    let fixture = Fixture::with(|config| {
        Fixture::also(config, &format!("{other}?access=everyone"));
    });
    let mut ana = fixture.client("ana");
    for endpoint in [fixture.endpoint().clone(), other] {
        let path = path(&endpoint);
        let mode = |path: &Path| {
            use std::os::unix::fs::PermissionsExt;
            std::fs::metadata(path).map(|found| found.permissions().mode())
        };
        let before = mode(&path).expect("it is there");
        for _ in 0..2 {
            std::fs::remove_file(&path).expect("it is there");
            wait_until("the socket is there again", || logs_in(&endpoint));
        }
        assert_eq!(mode(&path).expect("it is there"), before);
    }
    ana.publish(7, "the session goes on");
    ana.skip_to("published");
    drop(ana);
    fixture.finish();
    assert!(
        !folder.path().join("p.sock").exists(),
        "gone after the stop"
    );
}

#[test]
fn client_waiting_at_the_removed_socket_is_served() {
    let fixture = Fixture::listening("?dialect=raw&max=1", |_| {});
    let path = path(fixture.endpoint());
    let first = UnixStream::connect(&path).expect("the server listens");
    fixture.wait_for_sessions(1);
    // There is no place for it: it waits where the system keeps it.
    let mut second = UnixStream::connect(&path).expect("the server listens");
    std::fs::remove_file(&path).expect("it is there");
    wait_until("the socket is there again", || path.exists());
    drop(first);
    use std::io::{BufRead, BufReader, Write};
    second.write_all(b"bom dia\n").expect("somebody listens");
    let mut reply = String::new();
    let read = BufReader::new(&second).read_line(&mut reply);
    assert!(read.is_ok());
    assert_eq!(reply, "BOM DIA\n");
    drop(second);
    fixture.finish();
}

#[test]
fn socket_of_another_server_is_retaken_only_once_stale() {
    let _watchdog = watchdog();
    let served = Served::new(&["--no-console", "--data", "none"]);
    let path = path(served.endpoint());
    std::fs::remove_file(&path).expect("it is there");
    let other = UnixListener::bind(&path).expect("the path is free");
    wait_until("the log tells", || {
        served
            .log()
            .contains("socket file was replaced by another program's")
    });
    let caller = UnixStream::connect(&path).expect("the other one listens");
    other.accept().expect("its caller is its own");
    drop((caller, other));
    // It listens no more, and its file stays: the path is free again.
    wait_until("the server is back", || logs_in(served.endpoint()));
    assert!(served.log().contains("listening there again"));
    served.stop();
}

#[test]
fn foreign_lock_on_the_folder_does_not_block_the_start() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let reader = std::fs::File::open(folder.path()).expect("the folder is readable");
    flock(reader.as_fd(), FlockOperation::LockExclusive).expect("nobody has it");
    let served = Served::within(folder, &["--journal", "--no-console"]);
    let data = std::fs::File::open(served.folder.path().join("data")).expect("it is there");
    flock(data.as_fd(), FlockOperation::LockExclusive).expect("nobody has it");
    let mut served = served;
    served.send_stop(crate::support::Stop::USUAL);
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let folder = served.into_folder();
    Served::within(folder, &["--journal", "--no-console"]).stop();
    drop((reader, data));
}
