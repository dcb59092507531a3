//! The table of a session's offers and calls in work.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::client::offer::call::{CallError, CallHandler};

/// The offers of a session and its calls in work.
#[derive(Debug, Default)]
pub(super) struct CallTable {
    offers: HashMap<String, Offered>,
    in_work: HashMap<u64, InWork>,
}

/// A service that the session offers.
struct Offered {
    handler: CallHandler,
    limit: usize,
    in_work: usize,
    /// Used when the server withdraws the offer unasked.
    withdrawn: oneshot::Sender<()>,
}

/// A call that is not answered yet.
#[derive(Debug)]
struct InWork {
    service: String,
    /// Missing until its task has been started.
    task: Option<AbortHandle>,
}

impl CallTable {
    /// Adds an offer; `None` if the service is offered already.
    pub(super) fn add_offer(
        &mut self,
        service: &str,
        handler: CallHandler,
        limit: usize,
    ) -> Option<oneshot::Receiver<()>> {
        if self.offers.contains_key(service) {
            return None;
        }
        // Calls of an earlier offer, which was withdrawn unasked, may still be in work.
        let earlier = self.in_work.values();
        let earlier = earlier.filter(|work| work.service == service).count();
        let (withdrawn, receiver) = oneshot::channel();
        let offer = Offered {
            handler,
            limit,
            in_work: earlier,
            withdrawn,
        };
        self.offers.insert(service.to_owned(), offer);
        Some(receiver)
    }

    /// Removes an offer, and returns what tells its task of it.
    pub(super) fn remove_offer(&mut self, service: &str) -> Option<oneshot::Sender<()>> {
        self.offers.remove(service).map(|offer| offer.withdrawn)
    }

    /// Notes that a call is in work, and returns its handler.
    pub(super) fn begin(&mut self, call: u64, service: &str) -> Result<CallHandler, CallError> {
        if self.in_work.contains_key(&call) {
            let problem = "the number of the call was used before";
            return Err(CallError::new("bad-call", problem));
        }
        let Some(offer) = self.offers.get_mut(service) else {
            let problem = "this session does not offer the service";
            return Err(CallError::new("not-offered", problem));
        };
        if offer.in_work >= offer.limit {
            let problem = "more calls than the offer's limit are in work";
            return Err(CallError::new("over-limit", problem));
        }
        offer.in_work += 1;
        let work = InWork {
            service: service.to_owned(),
            task: None,
        };
        self.in_work.insert(call, work);
        Ok(Arc::clone(&offer.handler))
    }

    /// Notes the task of a call, which may have ended meanwhile.
    pub(super) fn set_task(&mut self, call: u64, task: AbortHandle) {
        if let Some(work) = self.in_work.get_mut(&call) {
            work.task = Some(task);
        }
    }

    /// Notes that a call is no longer in work, and returns its task.
    pub(super) fn end(&mut self, call: u64) -> Option<AbortHandle> {
        let work = self.in_work.remove(&call)?;
        if let Some(offer) = self.offers.get_mut(&work.service) {
            offer.in_work = offer.in_work.saturating_sub(1);
        }
        work.task
    }

    /// Removes everything, and returns it: the offers' ends, and the tasks of the calls.
    pub(super) fn clear(&mut self) -> (Vec<oneshot::Sender<()>>, Vec<AbortHandle>) {
        let offers = self.offers.drain().map(|(_, offer)| offer.withdrawn);
        let tasks = self.in_work.drain().filter_map(|(_, work)| work.task);
        (offers.collect(), tasks.collect())
    }
}

impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offered")
            .field("limit", &self.limit)
            .field("in_work", &self.in_work)
            .finish_non_exhaustive()
    }
}

/// Ends a call in the table when it is dropped, also where the call's task is aborted or its handler
/// panics while it is dropped.
pub(super) struct WorkEntry {
    table: Arc<Mutex<CallTable>>,
    call: u64,
}

impl WorkEntry {
    pub(super) fn new(table: Arc<Mutex<CallTable>>, call: u64) -> WorkEntry {
        WorkEntry { table, call }
    }

    /// Returns the call's number.
    pub(super) fn number(&self) -> u64 {
        self.call
    }
}

impl Drop for WorkEntry {
    fn drop(&mut self) {
        let task = self.table.lock().end(self.call);
        drop(task); // outside of the lock
    }
}
