//! The command of arauto.service with its configuration, run as systemd would run it.

use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::passing::{serve_passing, served};
use super::unit_file::UnitFile;
use crate::support::{Stop, arauto, watchdog};

#[test]
fn shipped_service_serves_its_socket_and_keeps_its_data() {
    let _watchdog = watchdog();
    let (service, unit) = (
        UnitFile::read("arauto.service"),
        UnitFile::read("arauto.socket"),
    );
    let folder = tempfile::tempdir().expect("a folder can be made");
    // DynamicUser= makes the state folder below `private`, and a link to it.
    let (state, name) = (folder.path().join("state"), service.value("StateDirectory"));
    let private = state.join("private").join(name);
    std::fs::create_dir_all(&private).expect("the folder is ours");
    symlink(&private, state.join(name)).expect("the folder is ours");

    let run = folder.path().join("run");
    std::fs::create_dir_all(run.join(service.value("RuntimeDirectory")))
        .expect("the folder is ours");

    // The same configuration with the folders of this test.
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/arauto.toml");
    let configuration = std::fs::read_to_string(shipped)
        .expect("it is in the tree")
        .replace("/var/lib/", &format!("{}/", state.display()))
        .replace("/run/", &format!("{}/", run.display()));
    let file = folder.path().join("arauto.toml");
    std::fs::write(&file, configuration).expect("the folder is ours");

    let start = service
        .value("ExecStart")
        .replace("/etc/arauto/arauto.toml", &file.display().to_string());
    assert!(start.contains(&file.display().to_string()), "{start}");
    let mut words = start.split_whitespace();
    assert_eq!(words.next(), Some("/usr/bin/arauto"));
    let mut command = arauto(&words.collect::<Vec<_>>());
    command.env("STATE_DIRECTORY", state.join(name));

    let socket = folder.path().join("arauto.sock");
    let listener = UnixListener::bind(&socket).expect("the folder is ours");
    let sockets = [(unit.value("FileDescriptorName"), OwnedFd::from(listener))];
    let child = serve_passing(command, folder.path(), &sockets);
    let mut server = served(child, folder, &socket);
    let mut ana = server.unauthenticated();
    ana.log_in("ana");
    drop(ana);
    server.send_stop(Stop::USUAL);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    assert!(private.join("arauto.db").exists());
    assert!(private.join("last-stop.json").exists());
    assert!(socket.exists());
}
