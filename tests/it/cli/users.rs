//! `arauto users`, with the server running and without it.

use crate::support::{CommandResult, Served, arauto, finish, watchdog};

fn who_as(served: &Served, user: &str, password: &str) -> CommandResult {
    let mut who = served.command(&["who"]);
    finish(
        who.env("ARAUTO_USER", user)
            .env("ARAUTO_PASSWORD", password),
        "",
    )
}

fn users(served: &Served, arguments: &[&str], password: &str) -> CommandResult {
    finish(served.users(arguments).env("ARAUTO_PASSWORD", password), "")
}

#[test]
fn running_server_applies_account_changes_at_the_next_login() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    users(&served, &["add", "rui", "--role", "leitor"], "um").expect_success();
    assert_eq!(who_as(&served, "rui", "um").expect_success(), "rui\n");
    who_as(&served, "rui", "dois").expect_failure(77, &["bad-credentials"]);

    users(&served, &["passwd", "rui"], "dois").expect_success();
    who_as(&served, "rui", "um").expect_failure(77, &["bad-credentials"]);
    who_as(&served, "rui", "dois").expect_success();

    let mut write = served.command(&["escritor", "a"]);
    write
        .env("ARAUTO_USER", "rui")
        .env("ARAUTO_PASSWORD", "dois");
    finish(&mut write, "").expect_failure(77, &["forbidden"]);
    users(&served, &["role", "rui", "escritor"], "").expect_success();
    finish(&mut write, "").expect_success();

    users(&served, &["remove", "rui"], "").expect_success();
    assert!(
        !users(&served, &["list"], "")
            .expect_success()
            .contains("rui")
    );
    assert_eq!(
        who_as(&served, "rui", "três").expect_success(),
        "rui\n",
        "the name is free again"
    );
    served.stop();
}

#[test]
fn accounts_change_without_a_server_too() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().join("data");
    let users = |arguments: &[&str]| {
        let mut command = arauto(&["users", "--data"]);
        finish(command.arg(&data).args(arguments), "")
    };
    users(&["list"]).expect_failure(66, &["--data"]);
    users(&["add", "ana", "--role", "admin"]).expect_success();
    users(&["add", "ana"]).expect_failure(65, &["ana", "passwd"]);
    users(&["add", "a b"]).expect_failure(64, &["a b"]);
    users(&["role", "rui", "leitor"]).expect_failure(65, &["rui", "list"]);
    users(&["role", "ana", "rei"]).expect_failure(64, &["rei"]);
    users(&["remove", "rui"]).expect_failure(65, &["rui"]);
    users(&["passwd", "rui"]).expect_failure(65, &["rui"]);
    let table = users(&["list"]).expect_success();
    assert!(table.contains("ana") && table.contains("admin"), "{table}");
    let json: serde_json::Value =
        serde_json::from_str(users(&["list", "--json"]).expect_success().trim())
            .expect("it is json");
    assert_eq!(
        (&json["user"], &json["role"]),
        (&"ana".into(), &"admin".into())
    );

    let served = Served::within(folder, &[]);
    assert_eq!(
        who_as(&served, "ana", crate::support::PASSWORD).expect_success(),
        "ana\n"
    );
    served.stop();
}

#[test]
fn import_adds_all_users_or_none() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    let file = served.folder.path().join("users.tsv");
    let import = |text: &str| {
        std::fs::write(&file, text).expect("it is ours");
        finish(served.users(&["import"]).arg(&file), "")
    };
    import("# name, role, password\n\nana\tadmin\tum\nrui\tleitor\tcom espaço\n").expect_success();
    who_as(&served, "ana", "um").expect_success();
    who_as(&served, "rui", "com espaço").expect_success();
    for (text, naming) in [
        ("eva\tadmin\tx\nana\tleitor\ty\n", "ana"),
        ("eva\tadmin\tx\nbia\n", "line 2"),
        ("eva\tadmin\tx\nbia\trei\ty\n", "rei"),
        ("eva\tadmin\tx\neva\tadmin\ty\n", "twice"),
        ("eva\tadmin\tx\na b\tadmin\ty\n", "line 2"),
        (
            "eva\tadmin\t$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ\n",
            "hash",
        ),
        (
            "eva\tadmin\t$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ\
             $RdescudvJCsgt3ub+b4dWRWJTmaaJObG\n",
            "hash",
        ),
    ] {
        import(text).expect_failure(65, &[naming]);
        assert!(
            !users(&served, &["list"], "")
                .expect_success()
                .contains("eva"),
            "all or none: {text:?}"
        );
    }
    finish(&mut served.users(&["import", "/no/such/file"]), "")
        .expect_failure(66, &["/no/such/file"]);
    served.stop();
}
