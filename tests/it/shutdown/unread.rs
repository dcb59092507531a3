//! Input that the server has not read when it closes: on most transports a close would
//! take back what the client has not read yet.

use crate::support::{Fixture, FrameClient, ask, block_on};

/// A client that is behind with its reading speaks on, before `closing` and after it.
fn speaks_on(fixture: Fixture, mut client: FrameClient) {
    let since = client.log_in("ana").num("seq");
    let body = "x".repeat(64 << 10);
    for _ in 0..40 {
        block_on(fixture.server.publish(body.as_str())).expect("the server is there");
    }
    fixture.begin_stop();
    let say = |client: &mut FrameClient, id| {
        let _ = client.try_send(&ask("ping", id).bytes()); // or it is closed
    };
    for id in 0..100 {
        say(&mut client, id);
    }
    let frames = client.until("closing");
    for id in 100..200 {
        say(&mut client, id);
    }
    client.expect_end();
    let seqs = frames.iter().filter(|frame| frame.get("seq").is_some());
    let seqs: Vec<u64> = seqs.map(|frame| frame.num("seq")).collect();
    let report = fixture.assert_clean();
    assert_eq!(seqs, (since + 1..=report.head.0).collect::<Vec<_>>());
}

#[test]
fn answers_on_a_unix_socket_survive_the_close() {
    let fixture = Fixture::new();
    let client = fixture.unauthenticated();
    speaks_on(fixture, client);
}

#[test]
fn answers_on_a_seqpacket_socket_survive_the_close() {
    let fixture = Fixture::on("seqpacket", "", |_| {});
    let mut client = FrameClient::packets(fixture.packets());
    client.expect("welcome");
    speaks_on(fixture, client);
}

#[test]
fn answers_on_tcp_survive_the_close() {
    let fixture = Fixture::with(|config| Fixture::also(config, "tcp:127.0.0.1:0"));
    let client = fixture.tcp_unauthenticated();
    speaks_on(fixture, client);
}
