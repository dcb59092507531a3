//! TLS for the load: the same version and cipher suite with every server.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use anyhow::{Context, Result, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    PeerIncompatible, SignatureScheme, Stream,
};

/// The most bytes that are decrypted at a time. With what the session holds of a record, they
/// fit into the buffer that clients read into.
const CHUNK: usize = 128 * 1024;

/// A certificate and its key, in files.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The certificate, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

impl Pair {
    /// Creates a self-signed certificate of a P-256 key in `folder`, by `arauto tls init`.
    pub fn create(arauto: &Path, folder: &Path) -> Result<Pair> {
        let mut command = Command::new(arauto);
        command.args(["tls", "init", "--name", "127.0.0.1", "--folder"]);
        let output = command.arg(folder).output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "arauto tls init: {error}");
        Ok(Pair {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        })
    }
}

/// Connects to the one server that has a certificate.
#[derive(Debug, Clone)]
pub struct Connector {
    config: Arc<ClientConfig>,
    /// The bytes of one read, before it is decrypted. All connections share it.
    chunk: Rc<RefCell<Vec<u8>>>,
}

impl Connector {
    /// Creates a connector that trusts the certificate of `pair` and no other.
    pub fn trusting(pair: &Pair) -> Result<Connector> {
        let mut provider = ring::default_provider();
        provider.cipher_suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
        let provider = Arc::new(provider);
        let verifier = Arc::new(OneCertificate {
            certificate: CertificateDer::from_pem_file(&pair.certificate)?,
            provider: Arc::clone(&provider),
        });
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Connector {
            config: Arc::new(config),
            chunk: Rc::new(RefCell::new(vec![0; CHUNK])),
        })
    }

    /// Does the handshake on a connected socket whose reads and writes block.
    pub fn connect(&self, mut socket: File) -> Result<TlsSocket> {
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        let mut session = ClientConnection::new(Arc::clone(&self.config), name)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket).context("TLS handshake")?;
        }
        Ok(TlsSocket {
            session,
            socket,
            chunk: Rc::clone(&self.chunk),
        })
    }
}

/// A connection with TLS.
#[derive(Debug)]
pub struct TlsSocket {
    session: ClientConnection,
    socket: File,
    chunk: Rc<RefCell<Vec<u8>>>,
}

impl TlsSocket {
    /// Returns the socket below.
    pub fn socket(&self) -> &File {
        &self.socket
    }

    /// Returns whether encrypted bytes wait until the socket takes them.
    pub fn holds_back(&self) -> bool {
        self.session.wants_write()
    }

    /// Reads once, and decrypts all that came: nothing is held back of which epoll would
    /// not know.
    pub fn poll_read(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let chunk = Rc::clone(&self.chunk);
        let mut chunk = chunk.borrow_mut();
        let length = match self.socket.read(&mut chunk) {
            Ok(0) => return Poll::Ready(Ok(0)),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
        };
        match self.decrypt(&chunk[..length], buffer) {
            Ok(0) => Poll::Pending, // less than a record
            decrypted => Poll::Ready(decrypted),
        }
    }

    fn decrypt(&mut self, mut bytes: &[u8], buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while !bytes.is_empty() {
            self.session.read_tls(&mut bytes)?;
            let state = self.session.process_new_packets();
            let state = state.map_err(io::Error::other)?;
            let end = filled + state.plaintext_bytes_to_read();
            self.session.reader().read_exact(&mut buffer[filled..end])?;
            filled = end;
        }
        Ok(filled)
    }

    /// Encrypts some of `bytes` once what was encrypted before has been sent.
    pub fn poll_write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.poll_flush()?.is_pending() {
            return Poll::Pending;
        }
        let written = self.session.writer().write(bytes);
        let _ = self.poll_flush()?; // the rest is sent when epoll asks for it
        Poll::Ready(written)
    }

    /// Sends what is encrypted.
    pub fn poll_flush(&mut self) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Read for TlsSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Stream::new(&mut self.session, &mut self.socket).read(buffer)
    }
}

impl Write for TlsSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Stream::new(&mut self.session, &mut self.socket).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Stream::new(&mut self.session, &mut self.socket).flush()
    }
}

/// Trusts one certificate, whatever its names. The handshake still proves that the server
/// has its key.
#[derive(Debug)]
struct OneCertificate {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OneCertificate {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match *certificate == self.certificate {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
