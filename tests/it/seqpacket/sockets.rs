//! The socket file of a seqpacket endpoint is created as safely as any other.

use std::os::unix::fs::PermissionsExt;

use arauto::HashCost;
use arauto::{BindError, Config, Server, ServerError};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
};

use crate::support::{Fixture, block_on, watchdog};

fn config(endpoint: &str) -> Config {
    let mut config = Config::default();
    config.hash_cost = HashCost::LEAST;
    config.listen = vec![endpoint.parse().expect("it is an endpoint")];
    config
}

#[test]
fn seqpacket_file_is_private_unless_the_endpoint_says_so() {
    for (options, expected) in [("", 0o600), ("?access=everyone", 0o666)] {
        let fixture = Fixture::on("seqpacket", options, |_| {});
        let found = std::fs::metadata(fixture.socket()).expect("it is there");
        assert_eq!(found.permissions().mode() & 0o777, expected);
        fixture.finish();
    }
}

#[test]
fn stale_socket_of_any_type_is_replaced() {
    let _watchdog = watchdog();
    for kind in [SocketType::SEQPACKET, SocketType::STREAM] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("s.sock");
        let stale = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None);
        let stale = stale.expect("a descriptor is free");
        let address = SocketAddrUnix::new(&path).expect("the path is short");
        bind(&stale, &address).expect("the path is free");
        listen(&stale, 1).expect("it is bound");
        drop(stale);
        let endpoint = format!("seqpacket:{}", path.display());
        let server = Server::start(config(&endpoint)).expect("it starts");
        block_on(server.stop());
        assert_eq!(block_on(server.stopped()).exit, 0);
        assert!(!path.exists());
    }
}

#[test]
fn living_servers_socket_of_any_type_is_never_taken() {
    for (living, other) in [
        ("seqpacket", "seqpacket"),
        ("seqpacket", "unix"),
        ("unix", "seqpacket"),
    ] {
        let fixture = Fixture::on(living, "", |_| {});
        let endpoint = format!("{other}:{}", fixture.socket().display());
        match Server::start(config(&endpoint)) {
            Err(ServerError::Bind(BindError::InUse(taken))) => {
                assert_eq!(taken.to_string(), endpoint);
            }
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("two servers at {endpoint}"),
        }
        fixture.finish();
    }
}
