//! Limits: a client that exceeds one gets an error with a code, and no other client is affected.

mod logins;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)] // another user of the same machine, by setresuid(2)
mod peers;
mod requests;
mod session_limits;
#[cfg(unix)] // it looks at the sources only
mod table;

use arauto::internal::accounts::{Account, DataFolder, Db, Hasher, Password};
use arauto::{Config, Millis, Role};
use arauto::{HashCost, UserName};
use tempfile::TempDir;

use crate::support::PASSWORD;

/// Gives the server an account that was registered before it started, so that no login was made
/// to it yet. The folder must live as long as the server.
fn keep_account(config: &mut Config, user: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("data");
    let hasher = Hasher::new(HashCost::LEAST).expect("the least cost is one");
    let password = Password::parse(PASSWORD).expect("it is one");
    let account = Account {
        name: UserName::parse(user).expect("it is a name"),
        phc: hasher.hash(&password).expect("there is randomness"),
        role: Role::Escritor,
        created: Millis::now(),
    };
    let data = DataFolder::open(&path).expect("it can be made");
    let mut db = Db::open(&data.database().expect("it is ours")).expect("it is new");
    db.insert(&[account]).expect("there is room");
    config.storage.data = Some(path);
    folder
}
