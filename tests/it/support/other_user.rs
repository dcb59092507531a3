//! Runs code as another user of this machine.

use rustix::process::{Uid, getuid};
use rustix::thread::set_thread_res_uid;

/// The user `nobody`, which on every system is a user without files.
pub const NOBODY: u32 = 65534;

/// Runs `act` as another user, on a thread that switches to that user.
pub fn as_other_user<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let uid = Uid::from_raw(NOBODY);
            set_thread_res_uid(uid, uid, uid).expect("root may switch to any user");
            act()
        });
        other.join().expect("it has not panicked")
    })
}

/// Returns whether the tests can switch to another user: only root can.
pub fn can_become_other_user() -> bool {
    let can = getuid().is_root();
    let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
    assert!(can || !required, "only root can switch to another user");
    can
}
