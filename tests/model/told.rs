//! A path through the model, for people.

use std::fmt::Write;

use stateright::{Expectation, Path, Property};

use crate::setting::Setting;
use crate::state::State;
use crate::step::Step;

/// The steps up to the first state in which the property does not hold; of one that must
/// hold at last, all of them.
pub fn steps(
    setting: &Setting,
    path: Path<State, Step>,
    property: &Property<Setting>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for (state, step) in path.into_vec() {
        let is_always = property.expectation == Expectation::Always;
        if is_always && !(property.condition)(setting, &state) {
            break;
        }
        steps.extend(step);
    }
    steps
}

/// One line a step.
pub fn tell(name: &str, steps: &[Step]) -> String {
    let mut text = format!("falls: {name}\n");
    for (number, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{:4}  {step:?}", number + 1); // a string takes everything
    }
    text
}
