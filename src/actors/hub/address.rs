//! The address of a hub: for messages and for direct publishes.

use actix::{Actor, Addr, ArbiterHandle};

use super::actor::Hub;
use super::contents::Contents;
use super::direct::{self, HubKey};
use super::judged::JudgedContents;
use super::messages::Verdicts;
use super::not_published::NotPublished;
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
    /// Starts a hub on a thread. `sentinel` is called on that thread, and returns the sentinel
    /// that reports a panic of the hub.
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

    /// Publishes messages with consecutive seqs directly, if the hub runs on this thread and has no
    /// journal, and if the publish is uncontended. Returns the first seq, or `None` if a
    /// [`Publish`](super::Publish) must be sent to the hub instead. `shard` is the number of this
    /// thread in the log.
    ///
    /// Wakes the waiting readers of this thread before it returns.
    pub fn publish_now(
        &self,
        log: &Log,
        shard: usize,
        from: &UserName,
        contents: &Contents,
    ) -> Option<Result<Seq, NotPublished>> {
        direct::publish_now(self.key, log, shard, |state| {
            state.publish_now(from, contents, shard)
        })
    }

    /// Judges and publishes messages directly, as [`HubAddress::publish_now`] publishes
    /// others. Returns the verdicts, or `None` if a [`PublishJudged`](super::PublishJudged)
    /// must be sent to the hub instead.
    pub fn publish_judged_now(
        &self,
        log: &Log,
        shard: usize,
        from: &UserName,
        messages: &JudgedContents,
    ) -> Option<Result<Verdicts, NotPublished>> {
        direct::publish_now(self.key, log, shard, |state| {
            state.publish_judged_now(from, messages, shard)
        })
    }
}
