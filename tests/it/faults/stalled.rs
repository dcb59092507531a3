//! Clients that do not read during a stop.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use arauto::wire::{Decoded, ServerFrame, cbor};
use arauto::{Endpoint, Evidence, Report, SessionRecord};
use rustix::net::sockopt::set_socket_recv_buffer_size;

use super::swarm::{self, Swarm, Work};
use super::{Three, flood};
use crate::support::{BareClient, FrameClient, Stop, prefixed, watchdog};

const STALLED: usize = 50;
const READING: usize = 100;

/// More than any socket takes: TCP's buffers could grow to some MiB.
const MESSAGES: u64 = 100;
const BODY: usize = 60 << 10;

/// The receive buffer of TCP: no less than a segment of the loopback holds, as smaller
/// windows are probed for now and then only.
const RECEIVE: usize = 128 << 10;

/// The budget of a stop here, and how much later the process must be gone.
const BUDGET: Duration = Duration::from_secs(3);
const LATER: Duration = Duration::from_secs(1);

/// The time that a stop may take from the second signal on.
const IMPATIENT: Duration = Duration::from_secs(2);

/// A client that has logged in and reads no more.
struct Stalled {
    client: FrameClient,
    session: u64,
    since: u64,
}

fn connect(endpoint: &Endpoint) -> FrameClient {
    let socket = BareClient::connect(endpoint).into_socket();
    set_socket_recv_buffer_size(&socket, RECEIVE).expect("it is a socket");
    match endpoint {
        Endpoint::Tcp { .. } => FrameClient::tcp(TcpStream::from(socket)),
        _ => FrameClient::packets(socket),
    }
}

impl Stalled {
    fn new(endpoint: &Endpoint) -> Stalled {
        let mut client = connect(endpoint);
        let session = client.expect("welcome").num("session");
        let since = client.log_in("lento").num("seq");
        Stalled {
            client,
            session,
            since,
        }
    }

    /// Reads what there still is; the last broadcast that came whole, all before it
    /// without a gap.
    fn read_to_the_end(mut self) -> u64 {
        let mut last = self.since;
        let mut note = |item: &[u8]| match cbor::decode_server(&prefixed(item), usize::MAX) {
            Ok(Decoded::Frame(ServerFrame::Message(message), _)) => {
                assert_eq!(message.seq.0, last + 1, "no hole, no repeat");
                last += 1;
            }
            Ok(Decoded::Frame(ServerFrame::Joined(user) | ServerFrame::Left(user), _)) => {
                assert_eq!(user.seq.0, last + 1, "no hole, no repeat");
                last += 1;
            }
            Ok(Decoded::Frame(ServerFrame::Stopping(_), _)) => {}
            other => panic!("it was cut off within the broadcasts: {other:?}"),
        };
        while self.client.recv_item(&mut note).is_some() {}
        last
    }
}

fn stalled(endpoints: &[Endpoint; 3], count: usize) -> Vec<Stalled> {
    (0..count)
        .map(|number| Stalled::new(&endpoints[number % 3]))
        .collect()
}

/// Publishes, each message when the one before has its seq.
fn publish(endpoint: &Endpoint) {
    let mut ana = connect(endpoint);
    ana.expect("welcome");
    ana.log_in("ana");
    let body = "x".repeat(BODY);
    for id in 0..MESSAGES {
        ana.publish(id, &body);
        ana.skip_to("published");
    }
    ana.fim();
}

/// Exactly these sessions miss something, and exactly what they did not get.
fn check(stalled: Vec<Stalled>, report: &Report) {
    let short: BTreeMap<u64, &SessionRecord> = report
        .sessions
        .iter()
        .filter(|record| !record.is_whole() || !record.missing.is_empty())
        .map(|record| (record.session.0, record))
        .collect();
    let mut expected: Vec<u64> = stalled.iter().map(|one| one.session).collect();
    expected.sort_unstable();
    assert_eq!(short.keys().copied().collect::<Vec<_>>(), expected);
    for one in stalled {
        let record = short[&one.session];
        let got = one.read_to_the_end();
        assert_eq!(record.sent.0, got, "{record:?}");
        assert_eq!(record.missing, [(record.sent.next(), report.head)]);
        assert!(record.evidence < Evidence::KernelAcked, "{record:?}");
    }
}

#[test]
fn stalled_readers_50_keep_deadline_and_missing_ranges() {
    let _alone = super::alone();
    let _watchdog = watchdog();
    let budget = format!("{}s", BUDGET.as_secs());
    let arguments = ["--no-console", "--data", "none", "--drain-timeout", &budget];
    let Three {
        mut served,
        endpoints,
    } = Three::new(&arguments);
    let stalled = stalled(&endpoints, STALLED);
    let took = swarm::run(async {
        let mut swarm = Swarm::new();
        for number in 0..READING {
            let work = if number % 2 == 0 {
                Work::Read
            } else {
                Work::Ask(4)
            };
            swarm.join(&endpoints[number % 3], "leitor", work);
        }
        swarm.until_logged_in(READING).await;
        let endpoint = endpoints[0].clone();
        let published = tokio::task::spawn_blocking(move || publish(&endpoint));
        published.await.expect("it is published");
        let began = Instant::now();
        served.send_stop(Stop::USUAL);
        let swarmed = swarm.ended().await;
        assert_eq!(served.wait(), Some(3), "{}", served.log());
        let took = began.elapsed();
        // The other sessions are not affected: each frame is answered, refused or unread.
        flood::check_each(&swarmed.received, &served.report());
        took
    });
    println!("gone {took:?} after the signal, of {BUDGET:?}");
    assert!(took <= BUDGET + LATER, "{took:?}: {}", served.log());
    let report = served.report();
    assert_eq!(report.exit, 3);
    assert!(report.head.0 >= MESSAGES);
    check(stalled, &report);
}

#[test]
fn second_signal_with_stalled_readers_exits_4_within_2_s() {
    let _alone = super::alone();
    let _watchdog = watchdog();
    let Three {
        mut served,
        endpoints,
    } = Three::new(&["--no-console", "--data", "none"]);
    let stalled = stalled(&endpoints, 9);
    publish(&endpoints[0]);
    let mut rui = served.unauthenticated();
    rui.log_in("rui");
    served.send_stop(Stop::USUAL);
    rui.skip_to("closing"); // the drain waits for the others
    served.send_another_stop(Stop::USUAL);
    let insisted = Instant::now();
    assert_eq!(served.wait(), Some(4), "{}", served.log());
    let took = insisted.elapsed();
    println!("gone {took:?} after the second signal");
    assert!(took <= IMPATIENT, "{took:?}: {}", served.log());
    let report = served.report();
    assert_eq!(report.exit, 4);
    check(stalled, &report);
}
