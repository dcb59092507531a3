//! A server on a fresh endpoint.

use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Mutex, Weak};

use arauto::accounts::HashCost;
use arauto::{Config, Endpoint, Listen, Report, Server, ServerHandle, StopReason};
use rustix::net::{Shutdown, shutdown};
use tempfile::TempDir;

use super::bare::seqpacket;
use super::{Bare, Frame, Lines, Raw, Watchdog, block_on, wait_until, watchdog};

/// A running server in a folder of its own; what stops it also asserts how.
pub struct Fixture {
    pub server: ServerHandle,
    folder: TempDir,
    /// Another handle on each connection, to end those that a test still holds.
    connected: Mutex<Vec<UnixStream>>,
    bare: Mutex<Vec<Weak<OwnedFd>>>,
    _watchdog: Watchdog,
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture::with(|_| {})
    }

    /// A server whose configuration is changed before it starts.
    pub fn with(change: impl FnOnce(&mut Config)) -> Fixture {
        Fixture::listening("", change)
    }

    /// A server whose endpoint has these options.
    pub fn listening(options: &str, change: impl FnOnce(&mut Config)) -> Fixture {
        Fixture::on("unix", options, change)
    }

    /// A server whose endpoint is a socket of this kind.
    pub fn on(kind: &str, options: &str, change: impl FnOnce(&mut Config)) -> Fixture {
        let _watchdog = watchdog();
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut config = Config::default();
        config.hash_cost = HashCost::LEAST;
        let listen = format!("{kind}:{}{options}", folder.path().join("s.sock").display());
        config.listen = vec![listen.parse().expect("the options are right")];
        change(&mut config);
        Fixture {
            server: Server::start(config).expect("the server starts"),
            folder,
            connected: Mutex::default(),
            bare: Mutex::default(),
            _watchdog,
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("s.sock")
    }

    /// Another listener for the same server, to be added to its configuration.
    pub fn also(config: &mut Config, listen: &str) {
        config
            .listen
            .push(listen.parse::<Listen>().expect("it is an endpoint"));
    }

    pub fn stream(&self) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).expect("the server listens");
        let other = stream.try_clone().expect("a descriptor is free");
        self.connected
            .lock()
            .expect("no test panics here")
            .push(other);
        stream
    }

    /// A socket that keeps messages whole, connected.
    pub fn packets(&self) -> OwnedFd {
        let socket = seqpacket(&self.socket());
        let other = socket.try_clone().expect("a descriptor is free");
        let mut connected = self.connected.lock().expect("no test panics here");
        connected.push(UnixStream::from(other));
        socket
    }

    /// A program that knows nothing of arauto, at the first endpoint.
    pub fn bare(&self) -> Bare {
        let bare = Bare::connect(&self.server.endpoints()[0]);
        let mut connected = self.bare.lock().expect("no test panics here");
        connected.push(bare.socket());
        bare
    }

    /// Waits until there are so many sessions, no more and no less.
    pub fn wait_for_sessions(&self, count: usize) {
        wait_until(&format!("{count} sessions"), || {
            block_on(self.server.sessions()).len() == count
        });
    }

    /// A client that has not read its welcome.
    pub fn stranger(&self) -> Raw {
        Raw::unix(self.stream())
    }

    /// A client that has read its welcome.
    pub fn visitor(&self) -> Raw {
        let mut client = self.stranger();
        client.expect("welcome");
        client
    }

    /// A client that has logged in.
    pub fn client(&self, user: &str) -> Raw {
        self.client_and_login(user).0
    }

    /// A client that has logged in, and the answer to that.
    pub fn client_and_login(&self, user: &str) -> (Raw, Frame) {
        let mut client = self.visitor();
        let login = client.log_in(user);
        (client, login)
    }

    /// A client of a text endpoint.
    pub fn lines(&self) -> Lines {
        Lines::over(self.stream())
    }

    /// A client of the last endpoint, which is TCP, that has read its welcome.
    pub fn tcp_visitor(&self) -> Raw {
        let Some(Endpoint::Tcp { host, port }) = self.server.endpoints().last() else {
            panic!("the last endpoint is not tcp");
        };
        let stream = TcpStream::connect((host.as_str(), *port)).expect("the server listens");
        let mut client = Raw::tcp(stream);
        client.expect("welcome");
        client
    }

    /// Begins a stop.
    pub fn begin_stop(&self) {
        block_on(self.server.stop(StopReason::Fim)).expect("the server is there");
    }

    /// The report of a stop that has begun.
    pub fn report(&self) -> Report {
        block_on(self.server.stopped())
    }

    /// Stops the server, and asserts that the stop was clean. Clients that are
    /// still connected are cut off: they were not the test's subject.
    pub fn finish(self) {
        for stream in self
            .connected
            .lock()
            .expect("no test panics here")
            .drain(..)
        {
            let _ = stream.shutdown(std::net::Shutdown::Both); // or it is closed
        }
        let bare = std::mem::take(&mut *self.bare.lock().expect("no test panics here"));
        for socket in bare.iter().filter_map(Weak::upgrade) {
            let _ = shutdown(&*socket, Shutdown::Both);
        }
        self.begin_stop();
        self.assert_clean();
    }

    /// Waits for the end of a stop that has begun, which must be clean.
    pub fn assert_clean(self) -> Report {
        let report = self.report();
        assert_eq!(report.trouble, Vec::<String>::new());
        assert_eq!(report.exit, 0, "{report:#?}");
        assert!(
            !self.socket().exists(),
            "the socket's file is gone after the stop"
        );
        report
    }
}
