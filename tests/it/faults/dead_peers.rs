//! Slow TCP peers are distinguished from dead ones.
//!
//! Hosts that lose power are in `tls::hosts`.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use arauto::Endpoint;

use super::Three;
use crate::support::{FrameClient, wait_until, watchdog};

#[test]
fn tcp_reader_paused_beyond_the_user_timeout_is_not_dead() {
    let _watchdog = watchdog();
    let arguments = ["--data", "none", "--tcp-user-timeout", "1s"];
    let Three { served, endpoints } = Three::new(&arguments);
    let Endpoint::Tcp { host, port } = &endpoints[2] else {
        panic!("the third is tcp");
    };
    let stream = TcpStream::connect((host.as_str(), *port)).expect("it listens");
    let mut reader = FrameClient::tcp(stream);
    reader.expect("welcome");
    let after = reader.log_in("eva").num("seq");

    // More than the socket's buffers hold, and less than the log does.
    let mut writer = served.unauthenticated();
    writer.log_in("rui");
    let body = "x".repeat(60_000);
    for id in 0..300 {
        writer.publish(id, &body);
        writer.skip_to("published");
    }
    let began = Instant::now();
    wait_until("the timeout has passed some times", || {
        began.elapsed() > Duration::from_secs(6)
    });

    let mut next = after + 1;
    let mut bodies = 0;
    while bodies < 300 {
        let frame = reader.recv().expect("the session goes on");
        assert_eq!(frame.num("seq"), next, "{}", frame.name);
        next += 1;
        bodies += u32::from(frame.is("message"));
    }
    reader.ping();
    reader.fim();
    writer.fim();
    served.stop();
}
