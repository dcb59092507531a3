//! `/livez` and `/readyz`.

use serde_json::json;

use super::Administered;
#[cfg(unix)]
use super::{admin_in, http};
#[cfg(unix)]
use crate::support::{HungDisk, Served, arauto, os};
use crate::support::{Stop, wait_until, watchdog};

#[test]
fn running_server_is_live_and_ready() {
    let _watchdog = watchdog();
    let server = Administered::new();
    let live = server.get("/livez");
    assert_eq!(live.status, 200, "{live:?}");
    assert!(live.headers.contains(&"cache-control: no-store".to_owned()));
    let live = live.json();
    assert_eq!(live["live"], true);
    let parts = live["parts"].as_array().expect("a list");
    let names: Vec<_> = parts.iter().map(|part| &part["part"]).collect();
    assert_eq!(
        names,
        ["supervisor", "auth", "hub", "session thread 0", "store"]
    );
    for part in parts {
        assert_eq!(part["state"], "answered");
        assert!(part["took_us"].is_u64(), "{part}");
    }
    let ready = server.get("/readyz");
    assert_eq!(
        (ready.status, ready.json()),
        (200, json!({"ready": true, "reasons": []}))
    );
    server.served.stop();
}

#[test]
fn stopping_server_is_live_and_tells_the_phase() {
    let _watchdog = watchdog();
    let mut server = Administered::new();
    // A client that does not read keeps the drain open.
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    server.served.send_stop(Stop::USUAL);
    wait_until("the server is not ready", || {
        server.get("/readyz").status == 503
    });
    wait_until("the drain has begun", || {
        let ready = server.get("/readyz").json();
        ready["reasons"][0]["phase"] == "drain" || ready["reasons"][0]["phase"] == "close"
    });
    let ready = server.get("/readyz").json();
    assert_eq!(ready["ready"], false);
    assert_eq!(ready["reasons"][0]["reason"], "stopping");
    assert!(ready["reasons"][0]["remaining_ms"].is_u64(), "{ready}");
    assert_eq!(server.get("/livez").status, 200);
    drop(ana);
    server.served.wait();
    assert!(crate::support::os::is_gone(&server.admin));
}

#[test]
#[cfg(unix)]
fn server_with_a_hung_disk_is_neither_live_nor_ready() {
    let _watchdog = watchdog();
    let disk = HungDisk::new();
    let server = Administered::with(&["--journal"], |command| disk.under(command));
    let mut ana = server.served.unauthenticated();
    ana.log_in("ana");
    disk.hang();
    ana.publish(1, "bom dia");
    disk.wait_until_hung();
    let live = server.get("/livez");
    assert_eq!(live.status, 503);
    let live = live.json();
    let store = live["parts"].as_array().and_then(|parts| parts.last());
    assert_eq!(
        store,
        Some(&json!({"part": "store", "state": "silent"})),
        "{live}"
    );
    let ready = server.get("/readyz");
    let silent = json!({"ready": false, "reasons": [{"reason": "silent", "part": "store"}]});
    assert_eq!((ready.status, ready.json()), (503, silent));
    disk.release();
    wait_until("the disk works again", || {
        server.get("/livez").status == 200
    });
    ana.skip_to("published");
    drop(ana);
    server.served.stop();
}

#[test]
#[cfg(unix)]
fn starting_server_is_live_and_not_ready() {
    let _watchdog = watchdog();
    let disk = HungDisk::new();
    disk.hang();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let admin = admin_in(&folder);
    let endpoint = os::endpoint(folder.path(), "s");
    let mut command = arauto(&["serve", "--no-console"]);
    command.arg("--listen").arg(endpoint.to_string());
    command.arg("--data").arg(folder.path().join("data"));
    command.arg("--admin").arg(admin.to_string());
    let child = disk
        .under(command)
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut served = Served::starting(child.expect("the binary is built"), folder, endpoint);
    disk.wait_until_hung();
    let live = http::get(&admin, "/livez");
    assert_eq!(
        (live.status, live.json()),
        (200, json!({"live": true, "parts": []}))
    );
    let ready = http::get(&admin, "/readyz");
    let starting = json!({"ready": false, "reasons": [{"reason": "starting"}]});
    assert_eq!((ready.status, ready.json()), (503, starting));
    disk.release();
    wait_until("the server is ready", || {
        http::get(&admin, "/readyz").status == 200
    });
    served.send_stop(Stop::USUAL);
    assert_eq!(served.wait(), Some(0));
}
