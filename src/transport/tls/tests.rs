//! The evidence of bytes that TLS itself still holds.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{ClientCert, Credentials, HandshakeConfig, Tls, TlsConfig, TlsTrust, connect};
use crate::link::{Evidence, Link};
use crate::transport::tcp::Tcp;
use crate::transport::{Connection, ConnectionTimeouts, PeerTimeouts};

fn handshake_config() -> HandshakeConfig {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&certificate, made.cert.pem()).expect("the folder is ours");
    fs::write(&key, made.signing_key.serialize_pem()).expect("the folder is ours");
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(&key, private).expect("the file is ours");
    let credentials = Credentials::load(TlsConfig::new(certificate, key)).expect("they are good");
    HandshakeConfig {
        credentials: Arc::new(credentials),
        client_cert: ClientCert::Optional,
        timeouts: ConnectionTimeouts::new(PeerTimeouts::default(), Duration::from_secs(5)),
    }
}

/// A client, and the server's side, shaken hands.
async fn pair() -> (Tls, Connection) {
    let config = handshake_config();
    let trust = TlsTrust::pinned(config.credentials.fingerprint());
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let accepted = async {
        let (stream, _) = listener.accept().await.expect("the client comes");
        let tcp = Tcp::new(stream, &PeerTimeouts::default());
        let mut server = Tls::accepted(tcp, config);
        server.flush().await.expect("hands are shaken");
        server
    };
    let (client, server) = tokio::join!(connect("127.0.0.1", port, &trust), accepted);
    (
        client.expect("the certificate is pinned"),
        Connection::Tls(Box::new(server)),
    )
}

/// Writes until nothing more is taken.
fn fill(server: &mut Connection) {
    let mut cx = Context::from_waker(Waker::noop());
    let bytes = vec![b'x'; 1 << 20];
    while let Poll::Ready(taken) = Pin::new(&mut *server).poll_write(&mut cx, &bytes) {
        taken.expect("the client is there");
    }
}

/// Takes what has come, as it came over the wire, and lets the system go on.
async fn take(client: &Tls) {
    let tcp = client.tcp().expect("it is open");
    tokio::task::yield_now().await;
    match tcp.stream().try_read(&mut vec![0; 1 << 20]) {
        Ok(length) => assert!(length > 0, "the server is there"),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
    }
}

/// Takes all that comes until the server knows that it was acknowledged.
async fn take_until_acked(client: &Tls, server: &impl Link) {
    while server.evidence() != Evidence::KernelAcked {
        take(client).await;
    }
}

async fn fill_and_empty() {
    let (client, mut server) = pair().await;
    fill(&mut server);
    let Connection::Tls(tls) = &server else {
        unreachable!("it is tls");
    };
    let below = tls.tcp().expect("it is open");
    take_until_acked(&client, below).await;
    assert_eq!(server.evidence(), Evidence::Queued);
    loop {
        tokio::select! {
            flushed = server.flush() => break flushed.expect("the client is there"),
            () = take(&client) => {}
        }
    }
    take_until_acked(&client, &server).await;
}

#[test]
fn bytes_buffered_by_tls_are_not_counted_as_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let over = runtime
        .expect("it has what it needs")
        .block_on(async { timeout(Duration::from_secs(60), fill_and_empty()).await });
    over.expect("it comes to an end");
}
