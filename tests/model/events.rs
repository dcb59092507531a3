//! The steps that may happen at any instant, but need not.

use crate::setting::Setting;
use crate::state::{Connection, State};
use crate::step::Step;

impl Setting {
    /// Adds the events that may happen, but need not.
    pub fn optional_steps(&self, state: &State, steps: &mut Vec<Step>) {
        let left = &state.world.left;
        let has_begun = state.world.phase().is_some();
        if has_begun && left.fims > 0 {
            steps.push(Step::Fim);
        }
        if has_begun && left.signals > 0 {
            steps.push(Step::Signal);
        }
        if state.world.hub.is_alive && left.hub_panics > 0 {
            steps.push(Step::HubPanic);
        }
        if left.rule_changes > 0 {
            steps.push(Step::ChangeRules);
        }
        if left.kills > 0 {
            steps.push(Step::Kill);
        }
        for (at, slot) in state.slots.iter().enumerate() {
            let head = state.world.hub.head;
            let reader = slot.io.reader.as_ref().filter(|_| slot.core.is_some());
            if left.passes > 0 && reader.is_some_and(|reader| reader.may_be_told(head)) {
                steps.push(Step::MakePassedDue(at));
            }
            let client = &self.clients[at];
            let is_there = slot.core.is_some() && !slot.io.client.is_gone;
            if slot.connection == Connection::NotConnected {
                steps.push(Step::Connect(at));
            }
            if client.may_break && is_there {
                steps.push(Step::Break(at));
            }
            if client.may_hang_up && is_there && !slot.io.client.has_ended {
                steps.push(Step::HangUp(at));
            }
            if slot.core.is_some() && state.waits_for_handler(at) && left.session_panics > 0 {
                steps.push(Step::HandlerPanic(at));
            }
        }
    }
}
