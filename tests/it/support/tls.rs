//! Certificates made by the tests, and a client with TLS that uses rustls directly.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arauto::{Endpoint, Fingerprint};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::FrameClient;
use super::frame_client::ClientSocket;

/// The time limit of a read: longer than anything that a test waits for.
const TIME_LIMIT: Duration = Duration::from_secs(50);

/// A certificate and its key, in PEM files.
pub struct CertificateFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Makes a self-signed certificate.
    pub fn of(folder: &Path, names: &[&str]) -> CertificateFiles {
        let (params, key) = (params(names), new_key());
        let certificate = params.self_signed(&key).expect("it signs itself");
        CertificateFiles::write(folder, "server", &certificate.pem(), &key)
    }

    fn write(folder: &Path, name: &str, pem: &str, key: &KeyPair) -> CertificateFiles {
        let paper = CertificateFiles {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        fs::write(&paper.certificate, pem).expect("the folder is ours");
        fs::write(&paper.key, key.serialize_pem()).expect("the folder is ours");
        let private = Permissions::from_mode(0o600);
        fs::set_permissions(&paper.key, private).expect("the file is ours");
        paper
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_file(&self.certificate).expect("it was just made")
    }

    /// Returns the configuration of a client that trusts only this certificate.
    pub fn trusting(&self, version: &'static SupportedProtocolVersion) -> ClientConfig {
        let builder = self.builder(version);
        builder.with_no_client_auth()
    }

    /// As [`CertificateFiles::trusting`], with a client certificate.
    pub fn trusting_as(&self, own: &CertificateFiles) -> ClientConfig {
        let certificate = CertificateDer::from_pem_file(&own.certificate);
        let key = PrivateKeyDer::from_pem_file(&own.key).expect("it is a key");
        self.builder(&rustls::version::TLS13)
            .with_client_auth_cert(vec![certificate.expect("it is a certificate")], key)
            .expect("they belong together")
    }

    fn builder(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(&self.certificate);
        let added = roots.add(certificate.expect("it is a certificate"));
        added.expect("it is a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("ring has both versions")
            .with_root_certificates(roots)
    }
}

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path) -> Authority {
        let (mut params, key) = (params(&[]), new_key());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let named = &mut params.distinguished_name;
        named.push(DnType::CommonName, "the tests' authority");
        let certificate = folder.join("authority.pem");
        let pem = params.self_signed(&key).expect("it signs itself").pem();
        fs::write(&certificate, pem).expect("the folder is ours");
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// Issues a client certificate with these common names: none, one or two.
    pub fn issue(&self, folder: &Path, names: &[&str]) -> CertificateFiles {
        let (mut params, key) = (params(&[]), new_key());
        // The second common name is given by its OID, because rcgen keeps one of each named kind.
        let kinds = [DnType::CommonName, DnType::CustomDnType(vec![2, 5, 4, 3])];
        for (kind, name) in kinds.into_iter().zip(names) {
            params.distinguished_name.push(kind, *name);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        let file = format!("client-{}", names.join("-"));
        CertificateFiles::write(folder, &file, &certificate.pem(), &key)
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("ring makes keys")
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
    let mut params = CertificateParams::new(names).expect("these are names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

/// Connects with TCP to a `tls:` endpoint on this machine.
pub fn tcp(endpoint: &Endpoint) -> TcpStream {
    let Endpoint::Tls { host, port } = endpoint else {
        panic!("{endpoint} is no tls endpoint");
    };
    let stream = TcpStream::connect((host.as_str(), *port)).expect("the server listens");
    let patience = stream.set_read_timeout(Some(TIME_LIMIT));
    patience.expect("it is a socket");
    stream
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A TLS connection. Reading an end without close_notify is an error.
struct Secured(Mutex<Stream>);

impl Secured {
    fn stream(&mut self) -> &mut Stream {
        self.0.get_mut().expect("nobody panics with it")
    }
}

impl Read for Secured {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream().read(bytes)
    }
}

impl Write for Secured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream().flush()
    }
}

impl ClientSocket for Secured {
    fn shut(&self) {
        let stream = self.0.lock().expect("nobody panics with it");
        let _ = stream.sock.shutdown(std::net::Shutdown::Both); // it may be closed already
    }

    /// Sends close_notify only: the TCP connection stays open both ways.
    fn shut_write(&self) {
        let mut stream = self.0.lock().expect("nobody panics with it");
        stream.conn.send_close_notify();
        stream.flush().expect("the server reads");
    }
}

impl FrameClient {
    /// Connects to a `tls:` endpoint; the first read or write does the handshake.
    pub fn tls(endpoint: &Endpoint, config: ClientConfig) -> FrameClient {
        FrameClient::tls_on(tcp(endpoint), config)
    }

    /// Makes a client on a connection to a `tls:` endpoint.
    pub fn tls_on(stream: TcpStream, config: ClientConfig) -> FrameClient {
        let name = ServerName::try_from("127.0.0.1").expect("it is a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("it is a config");
        let stream = StreamOwned::new(session, stream);
        FrameClient::over(Box::new(Secured(Mutex::new(stream))))
    }
}
