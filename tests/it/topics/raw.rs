//! `filter` of raw outbound listeners.

use arauto::NewMessage;

use crate::support::{Fixture, block_on};

#[test]
fn outbound_listener_sends_what_its_filter_matches_and_no_direct_message() {
    for kind in ["unix", "seqpacket"] {
        let options = "?dialect=raw&direction=outbound&filter=a/+,b&filter=c/%23";
        let fixture = Fixture::on(kind, options, |_| {});
        let mut reader = fixture.bare();
        fixture.wait_for_sessions(1);
        let say = |message: NewMessage<'_>| {
            block_on(fixture.server.publish(message)).expect("the server runs");
        };
        say(NewMessage::new("without a topic"));
        for topic in ["a", "a/x", "a/x/y", "b", "c", "c/d/e", "d"] {
            say(NewMessage::new(topic).topic(topic));
        }
        fixture.begin_stop();
        assert_eq!(reader.rest(), ["a/x", "b", "c", "c/d/e", "fim"], "{kind}");
        drop(reader);
        fixture.assert_clean();
    }
}

#[test]
fn outbound_listener_without_a_filter_sends_every_topic() {
    let fixture = Fixture::on("unix", "?dialect=raw&direction=outbound", |config| {
        Fixture::also(config, "tcp:127.0.0.1:0");
    });
    let mut reader = fixture.bare();
    fixture.wait_for_sessions(1);
    let endpoint = fixture.server.endpoints()[1].clone();
    block_on(async {
        let (ana, _events) = super::log_in(&endpoint, "ana").await;
        let messages = [
            NewMessage::new("um"),
            NewMessage::new("dois").topic("a/b"),
            NewMessage::new("para ana").to("ana"),
            NewMessage::new("três").topic("c").keep(),
        ];
        for message in messages {
            ana.publish(message).await.expect("it may");
        }
        ana.fim().await.expect("it is there");
    });
    fixture.wait_for_sessions(1);
    fixture.begin_stop();
    assert_eq!(reader.rest(), ["um", "dois", "três", "fim"]);
    drop(reader);
    fixture.assert_clean();
}
