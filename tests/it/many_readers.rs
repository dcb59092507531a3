//! Enough readers that the server sends them pages of files in memory.

use std::net::TcpStream;

use arauto::Endpoint;

use crate::support::{Fixture, FrameClient};

const READERS: usize = 40;
const MESSAGES: u64 = 2_000;

/// Each of another length, the longest longer than what shares memory with others.
fn body(number: u64) -> String {
    let length = (number * 7919) % 6_000 + if number % 500 == 499 { 40_000 } else { 0 };
    format!("{number}:").repeat(length as usize / 5)
}

/// Publishes fifty at a time.
fn publish_all(mut client: FrameClient) {
    let ids: Vec<u64> = (0..MESSAGES).collect();
    for some in ids.chunks(50) {
        some.iter().for_each(|id| client.publish(*id, &body(*id)));
        for id in some {
            assert_eq!(client.skip_to("published").num("id"), *id);
        }
    }
}

fn hear_all(reader: &mut FrameClient) {
    let mut last = None;
    for number in 0..MESSAGES {
        let message = reader.skip_to("message");
        assert_eq!(message.text("body"), body(number), "message {number}");
        let seq = message.num("seq");
        assert!(last.is_none_or(|last| seq == last + 1), "{last:?}, {seq}");
        last = Some(seq);
    }
}

fn hear_while_publishing(mut readers: Vec<FrameClient>, publisher: FrameClient) {
    assert_eq!(readers.len(), READERS);
    std::thread::scope(|scope| {
        let (ready, late) = readers.split_at_mut(READERS / 2);
        for reader in ready {
            scope.spawn(|| hear_all(reader));
        }
        publish_all(publisher);
        // The broadcasts of these readers have been waiting, part of them half written.
        late.iter_mut().for_each(hear_all);
        #[cfg(target_os = "linux")]
        assert!(has_memory_files(), "there are many readers");
    });
    for mut reader in readers {
        reader.fim();
    }
}

#[cfg(target_os = "linux")]
fn has_memory_files() -> bool {
    let files = std::fs::read_dir("/proc/self/fd").expect("linux tells");
    files
        .filter_map(|file| std::fs::read_link(file.ok()?.path()).ok())
        .any(|target| target.to_string_lossy().contains("arauto-log"))
}

#[test]
fn forty_local_readers_receive_every_byte() {
    let fixture = Fixture::new();
    let readers = (0..READERS).map(|_| fixture.client("rui")).collect();
    hear_while_publishing(readers, fixture.client("ana"));
    fixture.finish();
}

#[test]
fn forty_tcp_readers_receive_every_byte() {
    let fixture = Fixture::with(|config| Fixture::also(config, "tcp:127.0.0.1:0"));
    let Endpoint::Tcp { port, .. } = &fixture.server.endpoints()[1] else {
        panic!("the second endpoint is tcp");
    };
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", *port)).expect("the server listens");
        let mut client = FrameClient::tcp(stream);
        client.expect("welcome");
        client.log_in("rui");
        client
    };
    let readers = (0..READERS).map(|_| connect()).collect();
    hear_while_publishing(readers, fixture.client("ana"));
    fixture.finish();
}
