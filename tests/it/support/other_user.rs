//! Another user of this machine.

use rustix::process::{Uid, getuid};
use rustix::thread::set_thread_res_uid;

/// Somebody else: on every system a user without files.
pub const NOBODY: u32 = 65534;

/// Runs `act` as another user, on a thread that becomes that user for good.
pub fn as_somebody_else<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let uid = Uid::from_raw(NOBODY);
            set_thread_res_uid(uid, uid, uid).expect("root may become anybody");
            act()
        });
        other.join().expect("it has not panicked")
    })
}

/// Whether the tests may become somebody else; what cannot be tested is told.
pub fn can_be_somebody_else() -> bool {
    let can = getuid().is_root();
    let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some();
    assert!(can || !required, "only root can become somebody else");
    can
}
