//! Callers in a closed loop, each with a session of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use arauto::{Client, Endpoint, ErrorCode};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::{SERVICE, USERS, body_of, parse_reply};
use crate::support::{PASSWORD, wait_until};

/// Callers that run.
pub(super) struct Callers {
    runtime: Runtime,
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<Caller>>,
}

/// The state that the callers and the test share.
struct Shared {
    is_over: AtomicBool,
    /// The calls of each caller that have ended.
    ended: Vec<AtomicU64>,
    /// The calls that have failed since the test looked last, with their codes.
    failed: Mutex<BTreeMap<String, ErrorCode>>,
}

/// The record of a caller that makes no further call.
pub(super) struct Caller {
    pub(super) session: u64,
    /// The responder of each call with a reply.
    pub(super) replied: BTreeMap<String, usize>,
    pub(super) failed: u64,
    /// It keeps the session, which the report of the stop then lists.
    client: Client,
}

impl Callers {
    /// Lets callers begin.
    pub(super) fn start(endpoint: &Endpoint, count: usize) -> Callers {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let shared = Arc::new(Shared {
            is_over: AtomicBool::new(false),
            ended: (0..count).map(|_| AtomicU64::new(0)).collect(),
            failed: Mutex::default(),
        });
        let clients: Vec<Client> = (0..count)
            .map(|number| {
                let builder = Client::builder(endpoint.clone());
                let builder = builder.user(format!("ana{}", number % USERS));
                let connected = runtime.block_on(builder.password(PASSWORD).connect());
                connected.expect("the server is there").0
            })
            .collect();
        let callers = clients.into_iter().enumerate();
        let callers = callers
            .map(|(number, client)| runtime.spawn(call(client, number, Arc::clone(&shared))))
            .collect();
        Callers {
            runtime,
            shared,
            callers,
        }
    }

    /// Waits for the ends of this many more calls.
    pub(super) fn wait_for(&self, more: u64) {
        let enough = self.ended() + more;
        self.wait_until(|| self.ended() >= enough);
    }

    /// Waits until each caller has had the end of the call that it makes now.
    pub(super) fn wait_for_each(&self) {
        let load = |ended: &AtomicU64| ended.load(Ordering::SeqCst);
        let before: Vec<u64> = self.shared.ended.iter().map(load).collect();
        self.wait_until(|| {
            let mut pairs = self.shared.ended.iter().zip(&before);
            pairs.all(|(ended, before)| load(ended) > *before)
        });
    }

    fn ended(&self) -> u64 {
        let ended = self.shared.ended.iter();
        ended.map(|ended| ended.load(Ordering::SeqCst)).sum()
    }

    fn wait_until(&self, condition: impl Fn() -> bool) {
        wait_until("the callers go on", || {
            let has_ended = self.callers.iter().any(JoinHandle::is_finished);
            assert!(!has_ended, "a caller has ended before the test");
            condition()
        });
    }

    /// Returns the calls that have failed since the last time, with their codes.
    pub(super) fn take_failed(&self) -> BTreeMap<String, ErrorCode> {
        let mut failed = self.shared.failed.lock().expect("nobody panics with it");
        std::mem::take(&mut failed)
    }

    /// Waits for the ends of all calls; no further ones are made. The sessions go on.
    pub(super) fn finish(self) -> (Vec<Caller>, Runtime) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let callers = self.callers.into_iter();
        let callers = callers.map(|caller| self.runtime.block_on(caller));
        let callers = callers.map(|caller| caller.expect("its checks passed"));
        (callers.collect(), self.runtime)
    }
}

impl Caller {
    /// Waits for the end of its session.
    pub(super) async fn closed(&self) {
        let _ = self.client.closed().await; // any end: the report says which
    }
}

async fn call(client: Client, number: usize, shared: Arc<Shared>) -> Caller {
    let mut caller = Caller {
        session: client.who_am_i().session.0,
        replied: BTreeMap::new(),
        failed: 0,
        client,
    };
    for call in 0.. {
        if shared.is_over.load(Ordering::SeqCst) {
            break;
        }
        let body = body_of(number, call);
        match caller.client.ask(SERVICE, body.as_str()).await {
            Ok(reply) => {
                let reply = reply.body.as_text().expect("it is text").to_owned();
                let (responder, of) = parse_reply(&reply);
                assert_eq!(of, body, "the reply is to this call");
                caller.replied.insert(body, responder);
            }
            Err(error) => {
                let code = error.code().unwrap_or_else(|| panic!("{body}: {error}"));
                caller.failed += 1;
                let mut failed = shared.failed.lock().expect("nobody panics with it");
                failed.insert(body, code);
            }
        }
        shared.ended[number].fetch_add(1, Ordering::SeqCst);
    }
    caller
}
