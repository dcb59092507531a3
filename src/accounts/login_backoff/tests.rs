use super::*;
use crate::accounts::bounded_map::MAX_ENTRIES;

fn backoffs() -> BackoffTable {
    BackoffTable::new("1000/s".parse().expect("a rate"))
}

fn ana() -> UserName {
    UserName::parse("ana").expect("a name")
}

fn elsewhere() -> PeerId {
    PeerId::at("192.0.2.1".parse().expect("an address"))
}

/// Has `count` wrong passwords looked at, each as soon as it may be; the last wait.
fn guess(backoffs: &BackoffTable, peer: &PeerId, count: u32, now: &mut Instant) -> Duration {
    let mut waited = Duration::ZERO;
    for _ in 0..count {
        loop {
            match backoffs.attempt(&ana(), peer, *now) {
                AttemptDecision::Allowed(attempt) => break attempt.fail(*now),
                AttemptDecision::RetryAfter(wait) => (waited, *now) = (wait, *now + wait),
                AttemptDecision::WaitForOthers(_) => unreachable!("nothing is in work"),
            }
        }
    }
    waited
}

#[test]
fn wrong_passwords_beyond_the_free_ones_double_the_wait() {
    let (backoffs, mut now) = (backoffs(), Instant::now());
    assert_eq!(
        guess(&backoffs, &elsewhere(), FREE, &mut now),
        Duration::ZERO
    );
    let mut wait = FIRST;
    while wait < LONGEST_REMOTE {
        assert_eq!(guess(&backoffs, &elsewhere(), 1, &mut now), wait);
        wait *= 2;
    }
    for _ in 0..50 {
        assert_eq!(guess(&backoffs, &elsewhere(), 1, &mut now), LONGEST_REMOTE);
    }
}

#[test]
fn local_peer_waits_at_most_a_second() {
    for peer in [
        PeerId::Uid(7),
        PeerId::at("127.0.0.1".parse().expect("one")),
    ] {
        let (backoffs, mut now) = (backoffs(), Instant::now());
        assert_eq!(guess(&backoffs, &peer, 100, &mut now), LONGEST_HERE);
    }
}

#[test]
fn guessing_peer_keeps_no_other_peer_out() {
    let (backoffs, mut now) = (backoffs(), Instant::now());
    guess(&backoffs, &PeerId::Uid(7), 100, &mut now);
    assert!(matches!(
        backoffs.attempt(&ana(), &PeerId::Uid(7), now),
        AttemptDecision::RetryAfter(_)
    ));
    let owner = backoffs.attempt(&ana(), &PeerId::Uid(8), now);
    assert!(matches!(owner, AttemptDecision::Allowed(_)));
    let rui = UserName::parse("rui").expect("a name");
    assert!(matches!(
        backoffs.attempt(&rui, &PeerId::Uid(7), now),
        AttemptDecision::Allowed(_)
    ));
}

#[test]
fn right_password_or_ten_quiet_minutes_end_the_back_off() {
    let (backoffs, mut now) = (backoffs(), Instant::now());
    guess(&backoffs, &elsewhere(), FREE + 5, &mut now);
    now += LONGEST_REMOTE;
    let AttemptDecision::Allowed(attempt) = backoffs.attempt(&ana(), &elsewhere(), now) else {
        panic!("it has waited");
    };
    attempt.succeed();
    assert_eq!(
        guess(&backoffs, &elsewhere(), FREE, &mut now),
        Duration::ZERO
    );
    now += FIRST + FORGOTTEN;
    assert_eq!(
        guess(&backoffs, &elsewhere(), FREE, &mut now),
        Duration::ZERO
    );
}

#[test]
fn attempts_in_work_are_at_most_the_free_ones() {
    let (backoffs, now) = (backoffs(), Instant::now());
    let look = || match backoffs.attempt(&ana(), &elsewhere(), now) {
        AttemptDecision::Allowed(attempt) => Some(attempt),
        _ => None,
    };
    let mut in_work: Vec<Attempt<'_>> = std::iter::from_fn(look).collect();
    assert_eq!(in_work.len() as u32, FREE);
    in_work.pop().expect("one").fail(now);
    assert!(look().is_none(), "one more would be one too many");
    drop(in_work); // they came to nothing, as a session's end does
    assert!(look().is_some());
}

#[tokio::test]
async fn waiting_attempt_is_woken_by_the_end_of_another() {
    let (backoffs, now) = (backoffs(), Instant::now());
    let mut in_work = Vec::new();
    let waiting = loop {
        match backoffs.attempt(&ana(), &elsewhere(), now) {
            AttemptDecision::Allowed(attempt) => in_work.push(attempt),
            AttemptDecision::WaitForOthers(over) => break over,
            AttemptDecision::RetryAfter(_) => unreachable!("none was wrong"),
        }
    };
    drop(in_work.pop()); // before it is waited for: it counts all the same
    waiting.await;
}

#[test]
fn login_rate_of_a_name_counts_every_outcome() {
    let backoffs = BackoffTable::new("3/m".parse().expect("a rate"));
    let now = Instant::now();
    for _ in 0..3 {
        let AttemptDecision::Allowed(attempt) = backoffs.attempt(&ana(), &elsewhere(), now) else {
            panic!("none was wrong");
        };
        assert_eq!(attempt.take_token(now), Ok(()));
        attempt.succeed();
    }
    let AttemptDecision::Allowed(attempt) = backoffs.attempt(&ana(), &elsewhere(), now) else {
        panic!("none was wrong");
    };
    assert_eq!(attempt.take_token(now), Err(Duration::from_secs(20)));
}

#[test]
fn other_names_are_evicted_before_a_waiting_one() {
    let (backoffs, mut now) = (backoffs(), Instant::now());
    guess(&backoffs, &elsewhere(), FREE, &mut now);
    for index in 0..2 * MAX_ENTRIES as u32 {
        let peer = PeerId::Uid(index);
        let AttemptDecision::Allowed(attempt) = backoffs.attempt(&ana(), &peer, now) else {
            panic!("each is another peer");
        };
        attempt.fail(now);
    }
    assert!(backoffs.table.lock().known.len() <= MAX_ENTRIES);
    assert!(matches!(
        backoffs.attempt(&ana(), &elsewhere(), now),
        AttemptDecision::RetryAfter(_)
    ));
}
