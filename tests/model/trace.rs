//! Counter-examples as text.

use std::fmt::Write;

use stateright::{Expectation, Path, Property};

use crate::setting::Setting;
use crate::state::State;
use crate::step::Step;

/// Returns the steps of a path up to the first state in which the property does not hold. For an
/// `eventually` property, returns all steps.
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

/// Returns the steps as text, one a line, after the name of the property.
pub fn text(name: &str, steps: &[Step]) -> String {
    let mut text = format!("violated: {name}\n");
    for (number, step) in steps.iter().enumerate() {
        let _ = writeln!(text, "{:4}  {step:?}", number + 1); // writing to a string never fails
    }
    text
}
