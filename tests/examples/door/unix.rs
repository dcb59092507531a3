//! A listener that is not arauto's: a socket.

use tokio::net::{UnixListener, UnixStream};

pub(crate) type Accepted = UnixStream;

pub(crate) struct Door(UnixListener);

impl Door {
    pub(crate) fn open(endpoint: &str) -> Door {
        let path = endpoint.strip_prefix("unix:").expect("it is a socket");
        Door(UnixListener::bind(path).expect("it can be bound"))
    }

    pub(crate) async fn accept(&mut self) -> Accepted {
        self.0.accept().await.expect("it connects").0
    }
}
