//! A reload that fails keeps everything as it is.

use super::Configured;
use crate::support::{arauto, finish, os, watchdog};

const BASE: &str =
    "log-bytes = \"40KiB\"\nmax-frame = \"10KiB\"\nmax-frame-before-login = \"2KiB\"\n";

#[test]
fn wrong_settings_change_nothing_and_are_named() {
    let _watchdog = watchdog();
    let server = Configured::new(BASE, &[]);
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    for (text, code, naming) in [
        (
            "max-frame = \"5KiB\"\nmax-frme = \"2KiB\"\n",
            78,
            "did you mean \"max-frame\"",
        ),
        (
            "max-frame = \"5KiB\"\nkeepalive-count = 300\n",
            78,
            "keepalive-count must be between",
        ),
        (
            "max-frame = \"5KiB\"\npatterns = \"many\"\n",
            78,
            "invalid type",
        ),
        (
            "max-frame = \"5KiB\"\nretain-bytes = \"1MiB\"\n",
            78,
            "add --journal",
        ),
        (
            "max-frame = \"5KiB\"\ntls-cert = \"/c\"\n",
            78,
            "tls-cert and tls-key belong together",
        ),
        (
            "max-frame = \"5KiB\"\nlisten = [\"udp:x\"]\nslow = \"no\"\n",
            78,
            "slow readers",
        ),
        (
            "max-frame = \"40KiB\"\nlog-bytes = \"40KiB\"\n",
            78,
            "log-bytes must be at least",
        ),
        (
            "max-frame = \"20KiB\"\nlog-bytes = \"80KiB\"\n",
            78,
            "until a restart",
        ),
        ("max-frame = \"5KiB\"\n[", 78, "arauto.toml"),
    ] {
        let result = server.reload(text);
        result.expect_failure(code, &["settings not reloaded", naming]);
        assert_eq!(result.out, "");
        let mut new = server.served.connected();
        assert_eq!(new.expect("welcome").num("max_frame"), 10 << 10, "{text}");
        ana.ping();
    }
    std::fs::remove_file(&server.file).expect("it is there");
    let missing = finish(&mut server.command(&["reload"]), "");
    missing.expect_failure(66, &["settings not reloaded", "arauto.toml"]);
    assert!(server.served.log().contains("settings not reloaded"));
    // The next one finds everything as it was.
    let changed = server.reload_well(&BASE.replace("10KiB", "9KiB"));
    assert_eq!(changed, "max-frame: \"10KiB\" -> \"9KiB\"\n");
    ana.fim();
    drop(ana);
    server.served.stop();
}

#[test]
fn reload_without_a_server_names_the_endpoint() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let admin = os::endpoint(folder.path(), "admin").to_string();
    let result = finish(&mut arauto(&["reload", "--admin", &admin]), "");
    result.expect_failure(69, &[&admin]);
}
