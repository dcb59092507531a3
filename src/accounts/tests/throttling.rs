//! Logins that are delayed: guesses, rates, lines.

use super::{LIMITS, accounts, by_tcp, claim, hasher};
use crate::accounts::{
    Accounts, Claim, LoginLimits, LoginRefusal, PeerId, UserName, login_backoff,
};
use crate::rate::Rate;

#[tokio::test]
async fn full_hash_queue_throttles() {
    let limits = LoginLimits {
        hashing: 1,
        waiting: 0,
        ..LIMITS
    };
    let accounts = Accounts::open(None, hasher(), limits).expect("no file");
    let (ana, rui) = (claim("ana", "x"), claim("rui", "x"));
    let (first, second) = tokio::join!(accounts.login(&ana), accounts.login(&rui));
    assert!(first.is_ok());
    assert!(matches!(second, Err(LoginRefusal::Throttled { .. })));
}

async fn guess(accounts: &Accounts, claim: &Claim, count: u32) -> Vec<LoginRefusal> {
    let logins = (0..count).map(|_| accounts.login(claim));
    let outcomes = futures_util::future::join_all(logins).await;
    let wrong = outcomes
        .into_iter()
        .map(|outcome| outcome.expect_err("it is wrong"));
    wrong.collect()
}

#[tokio::test]
async fn concurrent_guesses_are_checked_a_few_at_a_time() {
    let accounts = accounts(None);
    accounts.login(&claim("ana", "x")).await.expect("free");
    accounts.forget(&UserName::parse("ana").expect("a name"));
    let guesses = guess(&accounts, &claim("ana", "guess"), 200).await;
    let looked_at = guesses
        .iter()
        .filter(|guess| **guess == LoginRefusal::BadCredentials);
    assert_eq!(looked_at.count() as u32, login_backoff::FREE);
    let held = |guess: &&LoginRefusal| matches!(guess, LoginRefusal::Throttled { .. });
    assert_eq!(
        guesses.iter().filter(held).count() as u32,
        200 - login_backoff::FREE
    );
}

#[tokio::test]
async fn owner_logs_in_while_another_peer_guesses() {
    let accounts = accounts(None);
    accounts.login(&claim("ana", "x")).await.expect("free");
    accounts.forget(&UserName::parse("ana").expect("a name"));
    let elsewhere = Claim {
        peer: PeerId::Uid(1001),
        ..claim("ana", "guess")
    };
    guess(&accounts, &elsewhere, 50).await;
    let owner = accounts.login(&claim("ana", "x")).await;
    assert!(owner.is_ok());
}

#[tokio::test]
async fn delayed_guess_is_not_checked_after_the_owners_login() {
    let accounts = accounts(None);
    accounts.login(&claim("ana", "x")).await.expect("free");
    accounts.let_moment_pass(&UserName::parse("ana").expect("a name"));
    guess(&accounts, &by_tcp("ana", "guess"), 50).await;
    let held = accounts.login(&by_tcp("ana", "x")).await;
    assert!(
        matches!(held, Err(LoginRefusal::Throttled { .. })),
        "{held:?}"
    );
    // The last local user that logged in with the name is let in at once, as before.
    guess(&accounts, &claim("ana", "guess"), 50).await;
    assert!(accounts.login(&claim("ana", "x")).await.is_ok());
}

#[tokio::test]
async fn right_password_ends_the_back_off_of_user_and_address() {
    for claim in [claim, by_tcp] {
        let accounts = accounts(None);
        accounts.login(&claim("ana", "x")).await.expect("free");
        accounts.let_moment_pass(&UserName::parse("ana").expect("a name"));
        // One at a time: each that goes wrong begins a wait, and the last one is held.
        let wrong = async || accounts.login(&claim("ana", "guess")).await;
        while wrong().await == Err(LoginRefusal::BadCredentials) {}
        loop {
            match accounts.login(&claim("ana", "x")).await {
                Err(LoginRefusal::Throttled { .. }) => tokio::task::yield_now().await,
                outcome => break drop(outcome.expect("it is right")),
            }
        }
        for number in 0..login_backoff::FREE {
            assert_eq!(wrong().await, Err(LoginRefusal::BadCredentials), "{number}");
        }
    }
}

#[tokio::test]
async fn address_of_the_last_login_is_throttled_like_others() {
    let accounts = accounts(None);
    accounts.login(&by_tcp("ana", "x")).await.expect("free");
    accounts.let_moment_pass(&UserName::parse("ana").expect("a name"));
    guess(&accounts, &by_tcp("ana", "guess"), 50).await;
    let held = accounts.login(&by_tcp("ana", "x")).await;
    assert!(
        matches!(held, Err(LoginRefusal::Throttled { .. })),
        "{held:?}"
    );
}

#[tokio::test]
async fn lost_registration_races_are_limited() {
    let accounts = accounts(None);
    accounts.login(&claim("ana", "x")).await.expect("free");
    let guesses = guess(&accounts, &claim("ana", "guess"), 300).await;
    let looked_at = guesses
        .iter()
        .filter(|guess| **guess == LoginRefusal::BadCredentials);
    assert_eq!(looked_at.count() as u32, 100 + login_backoff::FREE);
}

#[tokio::test]
async fn unknown_name_is_throttled_like_a_known_one() {
    let accounts = accounts(None);
    let closed = Claim {
        may_register: false,
        ..claim("nobody", "guess")
    };
    let guesses = guess(&accounts, &closed, 50).await;
    let looked_at = guesses
        .iter()
        .filter(|guess| **guess == LoginRefusal::RegistrationClosed);
    assert_eq!(looked_at.count() as u32, login_backoff::FREE);
}

#[tokio::test]
async fn storm_of_right_logins_is_not_throttled() {
    let accounts = accounts(None);
    accounts.login(&claim("ana", "x")).await.expect("free");
    accounts.forget(&UserName::parse("ana").expect("a name"));
    let ana = claim("ana", "x");
    let logins = (0..500).map(|_| accounts.login(&ana));
    for outcome in futures_util::future::join_all(logins).await {
        assert!(!outcome.expect("right").registered);
    }
}
#[tokio::test]
async fn login_rate_counts_per_name_and_peer() {
    let limits = LoginLimits {
        user_rate: Rate::a_minute(3),
        ..LIMITS
    };
    let accounts = Accounts::open(None, hasher(), limits).expect("no file");
    let ana = accounts.login(&claim("ana", "x")).await.expect("free").user;
    for _ in 0..3 {
        accounts.forget(&ana);
        accounts
            .login(&claim("ana", "x"))
            .await
            .expect("it is right");
    }
    accounts.forget(&ana);
    let refused = accounts.login(&claim("ana", "x")).await;
    assert!(matches!(refused, Err(LoginRefusal::Throttled { .. })));
    assert!(accounts.login(&by_tcp("ana", "x")).await.is_ok());
}

#[tokio::test]
async fn login_rate_of_a_peer_counts_all_names() {
    let limits = LoginLimits {
        peer_rate: Rate::a_minute(3),
        ..LIMITS
    };
    let accounts = Accounts::open(None, hasher(), limits).expect("no file");
    for name in ["ana", "rui", "eva"] {
        accounts.login(&claim(name, "x")).await.expect("free");
    }
    let refused = accounts.login(&claim("gil", "x")).await;
    assert!(matches!(refused, Err(LoginRefusal::Throttled { .. })));
    assert!(
        accounts.login(&claim("ana", "x")).await.is_ok(),
        "it costs no hash"
    );
    let elsewhere = Claim {
        peer: PeerId::Uid(1001),
        ..claim("gil", "x")
    };
    assert!(accounts.login(&elsewhere).await.is_ok());
}

#[tokio::test]
async fn changed_rates_begin_with_full_buckets() {
    let few = LoginLimits {
        user_rate: Rate::a_minute(1),
        peer_rate: Rate::a_minute(2),
        ..LIMITS
    };
    let accounts = Accounts::open(None, hasher(), few).expect("no file");
    let ana = accounts.login(&claim("ana", "x")).await.expect("free").user;
    let log_in = async |is_right: bool| {
        accounts.forget(&ana);
        let outcome = accounts.login(&claim("ana", "x")).await;
        assert_eq!(outcome.is_ok(), is_right, "{outcome:?}");
    };
    log_in(true).await;
    log_in(false).await;
    accounts.set_limits(&few);
    log_in(false).await;
    let more_of_the_user = LoginLimits {
        user_rate: Rate::a_minute(3),
        ..few
    };
    accounts.set_limits(&more_of_the_user);
    log_in(false).await; // there are too many of the peer
    accounts.set_limits(&LIMITS);
    for _ in 0..3 {
        log_in(true).await;
    }
}

#[tokio::test]
async fn back_off_outlasts_a_changed_rate() {
    let accounts = accounts(None);
    accounts.login(&claim("ana", "x")).await.expect("free");
    accounts.forget(&UserName::parse("ana").expect("a name"));
    guess(&accounts, &claim("ana", "guess"), login_backoff::FREE + 1).await;
    accounts.set_limits(&LoginLimits {
        user_rate: Rate::a_minute(77),
        ..LIMITS
    });
    let refused = accounts.login(&claim("ana", "x")).await;
    assert!(
        matches!(refused, Err(LoginRefusal::Throttled { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn login_waiting_for_a_hash_is_refused_at_the_seal() {
    let accounts = accounts(None);
    let names: Vec<Claim> = (0..500)
        .map(|index| claim(&format!("u{index}"), "x"))
        .collect();
    let logins = names.iter().map(|claim| accounts.login(claim));
    let all = futures_util::future::join_all(logins);
    let (outcomes, ()) = tokio::join!(all, async { accounts.seal() });
    assert!(
        outcomes
            .iter()
            .all(|outcome| *outcome == Err(LoginRefusal::Stopping))
    );
    assert!(
        accounts.hashed() < 250,
        "those who waited were not hashed for"
    );
}
