//! Rules in exports, imports and backups.

use super::{logged_in, may_publish, rule, rules, served, users};
use crate::support::{Served, Stop, arauto, finish, watchdog};

#[test]
fn export_is_imported_as_the_same_users_and_rules() {
    let _watchdog = watchdog();
    let served = served();
    users(&served, &["add", "#é"]).expect_success();
    users(&served, &["add", "allow"]).expect_success();
    for arguments in [
        &["deny", "--all", "publish", "a b/é"],
        &["allow", "#é", "publish", "casa/%u/#"],
        &["deny", "allow", "publish", "#"],
        &["deny", "allow", "offer", "+/x"],
    ] {
        users(&served, arguments).expect_success();
    }
    let exported = users(&served, &["export"]).expect_success();
    let file = served.folder.path().join("users.tsv");
    finish(served.users(&["export"]).arg(&file), "").expect_success();
    assert_eq!(
        std::fs::read_to_string(&file).expect("it was written"),
        exported
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "it has the hashes");
    }

    let other = tempfile::tempdir().expect("a folder can be made");
    let data = other.path().join("data");
    let on_other = |arguments: &[&str], input: &str| {
        finish(
            arauto(&["users", "--data"]).arg(&data).args(arguments),
            input,
        )
    };
    on_other(&["import", "-"], &exported).expect_success();
    assert_eq!(on_other(&["export"], "").expect_success(), exported);
    let again = Served::within(other, &[]);
    assert!(
        !may_publish(&mut logged_in(&again, "allow")),
        "with its old password"
    );
    again.stop();
    served.stop();
}

#[test]
fn import_adds_users_and_rules_together_or_nothing() {
    let _watchdog = watchdog();
    let served = served();
    let file = served.folder.path().join("users.tsv");
    let import = |text: &str| {
        std::fs::write(&file, text).expect("the folder is ours");
        finish(served.users(&["import"]).arg(&file), "")
    };
    for (text, naming) in [
        (
            "bia\tadmin\tx\ndeny\tpublish\ta\tzé\n",
            &["line 2", "no user zé"][..],
        ),
        (
            "bia\tadmin\tx\ndeny\tpublish\ta/#/b\n",
            &["line 2", "at byte 2"],
        ),
        (
            "bia\tadmin\tx\n\ndeny\tpublish\n",
            &["line 3", "pattern is missing"],
        ),
        ("deny\tpublish\ta\nrui\tadmin\tx\n", &["rui", "exists"]),
    ] {
        import(text).expect_failure(65, naming);
        let listed = users(&served, &["list"]).expect_success();
        assert!(
            !listed.contains("bia") && rules(&served, &[]).is_empty(),
            "{text:?}"
        );
    }
    // A rule may stand before its user, and be for one that exists.
    import("deny\tpublish\ta\tbia\nbia\tadmin\tx\ndeny\tpublish\ta\trui\n").expect_success();
    let of = |user| rule(Some(user), "deny", "publish", "a");
    assert_eq!(rules(&served, &[]), [of("bia"), of("rui")]);
    served.stop();
}

#[test]
fn rules_outlast_a_restart_and_a_restore() {
    let _watchdog = watchdog();
    let mut served = served();
    users(&served, &["deny", "rui", "publish", "#"]).expect_success();
    let copy = served.folder.path().join("copy.db");
    let on = |command: &str, data: &std::path::Path| {
        let mut command = arauto(&[command, "--data"]);
        finish(command.arg(data).arg(&copy), "")
    };
    let saved = on("backup", &served.folder.path().join("data"));
    assert!(saved.err.contains("1 rules"), "{saved:?}");
    saved.expect_success();
    served.send_stop(Stop::USUAL);
    served.wait();
    let served = Served::within(served.into_folder(), &[]);
    assert!(!may_publish(&mut logged_in(&served, "rui")));
    assert!(may_publish(&mut logged_in(&served, "ana")));

    let other = tempfile::tempdir().expect("a folder can be made");
    on("restore", &other.path().join("data")).expect_success();
    let restored = Served::within(other, &[]);
    assert!(!may_publish(&mut logged_in(&restored, "rui")));
    restored.stop();
    served.stop();
}
