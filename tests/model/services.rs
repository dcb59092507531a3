//! Services: the shipped registry, the sessions that it wakes, and a session's part in it, as in
//! `src/actors/session/services_io.rs` and `src/actors/session/driver`.

use std::sync::{Arc, LazyLock};

use arauto::internal::services::{
    CallId, CallOutcome, Registry, ServiceEvent, ServiceInfo, ServiceLimits, Unavailability, Wakes,
};
use arauto::internal::session::effects::Effects;
use futures_util::task::AtomicWaker;

use crate::broken::Broken;
use crate::calls::{CallFate, Calls};
use crate::connection::Io;
use crate::driver::Driver;
use crate::item::Item;
use crate::setting::{Frame, Setting};
use crate::shared::Shared;
use crate::state::{SlotId, State, id};

/// The name of the model's service.
pub const SERVICE: &str = "service";

/// The wakers of the sessions, by slot. The registry only tells which of them to wake.
static WAKERS: LazyLock<[Arc<AtomicWaker>; 4]> = LazyLock::new(Default::default);

/// The services of the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Services {
    registry: Shared<Registry>,
    /// The slots whose sessions were woken since they last looked for events, a bit for each.
    woken: u8,
    /// The record for the properties.
    pub calls: Calls,
}

impl Services {
    pub fn new() -> Services {
        Services {
            registry: Shared::new(Registry::new(ServiceLimits::default())),
            woken: 0,
            calls: Calls::default(),
        }
    }

    /// Lets a session take part.
    pub fn join(&mut self, at: SlotId, user: &str) {
        let waker = Arc::clone(&WAKERS[at]);
        self.registry.join(id(at), user.into(), waker);
    }

    /// Changes the registry, and notes the sessions that it wakes.
    pub fn change<T>(&mut self, change: impl FnOnce(&mut Registry, &mut Wakes) -> T) -> T {
        let mut wakes = Wakes::new();
        let result = change(&mut self.registry, &mut wakes);
        for (at, waker) in WAKERS.iter().enumerate() {
            if wakes.iter().any(|woken| Arc::ptr_eq(woken, waker)) {
                self.woken |= 1 << at;
            }
        }
        result
    }

    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Whether a session was woken since it last looked for events.
    pub fn is_woken(&self, at: SlotId) -> bool {
        self.woken & (1 << at) != 0
    }

    /// Notes that a session looks for events.
    fn note_look(&mut self, at: SlotId) {
        self.woken &= !(1 << at);
    }

    /// Returns at most `most` services above `after`.
    pub fn list(&self, after: &str, most: usize) -> Vec<ServiceInfo> {
        self.registry.services(after).take(most).collect()
    }

    /// Returns how many calls all sessions hold, in the registry.
    pub fn held(&self) -> usize {
        (0..WAKERS.len()).map(|at| self.registry.held(id(at))).sum()
    }
}

impl Io {
    /// Returns the numbers of the calls that the client has read.
    fn calls_read(&self) -> impl Iterator<Item = u64> {
        let read = self.queue.iter().take(self.read_items.into());
        read.filter_map(|item| match item {
            Item::Call(call) => Some(*call),
            _ => None,
        })
    }

    /// Returns the number of the call that a client's frame answers. The client answers calls in the
    /// order in which it reads them.
    pub fn call_to_answer(&self, frames: &[Frame], number: u8) -> u64 {
        let before = frames[..usize::from(number)].iter();
        let answered = before.filter(|frame| frame.is_answer()).count();
        let call = self.calls_read().nth(answered);
        call.expect("the client answers calls that it has read")
    }

    /// Returns the frames that the client may send now. It sends an answer once it has read a call
    /// for it.
    pub fn unsent<'a>(&self, frames: &'a [Frame]) -> &'a [Frame] {
        if self.client.has_ended || self.client.is_gone {
            return &[];
        }
        let (sent, unsent) = frames.split_at(self.received.into());
        let mut answers = sent.iter().filter(|frame| frame.is_answer()).count();
        let waits = |frame: &Frame| {
            answers += usize::from(frame.is_answer());
            frame.is_answer() && answers > self.calls_read().count()
        };
        let end = unsent.iter().position(waits);
        &unsent[..end.unwrap_or(unsent.len())]
    }
}

impl Driver<'_> {
    /// Tells the client about its services and calls, while there is room for it. Returns whether
    /// there was an event.
    pub fn poll_services(&mut self) -> bool {
        if !self.outside.io.takes_part {
            return false;
        }
        let at = self.outside.at;
        self.outside.world.services.note_look(at);
        let mut has_told = false;
        while self.outside.has_room()
            && !self.core.has_said_closing()
            && let Some(event) = self.take_event()
        {
            has_told = true;
            self.tell(event);
        }
        has_told
    }

    fn take_event(&mut self) -> Option<ServiceEvent> {
        let at = self.outside.at;
        let services = &mut self.outside.world.services;
        services.change(|registry, wakes| registry.take(id(at), wakes))
    }

    fn tell(&mut self, event: ServiceEvent) {
        let ended = match &event {
            ServiceEvent::Outcome(call, outcome) => Some((*call, is_of_ended(outcome))),
            _ => None,
        };
        let setting = self.outside.setting;
        let is_lost = ended.is_some_and(|(_, is_lost)| is_lost);
        if is_lost && setting.is(Broken::HeldCallForgotten) {
            return;
        }
        self.core.service_event(event, self.now, &mut self.outside);
        let Some((call, _)) = ended else { return };
        self.outside.end_work_of(call);
        if is_lost && setting.is(Broken::HeldCallMadeAgain) {
            self.make_again(call);
        }
    }

    /// Makes a call again, which the contract forbids.
    fn make_again(&mut self, call: CallId) {
        let Some(fate) = self.outside.world.services.calls.get(call) else {
            return;
        };
        let number = fate.frame;
        self.outside.serving = number;
        let frame = self.frame(Frame::Call, number);
        self.core.frame(frame, self.now, &mut self.outside);
    }
}

/// Whether a call ended because the session that had it ended.
fn is_of_ended(outcome: &CallOutcome) -> bool {
    matches!(
        outcome,
        CallOutcome::Unavailable(Unavailability::ResponderEnded)
    )
}

impl State {
    /// Whether a call has no answer because a client does not answer it, or does not read.
    pub fn has_withheld_answer(&self, setting: &Setting) -> bool {
        let is_withheld = |fate: &CallFate| {
            let Some(at) = fate.sent_to.filter(|at| fate.is_held_by(*at)) else {
                return false;
            };
            let item = Item::Call(fate.call.0);
            let calls = self.slots[at].io.queue.iter();
            let mut calls = calls.filter(|item| matches!(item, Item::Call(_)));
            let place = calls.position(|known| *known == item);
            let frames = setting.clients[at].frames.iter();
            let answers = frames.filter(|frame| frame.is_answer()).count();
            place.is_some_and(|place| place >= answers)
        };
        let mut calls = self.world.services.calls.iter();
        calls.any(is_withheld) || setting.clients.iter().any(|client| !client.reads)
    }
}
