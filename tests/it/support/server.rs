//! A server within the test's process, on a fresh endpoint.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;

use arauto::HashCost;
use arauto::{
    Config, Endpoint, Listen, Report, Server, ServerHandle, SessionOutcome, SessionRecord,
};
use tempfile::TempDir;

use super::os::{self, Stream};
use super::{Frame, FrameClient, TextClient, Watchdog, block_on, wait_until, watchdog};

/// A running server in a temporary folder. The functions that stop it also assert that the stop
/// was clean.
pub struct Fixture {
    pub server: ServerHandle,
    endpoint: Endpoint,
    _folder: TempDir,
    /// A second handle on each connection, to close those that the test still holds.
    connected: Mutex<Vec<Stream>>,
    #[cfg(unix)]
    pub(super) bare: Mutex<Vec<std::sync::Weak<std::os::fd::OwnedFd>>>,
    _watchdog: Watchdog,
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture::with(|_| {})
    }

    /// Starts a server with a changed configuration.
    pub fn with(change: impl FnOnce(&mut Config)) -> Fixture {
        Fixture::listening("", change)
    }

    /// Starts a server whose endpoint has these options.
    pub fn listening(options: &str, change: impl FnOnce(&mut Config)) -> Fixture {
        Fixture::at(|folder| os::endpoint(folder, "s"), options, change)
    }

    /// Starts a server at the endpoint that `endpoint` makes for the fixture's folder.
    pub(super) fn at(
        endpoint: impl FnOnce(&Path) -> Endpoint,
        options: &str,
        change: impl FnOnce(&mut Config),
    ) -> Fixture {
        let _watchdog = watchdog();
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut config = Config::default();
        config.hash_cost = HashCost::LEAST;
        let endpoint = endpoint(folder.path());
        let listen = format!("{endpoint}{options}");
        config.listen = vec![listen.parse().expect("the options are right")];
        change(&mut config);
        Fixture {
            server: Server::start(config).expect("the server starts"),
            endpoint,
            _folder: folder,
            connected: Mutex::default(),
            #[cfg(unix)]
            bare: Mutex::default(),
            _watchdog,
        }
    }

    /// Returns the endpoint of the server.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Adds another listener to a configuration.
    pub fn also(config: &mut Config, listen: &str) {
        config
            .listen
            .push(listen.parse::<Listen>().expect("it is an endpoint"));
    }

    pub fn stream(&self) -> Stream {
        let stream = os::connect(&self.endpoint).expect("the server listens");
        self.will_end(stream.try_clone().expect("a descriptor is free"));
        stream
    }

    /// Keeps a second handle on a connection, to close it with the fixture.
    pub(super) fn will_end(&self, other: Stream) {
        let mut connected = self.connected.lock().expect("no test panics here");
        connected.push(other);
    }

    /// Waits until there are exactly this many sessions.
    pub fn wait_for_sessions(&self, count: usize) {
        wait_until(&format!("{count} sessions"), || {
            block_on(self.server.sessions()).len() == count
        });
    }

    /// Connects a client, without reading its welcome.
    pub fn connected(&self) -> FrameClient {
        FrameClient::local(self.stream())
    }

    /// Connects a client and reads its welcome; it has not logged in.
    pub fn unauthenticated(&self) -> FrameClient {
        let mut client = self.connected();
        client.expect("welcome");
        client
    }

    /// Connects a client that is logged in.
    pub fn client(&self, user: &str) -> FrameClient {
        self.client_and_login(user).0
    }

    /// Connects a client that is logged in, and returns the answer to its login too.
    pub fn client_and_login(&self, user: &str) -> (FrameClient, Frame) {
        let mut client = self.unauthenticated();
        let login = client.log_in(user);
        (client, login)
    }

    /// Connects a client of the text dialect.
    pub fn lines(&self) -> TextClient {
        TextClient::over(self.stream())
    }

    /// As the fixture's unauthenticated client, on the last endpoint, which is TCP.
    pub fn tcp_unauthenticated(&self) -> FrameClient {
        let Some(Endpoint::Tcp { host, port }) = self.server.endpoints().last() else {
            panic!("the last endpoint is not tcp");
        };
        let stream = TcpStream::connect((host.as_str(), *port)).expect("the server listens");
        let mut client = FrameClient::tcp(stream);
        client.expect("welcome");
        client
    }

    /// Begins a stop.
    pub fn begin_stop(&self) {
        block_on(self.server.stop()).expect("the server is there");
    }

    /// Waits for the end of a stop that has begun, and returns its report.
    pub fn report(&self) -> Report {
        block_on(self.server.stopped())
    }

    /// Stops the server, and asserts that the stop was clean. Clients that are still connected are
    /// disconnected first: they are not the test's subject.
    pub fn finish(self) {
        for stream in self
            .connected
            .lock()
            .expect("no test panics here")
            .drain(..)
        {
            os::end(&stream);
        }
        #[cfg(unix)]
        self.end_bare();
        self.begin_stop();
        self.assert_clean();
    }

    /// Waits for the end of a stop that has begun, and asserts that it was clean.
    pub fn assert_clean(self) -> Report {
        let report = self.report();
        assert_eq!(report.trouble, []);
        // Windows does not tell how much a TCP peer has acknowledged. A client that broke the
        // connection itself, as one that leaves at the moment of the stop, is owed nothing.
        let is_untold = |record: &SessionRecord| {
            cfg!(windows)
                && record.endpoint.starts_with("tcp:")
                && record.outcome() == SessionOutcome::Unproven
                && !record.is_whole()
        };
        let exit = if report.sessions.iter().any(is_untold) {
            3
        } else {
            0
        };
        assert_eq!(report.exit, exit, "{report:#?}");
        // The name of a Windows pipe exists until its last handle, also a client's, is closed.
        if cfg!(windows) {
            wait_until("the pipe is gone", || os::is_gone(&self.endpoint));
        }
        assert!(
            os::is_gone(&self.endpoint),
            "nothing is left of {} after the stop",
            self.endpoint
        );
        report
    }
}
