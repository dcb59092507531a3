//! Who has an account is not told by how long a refusal takes.
//!
//! That an endpoint registers nobody is told by the code `registration-closed`, as the
//! contract has it: the work is the same all the same, so that a name costs what a
//! password costs, and a code that is made the same one day hides it whole.

use std::time::Duration;

use arauto::accounts::HashCost;

use crate::alone;
use crate::latency::{Times, timed};
use crate::support::{Fixture, Raw, login, os};

const SAMPLES: usize = 1000;

/// Wrong passwords that one name is tried with: few enough that none has to wait.
const GUESSES: usize = 4;

/// Cheaper than the default, and still nearly all that a refusal takes.
const COST: HashCost = HashCost {
    memory_kib: 2048,
    passes: 1,
};

const ROUNDS: usize = 3;

/// The difference of the medians that is allowed, as a part of either: 1 in 20.
const PART: u32 = 20;

/// How long a wrong password takes to be refused, on a session of its own.
fn refusal(fixture: &Fixture, name: &str, code: &str) -> Duration {
    let mut client = fixture.visitor();
    timed(|| {
        client.send(&login(1, name, "errado"));
        client.expect_error(code);
    })
}

fn register(fixture: &Fixture, name: &str) {
    let open = &fixture.server.endpoints()[1];
    let mut client = Raw::local(os::connect(open).expect("it listens"));
    client.expect("welcome");
    client.log_in(name);
    client.fim();
}

fn round(fixture: &Fixture, round: usize) -> (Times, Times) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let number = sample / GUESSES;
        let known_first = sample % 2 == 0;
        let mut try_known = || {
            let name = format!("c{round}-{number}");
            known.push(refusal(fixture, &name, "bad-credentials"));
        };
        let mut try_unknown = || {
            let name = format!("d{round}-{number}");
            unknown.push(refusal(fixture, &name, "registration-closed"));
        };
        if known_first {
            try_known();
            try_unknown();
        } else {
            try_unknown();
            try_known();
        }
    }
    (known.into_iter().collect(), unknown.into_iter().collect())
}

#[test]
fn a_wrong_password_is_refused_in_the_same_time_for_known_and_for_unknown_names() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let open = os::endpoint(folder.path(), "open");
    let fixture = Fixture::listening("?registration=closed", |config| {
        config.hash_cost = COST;
        Fixture::also(config, &open.to_string());
    });
    for number in 0..ROUNDS {
        for name in 0..SAMPLES / GUESSES {
            register(&fixture, &format!("c{number}-{name}"));
        }
        let (known, unknown) = round(&fixture, number);
        println!("known names: {known}");
        println!("unknown names: {unknown}");
        let difference = known.median().abs_diff(unknown.median());
        if difference < known.median().min(unknown.median()) / PART {
            fixture.finish();
            return;
        }
    }
    panic!("the medians of known and of unknown names differ by more than 5 %");
}
