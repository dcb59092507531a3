//! A listener of a scripted server: a socket.

use tokio::net::{UnixListener, UnixStream};

pub(crate) type Accepted = UnixStream;

pub(crate) struct TestListener(UnixListener);

impl TestListener {
    pub(crate) fn open(endpoint: &str) -> TestListener {
        let path = endpoint.strip_prefix("unix:").expect("it is a socket");
        TestListener(UnixListener::bind(path).expect("it can be bound"))
    }

    pub(crate) async fn accept(&mut self) -> Accepted {
        self.0.accept().await.expect("it connects").0
    }
}
