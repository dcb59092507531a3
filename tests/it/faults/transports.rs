//! A server with an endpoint of each transport, and clients for them.

use std::process::Command;

use arauto::{Endpoint, Report};
use rustls::version::TLS13;

use super::port;
use crate::support::{BareClient, CertificateFiles, FrameClient, Served, Stop, wait_until};

/// A server that listens on a unix socket, a seqpacket socket, TCP and TLS.
pub(super) struct Transports {
    pub(super) served: Served,
    pub(super) endpoints: [Endpoint; 4],
    pub(super) paper: CertificateFiles,
}

impl Transports {
    /// The server, its command altered before it is started.
    pub(super) fn new(arguments: &[&str], alter: impl FnOnce(Command) -> Command) -> Transports {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let paper = CertificateFiles::of(folder.path(), &["127.0.0.1"]);
        let packets = Endpoint::SeqPacket(folder.path().join("p.sock"));
        let named = packets.to_string();
        let path = |path: &std::path::Path| path.to_str().expect("it is ours").to_owned();
        let (certificate, key) = (path(&paper.certificate), path(&paper.key));
        let mut all = vec!["--no-console", "--listen", &named];
        all.extend(["--listen", "tcp:127.0.0.1:0"]);
        all.extend(["--listen", "tls:127.0.0.1:0?registration=open"]);
        all.extend(["--tls-cert", &certificate, "--tls-key", &key]);
        all.extend(arguments);
        let served = Served::with_command(folder, &all, alter);
        let mut ports = None;
        wait_until("the log names the ports", || {
            let log = served.log();
            ports = port(&log, "tcp").zip(port(&log, "tls"));
            ports.is_some()
        });
        let (tcp, tls) = ports.expect("it was waited for");
        let host = || "127.0.0.1".to_owned();
        let (tcp, tls) = (
            Endpoint::Tcp {
                host: host(),
                port: tcp,
            },
            Endpoint::Tls {
                host: host(),
                port: tls,
            },
        );
        Transports {
            endpoints: [served.endpoint().clone(), packets, tcp, tls],
            served,
            paper,
        }
    }

    /// A client that has logged in.
    pub(super) fn client(&self, endpoint: &Endpoint, user: &str) -> FrameClient {
        let mut client = match endpoint {
            Endpoint::Tls { .. } => FrameClient::tls(endpoint, self.paper.trusting(&TLS13)),
            Endpoint::Tcp { .. } => {
                FrameClient::tcp(BareClient::connect(endpoint).into_socket().into())
            }
            _ => FrameClient::packets(BareClient::connect(endpoint).into_socket()),
        };
        client.expect("welcome");
        client.log_in(user);
        client
    }

    /// Stops the server, whose clients read to the end; its exit code and its report.
    pub(super) fn stop(&mut self, clients: Vec<FrameClient>) -> (Option<i32>, Report) {
        self.served.send_stop(Stop::USUAL);
        let mut clients = clients;
        for client in &mut clients {
            client.skip_to("closing");
        }
        clients.iter_mut().for_each(FrameClient::expect_end); // it comes when all have read so far
        let code = self.served.wait();
        (code, self.served.report())
    }

    /// Waits until this many lines of the log contain the text.
    pub(super) fn wait_for_log(&self, text: &str, count: usize) {
        wait_until(text, || self.served.log().matches(text).count() >= count);
    }
}
