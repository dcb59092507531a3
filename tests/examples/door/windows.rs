//! A listener that is not arauto's: a pipe, with one instance that waits.

use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

pub(crate) type Accepted = NamedPipeServer;

pub(crate) struct Door {
    path: String,
    waiting: NamedPipeServer,
}

impl Door {
    pub(crate) fn open(endpoint: &str) -> Door {
        let name = endpoint.strip_prefix("pipe:").expect("it is a pipe");
        let path = format!(r"\\.\pipe\{name}");
        let waiting = ServerOptions::new().create(&path).expect("it can be made");
        Door { path, waiting }
    }

    pub(crate) async fn accept(&mut self) -> Accepted {
        self.waiting.connect().await.expect("it connects");
        let next = ServerOptions::new().create(&self.path);
        std::mem::replace(&mut self.waiting, next.expect("it can be made"))
    }
}
