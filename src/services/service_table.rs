//! All services, by name.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::service::{Service, Withdrawals};
use super::statistics::ServiceStatistics;
use crate::wire::SessionId;

/// The services that are offered, or for which calls wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct ServiceTable {
    by_name: BTreeMap<Arc<str>, Service>,
}

/// A service, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceInfo {
    /// The service's name.
    pub name: Arc<str>,
    /// The sessions that offer it.
    pub offers: Vec<OfferInfo>,
    /// The calls that wait for one of them.
    pub waiting: usize,
    /// How its calls have ended.
    pub statistics: ServiceStatistics,
}

/// An offer, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferInfo {
    /// The session that offers the service; 0 is the server itself.
    pub session: SessionId,
    /// The session's user.
    pub user: Arc<str>,
    /// The most calls that it has in work at once; `None` for the server itself.
    pub limit: Option<u32>,
    /// The calls that it has in work.
    pub in_work: u32,
}

impl ServiceTable {
    /// Returns a service, and its name as it is shared.
    pub(super) fn find(&self, name: &str) -> Option<(&Arc<str>, &Service)> {
        self.by_name.get_key_value(name)
    }

    pub(super) fn get(&mut self, name: &str) -> Option<&mut Service> {
        self.by_name.get_mut(name)
    }

    /// Returns a service, which is made where there is none.
    pub(super) fn get_or_add(&mut self, name: &Arc<str>) -> &mut Service {
        self.by_name.entry(Arc::clone(name)).or_default()
    }

    /// Returns the name of a service as it is shared.
    pub(super) fn shared_name(&self, name: &str) -> Arc<str> {
        let known = self.find(name).map(|(name, _)| Arc::clone(name));
        known.unwrap_or_else(|| Arc::from(name))
    }

    /// Notes in these services whether a session that offers them takes what it is given.
    pub(super) fn note_pace<'a>(
        &mut self,
        names: impl IntoIterator<Item = &'a Arc<str>>,
        session: SessionId,
        keeps_up: bool,
    ) {
        for name in names {
            if let Some(service) = self.by_name.get_mut(name) {
                service.note_pace(session, keeps_up);
            }
        }
    }

    /// Removes a session's offer of a service. Returns the frames that were withdrawing it.
    pub(super) fn remove_offer(&mut self, name: &str, session: SessionId) -> Withdrawals {
        let service = self.by_name.get_mut(name);
        service.map_or_else(Withdrawals::new, |service| service.remove(session))
    }

    /// Removes a service of which nothing is left.
    pub(super) fn remove_if_over(&mut self, name: &str) {
        if self.by_name.get(name).is_some_and(Service::is_over) {
            self.by_name.remove(name);
        }
    }

    /// Returns each service above `after`, by name.
    pub(super) fn above(&self, after: &str) -> impl Iterator<Item = (&Arc<str>, &Service)> {
        let above = (Bound::Excluded(after), Bound::Unbounded);
        self.by_name.range::<str, _>(above)
    }

    /// Whether there is no service.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}
