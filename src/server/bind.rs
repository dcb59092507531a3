//! From a configuration to a running server.

use std::future::Future;
use std::io;
use std::sync::Arc;

use actix::{Actor, Addr, Arbiter};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::check::{check, check_randomness};
use super::config::Config;
use super::crew::{Staff, Unclosed};
use super::error::ServerError;
use super::handle::ServerHandle;
use super::listen::Listen;
use super::opening::open;
use super::session_spawner::SessionSpawner;
use super::stop_timeline::StopTimeline;
use super::storage::OpenStorage;
use super::tls::Tls;
use super::watch::{sentinel, start_relays, watch_store};
use crate::accounts::Rates;
use crate::actors::acceptor::{Acceptor, Venue, WhenFull};
use crate::actors::auth::Auth;
use crate::actors::hub::{Hub, PresenceLimits};
use crate::actors::log_limit::LogLimit;
use crate::actors::permits::{KeyedLimit, SessionLimit};
use crate::actors::session::{ListenerContext, SessionLimits};
use crate::actors::supervisor::{Begin, Plan, Revoked, Supervisor};
use crate::actors::unauthenticated::Unauthenticated;
use crate::close::{InWork, Stopwatch};
use crate::log::{Appender, Scribe};
use crate::rate::Rate;
use crate::transport::{Listener, Opening, memory_file};

/// Callers that are told at once that there is no place for them: so many, and no more
/// than an eighth of the sessions, as each takes a descriptor.
const TURNED_AWAY: usize = 256;

fn turned_away(max_sessions: usize) -> usize {
    (max_sessions / 8).clamp(2, TURNED_AWAY)
}

/// Starts servers.
#[derive(Debug, Clone, Copy)]
pub struct Server;

impl Server {
    /// Starts a server on the actix system that it is called on, with threads of
    /// its own for the sessions. It never stops that system.
    ///
    /// ```
    /// # actix_rt::System::new().block_on(async {
    /// use arauto::{Config, Server, StopReason};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let mut config = Config::default();
    /// config.listen = vec![format!("unix:{}", folder.path().join("a.sock").display()).parse()?];
    ///
    /// let server = Server::bind(config).await?;
    /// server.publish("bom dia").await?;
    /// server.stop(StopReason::Fim).await;
    /// assert_eq!(server.stopped().await.exit, 0);
    /// # Ok::<_, Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`ServerError`]. Then nothing is left running, and no file behind.
    ///
    /// # Panics
    /// Outside of an actix system.
    pub async fn bind(config: Config) -> Result<ServerHandle, ServerError> {
        Server::bind_unless(config, std::future::pending()).await
    }

    /// As [`Server::bind`], until `abandoned` resolves: then what is under way is
    /// interrupted and undone. A look through a large journal takes seconds, and a program
    /// that is told to stop meanwhile need not wait for it.
    ///
    /// # Errors
    /// See [`ServerError`]; [`ServerError::Abandoned`] once everything is undone. Where a
    /// disk hangs that is never: give it a deadline.
    ///
    /// # Panics
    /// Outside of an actix system.
    pub async fn bind_unless(
        config: Config,
        abandoned: impl Future<Output = ()>,
    ) -> Result<ServerHandle, ServerError> {
        check(&config)?;
        check_randomness()?;
        let mut abandoned = std::pin::pin!(abandoned);
        let (tls, kept) = open(&config, &mut abandoned).await?;
        tokio::select! {
            biased;
            () = &mut abandoned => Err(ServerError::Abandoned),
            listeners = Server::listen(&config, &tls) => {
                let listeners = listeners?;
                let arbiters = arbiters(config.limits.arbiters)?;
                Ok(assemble(&config, kept, tls, listeners, arbiters))
            }
        }
    }

    async fn listen(config: &Config, tls: &Tls) -> Result<Vec<(Listen, Listener)>, ServerError> {
        let mut listeners: Vec<(Listen, Listener)> = Vec::new();
        for listen in &config.listen {
            for (_, other) in &listeners {
                other.check_apart(&listen.endpoint).await?;
            }
            let opening = Opening {
                access: &listen.access,
                remote: listen.remote,
                pipe: listen.pipe(),
                max: listen.max,
                tls: tls.door(listen, &config.timeouts),
                peer_timeouts: config.timeouts.peer,
            };
            let listener = Listener::bind(&listen.endpoint, &opening).await?;
            listeners.push((listen.clone(), listener));
        }
        Ok(listeners)
    }

    /// Starts a server on a thread and an actix system of its own, and returns
    /// once it listens.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub fn start(config: Config) -> Result<ServerHandle, ServerError> {
        let runtime = runtime().map_err(ServerError::no("runtime"))?;
        let (started, outcome) = std::sync::mpsc::channel();
        let running = std::thread::Builder::new()
            .name("arauto".to_owned())
            .spawn(move || {
                actix_rt::System::with_tokio_rt(|| runtime).block_on(async move {
                    let bound = Server::bind(config).await;
                    let running = bound.as_ref().ok().cloned();
                    // Whoever started it may have gone: then it runs all the same.
                    let _ = started.send(bound);
                    if let Some(server) = running {
                        server.stopped().await;
                    }
                });
            });
        running.map_err(ServerError::no("thread"))?;
        outcome
            .recv()
            .expect("the thread says how it went before it ends")
    }
}

/// A runtime of one thread, as actix makes them.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// The sessions' threads; all of them, or none is left.
fn arbiters(count: usize) -> Result<Vec<Arbiter>, ServerError> {
    let mut arbiters: Vec<Arbiter> = Vec::with_capacity(count);
    for _ in 0..count {
        match Arbiter::try_with_tokio_rt(runtime) {
            Ok(arbiter) => arbiters.push(arbiter),
            Err(error) => {
                for arbiter in arbiters {
                    arbiter.stop();
                    let _ = arbiter.join(); // it has done nothing yet
                }
                return Err(ServerError::no("thread for sessions")(error));
            }
        }
    }
    Ok(arbiters)
}

/// Frames of a session that has not logged in: a ping or two, and a few logins.
const RATE_BEFORE_LOGIN: Rate = Rate::a_minute(30);

/// Lists of users and of sessions, for each user.
const RATE_OF_LISTS: Rate = Rate::a_minute(600);

fn assemble(
    config: &Config,
    kept: OpenStorage,
    tls: Tls,
    listeners: Vec<(Listen, Listener)>,
    arbiters: Vec<Arbiter>,
) -> ServerHandle {
    let OpenStorage {
        accounts,
        mut data,
        stream,
    } = kept;
    let (log, mut appender, scribe) = stream.begin(config);
    appender.mirror_into(memory_file);
    let supervisor = Supervisor::new(config.timeouts.drain).start();
    start_relays(&arbiters, &log, &supervisor);
    watch_store(data.as_mut(), &supervisor);
    let to_sessions = supervisor.clone();
    accounts.on_revoked(move |users| to_sessions.do_send(Revoked(users)));
    let auth = Auth::new(accounts, sentinel("auth", &supervisor)).start();
    let hub = start_hub(&arbiters[0], (appender, scribe), config, &supervisor);
    let handles = arbiters.iter().map(Arbiter::handle).collect();
    let session_spawner = SessionSpawner::new(handles, supervisor.clone());
    let server_room = SessionLimit::new(config.limits.max_sessions);
    let told = turned_away(config.limits.max_sessions);
    let (turned_away, patiently) = (SessionLimit::new(told), SessionLimit::new(told / 2));
    let unauthenticated = Unauthenticated::new(config.limits.max_unauthenticated);
    let peers = KeyedLimit::new(config.limits.max_sessions_per_peer);
    let networks = KeyedLimit::new(sessions_of_a_network(config));
    let users = KeyedLimit::new(config.limits.max_sessions_per_user);
    let (in_work, stopwatch) = (InWork::default(), Stopwatch::default());
    let log_limit = start_log_limit(&arbiters[0]);
    let lists = Arc::new(Rates::new(RATE_OF_LISTS));

    let mut staff = Staff {
        acceptors: Vec::new(),
        auth: auth.clone(),
        hub: hub.clone(),
        listeners: Vec::new(),
        arbiters: Arc::new(Mutex::new(arbiters)),
        accounts: Arc::default(),
        data: Arc::new(Mutex::new(data)),
        unclosed: Unclosed::default(),
        stop_timeline: StopTimeline::new(stopwatch.clone()),
    };
    let mut endpoints = Vec::new();
    for (listen, listener) in listeners {
        endpoints.push(listener.endpoint().clone());
        let context = Arc::new(ListenerContext {
            endpoint: Arc::from(listener.endpoint().to_string()),
            dialect: listen.dialect,
            may_register: listen.registration,
            peers: peers.clone(),
            users: users.clone(),
            lists: Arc::clone(&lists),
            log_limit: Arc::clone(&log_limit),
            handler: listen
                .handler
                .as_ref()
                .map_or_else(|| Arc::clone(&config.handler), |handler| handler.build()),
            limits: limits(config, &listener),
            server: concat!("arauto ", env!("CARGO_PKG_VERSION")).to_owned(),
            log: Arc::clone(&log),
            in_work: in_work.clone(),
            stopwatch: stopwatch.clone(),
            auth: auth.clone(),
            hub: hub.clone(),
            supervisor: supervisor.clone(),
        });
        staff.listeners.push(Arc::downgrade(&context));
        let own = listen.max.map(SessionLimit::new);
        let logs_in = listen.dialect.raw().is_none();
        let venue = Venue {
            rooms: own.into_iter().chain([server_room.clone()]).collect(),
            peers: peers.clone(),
            networks: networks.clone(),
            before_login: logs_in.then(|| unauthenticated.clone()),
            when_full: when_full(&listen),
            turned_away: turned_away.clone(),
            patiently: patiently.clone(),
        };
        let session_spawner = session_spawner.clone();
        let acceptor = Acceptor::new(
            listener,
            venue,
            move |caller, admission| session_spawner.seat(caller, admission, &context),
            sentinel("an acceptor", &supervisor),
        );
        let endpoint = endpoints
            .last()
            .expect("it has just been pushed")
            .to_string();
        staff.acceptors.push((endpoint, acceptor.start()));
    }

    let (done, report) = watch::channel(None);
    supervisor.do_send(Begin(Plan {
        crew: Box::new(staff),
        in_work,
        log: Arc::clone(&log),
        stopwatch,
        on_phase: Arc::clone(&config.on_phase),
        done,
    }));
    ServerHandle {
        endpoints: endpoints.into(),
        supervisor,
        hub,
        log,
        max_frame: config.limits.max_frame,
        tls,
        report,
    }
}

/// Half of the places that one of its peers leaves are for its others.
fn sessions_of_a_network(config: &Config) -> usize {
    let left = config
        .limits
        .max_sessions
        .saturating_sub(config.limits.max_sessions_per_peer);
    config.limits.max_sessions_per_peer + left / 2
}

/// A raw client cannot be told that it is one too many.
fn when_full(listen: &Listen) -> WhenFull {
    match listen.dialect.raw() {
        None => WhenFull::Refuse,
        Some(_) => WhenFull::Wait,
    }
}

fn start_log_limit(arbiter: &Arbiter) -> Arc<LogLimit> {
    let log_limit = Arc::<LogLimit>::default();
    let summarizing = Arc::clone(&log_limit);
    arbiter.spawn(async move { summarizing.summarize().await });
    log_limit
}

/// The hub lives with the first sessions: what they tell each other most often
/// then crosses no thread.
fn start_hub(
    arbiter: &Arbiter,
    (appender, scribe): (Appender, Option<Scribe>),
    config: &Config,
    supervisor: &Addr<Supervisor>,
) -> Addr<Hub> {
    let (clock, supervisor) = (Arc::clone(&config.clock), supervisor.clone());
    let kept = config
        .storage
        .journal
        .map_or(u64::MAX, |journal| journal.bytes);
    let presence = PresenceLimits::share_of(kept.min(config.limits.log_bytes as u64));
    Hub::start_in_arbiter(&arbiter.handle(), move |_| {
        let sentinel = sentinel("the hub", &supervisor);
        Hub::new(appender, scribe, presence, clock, sentinel)
    })
}

fn limits(config: &Config, listener: &Listener) -> SessionLimits {
    let longest = listener.longest_frame().unwrap_or(usize::MAX);
    SessionLimits {
        max_frame: config.limits.max_frame.min(longest),
        max_frame_before_login: config
            .limits
            .max_frame_before_login
            .min(config.limits.max_frame)
            .min(longest),
        frames_in_work: config.limits.frames_in_work,
        request_rate: config.limits.request_rate,
        rate_before_login: RATE_BEFORE_LOGIN,
        login_timeout: config.timeouts.login,
        idle_timeout: config.timeouts.idle,
        drain_timeout: config.timeouts.drain,
        slow: config.slow,
    }
}
