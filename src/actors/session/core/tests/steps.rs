//! Sessions of random steps.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};

use crate::actors::session::core::testing::drive::drive;
use crate::actors::session::core::testing::steps::{Kind, Step};

fn steps() -> impl Strategy<Value = (Kind, Vec<Step>)> {
    let kind = (any::<u8>(), any::<u8>()).prop_map(|(kind, limits)| Kind(kind, limits));
    let step = (any::<u8>(), any::<u8>()).prop_map(|(kind, choice)| Step::of(kind, choice));
    (kind, vec(step, 0..120))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn session_of_any_steps_keeps_the_cores_invariants((kind, steps) in steps()) {
        drive(kind, &steps);
    }
}
