//! Starts the actors of a server and makes them known to each other.
//!
//! Nothing here can fail: storage, listeners and threads are there already.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, Addr, Arbiter};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::admission_limits::AdmissionLimits;
use super::components::{ServerComponents, Unclosed};
use super::config::Config;
use super::contexts::{Contexts, CurrentContext};
use super::derived_limits::{feature_limits, hub_limits, service_limits, session_limits};
use super::handle::ServerHandle;
use super::listen::Listen;
use super::probe::Parts;
use super::reloadable::{Reloadable, ReloadableParts};
use super::session_spawner::SessionSpawner;
use super::statistics::Measured;
use super::stop_timeline::StopTimeline;
use super::storage::OpenStorage;
use super::tls::Tls;
use super::watch::{sentinel, start_relays, watch_store};
use crate::accounts::{AccountNames, LivePermissions, Rates, UserName};
use crate::actors::acceptor::Acceptor;
use crate::actors::auth::Auth;
use crate::actors::handler::Handler;
use crate::actors::hub::{Forget, HubAddress, HubSetup};
use crate::actors::log_limit::LogLimit;
use crate::actors::session::{Hears, ListenerContext};
use crate::actors::supervisor::{Revoked, Supervise, Supervisor};
use crate::audit::AuditSink;
use crate::close::{Component, InWork, Stopwatch};
use crate::counters::Counters;
use crate::log::{Appender, JournalWriter, Log};
use crate::rate::Rate;
use crate::services::Services;
use crate::transport::{ConnectionTimeouts, Listener, memory_file};

/// Lists of users and of sessions, for each user.
const RATE_OF_LISTS: Rate = Rate::a_minute(600);

/// Starts the actors, and the acceptors last.
pub(super) fn assemble(
    config: &Config,
    storage: OpenStorage,
    tls: Tls,
    (listeners, timeouts): (Vec<(Listen, Listener)>, ConnectionTimeouts),
    arbiters: Vec<Arbiter>,
) -> ServerHandle {
    let OpenStorage {
        accounts,
        mut data,
        stream,
    } = storage;
    let counters = Arc::<Counters>::default();
    let (log, mut appender, scribe) = stream.begin(config, Arc::clone(&counters));
    appender.use_page_files(memory_file);
    let supervisor = Supervisor::new(config.timeouts.drain).start();
    start_relays(&arbiters, &log, &supervisor);
    watch_store(data.as_mut(), &supervisor);
    let hub = start_hub(&arbiters[0], (appender, scribe), config, &supervisor);
    let (to_sessions, to_hub) = (supervisor.clone(), hub.addr().clone());
    accounts.on_revoked(move |mut revoked| {
        revoked.users.append(&mut revoked.judged_anew);
        to_sessions.do_send(Revoked(revoked.users));
        if !revoked.removed.is_empty() {
            to_hub.do_send(Forget(revoked.removed));
        }
    });
    let audit = AuditSink::new(config.audit.clone());
    accounts.set_audit(audit.clone());
    let hash_load = accounts.hash_load();
    let own_services = config.services.keys().map(String::as_str);
    let services = Services::new(service_limits(config), own_services);
    let shared = Shared {
        config,
        limits: AdmissionLimits::new(&config.limits),
        lists: Arc::new(Rates::new(RATE_OF_LISTS)),
        nameless: accounts.nameless_permissions(),
        names: accounts.names(),
        counters: Arc::clone(&counters),
        log_limit: start_log_limit(&arbiters[0]),
        audit,
        log: Arc::clone(&log),
        in_work: InWork::default(),
        services: Arc::clone(&services),
        service_handlers: Arc::new(config.services.clone()),
        stopwatch: Stopwatch::default(),
        auth: Auth::new(accounts, sentinel(Component::Auth, &supervisor)).start(),
        hub,
        supervisor: supervisor.clone(),
    };
    let parts = Parts {
        supervisor: supervisor.clone(),
        auth: shared.auth.clone(),
        hub: shared.hub.addr().clone(),
        session_threads: arbiters.iter().map(Arbiter::handle).collect(),
        store: data.as_ref().map(|data| data.store.store()),
    };
    let measured = Measured {
        log: Arc::clone(&log),
        in_work: shared.in_work.clone(),
        services: Arc::clone(&services),
        counters,
        hash_load,
        tls: tls.clone(),
    };
    let handles = arbiters.iter().map(Arbiter::handle).collect();
    let session_spawner = SessionSpawner::new(handles, supervisor.clone());

    let contexts = Arc::<Contexts>::default();
    let reloadable = ReloadableParts {
        admission: shared.limits.clone(),
        contexts: Arc::clone(&contexts),
        timeouts,
        services: Arc::clone(&services),
        auth: shared.auth.clone(),
        hub: shared.hub.addr().clone(),
        supervisor: supervisor.clone(),
    };
    let (done, report) = watch::channel(None);
    let mut components = ServerComponents {
        acceptors: Vec::new(),
        auth: shared.auth.clone(),
        hub: shared.hub.addr().clone(),
        contexts: Arc::clone(&contexts),
        arbiters: Arc::new(Mutex::new(arbiters)),
        accounts: Arc::default(),
        store_limit: data.as_ref().map(|data| data.store.limit().clone()),
        data: Arc::new(Mutex::new(data)),
        unclosed: Unclosed::default(),
        stop_timeline: StopTimeline::new(shared.stopwatch.clone()),
        in_work: shared.in_work.clone(),
        log: Arc::clone(&log),
        services,
        stopwatch: shared.stopwatch.clone(),
        on_phase: Arc::clone(&config.on_phase),
        draining: shared.limits.draining.clone(),
        report: done,
    };
    let mut endpoints = Vec::new();
    for (listen, listener) in listeners {
        let endpoint = listener.endpoint().clone();
        let longest_frame = listener.longest_frame().unwrap_or(usize::MAX);
        let context = shared.context(&listen, &listener, longest_frame);
        let context = contexts.add(context, longest_frame);
        let acceptor = shared.acceptor(&listen, listener, context, session_spawner.clone());
        components
            .acceptors
            .push((endpoint.to_string(), acceptor.start()));
        endpoints.push(endpoint);
    }

    supervisor.do_send(Supervise(Box::new(components)));
    ServerHandle {
        endpoints: endpoints.into(),
        supervisor,
        hub: shared.hub.addr().clone(),
        names: shared.names,
        log,
        reloadable: Arc::new(Reloadable::new(config, reloadable)),
        draining: shared.limits.draining,
        tls,
        parts: Arc::new(parts),
        measured: Arc::new(measured),
        report,
    }
}

/// The values that the listeners of a server share.
struct Shared<'a> {
    config: &'a Config,
    limits: AdmissionLimits,
    lists: Arc<Rates<UserName>>,
    nameless: Arc<LivePermissions>,
    names: AccountNames,
    counters: Arc<Counters>,
    log_limit: Arc<LogLimit>,
    audit: AuditSink,
    log: Arc<Log>,
    in_work: InWork,
    services: Arc<Services>,
    service_handlers: Arc<BTreeMap<String, Arc<dyn Handler>>>,
    stopwatch: Stopwatch,
    auth: Addr<Auth>,
    hub: HubAddress,
    supervisor: Addr<Supervisor>,
}

impl Shared<'_> {
    /// Returns what the sessions of one listener share.
    fn context(
        &self,
        listen: &Listen,
        listener: &Listener,
        longest_frame: usize,
    ) -> ListenerContext {
        ListenerContext {
            endpoint: Arc::from(listener.endpoint().to_string()),
            dialect: listen.dialect,
            may_register: listen.registration,
            hears: Hears::of_listener(listen.filter.clone()),
            draining: self.limits.draining.clone(),
            peers: self.limits.peers.clone(),
            users: self.limits.users.clone(),
            lists: Arc::clone(&self.lists),
            nameless: Arc::clone(&self.nameless),
            names: self.names.clone(),
            counters: Arc::clone(&self.counters),
            log_limit: Arc::clone(&self.log_limit),
            audit: self.audit.clone(),
            handler: listen.handler.as_ref().map_or_else(
                || Arc::clone(&self.config.handler),
                |handler| handler.build(),
            ),
            limits: Arc::new(session_limits(self.config, longest_frame)),
            feature_limits: feature_limits(self.config),
            server: concat!("arauto ", env!("CARGO_PKG_VERSION")).to_owned(),
            log: Arc::clone(&self.log),
            in_work: self.in_work.clone(),
            services: Arc::clone(&self.services),
            service_handlers: Arc::clone(&self.service_handlers),
            stopwatch: self.stopwatch.clone(),
            auth: self.auth.clone(),
            hub: self.hub.clone(),
            supervisor: self.supervisor.clone(),
        }
    }

    fn acceptor(
        &self,
        listen: &Listen,
        listener: Listener,
        context: Arc<CurrentContext>,
        session_spawner: SessionSpawner,
    ) -> Acceptor<Listener> {
        Acceptor::new(
            listener,
            self.limits.of(listen),
            move |caller, admission| session_spawner.spawn(caller, admission, &context.get()),
            sentinel(Component::Acceptor, &self.supervisor),
        )
    }
}

fn start_log_limit(arbiter: &Arbiter) -> Arc<LogLimit> {
    let log_limit = Arc::<LogLimit>::default();
    let summarizing = Arc::clone(&log_limit);
    arbiter.spawn(async move { summarizing.summarize().await });
    log_limit
}

/// Starts the hub on the thread of the first sessions, so that most messages between the
/// two cross no thread.
fn start_hub(
    arbiter: &Arbiter,
    (mut appender, journal_writer): (Appender, Option<JournalWriter>),
    config: &Config,
    supervisor: &Addr<Supervisor>,
) -> HubAddress {
    let limits = hub_limits(config);
    appender.limit_kept(limits.kept);
    let setup = HubSetup {
        appender,
        journal_writer,
        presence: limits.presence,
        producers: limits.producers,
        cursors: limits.cursors,
        clock: Arc::clone(&config.clock),
    };
    let supervisor = supervisor.clone();
    let sentinel = move || sentinel(Component::Hub, &supervisor);
    HubAddress::start(&arbiter.handle(), setup, sentinel)
}
