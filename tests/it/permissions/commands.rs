//! The commands that change and print rules.

use super::{rule, rules, served, users};
use crate::support::{finish, watchdog};

#[test]
fn rules_are_listed_by_user_and_removed_with_the_account() {
    let _watchdog = watchdog();
    let served = served();
    for arguments in [
        &["allow", "rui", "publish", "a/#"],
        &["deny", "rui", "publish", "a/#"],
        &["deny", "--all", "publish", "secret/%u"],
        &["deny", "eva", "publish", "b"],
        &["deny", "eva", "publish", "b"], // again, which changes nothing
    ] {
        users(&served, arguments).expect_success();
    }
    let for_all = rule(None, "deny", "publish", "secret/%u");
    let of_eva = rule(Some("eva"), "deny", "publish", "b");
    let of_rui = ["allow", "deny"].map(|effect| rule(Some("rui"), effect, "publish", "a/#"));
    let [allow, deny] = of_rui;
    let all = [&for_all, &of_eva, &allow, &deny].map(Clone::clone);
    assert_eq!(rules(&served, &[]), all);
    assert_eq!(rules(&served, &["eva"]), [for_all.clone(), of_eva.clone()]);
    let table = users(&served, &["rules", "eva"]).expect_success();
    let table: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let expected = [
        ["user", "effect", "kind", "pattern"],
        ["--all", "deny", "publish", "secret/%u"],
        ["eva", "deny", "publish", "b"],
    ];
    assert_eq!(table, expected);

    // `forget` removes both the allow and the deny rule.
    users(&served, &["forget", "rui", "publish", "a/#"]).expect_success();
    assert_eq!(rules(&served, &[]), [for_all.clone(), of_eva]);
    users(&served, &["remove", "eva"]).expect_success();
    assert_eq!(rules(&served, &[]), [for_all]);
    served.stop();
}

#[test]
fn wrong_rule_arguments_are_named_with_their_place() {
    let _watchdog = watchdog();
    let served = served();
    let cases: [(&[&str], i32, &[&str]); 12] = [
        (
            &["allow", "rui", "publish", "a/#/b"],
            64,
            &["\"a/#/b\"", "level 2", "at byte 2", "last level"],
        ),
        (
            &["deny", "rui", "publish", "a/b+"],
            64,
            &["level 2", "at byte 3", "whole level"],
        ),
        (
            &["deny", "rui", "publish", "a/x%u"],
            64,
            &["level 2", "%u", "at byte 3"],
        ),
        (&["deny", "rui", "publish", ""], 64, &["empty"]),
        (
            &["deny", "rui", "publich", "a"],
            64,
            &["publich", "publish, subscribe, call or offer"],
        ),
        (&["deny", "zé", "publish", "a"], 65, &["zé", "users list"]),
        (&["deny", "a b", "publish", "a"], 64, &["a b"]),
        (&["deny", "publish", "a"], 64, &["NAME", "--all"]),
        (
            &["deny", "--all", "rui", "publish", "a"],
            64,
            &["NAME", "--all"],
        ),
        (
            &["forget", "rui", "publish", "a"],
            65,
            &["no rule rui publish a", "users rules"],
        ),
        (&["forget", "zé", "publish", "a"], 65, &["no user zé"]),
        (&["rules", "zé"], 65, &["no user zé"]),
    ];
    for (arguments, code, naming) in cases {
        users(&served, arguments).expect_failure(code, naming);
    }
    let long = "x".repeat(300);
    let refused = users(&served, &["deny", "rui", "publish", &long]);
    refused.expect_failure(64, &["300 bytes", "256 are allowed"]);
    assert!(rules(&served, &[]).is_empty());

    let overruled =
        ["deny", "allow"].map(|effect| users(&served, &[effect, "rui", "publish", "a"]));
    let [denied, allowed] = overruled;
    assert!(denied.err.is_empty(), "{denied:?}");
    assert!(
        allowed.err.contains("deny rule") && allowed.err.contains("wins"),
        "{allowed:?}"
    );
    for kind in ["call", "offer"] {
        let added = users(&served, &["deny", "rui", kind, "a"]);
        assert!(added.err.is_empty(), "{added:?}");
        added.expect_success();
    }
    served.stop();
}

#[test]
fn rule_beyond_the_bound_of_an_account_is_refused() {
    let _watchdog = watchdog();
    let served = served();
    let file = served.folder.path().join("rules.tsv");
    let lines: String = (0..256)
        .map(|n| format!("deny\tpublish\ta/{n}\trui\n"))
        .collect();
    std::fs::write(&file, lines).expect("the folder is ours");
    let imported = finish(served.users(&["import"]).arg(&file), "");
    assert!(imported.err.contains("256 rules added"), "{imported:?}");
    imported.expect_success();
    let refused = users(&served, &["deny", "rui", "publish", "b"]);
    refused.expect_failure(65, &["257 rules for rui", "256 are allowed"]);
    users(&served, &["deny", "--all", "publish", "b"]).expect_success();
    assert_eq!(rules(&served, &[]).len(), 257);
    served.stop();
}
