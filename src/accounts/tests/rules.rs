//! The rules of accounts, from the database to the verdict of a live session.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::topic::{Effect, Rule, RuleKind, Topic, Verdict, naive};

/// A rule as a test writes it: the user (`None` for all accounts), effect, kind, pattern.
type Written = (Option<&'static str>, Effect, RuleKind, String);

/// A server's accounts, with the database as another process has it open.
struct Shared {
    _temp: tempfile::TempDir,
    accounts: Accounts,
    other: Db,
    raw: rusqlite::Connection,
}

impl Shared {
    fn new() -> Shared {
        let (temp, folder) = folder();
        let accounts = accounts(Some(&folder));
        let path = folder.database().expect("writable");
        Shared {
            _temp: temp,
            accounts,
            other: Db::open(&path).expect("a db"),
            raw: rusqlite::Connection::open(&path).expect("a db"),
        }
    }

    async fn logged_in(&self, user: &str) -> Authorization {
        let admitted = self.accounts.login(&claim(user, "x")).await;
        admitted.expect("the name is free or known").authorization
    }

    async fn write(&mut self, rules: &[Written]) {
        let rules: Vec<AccountRule> = rules.iter().map(account_rule).collect();
        self.other.add_rules(&rules).expect("within the bounds");
        self.accounts.reload_changes().await;
    }

    async fn execute(&self, sql: &str) {
        self.raw.execute_batch(sql).expect("writable");
        self.accounts.reload_changes().await;
    }

    fn nameless(&self, kind: RuleKind, topic: Option<&str>) -> Verdict {
        judge(
            self.accounts.nameless_permissions().of_kind(kind),
            kind,
            topic,
        )
    }
}

fn account_rule((user, effect, kind, pattern): &Written) -> AccountRule {
    AccountRule {
        scope: match user {
            None => RuleScope::All,
            Some(user) => RuleScope::Account(UserName::parse(user).expect("a name")),
        },
        rule: Rule {
            kind: *kind,
            pattern: pattern.parse().expect("the text is a pattern"),
            effect: *effect,
        },
    }
}

fn judge(
    permissions: Option<Arc<crate::topic::Permissions>>,
    kind: RuleKind,
    topic: Option<&str>,
) -> Verdict {
    let topic = topic.map(|topic| Topic::new(topic).expect("the text is a topic"));
    permissions.map_or(Verdict::Unruled, |of| of.judge(kind, topic.as_ref()))
}

fn of(session: &Authorization, kind: RuleKind, topic: Option<&str>) -> Verdict {
    judge(session.permissions(kind), kind, topic)
}

/// Judges by the contract's sentences, with the plain matcher.
fn naive_verdict(rules: &[Written], user: &str, kind: RuleKind, topic: Option<&str>) -> Verdict {
    let is_usable = !user.contains(['+', '#', '/']);
    let matches = |effect: Effect, pattern: &str| {
        let has_user = pattern.split('/').any(|level| level == "%u");
        if has_user && !is_usable {
            return effect == Effect::Deny;
        }
        let levels = pattern.split('/');
        let levels: Vec<&str> = levels
            .map(|level| if level == "%u" { user } else { level })
            .collect();
        match topic {
            None => pattern == "#",
            Some(topic) => naive::matches(&levels.join("/"), topic),
        }
    };
    let of_kind: Vec<&Written> = rules
        .iter()
        .filter(|(of, _, of_kind, _)| of.is_none_or(|of| of == user) && *of_kind == kind)
        .collect();
    let any = |effect| {
        let mut rules = of_kind.iter().filter(|(_, of, ..)| *of == effect);
        rules.any(|(_, effect, _, pattern)| matches(*effect, pattern))
    };
    let has_allow = of_kind
        .iter()
        .any(|(_, effect, ..)| *effect == Effect::Allow);
    match (any(Effect::Deny), has_allow) {
        (true, _) => Verdict::Denied,
        (false, false) => Verdict::Unruled,
        (false, true) if any(Effect::Allow) => Verdict::Allowed,
        (false, true) => Verdict::Denied,
    }
}

/// Names of which one can replace `%u`, one can and is also a level of the topics, and one cannot.
const USERS: [&str; 3] = ["ana", "b", "a#b"];

fn some_rules() -> impl Strategy<Value = Vec<Written>> {
    let scope = prop::sample::select(vec![None, Some(USERS[0]), Some(USERS[1]), Some(USERS[2])]);
    let effect = prop::sample::select(vec![Effect::Allow, Effect::Deny]);
    let kind = prop::sample::select(vec![RuleKind::Publish, RuleKind::Subscribe]);
    let pattern = (naive::patterns(), any::<bool>()).prop_map(|(pattern, has_user)| {
        let levels = pattern.split('/');
        let levels: Vec<&str> = levels
            .map(|level| {
                if has_user && level == "a" {
                    "%u"
                } else {
                    level
                }
            })
            .collect();
        levels.join("/")
    });
    prop::collection::vec((scope, effect, kind, pattern), 0..7)
}

#[test]
fn rules_in_the_database_judge_live_sessions_like_the_naive_reference() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the system has resources");
    let mut shared = Shared::new();
    let sessions: BTreeMap<&str, Authorization> = USERS
        .iter()
        .map(|user| (*user, runtime.block_on(shared.logged_in(user))))
        .collect();
    let shared = std::cell::RefCell::new(&mut shared);
    let topics = prop::collection::vec(naive::topics(), 1..8);
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&(some_rules(), topics), |(rules, topics)| {
        let mut shared = shared.borrow_mut();
        shared
            .raw
            .execute("DELETE FROM rule", [])
            .expect("writable");
        runtime.block_on(shared.write(&rules));
        let topics = topics.iter().map(|topic| Some(topic.as_str()));
        for topic in topics.chain([None]) {
            for kind in [RuleKind::Publish, RuleKind::Subscribe, RuleKind::Call] {
                for (user, session) in &sessions {
                    let expected = naive_verdict(&rules, user, kind, topic);
                    assert_eq!(
                        of(session, kind, topic),
                        expected,
                        "{user} {kind} {topic:?}"
                    );
                }
                let expected = naive_verdict(&rules, "#", kind, topic);
                assert_eq!(shared.nameless(kind, topic), expected, "{kind} {topic:?}");
            }
        }
        Ok(())
    });
    outcome.expect("each verdict is that of the reference");
}

#[tokio::test]
async fn rules_for_all_apply_to_an_account_that_registers_later() {
    let mut shared = Shared::new();
    let rule = (None, Effect::Deny, RuleKind::Publish, "a/%u".to_owned());
    shared.write(&[rule]).await;
    let ana = shared.logged_in("ana").await;
    assert_eq!(of(&ana, RuleKind::Publish, Some("a/ana")), Verdict::Denied);
    assert_eq!(of(&ana, RuleKind::Publish, Some("a/b")), Verdict::Unruled);
    assert!(ana.permissions(RuleKind::Subscribe).is_none());
    assert_eq!(
        shared.nameless(RuleKind::Publish, Some("x")),
        Verdict::Denied
    );
}

#[tokio::test]
async fn unrelated_changes_leave_permissions_in_place() {
    let mut shared = Shared::new();
    let (ana, rui) = (shared.logged_in("ana").await, shared.logged_in("rui").await);
    let publish = |user, pattern: &str| {
        let pattern = pattern.to_owned();
        (user, Effect::Deny, RuleKind::Publish, pattern)
    };
    let rules = [publish(None, "x"), publish(Some("ana"), "a")];
    shared.write(&rules).await;
    let current = |session: &Authorization| {
        let permissions = session.permissions(RuleKind::Publish);
        permissions.expect("there are rules")
    };
    let (of_ana, of_rui) = (current(&ana), current(&rui));
    shared.write(&[publish(Some("rui"), "b")]).await;
    assert!(Arc::ptr_eq(&of_ana, &current(&ana)));
    assert!(!Arc::ptr_eq(&of_rui, &current(&rui)));
}

#[tokio::test]
async fn invalid_rule_denies_what_it_may_be_about_and_nothing_else() {
    let shared = Shared::new();
    let sessions = [
        ("ana", shared.logged_in("ana").await),
        ("éva", shared.logged_in("éva").await),
    ];
    let all = &RuleKind::ALL[..];
    let publish = &[RuleKind::Publish][..];
    let cases: [(&str, &[&str], &[RuleKind]); 7] = [
        ("'ana', 'publish', 'a/#/b', 'deny'", &["ana"], publish),
        ("'ana', 'publish', 'a', 'perhaps'", &["ana"], publish),
        ("'ana', 'fly', 'a', 'allow'", &["ana"], all),
        // Another spelling of the name than the one that logins have.
        (
            "'e' || char(0x301) || 'va', 'publish', '#', 'allow'",
            &["éva"],
            publish,
        ),
        ("'', 'publish', '', 'deny'", &["ana", "éva", ""], publish),
        (
            "CAST(x'ff' AS TEXT), 'publish', 'a', 'deny'",
            &["ana", "éva", ""],
            publish,
        ),
        // No user can have such a name.
        ("'a b', 'publish', '#', 'deny'", &[], all),
    ];
    for (row, users, kinds) in cases {
        shared
            .execute(&format!("INSERT INTO rule VALUES ({row})"))
            .await;
        for kind in RuleKind::ALL {
            let expected = |user: &str| match users.contains(&user) && kinds.contains(&kind) {
                true => Verdict::Denied,
                false => Verdict::Unruled,
            };
            for topic in [None, Some("other")] {
                for (user, session) in &sessions {
                    assert_eq!(
                        of(session, kind, topic),
                        expected(user),
                        "{row}: {user} {kind}"
                    );
                    assert_eq!(session.revoked(), None);
                }
                assert_eq!(shared.nameless(kind, topic), expected(""), "{row}: {kind}");
            }
        }
        shared.execute("DELETE FROM rule").await;
        for (_, session) in &sessions {
            assert_eq!(of(session, RuleKind::Publish, None), Verdict::Unruled);
        }
    }
}

#[tokio::test]
async fn unreadable_rules_refuse_logins_and_change_no_live_session() {
    let mut shared = Shared::new();
    let ana = shared.logged_in("ana").await;
    let rule = (Some("ana"), Effect::Deny, RuleKind::Publish, "#".to_owned());
    shared.write(&[rule]).await;
    shared.execute("ALTER TABLE rule RENAME TO elsewhere").await;
    assert_eq!(
        shared.accounts.login(&claim("ana", "x")).await,
        Err(LoginRefusal::AccountsUnreadable)
    );
    assert_eq!(of(&ana, RuleKind::Publish, None), Verdict::Denied);
    shared.execute("ALTER TABLE elsewhere RENAME TO rule").await;
    let again = shared.logged_in("ana").await;
    assert_eq!(of(&again, RuleKind::Publish, None), Verdict::Denied);
}

#[tokio::test]
async fn account_takes_its_rules_along_however_it_is_removed() {
    let mut shared = Shared::new();
    let rule = |user| (user, Effect::Deny, RuleKind::Publish, "#".to_owned());
    for by_hand in [false, true] {
        shared.logged_in("ana").await;
        shared.write(&[rule(Some("ana")), rule(None)]).await;
        match by_hand {
            true => {
                shared
                    .execute("DELETE FROM account WHERE name = 'ana'")
                    .await
            }
            false => {
                let ana = UserName::parse("ana").expect("a name");
                assert!(shared.other.remove(&ana).expect("writable"));
            }
        }
        let left = shared.other.rules().expect("readable").valid;
        assert_eq!(left, [account_rule(&rule(None))]);
        shared
            .other
            .forget_rules("", "publish", "#")
            .expect("writable");
        let ana = shared.logged_in("ana").await;
        assert_eq!(of(&ana, RuleKind::Publish, None), Verdict::Unruled);
    }
}

#[test]
fn rules_are_added_all_or_none_and_within_their_bounds() {
    let mut shared = Shared::new();
    let account = |name: &str| Account {
        name: UserName::parse(name).expect("a name"),
        phc: "x".to_owned(),
        role: Role::Leitor,
        created: crate::wire::Millis(0),
    };
    shared.other.insert(&[account("ana")]).expect("writable");
    let numbered = |user, number: usize| {
        let pattern = format!("a/{number}");
        account_rule(&(user, Effect::Allow, RuleKind::Publish, pattern))
    };
    let of_ana = |range: std::ops::Range<usize>| -> Vec<AccountRule> {
        range.map(|number| numbered(Some("ana"), number)).collect()
    };
    let count = |shared: &mut Shared| shared.other.rules().expect("readable").valid.len();

    let too_many = of_ana(0..MAX_RULES_OF_ACCOUNT + 1);
    let refused = shared.other.add_rules(&too_many).expect_err("one too many");
    assert!(
        refused.to_string().contains("257 rules for ana"),
        "{refused}"
    );
    assert_eq!(count(&mut shared), 0);
    let added = shared.other.add_rules(&of_ana(0..MAX_RULES_OF_ACCOUNT));
    assert_eq!(added.expect("as many as are allowed"), MAX_RULES_OF_ACCOUNT);
    let again = shared.other.add_rules(&of_ana(0..2));
    assert_eq!(again.expect("they are there already"), 0);
    let refused = shared.other.add_rules(&of_ana(300..301));
    assert!(matches!(
        refused,
        Err(RuleChangeError::TooManyForAccount { .. })
    ));
    let for_all = shared.other.add_rules(&[numbered(None, 1)]);
    assert_eq!(for_all.expect("these have a bound of their own"), 1);

    let of_nobody = shared
        .other
        .add_rules(&[numbered(None, 2), numbered(Some("rui"), 1)]);
    assert!(matches!(of_nobody, Err(RuleChangeError::UnknownUser(_))));
    let refused = shared.other.import(&[account("rui"), account("ana")], &[]);
    assert!(matches!(refused, Err(RuleChangeError::UserExists(_))));
    let rui = UserName::parse("rui").expect("a name");
    assert!(
        !shared.other.contains(&rui).expect("readable"),
        "all or none"
    );
    let imported = shared
        .other
        .import(&[account("rui")], &[numbered(Some("rui"), 1)]);
    assert_eq!(imported.expect("the account comes first"), 1);

    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MAX_RULES}) \
         INSERT OR IGNORE INTO rule SELECT 'u' || (i / 200), 'call', 'p' || i, 'deny' FROM n"
    );
    shared.raw.execute_batch(&fill).expect("writable");
    let refused = shared.other.add_rules(&[numbered(Some("rui"), 2)]);
    assert!(matches!(refused, Err(RuleChangeError::TooMany { .. })));
}
