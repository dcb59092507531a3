//! The properties of messages with a producer's number.

use stateright::Property;

use crate::setting::Setting;
use crate::state::State;

pub const ONCE: &str = "each number of a producer is in the log once";
pub const KEPT: &str = "a message that was acknowledged by its number stays in the log";

pub fn all() -> Vec<Property<Setting>> {
    vec![
        Property::<Setting>::always(ONCE, |_, state| {
            let history = &state.world.hub.history;
            let mut known = Vec::new();
            history.iter().all(|entry| match entry.number {
                None => true,
                Some(number) if known.contains(&number) => false,
                Some(number) => {
                    known.push(number);
                    true
                }
            })
        }),
        Property::<Setting>::always(KEPT, is_kept),
    ]
}

fn is_kept(setting: &Setting, state: &State) -> bool {
    let history = &state.world.hub.history;
    state.slots.iter().enumerate().all(|(at, slot)| {
        let user = setting.user(at);
        let mut acknowledged = slot.io.witness.acknowledged.iter();
        acknowledged.all(|(n, seq)| history.has_number(*seq, (user, *n)))
    })
}
