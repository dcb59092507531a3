//! `arauto demo`, the first command that a new user runs.

use std::time::{Duration, Instant};

use crate::support::{arauto, finish, watchdog};

#[test]
fn demo_shows_everything_in_less_than_10_s() {
    let _watchdog = watchdog();
    let began = Instant::now();
    let done = finish(arauto(&["demo"]).env_remove("ARAUTO_PASSWORD"), "");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        began.elapsed()
    );
    let all = format!("{}{}", done.out, done.err);
    for shown in [
        "registered: true",
        "bad-credentials",
        "STRASSE",
        "joined",
        "missed",
        "resumes",
        "drain",
        "exit 0",
    ] {
        assert!(all.contains(shown), "{shown} is not in {all}");
    }
    done.expect_success();
}
