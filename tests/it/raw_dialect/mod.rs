//! The raw dialect, as programs without arauto's protocol see it.

mod duplex;
mod ending;
mod outbound;
mod session_limits;
mod slow;

use arauto::{Config, Report, SessionRecord};

use crate::support::{BareClient, Fixture};

/// The kinds of sockets that a raw listener may have.
const KINDS: [&str; 3] = ["unix", "seqpacket", "tcp"];

/// A server with one raw listener of this kind, the first, and one for cbor.
fn fixture(kind: &str, options: &str, change: impl FnOnce(&mut Config)) -> Fixture {
    let raw = format!("?dialect=raw{options}");
    if kind == "tcp" {
        return Fixture::listening("", |config| {
            let tcp = format!("tcp:127.0.0.1:0{raw}");
            config.listen.insert(0, tcp.parse().expect("it is right"));
            change(config);
        });
    }
    Fixture::on(kind, &raw, |config| {
        config.listen.push(cbor_endpoint(config));
        change(config);
    })
}

/// Beside the raw one.
fn cbor_endpoint(config: &Config) -> arauto::Listen {
    let name = match &config.listen[0].endpoint {
        arauto::Endpoint::Unix(path) | arauto::Endpoint::SeqPacket(path) => path.display(),
        other => panic!("{other} has no path"),
    };
    format!("unix:{name}.cbor")
        .parse()
        .expect("it is an endpoint")
}

/// Readers of the raw listener, all of them there.
fn readers(fixture: &Fixture, count: usize) -> Vec<BareClient> {
    let readers = (0..count).map(|_| fixture.bare()).collect();
    fixture.wait_for_sessions(count);
    readers
}

/// Returns what each client reads up to the end. The clients read concurrently, because in a stop
/// the server closes no connection before all clients have read the rest.
fn rests(readers: Vec<BareClient>) -> Vec<Vec<String>> {
    std::thread::scope(|scope| {
        let reading: Vec<_> = readers
            .into_iter()
            .map(|mut reader| scope.spawn(move || reader.rest()))
            .collect();
        let read = reading.into_iter().map(|reader| reader.join());
        read.map(|rest| rest.expect("it reads to the end"))
            .collect()
    })
}

/// The report's rows about the raw listener.
fn rows(report: &Report) -> Vec<&SessionRecord> {
    let rows = report.sessions.iter().filter(|row| row.user.is_none());
    rows.collect()
}

fn encoded(charset: arauto::wire::Charset, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    charset.encode(text, &mut bytes);
    bytes
}
