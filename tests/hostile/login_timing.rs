//! The time of a refusal does not reveal whether an account exists.
//!
//! On an endpoint with closed registration the code of the refusal, `registration-closed`, reveals
//! that a name is unknown; the contract has it so. The server does the same work in both cases,
//! so that trying a name costs as much as trying a password.

use std::time::Duration;

use arauto::HashCost;
use arauto::{Config, Endpoint, Server, ServerHandle};
use tempfile::TempDir;

use crate::alone;
use crate::latency::{Times, timed};
use crate::support::{FrameClient, block_on, login, os, watchdog_for};

const SAMPLES: usize = 1000;

/// Wrong passwords for one name: few enough that no back-off begins.
const GUESSES: usize = 4;

/// A cost below the default; hashing is still nearly all the time of a refusal.
const COST: HashCost = HashCost {
    memory_kib: 2048,
    passes: 1,
};

const ROUNDS: usize = 3;

/// The time limit for all rounds, on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(240);

/// The allowed difference of the medians, as a fraction of either: 1 in 20.
const PART: u32 = 20;

struct Target {
    server: ServerHandle,
    /// An endpoint with closed registration, and one with open registration.
    closed: Endpoint,
    open: Endpoint,
    _folder: TempDir,
}

impl Target {
    fn new() -> Target {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let closed = os::endpoint(folder.path(), "closed");
        let open = os::endpoint(folder.path(), "open");
        let listen = [format!("{closed}?registration=closed"), open.to_string()];
        let mut config = Config::default();
        config.listen = listen.map(|listen| listen.parse().unwrap()).into();
        config.hash_cost = COST;
        Target {
            server: Server::start(config).expect("the server starts"),
            closed,
            open,
            _folder: folder,
        }
    }

    fn register(&self, name: &str) {
        let mut client = unauthenticated_client(&self.open);
        client.log_in(name);
        client.fim();
    }

    /// Returns how long the refusal of a wrong password takes, on a new session.
    fn refusal(&self, name: &str, code: &str) -> Duration {
        let mut client = unauthenticated_client(&self.closed);
        timed(|| {
            client.send(&login(1, name, "errado"));
            client.expect_error(code);
        })
    }

    fn stop(self) {
        block_on(self.server.stop()).expect("the server is there");
        assert_eq!(block_on(self.server.stopped()).exit, 0);
    }
}

fn unauthenticated_client(endpoint: &Endpoint) -> FrameClient {
    let mut client = FrameClient::local(os::connect(endpoint).expect("it listens"));
    client.expect("welcome");
    client
}

fn round(target: &Target, round: usize) -> (Times, Times) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for sample in 0..SAMPLES {
        let number = sample / GUESSES;
        let known_first = sample % 2 == 0;
        let mut try_known = || {
            let name = format!("c{round}-{number}");
            known.push(target.refusal(&name, "bad-credentials"));
        };
        let mut try_unknown = || {
            let name = format!("d{round}-{number}");
            unknown.push(target.refusal(&name, "registration-closed"));
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
fn wrong_password_takes_the_same_time_for_unknown_names() {
    let (_alone, _watchdog) = (alone(), watchdog_for(TIME_LIMIT));
    let target = Target::new();
    for number in 0..ROUNDS {
        for name in 0..SAMPLES / GUESSES {
            target.register(&format!("c{number}-{name}"));
        }
        let (known, unknown) = round(&target, number);
        println!("known names: {known}");
        println!("unknown names: {unknown}");
        let difference = known.median().abs_diff(unknown.median());
        if difference < known.median().min(unknown.median()) / PART {
            target.stop();
            return;
        }
    }
    panic!("the medians of known and of unknown names differ by more than 5 %");
}
