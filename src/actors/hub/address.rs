//! How other actors reach the hub.

use actix::{Actor, Addr, ArbiterHandle};

use super::actor::Hub;
use super::bodies::Bodies;
use super::direct::{self, HubKey};
use super::messages::NotPublished;
use super::state::HubSetup;
use crate::accounts::UserName;
use crate::actors::sentinel::Sentinel;
use crate::log::Log;
use crate::wire::Seq;

/// The address of a hub.
#[derive(Debug, Clone)]
pub struct HubAddress {
    key: HubKey,
    addr: Addr<Hub>,
}

impl HubAddress {
    /// Starts a hub on a thread. `sentinel` makes there what reports the hub's panic.
    pub fn start(
        arbiter: &ArbiterHandle,
        setup: HubSetup,
        sentinel: impl FnOnce() -> Sentinel + Send + 'static,
    ) -> HubAddress {
        let key = HubKey::new();
        let addr = Hub::start_in_arbiter(arbiter, move |_| Hub::new(key, setup, sentinel()));
        HubAddress { key, addr }
    }

    /// The address for messages.
    pub fn addr(&self) -> &Addr<Hub> {
        &self.addr
    }

    /// Publishes bodies with consecutive seqs at once, where the hub is on this thread, has no
    /// journal, and nothing else waits for it. Returns the first seq, or `None` where the hub
    /// must be sent a [`Publish`](super::Publish) instead. `shard` is the thread's.
    ///
    /// The readers of the thread that wait are woken before this returns.
    pub fn publish_now(
        &self,
        log: &Log,
        shard: usize,
        from: &UserName,
        bodies: &Bodies,
    ) -> Option<Result<Seq, NotPublished>> {
        direct::publish_now(self.key, log, shard, from, bodies)
    }
}
