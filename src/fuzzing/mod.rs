//! A whole conversation without a socket, for the fuzz targets.
//!
//! The problem: the effect of a client's bytes on a session shows only with the hub, auth and
//! the supervisor beside it, and a fuzzer must have thousands of such servers a second. So
//! [`converse`] puts the real actors round a link that is a piece of memory, lets them
//! run until the session and then the server are over, and hands out what was written.
//! The targets judge what was written.
//!
//! Nothing here waits for a timer: the peer reads all that it is sent, closes when it
//! is told to, and the one blocking thing is the cheapest of password hashes. It is
//! compiled with `--cfg fuzzing` only, and is no part of the library. [`core`] drives a session's
//! decisions alone.

mod components;
pub mod core;
mod link;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Arbiter};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use self::components::FuzzedComponents;
use self::link::MemoryLink;
pub use self::link::{Peer, Piece};
use crate::accounts::{Accounts, HashCost, Hasher, LoginLimits, PeerId, Rates};
use crate::actors::auth::Auth;
use crate::actors::draining::Draining;
use crate::actors::handler::Handler;
use crate::actors::hub::{HubAddress, HubSetup, PresenceLimits};
use crate::actors::permits::{KeyedLimit, Permits};
use crate::actors::sentinel::Sentinel;
use crate::actors::session::{
    FeatureLimits, Hears, ListenerContext, Session, SessionLimits, SlowPolicy, Start,
};
use crate::actors::supervisor::{
    ActorFailed, Haste, Opened, SessionInfo, Stop, Supervise, Supervisor,
};
use crate::audit::AuditSink;
use crate::close::{Component, InWork, Report, StopReason, Stopwatch};
pub use crate::framing::Framing;
use crate::log::{BackpressureLimits, KeptLimits, Log, LogLimits};
use crate::rate::Rate;
use crate::services::{ServiceLimits, Services};
use crate::wire::{Dialect, MAX_FRAME_BEFORE_LOGIN, Millis, Role, Seq, SessionId};

/// The time after which a conversation counts as hung. Nothing in it takes a thousandth of that.
const HUNG: Duration = Duration::from_secs(10);

/// The budget of the stop, so that no phase of it is ever late on a busy machine.
const PATIENT: Duration = Duration::from_secs(24 * 60 * 60);

/// The size of the log, in bytes.
const LOG: usize = 256 * 1024;

/// The most producers of an account.
const PRODUCERS: usize = 2;

/// The most cursors of an account.
const CURSORS: usize = 2;

/// The most patterns in a session's filter.
const PATTERNS: usize = 3;

/// The limits of the kept values.
const KEPT: KeptLimits = KeptLimits {
    topics: 2,
    bytes: 256,
};

/// One client's whole conversation, and the server that it has it with.
pub struct Script {
    /// How frames become bytes.
    pub dialect: Dialect,
    /// The framing of the connection.
    pub framing: Framing,
    /// The longest frame.
    pub max_frame: usize,
    /// Whether an unknown name registers.
    pub may_register: bool,
    /// Whether the client is the server's own user, who may stop it.
    pub is_own_user: bool,
    /// The role of a user that registers.
    pub role: Role,
    /// Answers requests.
    pub handler: Arc<dyn Handler>,
    /// The client.
    pub peer: Peer,
}

/// The result of a conversation.
pub struct Conversation {
    /// The bytes that were written: a stream in one piece, or each message.
    pub written: Vec<Vec<u8>>,
    /// The report of the stop, which came at the latest when the session was over.
    pub report: Report,
}

/// Has the conversation; on an actix system.
///
/// # Panics
/// If the session, or the stop of the server, does not come to an end.
pub async fn converse(script: Script) -> Conversation {
    let limits = LogLimits {
        bytes: LOG,
        backpressure: BackpressureLimits {
            window: LOG as u64 / 8,
            min_rate: 64 * 1024,
            ..BackpressureLimits::default()
        },
    };
    let (log, mut appender) = Log::new("0123456789abcdef".to_owned(), limits, 1);
    appender.limit_kept(KEPT);
    let relay = {
        let log = Arc::clone(&log);
        let relays = async move {
            futures_util::future::join(log.relay(0), log.relay_to_subscribers(0)).await
        };
        actix_rt::spawn(relays)
    };
    let supervisor = Supervisor::new(PATIENT).start();
    let accounts = accounts(script.role);
    let names = accounts.names();
    let auth = Auth::new(accounts, sentinel(Component::Auth, &supervisor)).start();
    let clock = Arc::new(|| Millis(1_000));
    let presence = PresenceLimits::share_of(LOG as u64);
    let to_supervisor = supervisor.clone();
    let sentinel_of_hub = move || sentinel(Component::Hub, &to_supervisor);
    let setup = HubSetup {
        appender,
        journal_writer: None,
        presence,
        producers: PRODUCERS,
        cursors: CURSORS,
        clock,
    };
    let hub = HubAddress::start(&Arbiter::current(), setup, sentinel_of_hub);
    let (in_work, stopwatch) = (InWork::default(), Stopwatch::default());
    let (done, report) = watch::channel(None);
    supervisor.do_send(Supervise(Box::new(FuzzedComponents {
        auth: auth.clone(),
        hub: hub.addr().clone(),
        in_work: in_work.clone(),
        log: Arc::clone(&log),
        stopwatch: stopwatch.clone(),
        report: done,
    })));
    let (gone, is_gone) = oneshot::channel();
    let (link, written) = MemoryLink::new(
        script.framing,
        script.peer,
        (supervisor.clone(), hub.addr().clone()),
        gone,
    );
    let listener = Arc::new(ListenerContext {
        endpoint: Arc::from("fuzz"),
        dialect: script.dialect,
        may_register: script.may_register,
        hears: Hears::EVERYTHING,
        draining: Draining::default(),
        peers: KeyedLimit::new(1),
        users: KeyedLimit::new(1),
        lists: Arc::new(Rates::new(Rate::a_minute(1_000_000))),
        nameless: Arc::default(),
        names,
        counters: Arc::default(),
        log_limit: Arc::default(),
        audit: AuditSink::default(),
        handler: script.handler,
        limits: Arc::new(SessionLimits {
            max_frame: script.max_frame,
            max_frame_before_login: MAX_FRAME_BEFORE_LOGIN.min(script.max_frame),
            frames_in_work: 32_768,
            patterns: PATTERNS,
            request_rate: None,
            // A fuzz run's time passes at once, and a bucket's does not.
            rate_before_login: Rate::a_minute(1_000_000),
            login_timeout: PATIENT,
            idle_timeout: None,
            drain_timeout: PATIENT,
            slow: SlowPolicy::Gap,
        }),
        feature_limits: FeatureLimits {
            patterns: PATTERNS as u64,
            kept_topics: KEPT.topics as u64,
            kept_bytes: KEPT.bytes as u64,
            producers: PRODUCERS as u64,
            cursors: CURSORS as u64,
            offers: 4,
            calls: 4,
            waiting_calls: 4,
        },
        server: "arauto".to_owned(),
        log,
        in_work,
        services: Services::new(ServiceLimits::default(), None),
        service_handlers: Arc::default(),
        stopwatch,
        auth,
        hub,
        supervisor: supervisor.clone(),
    });
    start_session(link, listener, &supervisor, script.is_own_user);

    let over = timeout(HUNG, is_gone).await;
    let _ = over.expect("the session ends when the client has");
    let report = stop(&supervisor, report).await;
    relay.abort();
    let written = std::mem::take(&mut *written.borrow_mut());
    Conversation { written, report }
}

fn accounts(default_role: Role) -> Accounts {
    let hasher = Hasher::new(HashCost::LEAST).expect("it is the least that argon2 takes");
    let limits = LoginLimits {
        hashing: 1,
        waiting: 8,
        user_rate: Rate::a_minute(1000),
        peer_rate: Rate::a_minute(1000),
        accounts: 8,
        default_role,
    };
    Accounts::open(None, hasher, limits).expect("there is no database to fail")
}

fn sentinel(component: Component, supervisor: &Addr<Supervisor>) -> Sentinel {
    let supervisor = supervisor.clone();
    Sentinel::new(move || supervisor.do_send(ActorFailed(component)))
}

fn start_session(
    link: MemoryLink,
    listener: Arc<ListenerContext>,
    supervisor: &Addr<Supervisor>,
    is_own_user: bool,
) {
    let id = SessionId(1);
    let info = SessionInfo::new(id, Arc::clone(&listener.endpoint), "memory".to_owned());
    let info = Arc::new(info);
    let session = Session::new(Start {
        link,
        info: Arc::clone(&info),
        listener,
        shard: 0,
        is_own_user,
        head: Seq::ZERO,
        peer: PeerId::Local,
        permits: Permits::default(),
        refusal: None,
    });
    let orders = session.start().recipient();
    supervisor.do_send(Opened { info, orders });
}

async fn stop(
    supervisor: &Addr<Supervisor>,
    mut report: watch::Receiver<Option<Report>>,
) -> Report {
    let (reason, haste) = (StopReason::Fim, Haste::AsPlanned);
    let stopping = supervisor.send(Stop { reason, haste }).await;
    stopping.expect("the supervisor outlives its server");
    let stopped = timeout(HUNG, report.wait_for(Option::is_some)).await;
    let stopped = stopped.expect("the server stops").expect("and reports it");
    stopped.clone().expect("it was waited for")
}
