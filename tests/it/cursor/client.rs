//! The library's client with a cursor.

use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;

use arauto::{Client, Endpoint, Event, Events, Incoming, Reconnect, Seq};
use tokio::runtime::Runtime;

use crate::support::{Fixture, PASSWORD};

/// A proxy that drops its connection when it is asked to, and takes the next one.
struct Proxy {
    endpoint: Endpoint,
    connections: mpsc::Receiver<TcpStream>,
}

impl Proxy {
    fn new(server: &Endpoint) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let server = server.to_string();
        let server = server.strip_prefix("tcp:").expect("it is tcp").to_owned();
        let (sender, connections) = mpsc::channel();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else {
                    return;
                };
                let clone = |stream: &TcpStream| stream.try_clone().expect("descriptors");
                let pairs = [
                    (clone(&client), clone(&server)),
                    (clone(&server), clone(&client)),
                ];
                for (mut from, mut to) in pairs {
                    std::thread::spawn(move || {
                        let _ = copy(&mut from, &mut to); // until it breaks
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                if sender.send(client).is_err() {
                    return;
                }
            }
        });
        Proxy {
            endpoint: format!("tcp:{address}").parse().expect("it is an endpoint"),
            connections,
        }
    }

    fn cut(&self) {
        let connection = self.connections.recv().expect("it connects");
        connection.shutdown(Shutdown::Both).expect("it is open");
    }
}

/// Returns the texts of the next messages, until one is `last`.
async fn texts(events: &mut Events, last: &str) -> Vec<(Seq, String)> {
    let mut texts: Vec<(Seq, String)> = Vec::new();
    while texts.last().is_none_or(|(_, text)| text != last) {
        match events.next().await.expect("it goes on") {
            Incoming::Event(Event::Message { seq, body, .. }) => {
                texts.push((seq, String::from_utf8_lossy(body.as_bytes()).into_owned()));
            }
            Incoming::Closing(end) => panic!("it ended: {end:?}"),
            _ => {}
        }
    }
    texts
}

#[test]
fn client_with_a_cursor_delivers_once_across_breaks() {
    let fixture = Fixture::listening("", |config| Fixture::also(config, "tcp:127.0.0.1:0"));
    let mut tcp = fixture.server.endpoints().iter();
    let tcp = tcp.find(|endpoint| matches!(endpoint, Endpoint::Tcp { .. }));
    let proxy = Proxy::new(tcp.expect("it listens there"));
    let mut ana = fixture.client("ana");
    let runtime = Runtime::new().expect("threads");
    runtime.block_on(async {
        let (client, mut events) = Client::builder(proxy.endpoint.clone())
            .user("rui")
            .password(PASSWORD)
            .cursor("c")
            .reconnect(Reconnect::new())
            .connect()
            .await
            .expect("it is let in");
        assert!(client.who_am_i().cursor_new);
        for round in 0..3 {
            for number in 0..10 {
                ana.publish(number, &format!("{round}-{number}"));
            }
            let got = texts(&mut events, &format!("{round}-9")).await;
            let expected: Vec<String> = (0..10).map(|number| format!("{round}-{number}")).collect();
            let found: Vec<&String> = got.iter().map(|(_, text)| text).collect();
            assert_eq!(found, expected.iter().collect::<Vec<_>>(), "none twice");
            client.ack(got[4].0).await.expect("it is there"); // the rest is sent again
            client.ping().await.expect("it is there");
            proxy.cut();
        }
        while !matches!(events.next().await, Some(Incoming::Reconnected(_))) {}
        client.fim().await.expect("it ends in order");
        drop((client, events));
        // Another client goes on behind the last ack.
        let (client, mut events) = Client::builder(proxy.endpoint.clone())
            .user("rui")
            .password(PASSWORD)
            .cursor("c")
            .connect()
            .await
            .expect("it is let in");
        let got = texts(&mut events, "2-9").await;
        assert_eq!(got[0].1, "2-5");
        client.fim().await.expect("it ends in order");
    });
    drop(runtime);
    drop(ana);
    fixture.finish();
}
