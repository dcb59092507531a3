//! The invariants of a registry, for tests.

use super::Registry;

impl Registry {
    /// Whether nothing is left of services, calls and sessions.
    pub(in crate::services) fn is_empty(&self) -> bool {
        self.services.is_empty() && self.calls.is_empty() && self.participants.is_empty()
    }

    /// Asserts that no call waits without need, and that each call is known where it must be.
    pub(in crate::services) fn assert_consistent(&self) {
        let mut waiting = 0;
        for (name, service) in self.services.above("") {
            assert!(!service.is_over(), "{name} is left over");
            assert_eq!(service.waiting() > 0, service.waiting_bytes() > 0);
            if service.waiting() > 0 {
                assert!(service.is_offered() && !service.has_free(), "{service:?}");
            }
            waiting += service.waiting();
            for (session, _, in_work) in service.offers() {
                let participant = self.participants.find(session);
                let participant = participant.expect("it offers a service");
                assert!(participant.offers().contains(name));
                let calls = participant.held().iter().map(|call| &self.calls[call]);
                let of_service = calls.filter(|call| call.service() == name);
                assert_eq!(of_service.count(), in_work as usize);
            }
        }
        let is_waiting = |call: &&super::CallRecord| call.responder().is_none();
        assert_eq!(self.calls.values().filter(is_waiting).count(), waiting);
        for (call, record) in &self.calls {
            let caller = self.participants.find(record.caller());
            assert!(caller.is_some_and(|caller| caller.made().contains(call)));
            if let Some(responder) = record.responder() {
                let responder = self.participants.find(responder);
                assert!(responder.is_some_and(|responder| responder.held().contains(call)));
            }
        }
    }
}
