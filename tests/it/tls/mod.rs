//! TLS endpoints: sessions, other clients at the port, and the trust of both sides.

mod client_certs;
mod hosts;
mod init;
mod reload;
mod session;
mod trust;
mod unauthenticated;
mod unusable;

use arauto::{Config, Endpoint, TlsConfig};
use rustls::SupportedProtocolVersion;
use rustls::version::TLS13;
use tempfile::TempDir;

use crate::support::{CertificateFiles, Fixture, FrameClient};

/// A server with a local endpoint and one with TLS.
struct Secured {
    fixture: Fixture,
    paper: CertificateFiles,
    folder: TempDir,
}

impl Secured {
    fn new(options: &str) -> Secured {
        Secured::with(options, |_, _| {})
    }

    /// The same, its settings changed before it starts.
    fn with(options: &str, change: impl FnOnce(&TempDir, &mut Config)) -> Secured {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let paper = CertificateFiles::of(folder.path(), &["127.0.0.1", "localhost"]);
        let fixture = Fixture::with(|config| {
            Fixture::also(config, &format!("tls:127.0.0.1:0{options}"));
            config.tls = Some(TlsConfig::new(&paper.certificate, &paper.key));
            change(&folder, config);
        });
        Secured {
            fixture,
            paper,
            folder,
        }
    }

    fn endpoint(&self) -> &Endpoint {
        &self.fixture.server.endpoints()[1]
    }

    /// A raw client that has read its welcome.
    fn unauthenticated(&self) -> FrameClient {
        self.visitor_by(&TLS13)
    }

    fn visitor_by(&self, version: &'static SupportedProtocolVersion) -> FrameClient {
        let mut client = FrameClient::tls(self.endpoint(), self.paper.trusting(version));
        client.expect("welcome");
        client
    }

    /// Stops it once its clients are gone, which must be clean.
    fn finish(self) {
        self.fixture.wait_for_sessions(0);
        self.fixture.finish();
    }

    /// A raw client that has logged in.
    fn client(&self, user: &str) -> FrameClient {
        let mut client = self.unauthenticated();
        client.log_in(user);
        client
    }
}
