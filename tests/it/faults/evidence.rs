//! Clients that are killed with unread bytes in their sockets: on no transport has the server
//! evidence that they have read them.

use std::process::{Child, Stdio};

use arauto::{Endpoint, Evidence, SessionOutcome};
use rustix::process::{Pid, Signal, kill_process};

use super::transports::Transports;
use crate::support::{Stop, watchdog};

/// A `leitor` that has logged in and is stopped where it stands.
struct Reader(Child);

impl Reader {
    fn new(transports: &Transports, endpoint: &Endpoint) -> Reader {
        let mut command = transports.served.command(&["leitor", "--json"]);
        command.env("ARAUTO_ENDPOINT", endpoint.to_string());
        command.env("ARAUTO_USER", "lento");
        if let Endpoint::Tls { .. } = endpoint {
            let fingerprint = transports.paper.fingerprint().to_string();
            command.args(["--tls-fingerprint", &fingerprint]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let reader = Reader(command.spawn().expect("the binary is built"));
        transports.wait_for_log("user=lento", 1);
        reader.tell(Signal::STOP);
        reader
    }

    fn tell(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process has an id"), signal).expect("it is there");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill(); // or it is gone already
        let _ = self.0.wait();
    }
}

/// Returns the evidence about a client that is killed after everything, with `closing`, is
/// written to it.
fn killed_unread(number: usize) -> (Option<i32>, SessionOutcome, Evidence) {
    let mut transports = Transports::new(&[], |command| command);
    let endpoint = transports.endpoints[number].clone();
    let mut reader = Reader::new(&transports, &endpoint);
    let mut ana = transports.client(&transports.endpoints[0], "ana");
    for id in 1..=3 {
        ana.publish(id, "bom dia");
        ana.skip_to("published");
    }
    transports.served.send_stop(Stop::USUAL);
    ana.skip_to("closing");
    reader.0.kill().expect("it is there");
    reader.0.wait().expect("it is a child");
    let code = transports.served.wait();
    let report = transports.served.report();
    let records = report.sessions.iter();
    let mut records = records.filter(|record| record.user.as_deref() == Some("lento"));
    let record = records.next().expect("it was there when the stop began");
    (code, record.outcome(), record.evidence)
}

#[test]
fn client_killed_unread_on_a_unix_socket_is_lost() {
    let _watchdog = watchdog();
    let (code, outcome, evidence) = killed_unread(0);
    assert_eq!((code, outcome), (Some(0), SessionOutcome::Lost));
    assert!(evidence < Evidence::Read);
}

#[test]
fn client_killed_unread_on_a_seqpacket_socket_is_lost() {
    let _watchdog = watchdog();
    let (code, outcome, evidence) = killed_unread(1);
    assert_eq!((code, outcome), (Some(0), SessionOutcome::Lost));
    assert!(evidence < Evidence::Read);
}

#[test]
fn client_killed_unread_on_tcp_or_tls_never_counts_as_read() {
    let _watchdog = watchdog();
    for number in [2, 3] {
        // Its kernel had everything: a kill behind that is told by a reset, or comes too late.
        let (code, outcome, evidence) = killed_unread(number);
        assert_eq!(code, Some(0));
        match outcome {
            SessionOutcome::Lost => assert!(evidence < Evidence::KernelAcked),
            other => assert_eq!(
                (other, evidence),
                (SessionOutcome::Complete, Evidence::KernelAcked)
            ),
        }
    }
}
