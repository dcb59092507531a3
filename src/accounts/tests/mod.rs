mod rules;
mod throttling;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::rate::Rate;
use crate::store::{DataFolder, Db, FolderError, Store};
use crate::wire::Role;

const LIMITS: LoginLimits = LoginLimits {
    hashing: 2,
    waiting: 1000,
    user_rate: Rate::a_minute(1000),
    peer_rate: Rate::a_minute(10_000),
    accounts: 1000,
    default_role: Role::Escritor,
};

fn hasher() -> Hasher {
    Hasher::new(HashCost::LEAST).expect("the least cost is one")
}

fn accounts(folder: Option<&DataFolder>) -> Accounts {
    let store = folder.map(|folder| {
        let db = Db::open(&folder.database().expect("writable")).expect("a db");
        let (store, thread) = Store::start(db).expect("a thread");
        std::mem::forget(thread); // it ends with the accounts, its only askers
        store
    });
    Accounts::open(store, hasher(), LIMITS).expect("readable")
}

fn claim(user: &str, password: &str) -> Claim {
    Claim {
        certified_user: None,
        user: user.to_owned(),
        password: password.to_owned(),
        may_register: true,
        peer: PeerId::Uid(1000),
        cancel: CancellationToken::new(),
    }
}

/// A claim by somebody who is known by an address only.
fn by_tcp(user: &str, password: &str) -> Claim {
    Claim {
        peer: PeerId::at("127.0.0.1".parse().expect("an address")),
        ..claim(user, password)
    }
}

fn folder() -> (tempfile::TempDir, DataFolder) {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = DataFolder::open(&temp.path().join("data")).expect("writable");
    (temp, folder)
}

#[tokio::test]
async fn concurrent_first_logins_register_once() {
    for _ in 0..50 {
        let accounts = Arc::new(accounts(None));
        let logins = (0..100).map(|index| {
            let accounts = Arc::clone(&accounts);
            let password = format!("p{}", index % 2);
            tokio::spawn(async move { accounts.login(&claim("ana", &password)).await })
        });
        let mut registered = 0;
        for login in futures_util::future::join_all(logins).await {
            match login.expect("no panic") {
                Ok(admitted) => registered += usize::from(admitted.registered),
                Err(refusal) => assert_eq!(refusal, LoginRefusal::BadCredentials),
            }
        }
        assert_eq!(registered, 1);
    }
}

#[tokio::test]
async fn account_is_on_disk_when_its_login_is_answered() {
    let (_temp, folder) = folder();
    let accounts = accounts(Some(&folder));
    let admitted = accounts.login(&claim("ana", "x")).await.expect("free");
    assert!(admitted.registered);
    let mut other = Db::open(&folder.database().expect("there")).expect("a db");
    let found = other.accounts().expect("readable");
    assert_eq!(found.valid[0].name, admitted.user);
}

#[tokio::test]
async fn change_by_another_process_counts_at_the_next_login() {
    let (_temp, folder) = folder();
    let accounts = accounts(Some(&folder));
    let ana = accounts
        .login(&claim("ana", "old"))
        .await
        .expect("free")
        .user;
    let mut other = Db::open(&folder.database().expect("there")).expect("a db");

    let phc = hasher()
        .hash(&Password::parse("new").expect("one"))
        .expect("hashes");
    assert!(other.set_password(&ana, &phc).expect("writable"));
    assert!(other.set_role(&ana, Role::Admin).expect("writable"));
    let old = accounts.login(&claim("ana", "old")).await;
    assert_eq!(old, Err(LoginRefusal::BadCredentials));
    let new = accounts.login(&claim("ana", "new")).await.expect("right");
    assert_eq!((new.role(), new.registered), (Role::Admin, false));

    assert!(other.remove(&ana).expect("writable"));
    let again = accounts.login(&claim("ana", "third")).await.expect("free");
    assert!(again.registered);
}

#[tokio::test]
async fn revoked_users_are_reported_with_their_revocation() {
    let (_temp, folder) = folder();
    let accounts = accounts(Some(&folder));
    let told: Arc<parking_lot::Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&told);
    accounts.on_revoked(move |revoked| {
        let users = revoked.users.iter();
        hears.lock().extend(users.map(ToString::to_string));
    });
    let mut standings = Vec::new();
    for user in ["ana", "rui", "ze"] {
        let admitted = accounts.login(&claim(user, "x")).await.expect("free");
        standings.push(admitted.authorization);
    }
    let mut other = Db::open(&folder.database().expect("there")).expect("a db");
    let name = |user: &str| UserName::parse(user).expect("a name");
    let phc = hasher().hash(&Password::parse("new").expect("one"));
    assert!(other.remove(&name("ana")).expect("writable"));
    let phc = phc.expect("hashes");
    assert!(other.set_password(&name("rui"), &phc).expect("writable"));
    assert!(other.set_role(&name("ze"), Role::Admin).expect("writable"));
    accounts.reload_changes().await;
    let revoked: Vec<_> = standings.iter().map(Authorization::revoked).collect();
    let expected = [
        Some(RevocationReason::AccountRemoved),
        Some(RevocationReason::PasswordChanged),
        None,
    ];
    assert_eq!(revoked, expected);
    assert_eq!(standings[2].role(), Role::Admin);
    let mut told = told.lock().clone();
    told.sort();
    assert_eq!(told, ["ana", "rui"]);
}

#[tokio::test]
async fn registration_that_cannot_be_written_leaves_the_name_free() {
    let (_temp, folder) = folder();
    let accounts = accounts(Some(&folder));
    let other = rusqlite::Connection::open(folder.database().expect("there")).expect("a db");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON account
                  BEGIN SELECT RAISE(ABORT, 'no room'); END";
    other.execute_batch(refuse).expect("writable");
    let refused = accounts.login(&claim("ana", "x")).await;
    assert_eq!(refused, Err(LoginRefusal::Internal));
    other
        .execute_batch("DROP TRIGGER refuse")
        .expect("writable");
    let again = accounts.login(&claim("ana", "y")).await.expect("free");
    assert!(again.registered);
}

#[tokio::test]
async fn unreadable_accounts_refuse_every_login() {
    let (_temp, folder) = folder();
    let accounts = accounts(Some(&folder));
    accounts.login(&claim("ana", "x")).await.expect("free");
    let other = rusqlite::Connection::open(folder.database().expect("there")).expect("a db");
    let rename = |sql: &str| other.execute_batch(sql).expect("writable");
    rename("ALTER TABLE account RENAME TO elsewhere");
    for user in ["ana", "rui"] {
        let refused = accounts.login(&claim(user, "x")).await;
        assert_eq!(refused, Err(LoginRefusal::AccountsUnreadable));
    }
    rename("ALTER TABLE elsewhere RENAME TO account");
    assert!(accounts.login(&claim("ana", "x")).await.is_ok());
}

#[tokio::test]
async fn closed_endpoint_registers_nobody() {
    let accounts = accounts(None);
    let closed = Claim {
        may_register: false,
        ..claim("ana", "x")
    };
    assert_eq!(
        accounts.login(&closed).await,
        Err(LoginRefusal::RegistrationClosed)
    );
    accounts.login(&claim("ana", "x")).await.expect("free");
    assert!(accounts.login(&closed).await.is_ok());
}

#[tokio::test]
async fn registration_beyond_max_accounts_is_refused() {
    let limits = LoginLimits {
        accounts: 1,
        ..LIMITS
    };
    let accounts = Accounts::open(None, hasher(), limits).expect("no file");
    accounts.login(&claim("ana", "x")).await.expect("free");
    let refused = accounts.login(&claim("rui", "x")).await;
    assert_eq!(refused, Err(LoginRefusal::AccountLimitReached));
    assert!(accounts.login(&claim("ana", "x")).await.is_ok());
}

#[tokio::test]
async fn login_of_a_gone_client_is_not_hashed() {
    let accounts = accounts(None);
    let cancel = CancellationToken::new();
    let gone = Claim {
        cancel: cancel.clone(),
        ..claim("ana", "x")
    };
    cancel.cancel();
    assert_eq!(accounts.login(&gone).await, Err(LoginRefusal::Abandoned));
    assert_eq!(accounts.hashed(), 0);
    assert!(
        accounts
            .login(&claim("ana", "x"))
            .await
            .expect("free")
            .registered
    );
}

#[tokio::test]
async fn sealed_accounts_refuse_logins_in_progress() {
    let accounts = accounts(None);
    accounts.seal();
    assert_eq!(
        accounts.login(&claim("ana", "x")).await,
        Err(LoginRefusal::Stopping)
    );
}

#[test]
fn user_names_follow_rfc_8265() {
    let parse = UserName::parse;
    assert_eq!(parse("").expect_err("empty"), NameError::Empty);
    assert_eq!(
        parse(&"a".repeat(65)).expect_err("long"),
        NameError::TooLong(65)
    );
    assert_eq!(
        parse("consola").expect_err("ours"),
        NameError::Reserved("consola")
    );
    for name in ["a b", "a\u{0}", "\u{202e}a", "a\n", "\u{1f600}", "=\u{338}"] {
        assert_eq!(parse(name).expect_err(name), NameError::NotAllowed);
    }
    assert_eq!(parse("e\u{301}"), parse("é"));
    assert_ne!(parse("Ana"), parse("ana"));
    assert!(parse(&"a".repeat(64)).is_ok());
}

#[test]
fn damaged_accounts_database_is_named_and_left_alone() {
    let (_temp, folder) = folder();
    let path = folder.database().expect("writable");
    let garbage = b"this is no database, and long enough to have been one".repeat(9);
    std::fs::write(&path, &garbage).expect("writable");
    let error = Db::open(&path).expect_err("damaged");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert_eq!(std::fs::read(&path).expect("readable"), garbage);
}

#[test]
fn second_server_in_a_data_folder_is_refused() {
    let (_temp, folder) = folder();
    let lock = folder.lock().expect("free");
    assert!(matches!(folder.lock(), Err(FolderError::InUse(_))));
    drop(lock);
    folder.lock().expect("free again");
}

#[cfg(unix)]
#[test]
fn data_folder_is_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let (temp, folder) = folder();
    let mut db = Db::open(&folder.database().expect("writable")).expect("a db");
    let account = Account {
        name: UserName::parse("ana").expect("a name"),
        phc: "x".to_owned(),
        role: Role::Leitor,
        created: crate::wire::Millis(0),
    };
    db.insert(&[account]).expect("writable");
    let mode = |path: std::path::PathBuf| {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    let data = temp.path().join("data");
    assert_eq!(mode(data.clone()), 0o700);
    for file in std::fs::read_dir(data).expect("readable") {
        assert_eq!(mode(file.expect("readable").path()), 0o600);
    }
}

/// A hash of the reference implementation's own tests (phc-winner-argon2, test.c).
const REFERENCE: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ\
                         $nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

#[test]
fn hash_in_reused_memory_is_right() {
    let hasher = hasher();
    let right = Password::parse("password").expect("it is one");
    let wrong = Password::parse("passwort").expect("it is one");
    for _ in 0..2 {
        assert!(hasher.verify(&right, REFERENCE));
        assert!(!hasher.verify(&wrong, REFERENCE));
        let own = hasher.hash(&wrong).expect("there is randomness");
        assert!(hasher.verify(&wrong, &own));
        assert!(!hasher.verify(&right, &own));
    }
    hasher.release_memory();
    assert!(hasher.verify(&right, REFERENCE));
}
