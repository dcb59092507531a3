//! Round trips through the parts that every session depends on.
//!
//! The problem: a part that panics stops the server, but a part that stands still does not. A disk
//! hangs, or a handler never returns, and the process looks alive. So whatever watches the process
//! asks each part for a sign of life: an actor handles a message, a thread runs a closure. Nothing
//! is counted or timed while nobody asks.

use std::fmt;
use std::time::{Duration, Instant};

use actix::{Actor, Addr, ArbiterHandle, Handler};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::oneshot;

use crate::actors::auth::Auth;
use crate::actors::hub::Hub;
use crate::actors::ping::Ping;
use crate::actors::supervisor::Supervisor;
use crate::store::Store;

/// A part of a server that every session depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServerPart {
    /// The actor that stops the server.
    Supervisor,
    /// The actor that owns the accounts.
    Auth,
    /// The actor that owns the log.
    Hub,
    /// A thread of sessions, counted from 0.
    SessionThread(usize),
    /// The thread that writes the database.
    Store,
}

/// The state of a part, as a probe found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartState {
    /// It answered after this time.
    Answered(Duration),
    /// It did not answer in time.
    Silent,
    /// It has ended, as in a stop.
    Ended,
}

/// A part and its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbedPart {
    /// The part.
    pub part: ServerPart,
    /// Its state.
    pub state: PartState,
}

/// The state of each part of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbeOutcome {
    /// Every part, always in the same order.
    pub parts: Vec<ProbedPart>,
}

impl ProbeOutcome {
    /// Returns the parts that did not answer in time. A part that has ended is none of them: it
    /// was stopped, or its panic stops the server.
    pub fn silent(&self) -> impl Iterator<Item = ServerPart> {
        let silent = self
            .parts
            .iter()
            .filter(|probed| probed.state == PartState::Silent);
        silent.map(|probed| probed.part)
    }

    /// Whether every part answered in time or has ended.
    pub fn is_responsive(&self) -> bool {
        self.silent().next().is_none()
    }
}

impl fmt::Display for ServerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerPart::Supervisor => f.write_str("supervisor"),
            ServerPart::Auth => f.write_str("auth"),
            ServerPart::Hub => f.write_str("hub"),
            ServerPart::SessionThread(number) => write!(f, "session thread {number}"),
            ServerPart::Store => f.write_str("store"),
        }
    }
}

/// The addresses of a server's parts.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) supervisor: Addr<Supervisor>,
    pub(super) auth: Addr<Auth>,
    pub(super) hub: Addr<Hub>,
    pub(super) session_threads: Vec<ArbiterHandle>,
    /// `None` without a data folder.
    pub(super) store: Option<Store>,
}

/// A round trip: whether the part answered, or has ended.
type RoundTrip = BoxFuture<'static, bool>;

impl Parts {
    /// Sends a round trip through each part, and waits at most `limit` for all of them together.
    pub(super) async fn probe(&self, limit: Duration) -> ProbeOutcome {
        let began = Instant::now();
        let round_trips = self
            .round_trips()
            .into_iter()
            .map(|(part, trip)| async move {
                let state = match tokio::time::timeout(limit, trip).await {
                    Ok(true) => PartState::Answered(began.elapsed()),
                    Ok(false) => PartState::Ended,
                    Err(_) => PartState::Silent,
                };
                ProbedPart { part, state }
            });
        let parts = join_all(round_trips).await;
        ProbeOutcome { parts }
    }

    fn round_trips(&self) -> Vec<(ServerPart, RoundTrip)> {
        let mut all = vec![
            (ServerPart::Supervisor, through_actor(&self.supervisor)),
            (ServerPart::Auth, through_actor(&self.auth)),
            (ServerPart::Hub, through_actor(&self.hub)),
        ];
        let threads = self.session_threads.iter().enumerate();
        all.extend(threads.map(|(number, thread)| {
            let part = ServerPart::SessionThread(number);
            (part, through_thread(thread))
        }));
        if let Some(store) = &self.store {
            let answer = store.ask(|_| ());
            let answered = answer.map(|answer| answer.is_ok());
            all.push((ServerPart::Store, answered.boxed()));
        }
        all
    }
}

fn through_actor<A>(actor: &Addr<A>) -> RoundTrip
where
    A: Actor<Context = actix::Context<A>> + Handler<Ping>,
{
    let answer = actor.send(Ping);
    answer.map(|answer| answer.is_ok()).boxed()
}

fn through_thread(thread: &ArbiterHandle) -> RoundTrip {
    let (reply, answer) = oneshot::channel();
    // A thread that has ended drops the closure, which `answer` reports.
    thread.spawn_fn(move || {
        let _ = reply.send(()); // the probe may have timed out
    });
    answer.map(|answer| answer.is_ok()).boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};

    use super::*;
    use crate::server::bind::Server;
    use crate::server::config::Config;
    use crate::server::handle::ServerHandle;

    const SHORT: Duration = Duration::from_millis(100);

    /// Returns the configuration of a server with a database and two threads of sessions.
    fn config(folder: &tempfile::TempDir) -> Config {
        #[cfg(unix)]
        let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
        #[cfg(windows)]
        let endpoint = {
            let name = folder
                .path()
                .file_name()
                .expect("a temporary folder has a name");
            format!("pipe:arauto-probe-{}", name.display())
        };
        let mut config = Config {
            listen: vec![endpoint.parse().expect("an endpoint")],
            ..Config::default()
        };
        config.storage.data = Some(folder.path().join("data"));
        config.limits.arbiters = 2;
        config
    }

    /// Returns work that blocks its thread until the sender is dropped.
    fn pause() -> (Sender<()>, impl FnOnce() + Send + 'static) {
        let (resume, paused) = channel::<()>();
        let work = move || {
            let _ = paused.recv(); // fails when the sender is dropped
        };
        (resume, work)
    }

    /// Waits until a probe finds just these parts silent. A machine that is busy may delay others.
    async fn wait_for_silent(server: &ServerHandle, expected: &[ServerPart]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let outcome = server.probe(SHORT).await;
            let silent: Vec<_> = outcome.silent().collect();
            if silent == expected {
                assert_eq!(outcome.is_responsive(), expected.is_empty());
                return;
            }
            assert!(Instant::now() < deadline, "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn probe_finds_the_thread_that_stands_still_until_it_goes_on() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Server::start(config(&folder)).expect("it starts");
        wait_for_silent(&server, &[]).await;

        let (resume, work) = pause();
        server.parts.session_threads[1].spawn_fn(work);
        wait_for_silent(&server, &[ServerPart::SessionThread(1)]).await;
        drop(resume);
        wait_for_silent(&server, &[]).await;

        // The hub is on the first thread of sessions.
        let (resume, work) = pause();
        server.parts.session_threads[0].spawn_fn(work);
        let both = [ServerPart::Hub, ServerPart::SessionThread(0)];
        wait_for_silent(&server, &both).await;
        drop(resume);

        let (resume, work) = pause();
        let store = server.parts.store.clone().expect("there is a data folder");
        drop(store.ask(move |_| work()));
        wait_for_silent(&server, &[ServerPart::Store]).await;
        drop(resume);
        wait_for_silent(&server, &[]).await;

        server.stop().await;
        assert_eq!(server.stopped().await.exit, 0);
    }

    #[tokio::test]
    async fn probe_finds_supervisor_and_auth_silent_on_a_blocked_thread() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = config(&folder);
        let (resume, work) = pause();
        let work = parking_lot::Mutex::new(Some(work));
        config.on_phase = Arc::new(move |_| {
            if let Some(work) = work.lock().take() {
                work();
            }
        });
        let server = Server::start(config).expect("it starts");
        let stopping = server.clone();
        let stop = tokio::spawn(async move { stopping.stop().await });
        wait_for_silent(&server, &[ServerPart::Supervisor, ServerPart::Auth]).await;
        drop(resume);
        assert!(stop.await.expect("it does not panic").is_some());
        server.stopped().await;
    }

    #[tokio::test]
    async fn parts_of_a_stopped_server_have_ended_and_are_not_silent() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Server::start(config(&folder)).expect("it starts");
        let outcome = server.probe(Duration::from_secs(60)).await;
        let names: Vec<_> = outcome
            .parts
            .iter()
            .map(|probed| probed.part.to_string())
            .collect();
        let expected = [
            "supervisor",
            "auth",
            "hub",
            "session thread 0",
            "session thread 1",
            "store",
        ];
        assert_eq!(names, expected);
        assert!(
            outcome
                .parts
                .iter()
                .all(|probed| matches!(probed.state, PartState::Answered(_)))
        );

        server.stop().await;
        server.stopped().await;
        let outcome = server.probe(Duration::from_secs(60)).await;
        assert!(outcome.is_responsive(), "{outcome:?}");
        let ended = [ServerPart::Auth, ServerPart::Hub, ServerPart::Store];
        for probed in outcome
            .parts
            .iter()
            .filter(|probed| ended.contains(&probed.part))
        {
            assert_eq!(probed.state, PartState::Ended, "{}", probed.part);
        }
    }
}
